import { isoTime } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import { nanoRhoPerRho } from '../../joint/noise/accountant.ts';
import { answerParts, findQuestion, partsAtOnce, questionsOf, type StoredQuestion } from '../../joint/run/question.ts';
import { partsMax } from '../../joint/statement/statement.ts';
import type { Group } from '../../joint/statement/compile.ts';
import { content, ok, route, trustedJson, type Json, type JsonObject, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, text } from '../schema/words.ts';
import { visibleProject } from '../use-cases/joint-projects.ts';
import type { JointRunDesk } from '../use-cases/joint-run-desk.ts';
import { askStatement, explainStatement, type Asked, type Explanation } from '../use-cases/joint-statement.ts';
import { jointId } from './joint-projects.ts';
import { institutionOf } from './joint-runs.ts';
import type { Services } from './services.ts';

const tag = 'Joint modelling';
const count = integer(0, Number.MAX_SAFE_INTEGER);
const number = { type: 'number' } as const;
const releasesMax = 1000;
const releaseSchema = object({
  question: named('Digest'), run: jointId, project: jointId, cohort: jointId, statement: { type: 'object' }, cost_rho: number, parts: count,
  state: oneOf(['asked', 'released', 'failed'], 'Asked: a worker computes it. Failed: it is never answered, nothing left, and its cost was given back.'),
  reason: nullable(text(64, 'Code of why it failed.')), asked_at: named('Time'), ended_at: nullable(named('Time')),
});
const explanationSchema = object({
  question: nullable(named('Digest')), known: nullable(releaseSchema), rows: count, parts: count, bytes: count, seconds: number, cost_rho: number,
  epsilon_before: number, epsilon_after: number, delta: number,
  groups: list(object({ title: text(32), results: count, sensitivity_squared: number, sigma: number, cost_rho: number }), 8),
  accounts: list(object({ account: text(300), total_rho: number, left_rho: number }), 64),
});
const askedBody = { kind: 'json', schema: named('JointAsked'), code: 'JOINT_STATEMENT_INVALID' } as const;
const ofRun = object({ run: jointId });
const statementErrors = ['JOINT_RUN_NOT_FOUND', 'JOINT_PROJECT_NOT_FOUND', 'JOINT_PROJECT_STATE_CONFLICT', 'JOINT_STATEMENT_INVALID', 'JOINT_BOUND_EXCEEDED'] as const;

type Asking = { readonly params: { readonly run: string }; readonly body: Asked };
type OfQuestion = { readonly params: { readonly question: string } };
type Needs = Pick<Services, 'jointRuns' | 'refusals'>;

/** Statements, what they cost, and their answers. */
export function jointReleaseRoutes({ jointRuns: desk, refusals }: Needs): readonly Route[] {
  return [...askingRoutes(desk, refusals), ...releaseRoutes(desk)];
}

function askingRoutes(desk: JointRunDesk, refusals: Needs['refusals']): readonly Route[] {
  return [
    route<Asking>({
      method: 'POST', path: '/v1/joint-runs/{run}/explanations', operationId: 'explainJointStatement', tag, access: 'party', scopes: ['query'],
      summary: 'What a statement would cost',
      description: 'Privacy, bytes and seconds, and how noisy the answer would be. Nothing is charged.',
      request: { params: ofRun, body: askedBody },
      responses: { 200: { description: 'What it comes to.', schema: explanationSchema } },
      errors: statementErrors,
      handler: async ({ caller, params, body }) => ok(explanationJson(await explainStatement(desk, institutionOf(caller), params.run, body))),
    }),
    route<Asking>({
      method: 'POST', path: '/v1/joint-runs/{run}/statements', operationId: 'askJointStatement', tag, access: 'party', scopes: ['query'],
      summary: 'Ask a statement',
      description: 'Charged first, computed by a worker, released with its record in the log. The same question again costs nothing and has the same answer, noise and all.',
      request: { params: ofRun, body: askedBody },
      responses: { 202: { description: 'What came of it so far.', schema: releaseSchema } },
      errors: [...statementErrors, 'JOINT_RUN_STATE_CONFLICT', 'JOINT_INPUT_INVALID', 'JOINT_BUDGET_EXHAUSTED'],
      handler: async ({ caller, params, body }) => ({ status: 202, json: releaseJson(await askStatement(desk, refusals, institutionOf(caller), params.run, body)), headers: { 'Retry-After': '1' } }),
    }),
  ];
}

function releaseRoutes(desk: JointRunDesk): readonly Route[] {
  return [
    route<OfQuestion>({
      method: 'GET', path: '/v1/joint-releases/{question}', operationId: 'readJointRelease', tag, access: 'party', scopes: ['query'],
      summary: 'What came of a question',
      request: { params: object({ question: named('Digest') }) },
      responses: { 200: { description: 'As of now.', schema: releaseSchema } },
      errors: ['JOINT_RELEASE_NOT_FOUND'],
      handler: async ({ caller, params }) => ok(releaseJson(await ownQuestion(desk, params.question, caller.party))),
    }),
    route<{ readonly params: { readonly question: string; readonly from: number } }>({
      method: 'GET', path: '/v1/joint-releases/{question}/results/{from}', operationId: 'readJointResults', tag, access: 'party', scopes: ['query'],
      summary: 'Results of a released question',
      description: `Up to ${partsAtOnce} of equal length, one after another, from the number in the path on; the same at each fetch. Encrypted under the drawn bundle's key, or 8 bytes in clear where no partner column was named.`,
      request: { params: object({ question: named('Digest'), from: integer(0, partsMax) }) },
      responses: { 200: { description: 'The bytes.', mediaType: 'application/octet-stream' } },
      errors: ['JOINT_RELEASE_NOT_FOUND', 'JOINT_RELEASE_NOT_READY'],
      handler: async ({ caller, params }) => {
        const { state, parts } = await ownQuestion(desk, params.question, caller.party);
        if (state !== 'released' || params.from >= parts) throw new VeilgateError('JOINT_RELEASE_NOT_READY', 'There are no such results: read the release, and wait until it is released.', { state, parts });
        return content('application/octet-stream', Buffer.concat(await answerParts(desk.database, params.question, params.from)));
      },
    }),
    route<{ readonly params: { readonly project: string } }>({
      method: 'GET', path: '/v1/joint-projects/{project}/releases', operationId: 'listJointReleases', tag, access: 'party', scopes: ['query', 'compliance', 'audit'],
      summary: 'Everything that was asked under a project, newest first',
      request: { params: object({ project: jointId }) },
      responses: { 200: { description: `At most ${releasesMax}.`, schema: object({ releases: list(releaseSchema, releasesMax) }) } },
      errors: ['JOINT_PROJECT_NOT_FOUND'],
      handler: async ({ caller, params }) => {
        const { id } = await visibleProject(desk, desk.database, caller, params.project);
        return ok({ releases: (await questionsOf(desk.database, id, releasesMax)).map(releaseJson) });
      },
    }),
  ];
}

async function ownQuestion({ database }: JointRunDesk, digest: string, party: unknown): Promise<StoredQuestion> {
  const found = await findQuestion(database, digest);
  if (found === undefined || found.institution !== party) throw new VeilgateError('JOINT_RELEASE_NOT_FOUND', 'You have asked no such question: check its digest.');
  return found;
}

function releaseJson({ digest, run, project, cohort, statement, cost, parts, state, reason, askedMs, endedMs }: StoredQuestion): JsonObject {
  return {
    question: digest, run, project, cohort, statement: trustedJson(statement), cost_rho: cost / nanoRhoPerRho, parts, state, reason,
    asked_at: isoTime(askedMs), ended_at: endedMs === null ? null : isoTime(endedMs),
  };
}

function explanationJson({ question, known, plan, rows, bytes, seconds, epsilonBefore, epsilonAfter, delta, accounts }: Explanation): JsonObject {
  return {
    question: question ?? null, known: known === undefined ? null : releaseJson(known), rows, parts: plan.parts, bytes, seconds, cost_rho: plan.cost / nanoRhoPerRho,
    epsilon_before: epsilonBefore, epsilon_after: epsilonAfter, delta, groups: plan.groups.map(groupJson),
    accounts: accounts.map(({ account, total, spent }) => ({ account, total_rho: total / nanoRhoPerRho, left_rho: (total - spent) / nanoRhoPerRho })),
  };
}

function groupJson({ title, columns, sensitivitySquared, variance, cost }: Group): Json {
  return { title, results: columns.length, sensitivity_squared: sensitivitySquared, sigma: Math.sqrt(Number(variance.numerator) / Number(variance.denominator)), cost_rho: cost / nanoRhoPerRho };
}
