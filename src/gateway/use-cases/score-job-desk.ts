import { dayMs, shanghaiDate } from '../../calendar.ts';
import { VeilgateError } from '../../errors.ts';
import type { RequestVault } from '../../audit/request-vault.ts';
import { readInstitution, type InstitutionView } from '../../identity/registry/institution-view.ts';
import type { TaskQueue } from '../../jobs/queue.ts';
import { dropResults, expiredJobs, forgetLists } from '../../scoring/job/expire.ts';
import { findJob, finishJob, takeJob, type Job, type JobEnd } from '../../scoring/job/job.ts';
import { hasPart, type Part } from '../../scoring/job/part.ts';
import type { MaskSecrets } from '../../scoring/job/sealed-masks.ts';
import type { Tallies } from '../../scoring/run/tally.ts';
import type { Database, Sql, Tx } from '../../store/database.ts';
import type { Caller, InstitutionId, TimeMs } from '../../vocabulary.ts';
import { requireUsable, type ScoreTerms } from './score-eligibility.ts';
import type { ScoreDesk } from './score-one.ts';

/** What a worker needs to score many: the stages of one score, and where jobs are kept. */
export type JobDesk = Pick<ScoreDesk, 'clock' | 'standing' | 'features' | 'model' | 'key' | 'evaluate' | 'openMasked' | 'recipientKey' | 'issuer'> & {
  readonly database: Database;
  readonly queue: TaskQueue;
  readonly tallies: Tallies;
  /** Keeps the signed request beside each part's record, encrypted. */
  readonly vault: RequestVault;
  readonly maskSecrets: MaskSecrets;
  /** How long results wait to be fetched. */
  readonly resultDays: number;
  /** Told how long each step took, for metrics. */
  readonly onStep: (step: JobStep, ms: number) => void;
};

export type JobStep = 'plan' | 'lookup' | 'evaluate' | 'custodian' | 'release';


/**
 * Tasks of one job that wait or run at a time; each that is done brings the next. The queue is first come, first
 * served, so jobs that run together take turns, however long each is.
 */
export const tasksAhead = 16;

/** Brings the task that comes in the place of this one, in the transaction that decides its part. */
export async function bringNext({ queue }: Pick<JobDesk, 'queue'>, tx: Tx, { job, n }: Pick<Part, 'job' | 'n'>): Promise<void> {
  if (await hasPart(tx, job, n + tasksAhead)) await queue.add(tx, [{ kind: 'part', job, n: n + tasksAhead }]);
}

/** Under what a job is decided now. Errors: INSTITUTION_NOT_ACTIVE, INSTITUTION_ASSESSMENT_MISSING, SCORE_MODEL_NOT_USABLE. */
export async function jobTerms(desk: { readonly database: Sql } & Pick<JobDesk, 'clock' | 'features' | 'model' | 'standing'>, job: Job): Promise<ScoreTerms> {
  const caller = await institutionNow(desk.database, job.institution, desk.clock.nowMs());
  const features = desk.features();
  const model = requireUsable(await desk.model(job.model), caller, job.purpose, features);
  return { caller, purpose: job.purpose, model, features, policy: desk.standing.policy() };
}

/** The institution as the registry knows it, without a request of its own that says so. */
export async function institutionNow(sql: Sql, id: InstitutionId, nowMs: TimeMs): Promise<InstitutionNow> {
  return standingOf(await readInstitution(sql, id), nowMs);
}

export type InstitutionNow = Pick<Caller, 'party' | 'institutionClass' | 'securityLevel'>;

/** Errors: INSTITUTION_NOT_ACTIVE, INSTITUTION_ASSESSMENT_MISSING. */
export function standingOf({ id, status, scopes, class: institutionClass, assessment }: InstitutionView, nowMs: TimeMs): InstitutionNow {
  if (status !== 'approved' || !scopes.includes('query')) throw new VeilgateError('INSTITUTION_NOT_ACTIVE', 'The institution\'s access is suspended or revoked: ask the platform.');
  if (assessment === null || !assessment.passed || assessment.validUntil < shanghaiDate(nowMs)) {
    throw new VeilgateError('INSTITUTION_ASSESSMENT_MISSING', 'The institution has no valid security assessment: ask the platform for one.');
  }
  return { party: id, institutionClass, securityLevel: assessment.level };
}

/** Ends a job, unless it has ended. */
export async function endJob(desk: Pick<JobDesk, 'database' | 'clock' | 'resultDays'>, id: string, end: Pick<JobEnd, 'state' | 'reason'>): Promise<Job | undefined> {
  return desk.database.transaction('end score job', async (tx) => {
    if (await takeJob(tx, id) === undefined) return undefined;
    const atMs = desk.clock.nowMs();
    await finishJob(tx, id, { ...end, atMs, resultsUntilMs: resultsUntil(desk, atMs) });
    return findJob(tx, id);
  });
}

export function resultsUntil({ resultDays }: Pick<JobDesk, 'resultDays'>, atMs: TimeMs): TimeMs {
  return (atMs + resultDays * dayMs) as TimeMs;
}

/** Jobs, results and lists that one round of tidying takes at most. */
const tidyMax = 100;

/** Ends jobs whose request has expired, deletes results that nobody fetched in time, forgets old lists. */
export async function tidyJobs(desk: Pick<JobDesk, 'database' | 'clock' | 'resultDays'>): Promise<void> {
  for (const id of await expiredJobs(desk.database, desk.clock.nowMs(), tidyMax)) await endJob(desk, id, { state: 'stopped', reason: 'SCORE_JOB_EXPIRED' });
  await dropResults(desk.database, desk.clock.nowMs(), tidyMax);
  await forgetLists(desk.database, desk.clock.nowMs(), tidyMax);
}
