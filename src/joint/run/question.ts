import type { ErrorCode } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { InstitutionId, TimeMs } from '../../vocabulary.ts';
import type { NanoRho } from '../noise/accountant.ts';
import type { Statement } from '../statement/statement.ts';

/** A question that was let in, and what came of it. */
export type StoredQuestion = {
  readonly digest: string;
  readonly run: string;
  readonly project: string;
  readonly cohort: string;
  readonly institution: InstitutionId;
  readonly statement: Statement;
  readonly cost: NanoRho;
  readonly parts: number;
  readonly state: 'asked' | 'released' | 'failed';
  readonly reason: ErrorCode | null;
  readonly attempts: number;
  readonly askedMs: TimeMs;
  readonly endedMs: TimeMs | null;
};

const columns = `digest, run, project, cohort, institution, statement, cost, parts, state, reason, attempts,
  asked_ms as "askedMs", ended_ms as "endedMs"`;

export type NewQuestion = Pick<StoredQuestion, 'digest' | 'run' | 'project' | 'cohort' | 'institution' | 'statement' | 'cost' | 'parts' | 'askedMs'>;

/** Keeps a question for the worker; one that failed before may be asked again. @returns false when it is there already */
export async function storeQuestion(tx: Tx, question: NewQuestion): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into joint_question (digest, run, project, cohort, institution, statement, cost, parts, state, asked_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'asked', $9)
     on conflict (digest) do update set state = 'asked', reason = null, ended_ms = null, attempts = 0, asked_ms = excluded.asked_ms where joint_question.state = 'failed'`,
    [question.digest, question.run, question.project, question.cohort, question.institution, JSON.stringify(question.statement), question.cost, question.parts, question.askedMs],
  );
  return rowCount === 1;
}

export async function findQuestion(sql: Sql, digest: string): Promise<StoredQuestion | undefined> {
  const { rows } = await sql.query<StoredQuestion>({ name: 'joint question', text: `select ${columns} from joint_question where digest = $1`, values: [digest] });
  return rows[0];
}

/** Keeps others from ending the question until the transaction ends. */
export async function lockQuestion(tx: Tx, digest: string): Promise<StoredQuestion | undefined> {
  const { rows } = await tx.query<StoredQuestion>({ name: 'joint question lock', text: `select ${columns} from joint_question where digest = $1 for update`, values: [digest] });
  return rows[0];
}

/** Newest first. */
export async function questionsOf(sql: Sql, project: string, limit: number): Promise<StoredQuestion[]> {
  const { rows } = await sql.query<StoredQuestion>(`select ${columns} from joint_question where project = $1 order by asked_ms desc, digest limit $2`, [project, limit]);
  return rows;
}

/** A worker begins. @returns how often one has */
export async function countAttempt(sql: Sql, digest: string): Promise<number> {
  const { rows: [row] } = await sql.query<{ attempts: number }>("update joint_question set attempts = attempts + 1 where digest = $1 and state = 'asked' returning attempts", [digest]);
  return row?.attempts ?? 0;
}

export async function endQuestion(tx: Tx, digest: string, end: { readonly state: 'released' } | { readonly state: 'failed'; readonly reason: ErrorCode }, atMs: TimeMs): Promise<void> {
  await tx.query('update joint_question set state = $2, reason = $3, ended_ms = $4 where digest = $1', [digest, end.state, end.state === 'failed' ? end.reason : null, atMs]);
  if (end.state === 'failed') await discardStaged(tx, digest);
}

/** Results that were computed and wait for the release; each is kept once, the first time. */
export async function stage(sql: Sql, question: string, from: number, results: readonly Uint8Array[]): Promise<void> {
  for (const [at, result] of results.entries()) {
    await sql.query({ name: 'joint stage', text: 'insert into joint_staged (question, part, result) values ($1, $2, $3) on conflict (question, part) do nothing', values: [question, from + at, result] });
  }
}

/** Results that never left go. */
export async function discardStaged(sql: Sql, question: string): Promise<void> {
  await sql.query('delete from joint_staged where question = $1', [question]);
}

/** Parts that were computed. */
export async function stagedParts(sql: Sql, question: string): Promise<ReadonlySet<number>> {
  const { rows } = await sql.query<{ part: number }>('select part from joint_staged where question = $1', [question]);
  return new Set(rows.map(({ part }) => part));
}

/** SHA-256 over all results one after another, worked out where they are. */
export async function stagedDigest(sql: Sql, question: string, digest: (bytes: Uint8Array) => void): Promise<void> {
  for (let from = 0; ; from += partsAtOnce) {
    const { rows } = await sql.query<{ result: Uint8Array }>('select result from joint_staged where question = $1 and part >= $2 and part < $3 order by part', [question, from, from + partsAtOnce]);
    if (rows.length === 0) return;
    for (const { result } of rows) digest(result);
  }
}

/** Staged results become the answer, in the transaction that commits the charge. */
export async function releaseStaged(tx: Tx, question: string): Promise<void> {
  await tx.query('insert into joint_answer (question, part, result) select question, part, result from joint_staged where question = $1', [question]);
  await tx.query('delete from joint_staged where question = $1', [question]);
}

/** Results that travel at once: 2 MB. */
export const partsAtOnce = 64;

/** Released results from a part on. */
export async function answerParts(sql: Sql, question: string, from: number): Promise<Uint8Array[]> {
  const { rows } = await sql.query<{ result: Uint8Array }>({ name: 'joint answer parts', text: 'select result from joint_answer where question = $1 and part >= $2 and part < $3 order by part', values: [question, from, from + partsAtOnce] });
  return rows.map(({ result }) => new Uint8Array(result));
}
