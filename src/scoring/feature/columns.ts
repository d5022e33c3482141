import { createHash } from 'node:crypto';
import { VeilgateError } from '../../errors.ts';
import { packColumn } from '../../he/packed.ts';
import type { ParameterSet } from '../../he/parameters.ts';
import type { RowRoom } from '../../store/copy-out.ts';
import type { Database, Sql, Tx } from '../../store/database.ts';
import type { TimeMs } from '../../vocabulary.ts';
import type { Feature, FeatureId } from '../protocol.ts';

/** One stored column of one block, without its bytes. */
export type Column = {
  readonly feature: FeatureId;
  readonly block: number;
  readonly revision: number;
  /** SHA-256 of the ciphertext as it was signed, lower-case hex. */
  readonly digest: string;
  /** SHA-256 of the packed ciphertext, lower-case hex: what it is read and checked by. */
  readonly packedDigest: string;
  /** slots/8 bytes: bit i, least significant first, says that slot i holds an enterprise that may be scored. */
  readonly filled: Uint8Array;
  /** The ciphertext still holds a value of an enterprise that was removed; its slot is empty. */
  readonly stale: boolean;
};

export type ColumnChoice = {
  /** Id of the custodian's key. */
  readonly key: string;
  /** Columns encoded by another declaration than the feature has now are left out. */
  readonly features: readonly Pick<Feature, 'id' | 'declaration'>[];
  readonly blocks: readonly number[];
};

/** Which columns there are, in no particular order: who needs all of a block must look whether all came. One statement. */
export async function columnsOf(sql: Sql, { key, features, blocks }: ColumnChoice): Promise<Column[]> {
  const { rows } = await sql.query<Column>({
    name: 'score-columns-of',
    text: `select c.feature, c.block, c.revision, c.digest, c.packed_digest as "packedDigest", c.filled, c.stale
           from unnest($2::text[], $3::text[]) as f (feature, declaration), unnest($4::integer[]) as b (block), score_column c
           where c.key_id = $1 and c.feature = f.feature and c.block = b.block and c.declaration = f.declaration`,
    values: [key, features.map(({ id }) => id), features.map(({ declaration }) => declaration), blocks],
  });
  return rows;
}

const digestShape = /^[0-9a-f]{64}$/;

/**
 * The packed ciphertexts of many columns at once, in the order of `digests`, written to what `room` gives for each.
 * @param digests those of the packed ciphertexts
 * Errors: FEATURE_BLOCK_MISSING when one was replaced or removed meanwhile: look with columnsOf again.
 */
export async function packedColumnsOf(database: Pick<Database, 'readBytes'>, digests: readonly string[], room?: RowRoom): Promise<Uint8Array[]> {
  if (digests.length === 0) return [];
  if (!digests.every((digest) => digestShape.test(digest))) throw new TypeError('a digest is 64 hexadecimal digits');
  // one row for each digest, in order: a digest that stands twice is the same bytes
  const bytes = await database.readBytes(`
    select (select c.packed from score_column c where c.packed_digest = w.digest limit 1)
    from unnest('{${digests.join()}}'::text[]) with ordinality as w (digest, at)
    where exists (select from score_column c where c.packed_digest = w.digest)
    order by w.at`, room);
  if (bytes.length !== digests.length) {
    throw new VeilgateError('FEATURE_BLOCK_MISSING', 'A column was replaced while it was being read: do it again.', { missing: digests.length - bytes.length });
  }
  return bytes;
}

/** A block that passed every check. */
export type NewColumn = Omit<Column, 'feature' | 'packedDigest'> & {
  readonly feature: Pick<Feature, 'id' | 'declaration'>;
  readonly key: string;
  /** The parameter set of its key. */
  readonly set: ParameterSet;
  readonly envelope: string;
  readonly department: string;
  readonly rekeyed: boolean;
  /** As it was signed. */
  readonly ciphertext: Uint8Array;
};

/**
 * Stores a block, packed, or replaces an older revision of it.
 * @returns `same` when exactly this block is there already, `older` when a later revision or another block of the same one is
 * Errors: HE_CIPHERTEXT_REFUSED for what is no column of the set.
 */
export async function storeColumn(tx: Tx, column: NewColumn, nowMs: TimeMs): Promise<'stored' | 'same' | 'older'> {
  const packed = packColumn(column.set, column.ciphertext);
  const { rows } = await tx.query({
    name: 'score-column-store',
    text: `insert into score_column as c (key_id, feature, block, revision, declaration, digest, filled, stale, envelope, department, rekeyed, packed, packed_digest, loaded_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, to_timestamp($14::double precision / 1000))
           on conflict (key_id, feature, block) do update set
             revision = excluded.revision, declaration = excluded.declaration, digest = excluded.digest, filled = excluded.filled, stale = excluded.stale,
             envelope = excluded.envelope, department = excluded.department, rekeyed = excluded.rekeyed, packed = excluded.packed, packed_digest = excluded.packed_digest, loaded_at = excluded.loaded_at
           where c.revision < excluded.revision
           returning 1`,
    values: [
      column.key, column.feature.id, column.block, column.revision, column.feature.declaration, column.digest, Buffer.from(column.filled), column.stale,
      column.envelope, column.department, column.rekeyed, Buffer.from(packed.buffer), createHash('sha256').update(packed).digest('hex'), nowMs,
    ],
  });
  if (rows.length > 0) return 'stored';
  const { rows: [there] } = await tx.query<{ digest: string; revision: number }>({
    name: 'score-column-there', text: 'select digest, revision from score_column where key_id = $1 and feature = $2 and block = $3', values: [column.key, column.feature.id, column.block],
  });
  return there?.digest === column.digest && there.revision === column.revision ? 'same' : 'older';
}

/** What a department is told about its columns. */
export type ColumnStatus = { readonly feature: FeatureId; readonly block: number; readonly revision: number; readonly digest: string; readonly declaration: string; readonly filled: number; readonly stale: boolean; readonly rekeyed: boolean };

/** Columns of some features under one key, by feature and block, `limit` of them after the given one. */
export async function columnStatus(sql: Sql, options: { readonly key: string; readonly features: readonly FeatureId[]; readonly blocks: readonly [number, number]; readonly limit: number }): Promise<ColumnStatus[]> {
  const { rows } = await sql.query<ColumnStatus>({
    name: 'score-column-status',
    text: `select feature, block, revision, digest, declaration, bit_count(filled)::integer as filled, stale, rekeyed
           from score_column where key_id = $1 and feature = any ($2::text[]) and block between $3 and $4 order by block, feature limit $5`,
    values: [options.key, options.features, options.blocks[0], options.blocks[1], options.limit],
  });
  return rows;
}
