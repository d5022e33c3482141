import { dayMs, shanghaiDate } from '../../calendar.ts';
import { admitGrants } from '../../consent/admit.ts';
import { VeilgateError, type ErrorCode } from '../../errors.ts';
import { positionsOf } from '../../scoring/feature/positions.ts';
import { finishJob, takeJob, type Job } from '../../scoring/job/job.ts';
import { chunksOf, type ListedSubject } from '../../scoring/job/list-digest.ts';
import { readChunk, readList } from '../../scoring/job/list.ts';
import { cutIntoParts, storeChunkPlan, type ChunkPlan, type Planned, type Unscored } from '../../scoring/job/plan.ts';
import type { Position } from '../../scoring/protocol.ts';
import type { Sql } from '../../store/database.ts';
import type { Grant, SubjectId, TimeMs } from '../../vocabulary.ts';
import { jobTerms, resultsUntil, tasksAhead, type JobDesk } from './score-job-desk.ts';
import { decideScore, type ScoreTerms } from './score-eligibility.ts';

/**
 * Finds out who of one chunk can be scored: an own valid grant, every field permitted, a place among the columns. Whoever
 * has no grant gets one reason, whether the enterprise exists or not. With the last chunk the job is cut into parts.
 * Doing it twice changes nothing. Errors: those of jobTerms; STORE_UNAVAILABLE.
 */
export async function planChunk(desk: JobDesk, job: Job, n: number): Promise<void> {
  const terms = await jobTerms(desk, job);
  const list = await readList(desk.database, job.list);
  const subjects = await readChunk(desk.database, job.list, n);
  if (list === undefined || subjects === undefined) throw new VeilgateError('INTERNAL', 'A chunk of a list is gone: tell the platform\'s operator.');
  const plan = await planOf(desk, job, n, subjects, terms);
  const chunks = chunksOf(list.count);
  await desk.database.transaction('plan score job', async (tx) => {
    if ((await takeJob(tx, job.id))?.state !== 'planning') return;
    if (!(await storeChunkPlan(tx, plan))) return;
    if (n + tasksAhead < chunks) await desk.queue.add(tx, [{ kind: 'plan', job: job.id, n: n + tasksAhead }]);
    const parts = await cutIntoParts(tx, job.id, chunks);
    if (parts === undefined) return;
    const atMs = desk.clock.nowMs();
    if (parts === 0) await finishJob(tx, job.id, { state: 'done', atMs, resultsUntilMs: resultsUntil(desk, atMs) });
    await desk.queue.add(tx, Array.from({ length: Math.min(tasksAhead, parts) }, (_, part) => ({ kind: 'part', job: job.id, n: part })));
  });
}

async function planOf(desk: JobDesk, job: Job, n: number, subjects: readonly ListedSubject[], terms: ScoreTerms): Promise<ChunkPlan> {
  const nowMs = desk.clock.nowMs();
  const [granted, positions] = await Promise.all([
    grantsFor(desk.database, job, subjects, terms, nowMs),
    positionsOf(desk.database, [...new Set(subjects.map(({ subject }) => subject))]),
  ]);
  const planned: Planned[] = [];
  const unscored: Unscored[] = [];
  const seen = new Set<SubjectId>();
  subjects.forEach(({ subject }, at) => {
    const grant = granted[at] as Grant | ErrorCode;
    const position = positions.get(subject);
    const reason = reasonAgainst(grant, position, seen.has(subject));
    seen.add(subject);
    if (reason === undefined) planned.push({ subject, grant: (grant as Grant).id, position: position as Position });
    else unscored.push({ subject, reason });
  });
  return { job: job.id, n, planned, unscored, policy: terms.policy.version, day: shanghaiDate(nowMs) };
}

/** Consent comes first: without it, nothing is told of what the platform has. */
function reasonAgainst(grant: Grant | ErrorCode, position: Position | undefined, repeated: boolean): ErrorCode | undefined {
  if (typeof grant === 'string') return grant;
  if (repeated) return 'SCORE_SUBJECT_REPEATED';
  return position === undefined ? 'SCORE_DATA_MISSING' : undefined;
}

/**
 * For each the grant to score it under, or the code of why not: one statement for all, one decision for all grants that
 * policy cannot tell apart.
 */
export async function grantsFor(sql: Sql, job: Pick<Job, 'institution' | 'purpose'>, subjects: readonly ListedSubject[], terms: ScoreTerms, nowMs: TimeMs): Promise<(Grant | ErrorCode)[]> {
  const found = await admitGrants(sql, subjects.map(({ subject, grant }) => ({
    institution: job.institution, subject, purpose: job.purpose, atMs: nowMs, ...(grant === undefined ? {} : { grant }),
  })));
  const decided = new Map<Grant['fields'], Map<string, ErrorCode | undefined>>();
  return found.map((grant) => {
    if (grant instanceof VeilgateError) return grant.code;
    // everything of a grant that facts and the decision are made of (policy/facts.ts); equal lists of fields are one object
    const rest = `${grant.kind} ${grant.origin} ${Math.floor((nowMs - grant.createdAtMs) / dayMs)} ${grant.dataTo}`;
    const ofFields = decided.get(grant.fields) ?? new Map<string, ErrorCode | undefined>();
    decided.set(grant.fields, ofFields);
    if (!ofFields.has(rest)) ofFields.set(rest, decideScore(terms, grant, nowMs).refusal?.code);
    return ofFields.get(rest) ?? grant;
  });
}

