import { dayMs } from '../../calendar.ts';
import { VeilgateError } from '../../errors.ts';
import { countQueries, type AdmittedCaller } from '../../identity/admit.ts';
import { findJob, insertJob, liveJobs, newJobId, ownJob, startJob, takeJob, takeJobsOf, type Job } from '../../scoring/job/job.ts';
import { chunksOf, listSubjectsMax } from '../../scoring/job/list-digest.ts';
import { forgetList } from '../../scoring/job/expire.ts';
import { appendChunk, insertList, keepList, keptLists, readList, requireWhole, type StoredList } from '../../scoring/job/list.ts';
import type { ScoreRequestClaims } from '../../scoring/protocol.ts';
import { isUniqueViolation, type Tx } from '../../store/database.ts';
import type { InstitutionId, TimeMs } from '../../vocabulary.ts';
import { endJob, tasksAhead, type JobDesk } from './score-job-desk.ts';
import { requireUsable } from './score-eligibility.ts';

/** What doors for jobs need: no ciphertext is touched here. */
export type JobDoor = Pick<JobDesk, 'database' | 'queue' | 'clock' | 'features' | 'model' | 'resultDays'> & {
  /** How long a list is kept after the last job over it began. */
  readonly listDays: number;
  /** Jobs of one institution that may be open or under way. */
  readonly jobsMax: number;
};

/** A signed request for many after identity/ and the check of its form. */
export type SignedScores = {
  readonly institution: InstitutionId;
  readonly score: ScoreRequestClaims['score'];
  /** The compact JWS and its SHA-256. */
  readonly request: string;
  readonly requestDigest: string;
  /** End of the request's validity: when the job ends at the latest. */
  readonly expiresMs: TimeMs;
};

type Asking = Pick<AdmittedCaller, 'party' | 'institutionClass' | 'securityLevel' | 'limits'>;


/** Lists of one institution that are kept at most, and how many enterprises they may name together. */
const listsMax = 1000;
const listedMax = 20_000_000;

/** Opens a job that takes its list in chunks. Errors: SCORE_INVALID, SCORE_MODEL_NOT_USABLE, SCORE_JOBS_TOO_MANY, SCORE_JOB_STATE_CONFLICT, REQUEST_QUOTA_EXCEEDED. */
export async function openJob(door: JobDoor, signed: SignedScores, salt: Uint8Array, caller: Asking): Promise<Job> {
  await checkRequest(door, signed, caller);
  return storeJob(door, signed, caller, async (tx, nowMs) => {
    const kept = await keptLists(tx, signed.institution);
    if (kept.lists >= listsMax || kept.enterprises + signed.score.count > listedMax) {
      throw new VeilgateError('SCORE_JOBS_TOO_MANY', 'The platform keeps as many of your lists as it takes: delete one (DELETE /v1/score-jobs/{job}/list), or score one of them again.');
    }
    const list = { id: newJobId(), institution: signed.institution, salt, digest: signed.score.subjects, count: signed.score.count, keepUntilMs: keepUntil(door, nowMs) };
    await insertList(tx, list);
    return { list: list.id, repeats: null };
  });
}

/**
 * A job over the list of an earlier one, under a request of its own: everything is decided anew.
 * Errors: those of openJob, SCORE_JOB_NOT_FOUND, SCORE_LIST_MISMATCH unless that list is complete and the one that was signed.
 */
export async function repeatJob(door: JobDoor, earlier: string, signed: SignedScores, caller: Asking): Promise<Job> {
  await checkRequest(door, signed, caller);
  const { list: id } = await ownJob(door.database, earlier, signed.institution);
  return storeJob(door, signed, caller, async (tx, nowMs) => {
    await keepList(tx, id, keepUntil(door, nowMs));
    const list = requireThere(await readList(tx, id));
    requireWhole(list);
    if (list.digest !== signed.score.subjects || list.count !== signed.score.count) throw new VeilgateError('SCORE_LIST_MISMATCH', 'The request was signed for another list than this job\'s: open a new job.', { next: list.chunks });
    return { list: id, repeats: earlier };
  }, (tx, repeated) => begin(door, tx, repeated, signed.score.count));
}

async function checkRequest(door: JobDoor, { score }: SignedScores, caller: Asking): Promise<void> {
  if (score.kind !== 'many') throw new VeilgateError('SCORE_INVALID', 'This door takes requests for many enterprises: ask for one at /v1/scores.', { part: 'payload', pointer: '/score/kind' });
  if (score.count > listSubjectsMax) throw new VeilgateError('SCORE_INVALID', 'A list names at most a million enterprises: make several jobs.', { part: 'payload', pointer: '/score/count' });
  requireUsable(await door.model(score.model), caller, score.purpose, door.features());
}

async function storeJob(door: JobDoor, signed: SignedScores, { limits }: Asking, listOf: (tx: Tx, nowMs: TimeMs) => Promise<Pick<Job, 'list' | 'repeats'>>, also?: (tx: Tx, job: string) => Promise<void>): Promise<Job> {
  const { institution, score, request, requestDigest, expiresMs } = signed;
  const id = newJobId();
  try {
    return await door.database.transaction('open score job', async (tx) => {
      await takeJobsOf(tx, institution);
      if ((await liveJobs(tx, institution)) >= door.jobsMax) throw new VeilgateError('SCORE_JOBS_TOO_MANY', 'You have as many jobs open or under way as the platform takes: wait for one, or cancel one.');
      const nowMs = door.clock.nowMs();
      await countQueries(tx, { institution, count: score.count, limits }, nowMs);
      await insertJob(tx, {
        id, institution, ...(await listOf(tx, nowMs)), model: score.model, purpose: score.purpose, recipient: score.recipient,
        request, requestDigest, createdMs: nowMs, expiresMs,
      });
      await also?.(tx, id);
      return await findJob(tx, id) as Job;
    });
  } catch (error) {
    if (isUniqueViolation(error, 'scoring_job_request_digest_key')) throw new VeilgateError('SCORE_JOB_STATE_CONFLICT', 'This request has made a job already: sign a new one.');
    throw error;
  }
}

/** Errors: SCORE_JOB_NOT_FOUND, SCORE_JOB_STATE_CONFLICT, SCORE_JOB_EXPIRED, SCORE_LIST_*. */
export async function addChunk(door: JobDoor, institution: InstitutionId, id: string, n: number, lines: string): Promise<StoredList> {
  return door.database.transaction('take chunk of list', async (tx) => {
    const job = await ownJob(tx, id, institution);
    requireOpen(door, job);
    return appendChunk(tx, job.list, n, lines);
  });
}

/** The list is complete: work begins. Once more changes nothing. Errors: those of addChunk. */
export async function beginJob(door: JobDoor, institution: InstitutionId, id: string): Promise<Job> {
  return door.database.transaction('start score job', async (tx) => {
    await ownJob(tx, id, institution);
    const job = await takeJob(tx, id) as Job;
    if (job.startedMs !== null) return job;
    requireOpen(door, job);
    const list = requireThere(await readList(tx, job.list));
    requireWhole(list);
    await begin(door, tx, id, list.count);
    return await findJob(tx, id) as Job;
  });
}

async function begin(door: JobDoor, tx: Tx, id: string, count: number): Promise<void> {
  await startJob(tx, id, door.clock.nowMs());
  await door.queue.add(tx, Array.from({ length: Math.min(tasksAhead, chunksOf(count)) }, (_, n) => ({ kind: 'plan', job: id, n })));
}

/** No part is released afterwards; what was released stays, and can be fetched. A finished job stays as it is. Errors: SCORE_JOB_NOT_FOUND. */
export async function cancelJob(door: JobDoor, institution: InstitutionId, id: string): Promise<Job> {
  await ownJob(door.database, id, institution);
  return await endJob(door, id, { state: 'cancelled' }) as Job;
}

/**
 * Forgets the list of a job at once, and every job over it with its results; the log keeps what was released.
 * Errors: SCORE_JOB_NOT_FOUND, SCORE_JOB_STATE_CONFLICT while a job over the list is open or under way.
 */
export async function forgetJobList(door: Pick<JobDoor, 'database'>, institution: InstitutionId, id: string): Promise<void> {
  await door.database.transaction('forget score list', async (tx) => {
    await takeJobsOf(tx, institution);
    const { list } = await ownJob(tx, id, institution);
    if (!(await forgetList(tx, list))) throw new VeilgateError('SCORE_JOB_STATE_CONFLICT', 'A job over this list is open or under way: wait for its end, or cancel it.');
  });
}

function requireOpen(door: JobDoor, { state, expiresMs }: Job): void {
  if (state !== 'open') throw new VeilgateError('SCORE_JOB_STATE_CONFLICT', 'The job takes no list any more: open a new one.', { state });
  if (door.clock.nowMs() >= expiresMs) throw new VeilgateError('SCORE_JOB_EXPIRED', 'The request this job was opened with has expired: sign a new one.');
}

function requireThere(list: StoredList | undefined): StoredList {
  if (list === undefined) throw new VeilgateError('SCORE_LIST_MISMATCH', 'The list is no longer kept: open a new job.', { next: 0 });
  return list;
}

function keepUntil({ listDays }: Pick<JobDoor, 'listDays'>, nowMs: TimeMs): TimeMs {
  return (nowMs + listDays * dayMs) as TimeMs;
}
