import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import { dayMs, shanghaiOffsetMs } from '../../calendar.ts';
import { VeilgateError, isVeilgateError } from '../../errors.ts';
import { loadGroup, pointBytes } from '../../joint/cohort/group.ts';
import { pointsMax } from '../../joint/cohort/alignment.ts';
import { differenceOf } from '../../joint/cohort/difference.ts';
import { begunSince, cohortChunk, cohortHead, cohortNotFound, cohortOf, cohortsOf, earlierCohorts, insertCohort, lockInstitution, membersDigest, type CohortHead } from '../../joint/cohort/registry.ts';
import { chunksDone, closeRun, keepChunk, openRun, overdueRuns, ownRun, pointsInChunk, secretOf, storedChunk, type AlignmentRun } from '../../joint/cohort/run.ts';
import { activateProject, activeProject, holdProject, type RegisteredProject } from '../../joint/project/registry.ts';
import { blindInThreads, type BlindingPiece } from '../../joint/threads/run.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { Caller, InstitutionId, PartyId, SubjectId, TimeMs } from '../../vocabulary.ts';
import { cohortStale, coveringSubjects } from './joint-cover.ts';
import { requireAllowedFields, visibleProject, type JointDesk } from './joint-projects.ts';
import { ruleOf } from './joint-run-desk.ts';

/** A cohort and whether anything may still be worked out over it. */
export type CohortView = CohortHead & { readonly fresh: boolean };
export type AlignmentView = AlignmentRun & { readonly members: number; readonly done: Awaited<ReturnType<typeof chunksDone>> };

const overdueMax = 100;
const platform = 'platform' as PartyId;

type Formed = { readonly cohort: CohortHead; readonly formed: boolean };

/**
 * Forms the project's cohort of those who consent at this moment. The same members again are the cohort that is there. Why
 * none was formed is logged.
 * Errors: JOINT_PROJECT_*, COHORT_REFUSED with the rule, REQUEST_QUOTA_EXCEEDED, INSTITUTION_*.
 */
export async function formCohort(desk: JointDesk, caller: Caller, id: string): Promise<Formed> {
  const nowMs = desk.clock.nowMs();
  const seen = await ownProject(desk, desk.database, caller, id, nowMs);
  try {
    return await formedOf(desk, caller, seen, nowMs);
  } catch (error) {
    if (isVeilgateError(error) && error.code !== 'STORE_UNAVAILABLE') {
      const refusal = { ...recordHead('joint.cohort_refused', nowMs, caller.party), project: seen.id, institution: seen.project.partner, code: error.code, rule: ruleOf(error) };
      await desk.database.transaction('cohort refused', (tx) => appendRecords(tx, [refusal]));
    }
    throw error;
  }
}

async function formedOf(desk: JointDesk, caller: Caller, seen: RegisteredProject, nowMs: TimeMs): Promise<Formed> {
  // consent and comparison before the transaction: they take longer than locks should be held
  await requireAllowedFields(desk, desk.database, seen.project, nowMs);
  const members = [...(await coveringSubjects(desk, desk.database, seen.project, nowMs)).keys()];
  const { cohortMax } = desk.settings();
  const cohortMin = smallest(desk, seen);
  if (members.length < cohortMin) throw refused('cohort_min', `Fewer than ${cohortMin} enterprises consent to all columns of this project: wait for more.`, { cohort_min: cohortMin });
  if (members.length > cohortMax) throw refused('cohort_max', `More than ${cohortMax} enterprises consent: ask the platform to allow larger cohorts.`, { cohort_max: cohortMax });
  return desk.database.transaction('form cohort', async (tx) => {
    await lockInstitution(tx, seen.project.partner); // before the project, always: the other way round two could wait for each other
    const { project } = await holdProject(tx, seen.id, nowMs);
    const earlier = await earlierCohorts(tx, project.partner, project.datasets);
    const same = await sameCohort(tx, seen, members);
    if (same !== undefined) return { cohort: same, formed: false };
    await requireQuota(desk, tx, project.partner, 'cohorts', nowMs);
    await requireDifferent(tx, members, earlier, cohortMin);
    const { members: _members, ...cohort } = await insertCohort(tx, { project: seen.id, institution: project.partner, datasets: project.datasets, cohortMin, members }, nowMs);
    await activateProject(tx, seen.id);
    await appendRecords(tx, [{ ...recordHead('joint.cohort_formed', nowMs, caller.party), project: seen.id, cohort: cohort.id, institution: project.partner, size: cohort.size, digest: cohort.digest }]);
    return { cohort, formed: true };
  });
}

/** The project's cohort of just these members, if there is one. */
async function sameCohort(tx: Tx, { id }: RegisteredProject, members: readonly SubjectId[]): Promise<CohortHead | undefined> {
  const digest = membersDigest(members);
  return (await cohortsOf(tx, id)).find((cohort) => cohort.membersDigest === digest);
}

/**
 * What two cohorts tell together must not be what one or a few enterprises say: each differs from every earlier one of
 * the partner over a common dataset by nobody or by at least k, added and removed together.
 */
async function requireDifferent(tx: Tx, members: readonly SubjectId[], earlier: readonly CohortHead[], cohortMin: number): Promise<void> {
  const digest = membersDigest(members);
  for (const { id, membersDigest: other, size, cohortMin: earlierMin } of earlier) {
    const least = Math.max(cohortMin, earlierMin);
    if (other === digest || Math.abs(size - members.length) >= least) continue;
    const difference = differenceOf(members, (await cohortOf(tx, id)).members);
    if (difference < least) {
      throw refused('cohort_difference', `An earlier cohort of yours differs from this one by fewer than ${least} enterprises: use the earlier one if all still consent, or wait.`, { cohort_min: least });
    }
  }
}

/** A cohort this caller may see. Errors: COHORT_NOT_FOUND. */
export async function visibleCohort(desk: JointDesk, caller: Caller, id: string): Promise<CohortView> {
  const head = await cohortHead(desk.database, id);
  if (caller.kind === 'institution' && head.institution !== caller.party) throw cohortNotFound();
  return { ...head, fresh: await isFresh(desk, head) };
}

/** Cohorts of a project this caller may see, newest first. Errors: JOINT_PROJECT_NOT_FOUND. */
export async function visibleCohorts(desk: JointDesk, caller: Caller, project: string): Promise<CohortHead[]> {
  const { id } = await visibleProject(desk, desk.database, caller, project);
  return cohortsOf(desk.database, id);
}

async function isFresh(desk: JointDesk, head: CohortHead): Promise<boolean> {
  const nowMs = desk.clock.nowMs();
  const { members } = await cohortOf(desk.database, head.id);
  const covering = await activeProject(desk.database, head.project, nowMs)
    .then(({ project }) => coveringSubjects(desk, desk.database, project, nowMs, members))
    .catch((error: unknown) => {
      if (error instanceof VeilgateError && error.code !== 'STORE_UNAVAILABLE') return new Map<SubjectId, null>(); // stopped, suspended, not permitted any more
      throw error;
    });
  return members.every((member) => covering.has(member));
}

/** A cohort of the caller's that may be aligned with now. Errors: COHORT_NOT_FOUND, COHORT_STALE, JOINT_PROJECT_STATE_CONFLICT. */
export async function alignableCohort(desk: JointDesk, caller: Caller, id: string): Promise<CohortHead> {
  const cohort = await visibleCohort(desk, caller, id);
  await activeProject(desk.database, cohort.project, desk.clock.nowMs());
  if (!cohort.fresh) throw cohortStale();
  return cohort;
}

/** Begins an alignment of a list of `points` codes. Errors: COHORT_REFUSED, REQUEST_QUOTA_EXCEEDED, JOINT_PROJECT_STATE_CONFLICT. */
export async function openAlignment(desk: JointDesk, tx: Tx, caller: Caller, { cohort, points }: { readonly cohort: CohortHead; readonly points: number }): Promise<AlignmentView> {
  const nowMs = desk.clock.nowMs();
  await lockInstitution(tx, cohort.institution);
  await holdProject(tx, cohort.project, nowMs);
  const { listMax, alignmentHours } = desk.settings();
  if (points > listMax) throw refused('list_max', `At most ${listMax} codes are aligned at once: send fewer.`, { list_max: listMax });
  await requireQuota(desk, tx, cohort.institution, 'alignments', nowMs);
  const secret = (await loadGroup()).randomScalar();
  const run = await openRun(tx, desk.secrets, { cohort, points, secret, deadlineMs: (nowMs + alignmentHours * 3_600_000) as TimeMs }, nowMs);
  await appendRecords(tx, [{ ...recordHead('joint.alignment_opened', nowMs, caller.party), project: cohort.project, cohort: cohort.id, institution: cohort.institution, alignment: run.id, points }]);
  return { ...run, members: cohort.size, done: { partner: [], cohort: [] } };
}

/** How far a run is. Errors: ALIGNMENT_NOT_FOUND. */
export async function readAlignment(desk: JointDesk, caller: Caller, id: string): Promise<AlignmentView> {
  const run = await ownRun(desk.database, id, caller.party as InstitutionId, desk.clock.nowMs());
  const [{ size }, done] = await Promise.all([cohortHead(desk.database, run.cohort), chunksDone(desk.database, run.id)]);
  return { ...run, members: size, done };
}

/**
 * A chunk of the partner's points blinded again. The same chunk once more has the same answer; another one under the
 * same number is refused. Errors: ALIGNMENT_*, COHORT_POINT_REFUSED, JOINT_PROJECT_*, REQUEST_OVERLOADED.
 */
export async function blindPartnerChunk(desk: JointDesk, caller: Caller, id: string, n: number, points: Uint8Array): Promise<Uint8Array> {
  const run = await usableRun(desk, caller, id);
  const expected = pointsInChunk(run.points, n);
  if (expected === undefined || points.length !== expected * pointBytes) {
    throw new VeilgateError('ALIGNMENT_CHUNK_REFUSED', `Every chunk but the last holds ${pointsMax} points of ${pointBytes} bytes, as many as the list was said to have: cut it so.`, { rule: 'chunk_size', chunk: n });
  }
  return (await storedChunk(desk.database, run.id, 'partner', n, points)) ?? keepChunk(desk.database, run.id, 'partner', n, await blinded(desk, run, { points }), points);
}

/** A chunk of the cohort's points, blinded, in the order of positions. Errors: ALIGNMENT_*, JOINT_PROJECT_*, REQUEST_OVERLOADED. */
export async function blindCohortChunk(desk: JointDesk, caller: Caller, id: string, n: number): Promise<Uint8Array> {
  const run = await usableRun(desk, caller, id);
  const stored = await storedChunk(desk.database, run.id, 'cohort', n);
  if (stored !== undefined) return stored;
  const codes = await cohortChunk(desk.database, run.cohort, n);
  if (codes.length === 0) throw new VeilgateError('ALIGNMENT_CHUNK_REFUSED', 'The cohort has no such chunk: see the alignment for how many there are.', { rule: 'chunk_size', chunk: n });
  return keepChunk(desk.database, run.id, 'cohort', n, await blinded(desk, run, { codes }));
}

/** The partner has what it needs: secret and points are deleted. Errors: ALIGNMENT_NOT_FOUND. */
export async function endAlignment(desk: JointDesk, caller: Caller, id: string): Promise<AlignmentView> {
  const run = await ownRun(desk.database, id, caller.party as InstitutionId, desk.clock.nowMs());
  await closeAndLog(desk, run, run.state === 'expired' ? 'expired' : 'done', caller.party);
  return readAlignment(desk, caller, id);
}

/** Ends runs that were not finished in time. */
export async function expireAlignments(desk: Pick<JointDesk, 'database' | 'clock'>): Promise<void> {
  for (const run of await overdueRuns(desk.database, desk.clock.nowMs(), overdueMax)) await closeAndLog(desk, run, 'expired', platform);
}

async function closeAndLog(desk: Pick<JointDesk, 'database' | 'clock'>, run: Pick<AlignmentRun, 'id' | 'cohort' | 'institution'>, outcome: 'done' | 'expired', by: PartyId): Promise<void> {
  await desk.database.transaction('close alignment', async (tx) => {
    const nowMs = desk.clock.nowMs();
    if (!await closeRun(tx, run.id, outcome, nowMs)) return;
    const { project } = await cohortHead(tx, run.cohort);
    await appendRecords(tx, [{ ...recordHead('joint.alignment_closed', nowMs, by), project, cohort: run.cohort, institution: run.institution, alignment: run.id, outcome }]);
  });
}

/** An open run under a project that still runs: a stopped one gives nothing more. */
async function usableRun(desk: JointDesk, caller: Caller, id: string): Promise<AlignmentRun> {
  const nowMs = desk.clock.nowMs();
  const run = await ownRun(desk.database, id, caller.party as InstitutionId, nowMs);
  if (run.state !== 'open') throw new VeilgateError('ALIGNMENT_STATE_CONFLICT', 'The alignment is over and its secret deleted: begin another one.', { state: run.state });
  const { project } = await cohortHead(desk.database, run.cohort);
  await activeProject(desk.database, project, nowMs);
  return run;
}

async function blinded(desk: JointDesk, run: AlignmentRun, piece: BlindingPiece): Promise<Uint8Array> {
  const secret = await secretOf(desk.database, desk.secrets, run.id, desk.clock.nowMs());
  return desk.gate(async () => {
    for await (const points of blindInThreads({ ...desk.threads, threads: 1 }, run.id, secret, [piece])) return points;
    throw new VeilgateError('HE_EVALUATION_FAILED', 'A thread of joint modelling gave no answer: ask again.');
  });
}

async function ownProject(desk: JointDesk, sql: Sql, caller: Caller, id: string, nowMs: TimeMs): Promise<RegisteredProject> {
  await visibleProject(desk, sql, caller, id);
  return activeProject(sql, id, nowMs);
}

/** k: the project's, and never below the platform's of this moment. */
function smallest(desk: JointDesk, { project }: RegisteredProject): number {
  return Math.max(project.cohortMin, desk.settings().cohortMin);
}

/** Days are counted as everywhere, in Asia/Shanghai. */
async function requireQuota(desk: JointDesk, tx: Tx, institution: InstitutionId, what: 'cohorts' | 'alignments', nowMs: TimeMs): Promise<void> {
  const { alignmentsPerDay } = desk.settings();
  const begun = await begunSince(tx, institution, (nowMs - ((nowMs + shanghaiOffsetMs) % dayMs)) as TimeMs);
  if (begun[what] >= alignmentsPerDay) {
    throw new VeilgateError('REQUEST_QUOTA_EXCEEDED', `No more than ${alignmentsPerDay} ${what} are begun in a day: try again tomorrow.`, { rule: 'alignments_per_day' });
  }
}

function refused(rule: string, message: string, facts: Readonly<Record<string, number>>): VeilgateError {
  return new VeilgateError('COHORT_REFUSED', message, { rule, ...facts });
}
