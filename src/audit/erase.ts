import { VeilgateError } from '../errors.ts';
import type { Tx } from '../store/database.ts';
import type { PartyId, SubjectId, TimeMs } from '../vocabulary.ts';
import { appendMax, appendRecords } from './append.ts';
import { recordHead, type AppendedEntry, type ErasureBasis } from './entry.ts';

/** Indices one `entry.erased` record names at most. */
const indicesPerRecord = 1000;
/** Entries one call erases at most. */
export const eraseMax = appendMax * indicesPerRecord;

export type Erasure = {
  /** Every record about this enterprise, or the records of these entries. */
  readonly of: { readonly subject: SubjectId } | { readonly entries: readonly number[] };
  readonly basis: ErasureBasis;
  readonly actor: PartyId;
  readonly atMs: TimeMs;
};

/**
 * Erases records with their salts, the signed requests beside them and what still counts their enterprises, and logs that it
 * did, in the caller's transaction. The entries stay, so tree,
 * checkpoints, proofs and receipts stay valid; without the salt nobody can test a guess against what is left.
 * Records of erasures are not erased. Takes the lock of the log: call it last.
 * @returns the indices that were erased now, ascending, and the entries that say so
 * Errors: AUDIT_ENTRY_NOT_FOUND when there is nothing to erase; AUDIT_RANGE_INVALID for more than eraseMax.
 */
export async function eraseEntries(tx: Tx, { of, basis, actor, atMs }: Erasure): Promise<{ erased: number[]; logged: AppendedEntry[] }> {
  const subject = 'subject' in of ? of.subject : null;
  const entries = 'entries' in of ? of.entries : null;
  if (entries?.some((index) => !Number.isSafeInteger(index))) throw new VeilgateError('AUDIT_RANGE_INVALID', 'An entry of the log is named by a whole number: send whole numbers.');
  await tx.query(
    'delete from audit_served where subject = $1 or subject in (select subject from audit_entry where index = any($2::bigint[]) and subject is not null)',
    [subject, entries],
  );
  const found = await tx.query<{ index: number }>(
    `update audit_entry set record = null, salt = null, subject = null
     where record is not null and kind <> 'entry.erased' and (subject = $1 or index = any($2::bigint[])) returning index`,
    [subject, entries],
  );
  if (found.rows.length === 0) throw new VeilgateError('AUDIT_ENTRY_NOT_FOUND', 'The log holds no record of that kind any more: there is nothing to erase.');
  if (found.rows.length > eraseMax) throw new VeilgateError('AUDIT_RANGE_INVALID', `One erasure takes at most ${eraseMax} entries: erase them by their indices, in parts.`);
  await tx.query('delete from audit_request where index = any($1::bigint[])', [found.rows.map(({ index }) => index)]);
  const erased = found.rows.map(({ index }) => index).toSorted((a, b) => a - b);
  const parts = Array.from({ length: Math.ceil(erased.length / indicesPerRecord) }, (_, part) => erased.slice(part * indicesPerRecord, (part + 1) * indicesPerRecord));
  const logged = await appendRecords(tx, parts.map((indices) => ({ ...recordHead('entry.erased', atMs, actor), basis, entries: indices })));
  return { erased, logged };
}
