import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import type { LotteryJudged } from '../../audit/joint-run-entry.ts';
import { isoTime } from '../../clock.ts';
import { VeilgateError, isVeilgateError } from '../../errors.ts';
import { suspendByPlatform } from '../../identity/registry/status.ts';
import { cohortHead, cohortNotFound } from '../../joint/cohort/registry.ts';
import { checkCommitments, checkOpening, drawBundle, type Opening, type Verdict } from '../../joint/lottery/lottery.ts';
import { holdProject } from '../../joint/project/registry.ts';
import { padsOfBundle } from '../../joint/run/pads.ts';
import { drawOnce, findRun, lateRuns, lockRun, requireOwn, requireState, settleLottery, storeOpening, type JointRun } from '../../joint/run/run.ts';
import { judgeInThreads } from '../../joint/threads/run.ts';
import type { Tx } from '../../store/database.ts';
import type { InstitutionId, PartyId, TimeMs } from '../../vocabulary.ts';
import { stopProject } from './joint-projects.ts';
import { ofRun, ownActiveProject, platform, type JointRunDesk } from './joint-run-desk.ts';
import { recordRegistryEvent } from './record-change.ts';

const hourMs = 3_600_000;
/** Lotteries that one round of housekeeping ends. */
const lateAtOnce = 100;

/**
 * The partner commits to its bundles, and one is drawn: stored before it is told, so that neither a crash nor another
 * try draws again. The same commitment once more answers the same.
 * Errors: JOINT_PROJECT_NOT_FOUND, JOINT_PROJECT_STATE_CONFLICT, COHORT_NOT_FOUND, JOINT_LOTTERY_INVALID,
 * JOINT_BOUND_EXCEEDED, JOINT_RUN_STATE_CONFLICT for another commitment for the same project and cohort.
 */
export async function commitToBundles(desk: JointRunDesk, institution: InstitutionId, asked: { readonly project: string; readonly cohort: string; readonly digests: readonly string[] }): Promise<JointRun> {
  const { id: project, project: document } = await ownActiveProject(desk, asked.project, institution);
  const cohort = await cohortHead(desk.database, asked.cohort);
  if (cohort.project !== project) throw cohortNotFound();
  checkCommitments(asked, document.bundles);
  const spec = { project, cohort: cohort.id, rows: cohort.size, columns: document.partnerColumns };
  const pads = padsOfBundle(spec);
  return desk.database.transaction('joint lottery', async (tx) => {
    const nowMs = desk.clock.nowMs();
    await holdProject(tx, project, nowMs);
    const { run, isNew } = await drawOnce(tx, {
      project, cohort: cohort.id, institution, spec, digests: asked.digests, drawn: drawBundle(asked.digests.length), pads,
      drawnMs: nowMs, deadlineMs: (nowMs + desk.settings().openingHours * hourMs) as TimeMs,
    });
    if (isNew) {
      await appendRecords(tx, [{ ...recordHead('joint.lottery_drawn', nowMs, institution), ...ofRun(run), bundles: run.digests, drawn: run.drawn, deadline: isoTime(run.deadlineMs) }]);
    } else if (run.digests.some((digest, at) => digest !== asked.digests[at])) {
      throw new VeilgateError('JOINT_RUN_STATE_CONFLICT', 'You have committed to other bundles for this project and cohort, and a lottery is held once: go on with those, or form a new cohort.', { state: run.state });
    }
    return run;
  });
}

/**
 * The seeds of all bundles but the drawn one. The same once more answers the same.
 * Errors: JOINT_RUN_NOT_FOUND, JOINT_RUN_STATE_CONFLICT, JOINT_LOTTERY_INVALID for an opening that is not complete,
 * JOINT_LOTTERY_LATE: the project is stopped then, and the institution suspended.
 */
export async function openBundles(desk: JointRunDesk, institution: InstitutionId, id: string, opening: Opening): Promise<JointRun> {
  const opened = await desk.database.transaction('joint opening', async (tx) => {
    const run = requireOwn(await lockRun(tx, id), institution);
    if (run.state !== 'drawn') {
      if (run.opening === undefined || !sameOpening(run.opening, opening)) requireState(run, ['drawn'], 'This lottery was opened otherwise, or is over: read the run again.');
      return run;
    }
    const nowMs = desk.clock.nowMs();
    if (nowMs > run.deadlineMs) {
      await endLottery(tx, run, { outcome: 'late' }, nowMs, desk);
      return undefined;
    }
    checkOpening(run, run.drawn, opening);
    await storeOpening(tx, id, opening);
    await desk.queue.add(tx, [{ kind: 'joint_judge', job: id }]);
    return { ...run, state: 'opened' as const, opening };
  });
  if (opened === undefined) throw new VeilgateError('JOINT_LOTTERY_LATE', 'The seeds came after their time. The project is stopped and your access suspended: ask the platform.');
  return opened;
}

/** Makes every opened bundle again. Work for a worker; doing it twice changes nothing. Errors: HE_EVALUATION_FAILED: try again. */
export async function judgeLottery(desk: JointRunDesk, id: string): Promise<void> {
  const run = await findRun(desk.database, id);
  if (run?.state !== 'opened' || run.opening === undefined) return;
  const verdict = await judgeInThreads(desk.threads, run.spec, run, run.drawn, run.opening);
  await desk.database.transaction('joint verdict', async (tx) => {
    const held = await lockRun(tx, id);
    if (held?.state === 'opened') await endLottery(tx, held, verdict, desk.clock.nowMs(), desk);
  });
}

/** Ends lotteries whose seeds have not come in time. For housekeeping. */
export async function endLateLotteries(desk: Pick<JointRunDesk, 'database' | 'clock'>): Promise<void> {
  for (const id of await lateRuns(desk.database, desk.clock.nowMs(), lateAtOnce)) {
    await desk.database.transaction('joint lottery late', async (tx) => {
      const run = await lockRun(tx, id);
      const nowMs = desk.clock.nowMs();
      if (run?.state === 'drawn' && nowMs > run.deadlineMs) await endLottery(tx, run, { outcome: 'late' }, nowMs, desk);
    });
  }
}

/** Who cheats or does not open is stopped and suspended in the same transaction, and the evidence stands in the log. */
async function endLottery(tx: Tx, run: JointRun, verdict: Verdict | { readonly outcome: 'late' }, atMs: TimeMs, desk: Pick<JointRunDesk, 'clock'>): Promise<void> {
  const bundle = verdict.outcome === 'cheated' ? verdict.bundle : null;
  await settleLottery(tx, run.id, verdict.outcome === 'cheated' ? { state: 'cheated', bundle: verdict.bundle } : { state: verdict.outcome }, atMs);
  if (verdict.outcome !== 'honest') {
    const reason = `joint_lottery_${verdict.outcome}`;
    await stop(desk, tx, run, reason);
    const event = await suspendByPlatform(tx, { party: run.institution as PartyId, reason }, desk.clock);
    if (event !== undefined) await recordRegistryEvent(tx, event, atMs);
  }
  const record: LotteryJudged = {
    ...recordHead('joint.lottery_judged', atMs, platform), ...ofRun(run), outcome: verdict.outcome, bundle,
    seeds: run.digests.map((_, at) => base64url(run.opening?.[at])),
  };
  await appendRecords(tx, [record]);
}

async function stop(desk: Pick<JointRunDesk, 'clock'>, tx: Tx, { project }: JointRun, reason: string): Promise<void> {
  try {
    await stopProject(desk, tx, project, { reason });
  } catch (error) {
    if (!isVeilgateError(error, 'JOINT_PROJECT_STATE_CONFLICT')) throw error; // it was over already
  }
}

function base64url(seed: Uint8Array | undefined): string | null {
  return seed === undefined ? null : Buffer.from(seed).toString('base64url');
}

function sameOpening(one: Opening, other: Opening): boolean {
  return one.length === other.length && one.every((seed, at) => base64url(seed) === base64url(other[at]));
}
