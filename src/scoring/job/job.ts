import { randomBytes } from 'node:crypto';
import { VeilgateError, type ErrorCode } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { InstitutionId, PurposeCode, TimeMs } from '../../vocabulary.ts';
import type { ModelRef } from '../protocol.ts';

export type JobState = 'open' | 'planning' | 'running' | 'done' | 'cancelled' | 'stopped';

/** Many enterprises to be scored under one signed request. */
export type Job = {
  readonly id: string;
  readonly institution: InstitutionId;
  readonly list: string;
  readonly repeats: string | null;
  readonly model: ModelRef;
  readonly purpose: PurposeCode;
  /** RFC 7638 thumbprint of the key both halves are sealed to. */
  readonly recipient: string;
  readonly request: string;
  readonly requestDigest: string;
  readonly state: JobState;
  /** Why it was stopped. */
  readonly reason: ErrorCode | null;
  readonly createdMs: TimeMs;
  readonly startedMs: TimeMs | null;
  readonly finishedMs: TimeMs | null;
  readonly expiresMs: TimeMs;
  readonly resultsUntilMs: TimeMs | null;
};

const columns = `id, institution, list, repeats, model, purpose, recipient, request, request_digest as "requestDigest", state, reason,
  created_ms as "createdMs", started_ms as "startedMs", finished_ms as "finishedMs", expires_ms as "expiresMs", results_until_ms as "resultsUntilMs"`;

export type NewJob = Pick<Job, 'id' | 'institution' | 'list' | 'repeats' | 'model' | 'purpose' | 'recipient' | 'request' | 'requestDigest' | 'createdMs' | 'expiresMs'>;

export function newJobId(): string {
  return randomBytes(16).toString('base64url');
}

export async function insertJob(tx: Tx, job: NewJob): Promise<void> {
  await tx.query(
    `insert into scoring_job (id, institution, list, repeats, model, purpose, recipient, request, request_digest, state, created_ms, expires_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10, $11)`,
    [job.id, job.institution, job.list, job.repeats, job.model, job.purpose, job.recipient, job.request, job.requestDigest, job.createdMs, job.expiresMs],
  );
}

export async function findJob(sql: Sql, id: string): Promise<Job | undefined> {
  const { rows } = await sql.query<Job>({ name: 'scoring job', text: `select ${columns} from scoring_job where id = $1`, values: [id] });
  return rows[0];
}

/** A job of this institution. Errors: SCORE_JOB_NOT_FOUND, the same for one that is not there and for another's. */
export async function ownJob(sql: Sql, id: string, institution: InstitutionId): Promise<Job> {
  const job = await findJob(sql, id);
  if (job === undefined || job.institution !== institution) throw new VeilgateError('SCORE_JOB_NOT_FOUND', 'You have no such job: check its id.');
  return job;
}

/** Newest first. */
export async function jobsOf(sql: Sql, institution: InstitutionId, limit: number): Promise<readonly Job[]> {
  const { rows } = await sql.query<Job>(`select ${columns} from scoring_job where institution = $1 order by created_ms desc, id desc limit $2`, [institution, limit]);
  return rows;
}

/** Jobs of an institution that are open or under way. */
export async function liveJobs(sql: Sql, institution: InstitutionId): Promise<number> {
  const { rows } = await sql.query<{ live: number }>("select count(*)::integer as live from scoring_job where institution = $1 and state in ('open', 'planning', 'running')", [institution]);
  return rows[0]?.live ?? 0;
}

/** Keeps all others from opening jobs of this institution, or deleting their lists, until the transaction ends. */
export async function takeJobsOf(tx: Tx, institution: InstitutionId): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext('veilgate score jobs of'), hashtext($1))", [institution]);
}

// No row lock: those who share a row can keep somebody who wants it alone waiting for ever, these queue.
const holdingLock = "hashtext('veilgate score job'), hashtext($1)";

/** Keeps others from finishing the job until the transaction ends; many may hold it. */
export async function holdJob(tx: Tx, id: string): Promise<Job | undefined> {
  const [, { rows }] = await Promise.all([
    tx.query({ name: 'scoring hold job', text: `select pg_advisory_xact_lock_shared(${holdingLock})`, values: [id] }),
    tx.query<Job>({ name: 'scoring job', text: `select ${columns} from scoring_job where id = $1`, values: [id] }),
  ]);
  return rows[0];
}

/** Has the job to itself until the transaction ends: waits for all who hold it. */
export async function takeJob(tx: Tx, id: string): Promise<Job | undefined> {
  await tx.query(`select pg_advisory_xact_lock(${holdingLock})`, [id]);
  return findJob(tx, id);
}

export async function startJob(tx: Tx, id: string, atMs: TimeMs): Promise<void> {
  await tx.query("update scoring_job set state = 'planning', started_ms = $2 where id = $1 and state = 'open'", [id, atMs]);
}

export type JobEnd = { readonly state: 'done' | 'cancelled' | 'stopped'; readonly reason?: ErrorCode; readonly atMs: TimeMs; readonly resultsUntilMs: TimeMs };

/**
 * Ends a job that takeJob gave: no part is decided afterwards, and what was computed but not released is deleted.
 * @returns false when it had ended before
 */
export async function finishJob(tx: Tx, id: string, end: JobEnd): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update scoring_job set state = $2, reason = $3, finished_ms = $4, results_until_ms = $5 where id = $1 and state in ('open', 'planning', 'running')`,
    [id, end.state, end.reason ?? null, end.atMs, end.resultsUntilMs],
  );
  if (rowCount === 0) return false;
  await tx.query(
    `update scoring_job_part set state = 'stopped', masks = null, custodian_half = null, ticket = null, slots = null where job = $1 and state = 'pending'`,
    [id],
  );
  await tx.query('delete from scoring_job_fragment where job = $1', [id]);
  return true;
}

/** True for a job that may still score somebody at `atMs`. */
export function isLive(job: Pick<Job, 'state' | 'expiresMs'>, atMs: TimeMs): boolean {
  return (job.state === 'open' || job.state === 'planning' || job.state === 'running') && atMs < job.expiresMs;
}
