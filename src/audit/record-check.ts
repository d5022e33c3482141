import { canonicalJson } from '../canonical.ts';
import { concat, sameBytes, utf8, type Bytes } from './bytes.ts';
import type { Sha256 } from './tree.ts';

/** A record as a verifier gets it. */
export type ShownRecord = {
  /** Canonical JSON, the exact text that was hashed. */
  readonly record: string;
  readonly salt: Uint8Array;
  /** What the entry is listed under, when the reader knows: these are outside the commitment and must agree with it. */
  readonly facts?: { readonly kind: string; readonly at: string; readonly actor: string; readonly subject: string | null; readonly institution: string | null };
};

export type RecordFaultKind = 'record_differs' | 'record_malformed' | 'facts_differ';

/** What is wrong with a record, if anything, and which entries it declares erased. */
export async function recordFault({ record, salt, facts }: ShownRecord, commitment: Bytes, sha256: Sha256): Promise<{ fault?: RecordFaultKind; erases?: readonly number[] }> {
  if (!sameBytes(await sha256(concat(salt, utf8(record))), commitment)) return { fault: 'record_differs' };
  const parsed = parseRecord(record);
  if (parsed === undefined) return { fault: 'record_malformed' };
  if (facts !== undefined) {
    const named = (name: string) => (typeof parsed[name] === 'string' ? parsed[name] : null);
    const agree = facts.kind === parsed.kind && facts.actor === parsed.actor && Date.parse(facts.at) === Date.parse(parsed.at)
      && facts.subject === named('subject') && facts.institution === named('institution');
    if (!agree) return { fault: 'facts_differ' };
  }
  return { erases: erasures(parsed) };
}

/** The entries whose records this record declares erased. */
export function erasedBy(record: string): readonly number[] {
  return erasures(parseRecord(record));
}

function erasures(record: ParsedRecord | undefined): readonly number[] {
  if (record?.kind !== 'entry.erased' || !Array.isArray(record.entries)) return [];
  return record.entries.filter((index) => Number.isSafeInteger(index));
}

type ParsedRecord = Readonly<Record<string, unknown>> & { readonly kind: string; readonly at: string; readonly actor: string };

/** Kinds are not checked: a verifier of today must be able to read the log of tomorrow. */
function parseRecord(text: string): ParsedRecord | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    if (canonicalJson(value) !== text) return undefined; // another reader could read something else
    if (typeof value !== 'object' || value === null) return undefined;
    const record = value as Readonly<Record<string, unknown>>;
    const complete = record.v === 1 && typeof record.kind === 'string' && typeof record.actor === 'string' && typeof record.at === 'string' && !Number.isNaN(Date.parse(record.at));
    return complete ? (record as ParsedRecord) : undefined;
  } catch {
    return undefined;
  }
}
