import { isVeilgateError, type ErrorCode } from '../../errors.ts';
import type { ScoreTask } from '../../jobs/queue.ts';
import { columnsOf } from '../../scoring/feature/columns.ts';
import { findJob, isLive, type Job } from '../../scoring/job/job.ts';
import { countRefusal, decidePart, hasPendingParts, lockPendingPart, readEvaluated, readPart, storeEvaluated, type Part } from '../../scoring/job/part.ts';
import { readBlockPlan, type Planned, type Unscored } from '../../scoring/job/plan.ts';
import { maskPlace, sealMasks } from '../../scoring/job/sealed-masks.ts';
import type { Feature } from '../../scoring/protocol.ts';
import { filledByAll, isFilled, outputsOf } from '../../scoring/run/outputs.ts';
import { bringNext, endJob, jobTerms, type JobDesk, type JobStep } from './score-job-desk.ts';
import { underPolicyInForce } from './policy-standing.ts';
import { planChunk } from './score-job-plan.ts';
import { releasePart } from './score-job-release.ts';
import type { ScoreTerms } from './score-eligibility.ts';
import { parameterSetOf } from './score-one.ts';
import { grantsDigest } from './score-seal.ts';

/** Reasons for which a whole job ends: nothing of it can be scored any more. */
const ending: ReadonlySet<ErrorCode> = new Set(['INSTITUTION_NOT_FOUND', 'INSTITUTION_NOT_ACTIVE', 'INSTITUTION_ASSESSMENT_MISSING', 'SCORE_MODEL_NOT_USABLE', 'POLICY_PURPOSE_UNKNOWN', 'DISCLOSURE_KEY_MISSING', 'PARTY_NOT_PERMITTED']);

/**
 * Refusals of the custodian after which a part is given up: it would refuse for ever. It says of none why, and some pass (a
 * rate, an alarm until its operator has looked): tried again after 1, 2, 4 … 30 s, ten take two to three minutes.
 */
export const refusalsMax = 10;

/**
 * Does one task of a job, or finds that there is nothing left to do. Whoever dies on the way leaves what another can go
 * on with: planning and release are one transaction each, and what was computed before a release is kept once.
 * A rejection means: try again later.
 */
export async function runJobTask(desk: JobDesk, task: ScoreTask): Promise<void> {
  const job = await findJob(desk.database, task.job);
  if (job === undefined || job.state === 'done' || job.state === 'cancelled' || job.state === 'stopped') return;
  if (!isLive(job, desk.clock.nowMs())) {
    await endJob(desk, job.id, { state: 'stopped', reason: 'SCORE_JOB_EXPIRED' });
    return;
  }
  try {
    if (task.kind === 'plan') await timed(desk, 'plan', () => planChunk(desk, job, task.n));
    else await scorePart(desk, job, task.n);
  } catch (error) {
    if (!isVeilgateError(error) || !ending.has(error.code)) throw error;
    await endJob(desk, job.id, { state: 'stopped', reason: error.code });
  }
}

async function scorePart(desk: JobDesk, job: Job, n: number): Promise<void> {
  const part = await readPart(desk.database, job.id, n);
  if (part?.state === 'pending') {
    if (await readEvaluated(desk.database, part) === undefined) await evaluatePart(desk, job, part, await jobTerms(desk, job));
    await timed(desk, 'release', () => underPolicyInForce(desk.standing, () => releasePart(desk, job, part)));
  }
  // outside of the release: of two that end together, the one that looks last sees that both are done
  if (!(await hasPendingParts(desk.database, job.id))) await endJob(desk, job.id, { state: 'done' });
}

/** Up to what waits for the release. Errors: CUSTODIAN_UNAVAILABLE, HE_EVALUATION_FAILED, FEATURE_BLOCK_MISSING, SCORE_UNAVAILABLE: try again. */
async function evaluatePart(desk: JobDesk, job: Job, part: Part, terms: ScoreTerms): Promise<void> {
  const found = await timed(desk, 'lookup', () => findColumns(desk, job, part, terms));
  if (found.scorable.length === 0) {
    await giveUp(desk, part, 'empty', found.unscored);
    return;
  }
  const { key, set } = found;
  const slots = found.scorable.map(({ position }) => position.slot);
  const masked = await timed(desk, 'evaluate', () => desk.evaluate({ set, key, affinity: part.block, digests: found.digests, outputs: outputsOf(terms.model).outputs, bounds: found.features }));
  const grants = grantsDigest(found.scorable.map(({ grant }) => grant));
  const opened = await timed(desk, 'custodian', () => desk.openMasked({
    ticket: { job: job.id, key: key.keyId, parameters: key.parameters, slots, grants: grants.digest, request: job.request },
    ciphertexts: masked.map(({ ciphertext }) => ciphertext),
  })).catch(async (error: unknown) => {
    if (isVeilgateError(error, 'CUSTODIAN_REFUSED') && (await countRefusal(desk.database, part)) >= refusalsMax) return undefined;
    throw error;
  });
  if (opened === undefined) {
    await giveUp(desk, part, 'failed', found.scorable.map(({ subject }) => ({ subject, reason: 'CUSTODIAN_REFUSED' })));
    return;
  }
  await storeEvaluated(desk.database, part, {
    ticket: opened.ticket, ticketSalt: grants.salt, key, slots, custodianHalf: opened.half,
    masks: sealMasks(desk.maskSecrets, maskPlace(part, opened.ticket), masked.map(({ masks }) => masks)),
  });
}

async function findColumns(desk: JobDesk, job: Job, part: Part, { model, features }: ScoreTerms) {
  const key = await desk.key();
  const wanted = model.terms.map(({ feature }) => features.get(feature) as Feature);
  const [{ planned }, stored] = await Promise.all([
    readBlockPlan(desk.database, job.id, part.block),
    columnsOf(desk.database, { key: key.keyId, features: wanted, blocks: [part.block] }),
  ]);
  const columns = wanted.map(({ id }) => stored.find(({ feature }) => feature === id));
  const filled = filledByAll(columns);
  const holds = ({ position }: Planned) => isFilled(filled, position.slot);
  const [scorable, others] = [planned.filter(holds), planned.filter((one) => !holds(one))];
  return {
    key, set: parameterSetOf(key), features: wanted, scorable, digests: columns.map((column) => column?.packedDigest ?? ''),
    unscored: others.map(({ subject }): Unscored => ({ subject, reason: 'SCORE_DATA_MISSING' })),
  };
}

/** Decides a part of which nobody is scored, and brings the next one. */
async function giveUp(desk: JobDesk, part: Part, state: 'empty' | 'failed', unscored: readonly Unscored[]): Promise<void> {
  await desk.database.transaction('give up part of score job', async (tx) => {
    if (await lockPendingPart(tx, part) === undefined) return;
    const { planned, repeated } = await readBlockPlan(tx, part.job, part.block);
    const named = new Set(unscored.map(({ subject }) => subject));
    const rest = planned.filter(({ subject }) => !named.has(subject)).map(({ subject }): Unscored => ({ subject, reason: 'SCORE_DATA_MISSING' }));
    await decidePart(tx, part, { state, released: 0, unscored: [...unscored, ...rest, ...repeated] });
    await bringNext(desk, tx, part);
  });
}

async function timed<Result>(desk: Pick<JobDesk, 'onStep'>, step: JobStep, work: () => Promise<Result>): Promise<Result> {
  const startMs = performance.now();
  try {
    return await work();
  } finally {
    desk.onStep(step, performance.now() - startMs);
  }
}
