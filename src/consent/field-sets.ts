import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical.ts';
import { VeilgateError } from '../errors.ts';
import type { Sql } from '../store/database.ts';
import type { ConsentCeiling, FieldRef } from '../vocabulary.ts';

/**
 * Grants share their lists of fields: banks ask with templates, so a million grants hold a few hundred lists.
 * A list is stored once under its digest, never changes, and is therefore parsed once per process.
 */
export type FieldSet = ReadonlyMap<FieldRef, ConsentCeiling>;

/** About 10 MB when full of lists of 60 fields. */
const cachedSetsMax = 2000;
/** By digest of the content, so the same for every database of this process. */
const cache = new Map<string, FieldSet>();

export function fieldSetJson(fields: FieldSet): { readonly json: string; readonly digest: string } {
  const json = canonicalJson(Object.fromEntries(fields));
  return { json, digest: createHash('sha256').update(json).digest('hex') };
}

/** Fields, those with ceiling `original` counted twice. */
export function widthOf(fields: FieldSet): number {
  let width = fields.size;
  for (const ceiling of fields.values()) if (ceiling === 'original') width += 1;
  return width;
}

/**
 * The lists with these digests. No statement when all are cached.
 * A list that does not hash to its digest was tampered with in the database: it is left out, see `damagedFieldSet`.
 */
export async function fieldSets(sql: Sql, digests: Iterable<string>): Promise<ReadonlyMap<string, FieldSet>> {
  const found = new Map<string, FieldSet>();
  const missing = new Set<string>();
  for (const digest of digests) {
    const cached = cache.get(digest);
    if (cached === undefined) missing.add(digest);
    else found.set(digest, cached);
  }
  if (missing.size === 0) return found;
  const { rows } = await sql.query<{ digest: string; fields: string }>({
    name: 'consent field sets',
    text: 'select digest, fields::text from consent_field_set where digest = any($1::text[])',
    values: [[...missing]],
  });
  for (const { digest, fields } of rows) {
    const parsed = JSON.parse(fields) as Record<string, ConsentCeiling>;
    const set: FieldSet = new Map(Object.entries(parsed) as [FieldRef, ConsentCeiling][]);
    if (fieldSetJson(set).digest !== digest) continue;
    if (cache.size >= cachedSetsMax) cache.delete(cache.keys().next().value as string);
    cache.set(digest, set);
    found.set(digest, set);
  }
  return found;
}

export function damagedFieldSet(): VeilgateError {
  return new VeilgateError('INTERNAL', 'The stored consent is damaged, nothing is disclosed under it: tell the platform\'s operator.');
}
