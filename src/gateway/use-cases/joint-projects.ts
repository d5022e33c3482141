import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import type { Clock } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import { readInstitution } from '../../identity/registry/institution-view.ts';
import { accountsOf, balances, provide, type Account, type Balance } from '../../joint/ledger/accounts.ts';
import { costFor, type NanoRho } from '../../joint/noise/accountant.ts';
import type { MaskSecrets } from '../../joint/cohort/sealed-secret.ts';
import type { JointProject } from '../../joint/project/document.ts';
import {
  approveProject, closeProject, countProposed, endOverdue, insertProject, listProjects, lockProposal, overdueProjects, projectNotFound, readProject,
  type Closing, type RegisteredProject,
} from '../../joint/project/registry.ts';
import type { JointSettings, PrivacyBudget } from '../../joint/project/settings.ts';
import { limitProblems, parseProject, projectInvalid } from '../../joint/project/shape.ts';
import type { Gate } from '../../joint/threads/gate.ts';
import type { JointThreads } from '../../joint/threads/run.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import type { Database, Sql, Tx } from '../../store/database.ts';
import type { Caller, Catalogue, PartyId, TimeMs } from '../../vocabulary.ts';
import { withheldFields } from './joint-cover.ts';
import { institutionNow } from './score-job-desk.ts';

/** What joint modelling needs of the other stages. */
export type JointDesk = {
  readonly database: Database;
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly policy: () => CompiledPolicy;
  /** policies/joint.yaml as it was at start. */
  readonly settings: () => JointSettings;
  /** Behind the encryption of secrets of alignments. */
  readonly secrets: MaskSecrets;
  /** For each piece of work that has threads of its own. */
  readonly threads: JointThreads;
  /** Few pieces of work at a time in this process. */
  readonly gate: Gate;
};

/** Proposals that may wait for decisions for one partner. */
const openProposalsMax = 20;
const overdueMax = 100;
const platform = 'platform' as PartyId;

/** A project as this caller may propose it. Errors: JOINT_PROJECT_INVALID, PARTY_NOT_PERMITTED, JOINT_NOT_PERMITTED, INSTITUTION_*. */
export async function checkedProject(desk: JointDesk, caller: Caller, document: unknown): Promise<JointProject> {
  const project = parseProject(document);
  if (caller.kind === 'institution' && project.partner !== caller.party) throw projectInvalid([{ pointer: '/partner', problem: 'must be you' }]);
  await requirePermitted(desk, desk.database, project);
  return project;
}

/** Registers a checked project for two officers to decide on. Errors: REQUEST_QUOTA_EXCEEDED. */
export async function propose(desk: JointDesk, tx: Tx, caller: Caller, project: JointProject): Promise<{ readonly id: string; readonly digest: string }> {
  const open = await countProposed(tx, project.partner);
  if (open >= openProposalsMax) throw new VeilgateError('REQUEST_QUOTA_EXCEEDED', `${open} projects of this partner wait for a decision: wait for it, or have some refused.`);
  const nowMs = desk.clock.nowMs();
  const { id, digest } = await insertProject(tx, { project, by: caller.party }, nowMs);
  await appendRecords(tx, [{ ...recordHead('joint.project_proposed', nowMs, caller.party), project: id, digest, institution: project.partner }]);
  return { id, digest };
}

/**
 * One of two approvals, bound to the document's digest and judged by the policy and limits of this moment; the second
 * opens the project's accounts. Errors: JOINT_PROJECT_*, JOINT_NOT_PERMITTED, INSTITUTION_*.
 */
export async function approve(desk: JointDesk, tx: Tx, caller: Caller, { id, digest }: { readonly id: string; readonly digest: string }): Promise<RegisteredProject> {
  const nowMs = desk.clock.nowMs();
  const proposal = await lockProposal(tx, id, digest, nowMs);
  await requirePermitted(desk, tx, proposal.project);
  const state = await approveProject(tx, proposal, caller.party, nowMs);
  if (state === 'approved') await provide(tx, accountsFor(desk.settings(), proposal));
  const approvals = [...proposal.approvals, { by: caller.party, atMs: nowMs }];
  await appendRecords(tx, [{ ...recordHead('joint.project_approved', nowMs, caller.party), project: id, digest, institution: proposal.project.partner, approvals: approvals.length as 1 | 2 }]);
  return { ...proposal, state, approvals };
}

/** Refuses a proposal: of this very document. Errors: JOINT_PROJECT_*. */
export async function refuse(desk: JointDesk, tx: Tx, caller: Caller, { id, digest, reason }: { readonly id: string; readonly digest: string; readonly reason: string }): Promise<RegisteredProject> {
  await lockProposal(tx, id, digest, desk.clock.nowMs());
  return close(desk, tx, id, { state: 'refused', by: caller.party, reason });
}

/** Stops a project at once and on every node, with its record in the log. Errors: JOINT_PROJECT_NOT_FOUND, JOINT_PROJECT_STATE_CONFLICT. */
export async function stopProject(desk: Pick<JointDesk, 'clock'>, tx: Tx, id: string, { by = platform, reason }: { readonly by?: PartyId; readonly reason: string }): Promise<RegisteredProject> {
  return close(desk, tx, id, { state: 'stopped', by, reason });
}

/** The partner has what it wanted. Errors: JOINT_PROJECT_NOT_FOUND, JOINT_PROJECT_STATE_CONFLICT. */
export async function endProject(desk: JointDesk, tx: Tx, caller: Caller, id: string): Promise<RegisteredProject> {
  await visibleProject(desk, tx, caller, id);
  return close(desk, tx, id, { state: 'ended', by: caller.party, reason: 'finished' });
}

async function close(desk: Pick<JointDesk, 'clock'>, tx: Tx, id: string, closing: Closing): Promise<RegisteredProject> {
  const nowMs = desk.clock.nowMs();
  const closed = await closeProject(tx, id, closing, nowMs);
  await appendRecords(tx, [{ ...recordHead(`joint.project_${closing.state}`, nowMs, closing.by), project: closed.id, digest: closed.digest, institution: closed.project.partner, reason: closing.reason }]);
  return closed;
}

/** Writes the end of projects whose last day is over. */
export async function endOverdueProjects(desk: Pick<JointDesk, 'database' | 'clock'>): Promise<void> {
  await desk.database.transaction('end joint projects', async (tx) => {
    const nowMs = desk.clock.nowMs();
    const ids = await overdueProjects(tx, nowMs, overdueMax);
    if (ids.length === 0) return;
    const projects = await Promise.all(ids.map((id) => readProject(tx, id, nowMs)));
    await endOverdue(tx, ids, nowMs);
    await appendRecords(tx, projects.map(({ id, digest, project }) => ({ ...recordHead('joint.project_ended', nowMs, platform), project: id, digest, institution: project.partner, reason: 'time_over' })));
  });
}

/** A project this caller may see: officers all, institutions those they would work under. Errors: JOINT_PROJECT_NOT_FOUND, equal for somebody else's and none. */
export async function visibleProject(desk: Pick<JointDesk, 'clock'>, sql: Sql, caller: Caller, id: string): Promise<RegisteredProject> {
  const found = await readProject(sql, id, desk.clock.nowMs());
  if (caller.kind === 'institution' && found.project.partner !== caller.party) throw projectNotFound();
  return found;
}

/** One page of projects this caller may see, newest first. */
export function visibleProjects(desk: JointDesk, caller: Caller, after: string | undefined): Promise<RegisteredProject[]> {
  return listProjects(desk.database, { partner: caller.kind === 'institution' ? caller.party : undefined, after }, desk.clock.nowMs());
}

/** What is left of what may be learnt: of the project, and of its datasets by this partner and by all. */
export function projectBalances(sql: Sql, { id, project }: RegisteredProject): Promise<Balance[]> {
  return balances(sql, accountsOf(id, project.partner, project.datasets));
}

function accountsFor(settings: JointSettings, { id, project }: RegisteredProject): { readonly account: Account; readonly total: NanoRho }[] {
  const total = ({ epsilon, delta }: PrivacyBudget) => costFor(epsilon, delta);
  return accountsOf(id, project.partner, project.datasets).map((account) => ({
    account,
    total: account.startsWith('project/') ? total(project.budget) : account.startsWith('institution/') ? total(settings.budgets.institutionDataset) : total(settings.budgets.dataset),
  }));
}

/** Limits, catalogue and policy of this moment, for the partner as it is now. */
async function requirePermitted(desk: JointDesk, sql: Sql, project: JointProject): Promise<void> {
  const nowMs = desk.clock.nowMs();
  const problems = limitProblems(project, desk.settings(), desk.catalogue, nowMs);
  if (problems.length > 0) throw projectInvalid(problems);
  const known = await readInstitution(sql, project.partner).then(() => true, () => false);
  if (!known) throw projectInvalid([{ pointer: '/partner', problem: 'is no institution of this platform' }]);
  await requireAllowedFields(desk, sql, project, nowMs);
}

/** Holds that the policy of this moment lets the partner use every source field in aggregates. Errors: JOINT_NOT_PERMITTED, INSTITUTION_*. */
export async function requireAllowedFields(desk: JointDesk, sql: Sql, project: JointProject, nowMs: TimeMs): Promise<void> {
  const partner = await institutionNow(sql, project.partner, nowMs);
  const withheld = withheldFields(desk.policy(), project, partner, nowMs);
  if (withheld.length > 0) {
    throw new VeilgateError('JOINT_NOT_PERMITTED', 'The project needs fields that this partner may not use in aggregates; detail.withheld gives the reason for each.', {
      withheld: withheld.map(({ field, use, reason, rule, path }) => ({ field, use, reason, rule, path })),
    });
  }
}
