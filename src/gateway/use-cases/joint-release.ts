import { createHash } from 'node:crypto';
import { appendRecords } from '../../audit/append.ts';
import { recordHead, type Digest } from '../../audit/entry.ts';
import { shanghaiDate } from '../../calendar.ts';
import { VeilgateError, isVeilgateError, type ErrorCode } from '../../errors.ts';
import { holdInstitutions } from '../../identity/registry/party.ts';
import type { ClearColumn } from '../../joint/circuit/table.ts';
import { cohortOf, type Cohort } from '../../joint/cohort/registry.ts';
import { commit, giveBack } from '../../joint/ledger/charges.ts';
import { discreteGaussian } from '../../joint/noise/discrete-gaussian.ts';
import { createExactRandom } from '../../joint/noise/exact-random.ts';
import { encodeColumnValue } from '../../joint/project/encoding.ts';
import { activeProject } from '../../joint/project/registry.ts';
import { countAttempt, discardStaged, endQuestion, findQuestion, lockQuestion, releaseStaged, stage, stagedDigest, stagedParts, type StoredQuestion } from '../../joint/run/question.ts';
import { padsOfColumn, publicKeyOf, readPads } from '../../joint/run/pads.ts';
import { findRun, type JointRun } from '../../joint/run/run.ts';
import { shiftsOf } from '../../joint/run/shifts.ts';
import { clearColumn, type EncodedColumns } from '../../joint/statement/columns.ts';
import { compileStatement, type Group, type Plan } from '../../joint/statement/compile.ts';
import { statementDigest } from '../../joint/statement/question.ts';
import { runTable } from '../../joint/threads/run.ts';
import { latestColumns } from '../../source/latest-columns.ts';
import { assertCohortFresh, type Covered } from './joint-cover.ts';
import { underPolicyInForce } from './policy-standing.ts';
import { ofRun, ruleOf, type JointRunDesk } from './joint-run-desk.ts';

export type ReleaseDesk = JointRunDesk & {
  /** Told when something is done, for tests that break off there. */
  readonly onStep?: (step: 'staged' | 'computed') => Promise<void> | void;
  /** Columns of one pass over the pads at most; by default as many as memory is given for. */
  readonly sliceColumns?: number;
};

/** Reasons for which a question is never answered: its charge is given back, because nothing left. */
const final: ReadonlySet<ErrorCode> = new Set([
  'COHORT_STALE', 'COHORT_REFUSED', 'JOINT_PROJECT_STATE_CONFLICT', 'JOINT_STATEMENT_INVALID', 'JOINT_BOUND_EXCEEDED', 'JOINT_INPUT_INVALID', 'HE_CIPHERTEXT_REFUSED', 'HE_KEY_REFUSED',
  'INSTITUTION_NOT_ACTIVE', 'INSTITUTION_NOT_FOUND', 'INSTITUTION_ASSESSMENT_MISSING', 'SOURCE_DATASET_UNKNOWN', 'POLICY_PURPOSE_UNKNOWN',
]);
/** A question whose computation broke so often is given up. */
const attemptsMax = 5;
/** Values of clear columns held at once: 32 MB. */
const sliceValuesMax = 8_388_608;
/** Columns of one pass over the pads, whatever their length: each has a ciphertext of its own. */
const sliceColumnsMax = 256;

type Work = { readonly question: StoredQuestion; readonly run: JointRun; readonly plan: Plan; readonly cohort: Cohort; /** From which day on each member's data may be used. */ readonly covered: Covered };

/**
 * Computes a question's answer and releases it. Work for a worker: what was computed is kept, so whoever goes on after
 * a crash computes the rest and releases all of it, once. Errors: those that may pass; try again.
 */
export async function answerQuestion(desk: ReleaseDesk, digest: string): Promise<void> {
  const question = await findQuestion(desk.database, digest);
  if (question?.state !== 'asked') return;
  const run = await findRun(desk.database, question.run) as JointRun;
  try {
    if (await countAttempt(desk.database, digest) > attemptsMax) throw new VeilgateError('HE_EVALUATION_FAILED', 'The answer could not be worked out: ask the platform.');
    const { project } = await activeProject(desk.database, question.project, desk.clock.nowMs());
    const cohort = await cohortOf(desk.database, question.cohort);
    const covered = await desk.database.transaction('joint cohort fresh', (tx) => assertCohortFresh(desk, tx, cohort));
    const work: Work = { question, run, plan: compileStatement(question.statement, project, run.spec.rows, question.cost), cohort, covered };
    await compute(desk, work);
    await desk.onStep?.('computed');
    await underPolicyInForce(desk.standing, () => release(desk, work));
  } catch (error) {
    if (!isVeilgateError(error)) throw error;
    const givenUp = error.code === 'HE_EVALUATION_FAILED' && question.attempts >= attemptsMax;
    if (!final.has(error.code) && !givenUp) throw error;
    await fail(desk, question, run, error);
  }
}

async function compute(desk: ReleaseDesk, { question, run, plan, cohort, covered }: Work): Promise<void> {
  const since = cohort.members.map((member) => covered.get(member) ?? null);
  // where grants bound the data, what an earlier worker computed may rest on grants that are gone: it never left, and is made again
  if (since.some((day) => day !== null)) await discardStaged(desk.database, question.digest);
  const done = await stagedParts(desk.database, question.digest);
  if (done.size === plan.parts) return;
  const values = await latestColumns(desk.database, desk.catalogue, plan.uses.map(({ source, encoding }) => ({ source, encode: (value) => encodeColumnValue(encoding, value) })), cohort.members, since);
  const encoded: EncodedColumns = new Map(plan.uses.map(({ name }, at) => [name, values[at] as Int16Array]));
  const rows = cohort.size;
  const atOnce = Math.max(1, Math.min(desk.sliceColumns ?? sliceColumnsMax, Math.floor(sliceValuesMax / rows)));
  let first = 0;
  for (const group of plan.groups) {
    for (let from = 0; from < group.columns.length; from += atOnce) {
      const part = first + from;
      const slice = group.columns.slice(from, from + atOnce);
      if (slice.every((_, at) => done.has(part + at))) continue;
      const columns = slice.map((each) => clearColumn(each, encoded, rows));
      await stage(desk.database, question.digest, part, plan.partner === undefined ? clearResults(group, columns) : await encryptedResults(desk, run, plan.partner.name, group, columns));
      await desk.onStep?.('staged');
    }
    first += group.columns.length;
  }
}

async function encryptedResults({ database, threads }: ReleaseDesk, run: JointRun, partner: string, { variance }: Group, columns: readonly ClearColumn[]): Promise<Uint8Array[]> {
  const { from, to, bins } = padsOfColumn(run.spec, partner);
  const [publicKey, fixed] = await Promise.all([publicKeyOf(database, run.id), shiftsOf(database, run.id, partner)]);
  if (fixed === undefined) throw new VeilgateError('JOINT_INPUT_INVALID', 'The shifts of this partner column are not there.');
  return runTable(threads, { publicKey, bins, shifts: fixed.shifts, columns, variance, pads: readPads(database, run.id, from, to) });
}

/** Without a column of the partner there is nothing to hide from it but the enterprises: the noisy sum itself, 8 bytes, little-endian. */
function clearResults({ variance }: Group, columns: readonly ClearColumn[]): Uint8Array[] {
  const random = createExactRandom();
  return columns.map(({ values }) => {
    const result = new Uint8Array(8);
    new DataView(result.buffer).setBigInt64(0, BigInt(values.reduce((sum, value) => sum + value, 0)) + discreteGaussian(random, variance), true);
    return result;
  });
}

/**
 * The one transaction through which an answer leaves: every grant is looked at again and held, the charge is final, the
 * log has its record, the results can be fetched. The institution is held first, as wherever answers leave, and an entry
 * that changed the policy meanwhile lets none follow. Errors: those of assertCohortFresh; DECISION_OUTDATED, AUDIT_UNAVAILABLE.
 */
async function release(desk: ReleaseDesk, { question, run, plan, cohort, covered }: Work): Promise<void> {
  const answer = createHash('sha256');
  await stagedDigest(desk.database, question.digest, (bytes) => answer.update(bytes));
  const digest: Digest = answer.digest('hex');
  await desk.database.transaction('joint release', async (tx) => {
    const nowMs = desk.clock.nowMs();
    await holdInstitutions(tx, [question.institution], shanghaiDate(nowMs));
    const held = await lockQuestion(tx, question.digest);
    if (held?.state !== 'asked') return; // somebody else released it
    const asOf = desk.standing.asOf(); // before the policy is asked, which may be a later one then
    await assertCohortFresh(desk, tx, cohort, covered);
    await releaseStaged(tx, question.digest);
    await endQuestion(tx, question.digest, { state: 'released' }, nowMs);
    const [entry] = await appendRecords(tx, [{
      ...recordHead('joint.released', nowMs, question.institution), ...ofRun(run), question: question.digest, statement: statementDigest(question.statement),
      datasets: plan.datasets, rows: cohort.size, parts: plan.parts, costNanoRho: question.cost, answer: digest,
    }], undefined, asOf);
    if (entry === undefined || !await commit(tx, question.digest, [], entry.index, nowMs)) throw new VeilgateError('AUDIT_UNAVAILABLE', 'The answer could not be released with its charge and record, so nothing was.');
  });
}

/** Nothing left, so nothing is charged; the refusal is logged with it. */
async function fail(desk: ReleaseDesk, question: StoredQuestion, run: JointRun, error: VeilgateError): Promise<void> {
  await desk.database.transaction('joint question failed', async (tx) => {
    const held = await lockQuestion(tx, question.digest);
    if (held?.state !== 'asked') return;
    const nowMs = desk.clock.nowMs();
    await giveBack(tx, question.digest, nowMs);
    await endQuestion(tx, question.digest, { state: 'failed', reason: error.code }, nowMs);
    await appendRecords(tx, [{ ...recordHead('joint.refused', nowMs, question.institution), ...ofRun(run), question: question.digest, code: error.code, rule: ruleOf(error) }]);
  });
}
