import { hash, randomBytes } from 'node:crypto';
import { canonicalJson } from '../canonical.ts';
import { VeilgateError } from '../errors.ts';
import type { Sql, Statement, Tx, StatementAnswer } from '../store/database.ts';
import { recordLengthMax, saltLength, type AppendedEntry, type AuditRecord } from './entry.ts';
import type { RequestVault } from './request-vault.ts';
import { hashLength } from './tree.ts';

/** Records one call appends at most. */
export const appendMax = 1000;

/** Between records in one text: a control character, which canonical JSON never holds unescaped. */
const separator = '\u001e';

// One statement takes the sequencer and writes all rows. Salts and commitments travel as one block of bytes each
// and are cut here: arrays of bytea would travel as escaped text. What it says of the policy is read from the locked row
// itself, as the last to hold it left it: no snapshot of before the wait decides.
const appendCtes = `
with sequenced as (
  update audit_sequencer set next_index = next_index + $1::bigint, policy_index = case when $10 then next_index + $1::bigint - 1 else policy_index end
  where $11::bigint is null or policy_index = $11::bigint
  returning next_index - $1::bigint as first
), written as (
  insert into audit_entry (index, commitment, salt, record, kind, at, actor, subject, institution)
  select first + place - 1, substring($2::bytea from (place::int - 1) * 32 + 1 for 32), substring($3::bytea from (place::int - 1) * 32 + 1 for 32),
         record, kind, at, actor, subject, institution
  from sequenced, unnest(string_to_array($4::text, E'\\x1e'), $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::text[])
       with ordinality as entry (record, kind, at, actor, subject, institution, place)
)`;
// without a sequencer, or under another policy, nothing was appended, and the transaction must not be committed: it divides by zero
const answer = 'select first, 1 / (select count(*) from sequenced) as held from (select (select first from sequenced) as first) as found';
const appendText = `${appendCtes}
${answer}`;
// the same for entries that come with the request that led to them
const appendWithRequestsText = `${appendCtes}, kept as (
  insert into audit_request (index, key_version, sealed)
  select first + place, $12, substring($13::bytea from start for length)
  from sequenced, unnest($14::int[], $15::int[], $16::int[]) as request (place, start, length)
)
${answer}`;

/** Signed requests that are to be kept beside the records they led to; undefined where there is none. */
export type KeptRequests = { readonly vault: RequestVault; readonly requests: readonly (string | undefined)[] };

/**
 * Index of the last entry that changed the policy, as whoever decided on the records knows it: with a later one in the log,
 * nothing is appended. null: where nothing was decided by a policy that changes by entries.
 */
export type PolicyAsOf = number | null;

/** Entries with which another policy is in force. */
const changesPolicy: ReadonlySet<AuditRecord['kind']> = new Set(['policy.in_force', 'policy.emergency_withheld', 'policy.emergency_lifted', 'policy.emergency_ended']);

/**
 * Appends records to the log, in order, as part of the caller's transaction: they are in the log when that commits
 * and leave no trace when it does not. Takes the one lock of the log until then, so call it last.
 * Any throw must end the transaction; the caller then discloses nothing.
 * @param kept in the order of the records
 * Errors: AUDIT_UNAVAILABLE for more than `appendMax` records or one beyond `recordLengthMax`; DECISION_OUTDATED when the
 * policy is not the one of `asOf` any more; SQL errors as they come.
 */
export async function appendRecords(tx: Tx, records: readonly AuditRecord[], kept?: KeptRequests, asOf: PolicyAsOf = null): Promise<AppendedEntry[]> {
  if (records.length === 0) return [];
  const { statement, entries } = appending(records, kept, asOf);
  return entries(await tx.query(statement).catch((error: unknown) => {
    if (!tookNothing(error)) throw error;
    throw asOf === null ? sequencerLost() : decisionOutdated();
  }));
}

/** Whether the statement of `appending` found no sequencer, or one with a later policy. */
export function tookNothing(error: unknown): boolean {
  return (error as { code?: string }).code === divisionByZero;
}

/** What was decided by another policy than the one in force leaves nowhere. */
export function decisionOutdated(): VeilgateError {
  return new VeilgateError('DECISION_OUTDATED', 'What your request is decided by changed while it ran: ask again.');
}

/** Index of the last entry that changed the policy in force; -1 when none did. Errors: AUDIT_UNAVAILABLE. */
export async function policyIndex(sql: Sql): Promise<number> {
  const { rows: [row] } = await sql.query<{ policy_index: number }>({ name: 'audit policy index', text: 'select policy_index from audit_sequencer', values: [] });
  if (row === undefined) throw sequencerLost();
  return row.policy_index;
}

/** A statement that appends records, and what its answer gives. */
export type Appending = { readonly statement: Statement; readonly entries: (answer: StatementAnswer | undefined) => AppendedEntry[] };

/**
 * appendRecords for a caller that sends the statement itself, as the last of its transaction, `commit` along with it: it
 * appends all records or fails (`tookNothing`). At least one record.
 */
export function appending(records: readonly AuditRecord[], kept?: KeptRequests, asOf: PolicyAsOf = null): Appending {
  if (records.length > appendMax) throw tooLarge();
  const texts = records.map((record) => canonicalJson(record));
  const salts = randomBytes(records.length * saltLength);
  const commitments = Buffer.allocUnsafe(records.length * hashLength);
  texts.forEach((text, at) => {
    const bytes = Buffer.from(text, 'utf8');
    if (bytes.length > recordLengthMax) throw tooLarge();
    hash('sha256', Buffer.concat([cut(salts, at), bytes]), 'buffer').copy(commitments, at * hashLength);
  });
  const sealed = kept === undefined ? undefined : sealRequests(kept, salts, commitments);
  const statement = {
    ...(sealed === undefined ? { name: 'audit append', text: appendText } : { name: 'audit append with requests', text: appendWithRequestsText }),
    values: [
      records.length, commitments, salts, texts.join(separator),
      records.map(({ kind }) => kind), records.map(({ at }) => at), records.map(({ actor }) => actor),
      records.map((record) => subjectOf(record)), records.map((record) => institutionOf(record)),
      records.some(({ kind }) => changesPolicy.has(kind)), asOf,
      ...(sealed ?? []),
    ],
  };
  const entries: Appending['entries'] = (answer) => {
    const first = (answer?.rows[0] as { readonly first: number } | undefined)?.first;
    if (first === undefined) throw sequencerLost();
    return records.map((_, at) => ({ index: first + at, commitment: new Uint8Array(cut(commitments, at)), salt: new Uint8Array(cut(salts, at)) }));
  };
  return { statement, entries };
}

/** Parameters 12 to 16; undefined when there is nothing to keep. */
function sealRequests({ vault, requests }: KeptRequests, salts: Buffer, commitments: Buffer): readonly unknown[] | undefined {
  const [parts, places, starts, lengths]: [Buffer[], number[], number[], number[]] = [[], [], [], []];
  let start = 1;
  requests.forEach((request, place) => {
    if (request === undefined) return;
    const [ciphertext, tag] = vault.seal(request, cut(salts, place), cut(commitments, place));
    parts.push(ciphertext, tag);
    const length = ciphertext.length + tag.length;
    places.push(place);
    starts.push(start);
    lengths.push(length);
    start += length;
  });
  return places.length === 0 ? undefined : [vault.keyVersion, Buffer.concat(parts), places, starts, lengths];
}

/** The enterprise a record is about, for the filter column. */
export function subjectOf(record: Readonly<Record<string, unknown>> | AuditRecord): string | null {
  return 'subject' in record && typeof record.subject === 'string' ? record.subject : null;
}

/** The institution a record is about, for the filter column. */
export function institutionOf(record: Readonly<Record<string, unknown>> | AuditRecord): string | null {
  return 'institution' in record && typeof record.institution === 'string' ? record.institution : null;
}

function cut(block: Buffer, at: number): Buffer {
  return block.subarray(at * 32, (at + 1) * 32);
}

/** SQLSTATE. */
const divisionByZero = '22012';

function sequencerLost(): VeilgateError {
  return new VeilgateError('AUDIT_UNAVAILABLE', 'The audit log has lost its sequencer; nothing was disclosed. Tell the platform\'s operator.');
}

function tooLarge(): VeilgateError {
  return new VeilgateError('AUDIT_UNAVAILABLE', 'What happened does not fit into the audit log, so it was not done: ask for less at once.');
}
