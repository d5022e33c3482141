import { VeilgateError } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { InstitutionId, TimeMs } from '../../vocabulary.ts';
import { beginListDigest, chunkSubjectsMax, chunksOf, digestOfLines, extendListDigest, parseChunk, type ListedSubject } from './list-digest.ts';

/** A list of enterprises as far as it has come. */
export type StoredList = {
  readonly id: string;
  readonly institution: InstitutionId;
  readonly digest: string;
  readonly count: number;
  readonly chain: string;
  readonly received: number;
  readonly chunks: number;
};

export type NewList = { readonly id: string; readonly institution: InstitutionId; readonly salt: Uint8Array; readonly digest: string; readonly count: number; readonly keepUntilMs: TimeMs };

const listColumns = 'id, institution, digest, count, chain, received, chunks';

export async function insertList(tx: Tx, list: NewList): Promise<void> {
  await tx.query(
    'insert into scoring_list (id, institution, salt, digest, count, chain, keep_until_ms) values ($1, $2, $3, $4, $5, $6, $7)',
    [list.id, list.institution, list.salt, list.digest, list.count, await beginListDigest(list.salt), list.keepUntilMs],
  );
}

export async function readList(sql: Sql, id: string): Promise<StoredList | undefined> {
  return (await readLists(sql, [id])).get(id);
}

/** By id; those that are no longer kept are missing. */
export async function readLists(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, StoredList>> {
  const { rows } = await sql.query<StoredList>({ name: 'scoring lists', text: `select ${listColumns} from scoring_list where id = any($1::text[])`, values: [ids] });
  return new Map(rows.map((list) => [list.id, list]));
}

/** How many lists of an institution are kept, and for how many enterprises they have room. */
export async function keptLists(sql: Sql, institution: InstitutionId): Promise<{ readonly lists: number; readonly enterprises: number }> {
  const { rows: [kept] } = await sql.query<{ lists: number; enterprises: number }>(
    'select count(*)::integer as lists, coalesce(sum(count), 0)::bigint as enterprises from scoring_list where institution = $1', [institution]);
  return kept ?? { lists: 0, enterprises: 0 };
}

/** Keeps a list for as long as a new job over it may want it. */
export async function keepList(tx: Tx, id: string, untilMs: TimeMs): Promise<void> {
  await tx.query('update scoring_list set keep_until_ms = greatest(keep_until_ms, $2) where id = $1', [id, untilMs]);
}

/**
 * Takes the next chunk of a list. The same chunk once more changes nothing; chunks come in order.
 * Errors: SCORE_LIST_INVALID with the line, SCORE_LIST_MISMATCH when it is not the next one, too long or another than before.
 */
export async function appendChunk(tx: Tx, id: string, n: number, lines: string): Promise<StoredList> {
  const { rows: [list] } = await tx.query<StoredList>(`select ${listColumns} from scoring_list where id = $1 for update`, [id]);
  if (list === undefined) throw mismatch('The list is no longer there: open a new job.', 0);
  const digest = await digestOfLines(lines);
  if (n < list.chunks) {
    const { rows: [stored] } = await tx.query<{ digest: string }>('select digest from scoring_list_chunk where list = $1 and n = $2', [id, n]);
    if (stored?.digest !== digest) throw mismatch('This chunk came before with other lines: go on with detail.next, or open a new job.', list.chunks);
    return list;
  }
  if (n > list.chunks) throw mismatch('Chunks come in order: send the one detail.next names.', list.chunks);
  const subjects = parseChunk(lines);
  if (typeof subjects === 'number') throw new VeilgateError('SCORE_LIST_INVALID', 'A line is not canonical JSON of {grant, subject} or {subject}: detail.line says which (docs/formats/score-job.md).', { line: subjects });
  const expected = Math.min(chunkSubjectsMax, list.count - list.received);
  if (subjects.length !== expected) throw mismatch('Every chunk but the last has 10,000 lines, and the last what is left of the signed count.', list.chunks);
  await tx.query('insert into scoring_list_chunk (list, n, lines, digest) values ($1, $2, $3, $4)', [id, n, lines, digest]);
  const next = { ...list, chain: await extendListDigest(list.chain, digest), received: list.received + subjects.length, chunks: list.chunks + 1 };
  await tx.query('update scoring_list set chain = $2, received = $3, chunks = $4 where id = $1', [id, next.chain, next.received, next.chunks]);
  return next;
}

/** Errors: SCORE_LIST_MISMATCH unless all came, and is what the bank signed. */
export function requireWhole(list: StoredList): void {
  if (list.received < list.count || list.chunks < chunksOf(list.count)) throw mismatch('The list is not complete: send the chunks from detail.next on.', list.chunks);
  if (list.chain !== list.digest) throw mismatch('The list is not the one that was signed: cancel the job and open a new one.', list.chunks);
}

export async function readChunk(sql: Sql, list: string, n: number): Promise<readonly ListedSubject[] | undefined> {
  const { rows: [row] } = await sql.query<{ lines: string }>('select lines from scoring_list_chunk where list = $1 and n = $2', [list, n]);
  const subjects = row === undefined ? undefined : parseChunk(row.lines);
  return typeof subjects === 'number' ? undefined : subjects;
}

function mismatch(message: string, next: number): VeilgateError {
  return new VeilgateError('SCORE_LIST_MISMATCH', message, { next });
}
