import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import { VeilgateError } from '../../errors.ts';
import { jointParameters } from '../../he/joint-parameters.ts';
import { checkPublicKeyBytes } from '../../he/wire.ts';
import { addPads, fitsDigest, purgeFinishedRuns, rejectBundle, storePublicKey } from '../../joint/run/pads.ts';
import { findRun, lockRun, requireOwn, requireState, setRunState, type JointRun } from '../../joint/run/run.ts';
import { fixShifts } from '../../joint/run/shifts.ts';
import type { Database, Tx } from '../../store/database.ts';
import type { InstitutionId } from '../../vocabulary.ts';
import { ofRun, ownActiveProject, ownRun, platform, type JointRunDesk } from './joint-run-desk.ts';

/** Pads of one transaction, and transactions of one round of housekeeping: 1 GB. */
const padsPurgedAtOnce = 1024;
const purgeRoundsMax = 16;

const notNow = 'The drawn bundle is taken after the lottery was judged, and once: read the run\'s state.';
const shiftsLater = 'Shifts are taken once the drawn bundle is there and checked: read the run\'s state.';

/** Before its body is read: whether a run takes such now. Errors: JOINT_RUN_NOT_FOUND, JOINT_RUN_STATE_CONFLICT, JOINT_PROJECT_*. */
export async function requireUploadable(desk: JointRunDesk, institution: InstitutionId, id: string, states: readonly JointRun['state'][]): Promise<void> {
  const run = await ownRun(desk.database, id, institution);
  await ownActiveProject(desk, run.project, institution);
  requireState(run, states, states.includes('ready') ? shiftsLater : notNow);
}

/** Takes the drawn bundle's public key. Errors: JOINT_RUN_NOT_FOUND, JOINT_RUN_STATE_CONFLICT, HE_KEY_REFUSED. */
export function takePublicKey(desk: JointRunDesk, institution: InstitutionId, id: string, publicKey: Uint8Array): Promise<JointRun> {
  checkPublicKeyBytes(jointParameters, publicKey);
  return withRun(desk, institution, id, async (tx, run) => {
    requireState(run, ['honest'], notNow);
    await storePublicKey(tx, id, publicKey);
    return { ...run, hasKey: true };
  });
}

/** Takes the pads that come next. Errors: JOINT_RUN_NOT_FOUND, JOINT_RUN_STATE_CONFLICT, JOINT_INPUT_INVALID with how many came. */
export function takePads(desk: JointRunDesk, institution: InstitutionId, id: string, from: number, bytes: Uint8Array): Promise<JointRun> {
  return withRun(desk, institution, id, async (tx, run) => {
    requireState(run, ['honest'], notNow);
    return { ...run, received: await addPads(tx, run, from, bytes) };
  });
}

/** Everything came: a worker holds it against the digest. Once more changes nothing. Errors: JOINT_RUN_NOT_FOUND, JOINT_RUN_STATE_CONFLICT, JOINT_INPUT_INVALID. */
export function completeBundle(desk: JointRunDesk, institution: InstitutionId, id: string): Promise<JointRun> {
  return withRun(desk, institution, id, async (tx, run) => {
    if (run.state === 'loaded' || run.state === 'ready') return run;
    requireState(run, ['honest'], notNow);
    if (!run.hasKey || run.received < run.pads) throw new VeilgateError('JOINT_INPUT_INVALID', 'The bundle is not complete: send its public key and every pad.', { received: run.received, pads: run.pads, public_key: run.hasKey });
    await setRunState(tx, id, 'loaded');
    await desk.queue.add(tx, [{ kind: 'joint_bundle', job: id }]);
    return { ...run, state: 'loaded' as const };
  });
}

/** Holds what came against the digest: it is used, or it goes. Work for a worker; doing it twice changes nothing. */
export async function checkBundle(desk: JointRunDesk, id: string): Promise<void> {
  const run = await findRun(desk.database, id);
  if (run?.state !== 'loaded') return;
  const fits = await fitsDigest(desk.database, run);
  await desk.database.transaction('joint bundle', async (tx) => {
    const held = await lockRun(tx, id);
    if (held?.state !== 'loaded') return;
    if (!fits) {
      await rejectBundle(tx, id);
      return;
    }
    await setRunState(tx, id, 'ready');
    await appendRecords(tx, [{ ...recordHead('joint.bundle_ready', desk.clock.nowMs(), platform), ...ofRun(held), bundle: held.digests[held.drawn] as string, pads: held.pads }]);
  });
}

/** Fixes a partner column over the pads. Errors: JOINT_RUN_NOT_FOUND, JOINT_RUN_STATE_CONFLICT, JOINT_INPUT_INVALID, JOINT_SHIFTS_FIXED. */
export async function takeShifts(desk: JointRunDesk, institution: InstitutionId, id: string, name: string, shifts: Uint8Array): Promise<string> {
  return withRun(desk, institution, id, async (tx, run) => {
    requireState(run, ['ready'], shiftsLater);
    return fixShifts(tx, run, name, shifts);
  });
}

/** Deletes what finished projects were asked with, some at a time. For housekeeping. */
export async function purgeFinishedPads(database: Database): Promise<void> {
  for (let round = 0; round < purgeRoundsMax; round += 1) if (await purgeFinishedRuns(database, padsPurgedAtOnce) < padsPurgedAtOnce) return;
}

/** A run of a project that still goes on, to oneself until the transaction ends. */
async function withRun<Result>(desk: JointRunDesk, institution: InstitutionId, id: string, work: (tx: Tx, run: JointRun) => Promise<Result>): Promise<Result> {
  return desk.database.transaction('joint run', async (tx) => {
    const run = requireOwn(await lockRun(tx, id), institution);
    await ownActiveProject({ ...desk, database: tx }, run.project, institution);
    return work(tx, run);
  });
}
