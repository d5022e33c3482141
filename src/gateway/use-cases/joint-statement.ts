import { VeilgateError, isVeilgateError } from '../../errors.ts';
import { jointParameters } from '../../he/joint-parameters.ts';
import { accountsOf, balances, type Balance } from '../../joint/ledger/accounts.ts';
import { reserve } from '../../joint/ledger/charges.ts';
import { epsilonOf, type NanoRho } from '../../joint/noise/accountant.ts';
import type { RegisteredProject } from '../../joint/project/registry.ts';
import { holdProject } from '../../joint/project/registry.ts';
import { findQuestion, lockQuestion, storeQuestion, type StoredQuestion } from '../../joint/run/question.ts';
import { padsOfColumn } from '../../joint/run/pads.ts';
import { requireState, type JointRun } from '../../joint/run/run.ts';
import { shiftsOf } from '../../joint/run/shifts.ts';
import { compileStatement, costAsked, type Plan } from '../../joint/statement/compile.ts';
import { questionDigest } from '../../joint/statement/question.ts';
import type { Statement, StatementBudget } from '../../joint/statement/statement.ts';
import type { InstitutionId } from '../../vocabulary.ts';
import type { DoorRefusals } from './door-refusals.ts';
import { ownActiveProject, ownRun, refusalRecord, type JointRunDesk } from './joint-run-desk.ts';

/** A statement, and how much it may cost. */
export type Asked = { readonly statement: Statement; readonly budget: StatementBudget };

/** What a statement would come to; nothing is charged by asking. */
export type Explanation = {
  /** Undefined while the column's shifts are not fixed. */
  readonly question: string | undefined;
  /** What came of the same question before: it costs nothing again. */
  readonly known: StoredQuestion | undefined;
  readonly plan: Plan;
  readonly rows: number;
  /** What the whole project has told: (ε, δ) before and after this statement. */
  readonly epsilonBefore: number;
  readonly epsilonAfter: number;
  readonly delta: number;
  /** Accounts it is charged to. */
  readonly accounts: readonly Balance[];
  /** Of all results. */
  readonly bytes: number;
  /** Rough: what this took on two cores. */
  readonly seconds: number;
};

/** Milliseconds of one thread for one chunk of pads times one column, and for making a result. */
const productMs = 0.35;
const resultMs = 4;

type Found = { readonly run: JointRun; readonly project: RegisteredProject; readonly plan: Plan; readonly question: string | undefined };

/** Errors: JOINT_RUN_NOT_FOUND, JOINT_PROJECT_STATE_CONFLICT, JOINT_STATEMENT_INVALID, JOINT_BOUND_EXCEEDED. */
export async function explainStatement(desk: JointRunDesk, institution: InstitutionId, id: string, asked: Asked): Promise<Explanation> {
  const { run, project, plan, question } = await find(desk, institution, await ownRun(desk.database, id, institution), asked);
  const known = question === undefined ? undefined : await findQuestion(desk.database, question);
  const accounts = await balances(desk.database, accountsOf(project.id, institution, plan.datasets));
  const spent = accounts.find(({ account }) => account.startsWith('project/'))?.spent ?? 0;
  const { delta } = project.project.budget;
  const free = known !== undefined && known.state !== 'failed';
  return {
    question, known, plan, rows: run.spec.rows, accounts, delta,
    epsilonBefore: epsilonOf(spent as NanoRho, delta), epsilonAfter: epsilonOf((spent + (free ? 0 : plan.cost)) as NanoRho, delta),
    ...sizeOf(plan, run, desk.threads.threads),
  };
}

/**
 * Charges a statement and has it computed; the same question again is not charged and answers with what came of it.
 * Every refusal is logged, beyond some a minute as a count. Errors: those of explainStatement, JOINT_RUN_STATE_CONFLICT, JOINT_INPUT_INVALID without
 * shifts, JOINT_BUDGET_EXHAUSTED.
 */
export async function askStatement(desk: JointRunDesk, refusals: Pick<DoorRefusals, 'record'>, institution: InstitutionId, id: string, asked: Asked): Promise<StoredQuestion> {
  const run = await ownRun(desk.database, id, institution);
  let question: string | undefined;
  try {
    requireState(run, ['ready'], 'Questions are answered once the drawn bundle is there and checked: read the run\'s state.');
    const found = await find(desk, institution, run, asked);
    question = found.question;
    if (question === undefined) throw new VeilgateError('JOINT_INPUT_INVALID', 'The shifts of this partner column are not fixed yet: send them first.');
    return await charge(desk, institution, { ...found, question }, asked.statement);
  } catch (error) {
    if (isVeilgateError(error) && error.code !== 'STORE_UNAVAILABLE') await refusals.record(refusalRecord(desk, run, question ?? null, error));
    throw error;
  }
}

async function charge(desk: JointRunDesk, institution: InstitutionId, { run, project, plan, question }: Found & { readonly question: string }, statement: Statement): Promise<StoredQuestion> {
  return desk.database.transaction('joint question', async (tx) => {
    const nowMs = desk.clock.nowMs();
    await lockQuestion(tx, question); // question, project, charge, accounts: in the order in which a release holds them
    await holdProject(tx, project.id, nowMs);
    await reserve(tx, { digest: question, project: project.id, institution, cost: plan.cost, accounts: accountsOf(project.id, institution, plan.datasets) }, nowMs);
    const isNew = await storeQuestion(tx, { digest: question, run: run.id, project: project.id, cohort: run.cohort, institution, statement, cost: plan.cost, parts: plan.parts, askedMs: nowMs });
    if (isNew) await desk.queue.add(tx, [{ kind: 'joint_release', job: question }]);
    return await findQuestion(tx, question) as StoredQuestion;
  });
}

async function find(desk: JointRunDesk, institution: InstitutionId, run: JointRun, { statement, budget }: Asked): Promise<Found> {
  const project = await ownActiveProject(desk, run.project, institution);
  const [own] = await balances(desk.database, accountsOf(project.id, institution, []));
  const plan = compileStatement(statement, project.project, run.spec.rows, costAsked(budget, (own?.total ?? 0) as NanoRho));
  const shifts = plan.partner === undefined ? undefined : await shiftsOf(desk.database, run.id, plan.partner.name);
  const question = plan.partner !== undefined && shifts === undefined ? undefined : questionDigest(statement, plan.cost, run, shifts?.digest ?? null);
  return { run, project, plan, question };
}

/** Bytes of one result. */
export function resultBytes({ partner }: Pick<Plan, 'partner'>): number {
  return partner === undefined ? 8 : 8 * (2 * partner.bins + jointParameters.polyModulusDegree);
}

function sizeOf(plan: Plan, run: JointRun, threads: number): { readonly bytes: number; readonly seconds: number } {
  const columns = plan.partner === undefined ? undefined : padsOfColumn(run.spec, plan.partner.name);
  const ms = columns === undefined ? plan.parts : plan.parts * ((columns.to - columns.from) * productMs + resultMs);
  return { bytes: plan.parts * resultBytes(plan), seconds: Math.ceil(ms / threads / 100) / 10 };
}
