import { isoTime } from '../../clock.ts';
import { projectToJson } from '../../joint/project/document.ts';
import { projectPageMax, type RegisteredProject } from '../../joint/project/registry.ts';
import { epsilonOf, nanoRhoPerRho } from '../../joint/noise/accountant.ts';
import type { Balance } from '../../joint/ledger/accounts.ts';
import { created, ok, route, trustedJson, type JsonObject, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, text } from '../schema/words.ts';
import { approve, checkedProject, endProject, projectBalances, propose, refuse, stopProject, visibleProject, visibleProjects, type JointDesk } from '../use-cases/joint-projects.ts';
import type { Services } from './services.ts';

const tag = 'Joint modelling';
export const jointId = { type: 'string', pattern: '^[A-Za-z0-9_-]{22}$', maxLength: 22, examples: ['vZ0eO2qXr5cM6m1c9yT3kQ'] } as const;
const state = oneOf(['proposed', 'approved', 'active', 'refused', 'ended', 'stopped']);
const ofProject = object({ project: jointId });
const reason = { type: 'string', pattern: '^[a-z][a-z0-9_]{0,63}$', maxLength: 64, description: 'A code, such as `purpose_too_wide`.' } as const;
const digest = { ...named('Digest'), description: 'Of the document you reviewed.' } as const;
const summary = {
  id: jointId, title: named('Title'), partner: named('PartyId'), state, digest: named('Digest'), ends_on: named('Date'), proposed_by: named('PartyId'), proposed_at: named('Time'),
  approvals: list(object({ by: named('PartyId'), at: named('Time') }), 2), closed_by: nullable(text(128)), closed_at: nullable(named('Time')), reason: nullable(text(64)),
};
const changed = { description: 'Done, at once and on every node.', schema: object({ id: jointId, state, approvals: integer(0, 2) }) };
const balance = object({ account: text(300), total_rho: { type: 'number' }, spent_rho: { type: 'number' }, left_rho: { type: 'number' }, spent_epsilon: { type: 'number' } });

type OfProject = { readonly params: { readonly project: string } };
type Needs = Pick<Services, 'joint'>;

/** Joint-modelling projects: proposed, approved by two others, stopped, ended. */
export function jointProjectRoutes({ joint: desk }: Needs): readonly Route[] {
  return [...readingRoutes(desk), ...decisionRoutes(desk)];
}

function readingRoutes(desk: JointDesk): readonly Route[] {
  return [
    route<{ readonly body: { readonly project: unknown } }>({
      method: 'POST', path: '/v1/joint-projects', operationId: 'proposeJointProject', tag, access: 'party', scopes: ['query', 'compliance'], idempotent: true,
      summary: 'Propose a joint-modelling project; two officers decide',
      description: 'An institution proposes for itself alone. The document never changes: a changed one is another proposal.',
      request: { body: { kind: 'json', schema: object({ project: named('JointProject') }), code: 'JOINT_PROJECT_INVALID' } },
      responses: { 201: { description: 'Waits for two approvals.', schema: object({ id: jointId, state, digest: named('Digest') }) } },
      errors: ['JOINT_PROJECT_INVALID', 'JOINT_NOT_PERMITTED', 'REQUEST_QUOTA_EXCEEDED', 'INSTITUTION_NOT_ACTIVE', 'INSTITUTION_ASSESSMENT_MISSING', 'PARTY_NOT_PERMITTED'],
      examples: { cli: 'veilgate joint project propose project.json' },
      async handler({ caller, body, once }) {
        const project = await checkedProject(desk, caller, body.project);
        return once(async (tx) => {
          const { id, digest: of } = await propose(desk, tx, caller, project);
          return { reply: created({ id, state: 'proposed', digest: of }, `/v1/joint-projects/${id}`) };
        });
      },
    }),
    route<{ readonly query: { readonly after?: string } }>({
      method: 'GET', path: '/v1/joint-projects', operationId: 'listJointProjects', tag, access: 'party', scopes: ['query', 'compliance', 'audit'],
      summary: 'Projects, newest first',
      description: 'Officers see all, institutions those of which they are the partner.',
      request: { query: object({ after: jointId }, { optional: ['after'] }) },
      responses: { 200: { description: `At most ${projectPageMax}; \`next\` continues.`, schema: object({ projects: list(object(summary), projectPageMax), next: nullable(jointId) }) } },
      errors: [],
      examples: { cli: 'veilgate joint project list' },
      handler: async ({ caller, query }) => {
        const found = await visibleProjects(desk, caller, query.after);
        return ok({ projects: found.map(summaryJson), next: found.length === projectPageMax ? (found.at(-1)?.id ?? null) : null });
      },
    }),
    route<OfProject>({
      method: 'GET', path: '/v1/joint-projects/{project}', operationId: 'readJointProject', tag, access: 'party', scopes: ['query', 'compliance', 'audit'],
      summary: 'One project with its document',
      request: { params: ofProject },
      responses: { 200: { description: 'The document, and how it got where it is.', schema: object({ project: named('JointProject'), ...summary }) } },
      errors: ['JOINT_PROJECT_NOT_FOUND'],
      examples: { cli: 'veilgate joint project show vZ0eO2qXr5cM6m1c9yT3kQ' },
      handler: async ({ caller, params }) => {
        const found = await visibleProject(desk, desk.database, caller, params.project);
        return ok({ project: trustedJson(projectToJson(found.project)), ...summaryJson(found) });
      },
    }),
    route<OfProject>({
      method: 'GET', path: '/v1/joint-projects/{project}/balances', operationId: 'readJointBalances', tag, access: 'party', scopes: ['query', 'compliance', 'audit'],
      summary: 'What is left of what may be learnt',
      description: 'Of the project itself, of each of its datasets by this partner, and of each dataset by all institutions together. None before the second approval.',
      request: { params: ofProject },
      responses: { 200: { description: 'In rho (zCDP); `spent_epsilon` is the same at the project\'s delta.', schema: object({ delta: { type: 'number' }, accounts: list(balance, 64) }) } },
      errors: ['JOINT_PROJECT_NOT_FOUND'],
      examples: { cli: 'veilgate joint project balances vZ0eO2qXr5cM6m1c9yT3kQ' },
      handler: async ({ caller, params }) => {
        const found = await visibleProject(desk, desk.database, caller, params.project);
        const { delta } = found.project.budget;
        return ok({ delta, accounts: (await projectBalances(desk.database, found)).map((each) => balanceJson(each, delta)) });
      },
    }),
  ];
}

function decisionRoutes(desk: JointDesk): readonly Route[] {
  return [
    route<OfProject & { readonly body: { readonly digest: string } }>({
      method: 'POST', path: '/v1/joint-projects/{project}/approval', operationId: 'approveJointProject', tag, access: 'party', scopes: ['compliance'], idempotent: true,
      summary: 'Approve a project that somebody else proposed',
      description: 'Two officers are needed, neither of them its author. The project is judged again by limits and policy of this moment. The second approval opens its accounts.',
      request: { params: ofProject, body: { kind: 'json', schema: object({ digest }) } },
      responses: { 200: changed },
      errors: ['JOINT_PROJECT_NOT_FOUND', 'JOINT_PROJECT_CHANGED', 'JOINT_PROJECT_STATE_CONFLICT', 'JOINT_PROJECT_SAME_PERSON', 'JOINT_PROJECT_INVALID', 'JOINT_NOT_PERMITTED', 'INSTITUTION_NOT_ACTIVE', 'INSTITUTION_ASSESSMENT_MISSING', 'PARTY_NOT_PERMITTED'],
      examples: { cli: 'veilgate joint project approve vZ0eO2qXr5cM6m1c9yT3kQ --digest <sha256>' },
      handler: ({ caller, params, body, once }) => once(async (tx) => ({ reply: ok(changeJson(await approve(desk, tx, caller, { id: params.project, digest: body.digest }))) })),
    }),
    route<OfProject & { readonly body: { readonly digest: string; readonly reason: string } }>({
      method: 'POST', path: '/v1/joint-projects/{project}/refusal', operationId: 'refuseJointProject', tag, access: 'party', scopes: ['compliance'], idempotent: true,
      summary: 'Refuse a proposed project',
      request: { params: ofProject, body: { kind: 'json', schema: object({ digest, reason }) } },
      responses: { 200: changed },
      errors: ['JOINT_PROJECT_NOT_FOUND', 'JOINT_PROJECT_CHANGED', 'JOINT_PROJECT_STATE_CONFLICT'],
      examples: { cli: 'veilgate joint project refuse vZ0eO2qXr5cM6m1c9yT3kQ --digest <sha256> --reason purpose_too_wide' },
      handler: ({ caller, params, body, once }) => once(async (tx) => ({ reply: ok(changeJson(await refuse(desk, tx, caller, { id: params.project, ...body }))) })),
    }),
    route<OfProject & { readonly body: { readonly reason: string } }>({
      method: 'POST', path: '/v1/joint-projects/{project}/stop', operationId: 'stopJointProject', tag, access: 'party', scopes: ['compliance'], idempotent: true,
      summary: 'Stop a project for good',
      request: { params: ofProject, body: { kind: 'json', schema: object({ reason }) } },
      responses: { 200: changed },
      errors: ['JOINT_PROJECT_NOT_FOUND', 'JOINT_PROJECT_STATE_CONFLICT'],
      examples: { cli: 'veilgate joint project stop vZ0eO2qXr5cM6m1c9yT3kQ --reason complaint' },
      handler: ({ caller, params, body, once }) => once(async (tx) => ({ reply: ok(changeJson(await stopProject(desk, tx, params.project, { by: caller.party, reason: body.reason }))) })),
    }),
    route<OfProject>({
      method: 'POST', path: '/v1/joint-projects/{project}/end', operationId: 'endJointProject', tag, access: 'party', scopes: ['query'], idempotent: true,
      summary: 'End your project before its last day',
      request: { params: ofProject },
      responses: { 200: changed },
      errors: ['JOINT_PROJECT_NOT_FOUND', 'JOINT_PROJECT_STATE_CONFLICT'],
      examples: { cli: 'veilgate joint project end vZ0eO2qXr5cM6m1c9yT3kQ' },
      handler: ({ caller, params, once }) => once(async (tx) => ({ reply: ok(changeJson(await endProject(desk, tx, caller, params.project))) })),
    }),
  ];
}

function summaryJson({ id, project, digest: of, state: now, proposedBy, proposedMs, approvals, closedBy, closedMs, reason: why }: RegisteredProject): JsonObject {
  return {
    id, title: { ...project.title }, partner: project.partner, state: now, digest: of, ends_on: project.endsOn, proposed_by: proposedBy, proposed_at: isoTime(proposedMs),
    approvals: approvals.map(({ by, atMs }) => ({ by, at: isoTime(atMs) })), closed_by: closedBy, closed_at: closedMs === null ? null : isoTime(closedMs), reason: why,
  };
}

function changeJson({ id, state: now, approvals }: RegisteredProject): JsonObject {
  return { id, state: now, approvals: approvals.length };
}

function balanceJson({ account, total, spent }: Balance, delta: number): JsonObject {
  return { account, total_rho: total / nanoRhoPerRho, spent_rho: spent / nanoRhoPerRho, left_rho: (total - spent) / nanoRhoPerRho, spent_epsilon: epsilonOf(spent, delta) };
}
