import type { AuditReader } from '../../audit/read.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Pack, PackChanges } from '../../policy/store/pack.ts';
import { listVersions, readVersion, versionPageMax, type NewVersion, type VersionState } from '../../policy/store/registry.ts';
import type { TimeMs } from '../../vocabulary.ts';
import { created, ok, route, trustedJson, type JsonObject, type Route } from '../route.ts';
import { named, type JsonSchema } from '../schema/compile.ts';
import { integer, list, nullable, object } from '../schema/words.ts';
import { replayDecisions, replayMax, type Replay } from '../use-cases/policy-replay.ts';
import { policyReviews, type PolicyReview } from '../use-cases/policy-review.ts';
import { approve, judgeChange, judgeRollback, propose, refuse, rejudge, requireStored, withdraw, type PolicyDesk } from '../use-cases/policy-versions.ts';
import { changesForm, commentForm, effectiveForm, packForm, replayForm, reviewForm, versionForm, versionJson, versionNumber, versionState, versionWithFiles } from './policy-forms.ts';
import type { Services } from './services.ts';

const ofVersion = object({ version: versionNumber });
const decided = { description: 'Done, on every node.', schema: object({ version: versionForm }) };
const proposed = { description: 'Waits for somebody else.', schema: object({ version: versionForm }) };
const proposalErrors: readonly ErrorCode[] = ['POLICY_IN_FOLDER', 'POLICY_VERSION_NOT_FOUND', 'POLICY_BASIS_STALE', 'POLICY_BROKEN', 'POLICY_TESTS_FAILED', 'REQUEST_INVALID', 'REQUEST_QUOTA_EXCEEDED'];
const decisionErrors: readonly ErrorCode[] = ['POLICY_IN_FOLDER', 'POLICY_VERSION_NOT_FOUND', 'POLICY_CHANGED', 'POLICY_STATE_CONFLICT', 'POLICY_SAME_PERSON'];
const packBytesMax = 8_388_608;
const proposalOf = (files: Readonly<Record<string, JsonSchema>>) => object({ basis: versionNumber, ...files, comment: commentForm, effective_at: effectiveForm }, { optional: ['effective_at'] });

type OfVersion = { readonly params: { readonly version: number } };
type Proposal = { readonly basis: number; readonly files?: Pack; readonly changes?: PackChanges; readonly comment: string; readonly effective_at?: string };
type Deciding = OfVersion & { readonly body: { readonly digest: string; readonly comment: string } };

/** The policy as versions: read, proposed, reviewed, decided by somebody else, gone back to. */
export function policyRoutes({ policies: desk, log }: Pick<Services, 'policies' | 'log'>): readonly Route[] {
  return [...readingRoutes(desk), ...reviewRoutes(desk, log), ...proposalRoutes(desk), ...decisionRoutes(desk)];
}

function readingRoutes(desk: PolicyDesk): readonly Route[] {
  return [
    route<{ query: { readonly before?: number; readonly state?: VersionState } }>({
      method: 'GET', path: '/v1/policies', operationId: 'listPolicies', tag: 'Policies', access: 'party', scopes: ['compliance', 'audit'],
      summary: 'Versions of the policy, newest first: who, when, why',
      request: { query: object({ before: versionNumber, state: versionState }, { optional: ['before', 'state'] }) },
      responses: { 200: { description: `At most ${versionPageMax}; \`next\` continues.`, schema: object({ versions: list(versionForm, versionPageMax), next: nullable(versionNumber) }) } },
      errors: ['POLICY_IN_FOLDER'],
      examples: { cli: 'veilgate policy history' },
      async handler({ query }) {
        requireStored(desk);
        const versions = await listVersions(desk.database, query);
        return ok({ versions: versions.map(versionJson), next: versions.length === versionPageMax ? (versions.at(-1)?.number ?? null) : null });
      },
    }),
    route({
      method: 'GET', path: '/v1/policies/in_force', operationId: 'readPolicyInForce', tag: 'Policies', access: 'party', scopes: ['compliance', 'audit'],
      summary: 'The version in force with its files',
      responses: { 200: { description: 'The version.', schema: versionWithFiles } },
      errors: ['POLICY_IN_FOLDER'],
      examples: { cli: 'veilgate policy pull --folder policies' },
      async handler() {
        requireStored(desk);
        const version = await readVersion(desk.database, 'in_force');
        return ok({ version: versionJson(version), files: version.files });
      },
    }),
    route<OfVersion>({
      method: 'GET', path: '/v1/policies/{version}', operationId: 'readPolicyVersion', tag: 'Policies', access: 'party', scopes: ['compliance', 'audit'],
      summary: 'One version with its files',
      request: { params: ofVersion },
      responses: { 200: { description: 'The version.', schema: versionWithFiles } },
      errors: ['POLICY_IN_FOLDER', 'POLICY_VERSION_NOT_FOUND'],
      examples: { cli: 'veilgate policy pull --folder before --number 4' },
      async handler({ params }) {
        requireStored(desk);
        const version = await readVersion(desk.database, params.version);
        return ok({ version: versionJson(version), files: version.files });
      },
    }),
  ];
}

function reviewRoutes(desk: PolicyDesk, log: AuditReader): readonly Route[] {
  const review = policyReviews(desk);
  return [
    route<OfVersion>({
      method: 'GET', path: '/v1/policies/{version}/review', operationId: 'reviewPolicy', tag: 'Policies', access: 'party', scopes: ['compliance', 'audit'],
      summary: 'What a version changes in the one it is based on, in full and in words',
      request: { params: ofVersion },
      responses: { 200: { description: 'Differences, tests, marks.', schema: reviewForm } },
      errors: ['POLICY_IN_FOLDER', 'POLICY_VERSION_NOT_FOUND', 'POLICY_BROKEN'],
      examples: { cli: 'veilgate policy review 5' },
      handler: async ({ caller, params }) => ok(reviewJson(await desk.inTurn(caller.party, () => review(params.version)))),
    }),
    route<OfVersion & { query: { readonly count?: number } }>({
      method: 'GET', path: '/v1/policies/{version}/replay', operationId: 'replayPolicy', tag: 'Policies', access: 'party', scopes: ['compliance', 'audit'],
      summary: 'How many of the last decisions would have given more or less under a version',
      description: 'Works by names of fields, consent and facts alone. Facts that callers state in a query are not kept beside the decision: where a rule asks for one, the field counts as `unknown`.',
      request: { params: ofVersion, query: object({ count: integer(1, replayMax, 'Decisions; 1,000 when absent.') }, { optional: ['count'] }) },
      responses: { 200: { description: 'Counts: queries, institutions, fields.', schema: replayForm } },
      errors: ['POLICY_IN_FOLDER', 'POLICY_VERSION_NOT_FOUND', 'POLICY_BROKEN'],
      examples: { cli: 'veilgate policy review 5 --replay 10000' },
      handler: async ({ caller, params, query }) => ok(replayJson(await desk.inTurn(caller.party, () => replayDecisions({ ...desk, log }, params.version, query.count ?? 1000)))),
    }),
  ];
}

function proposalRoutes(desk: PolicyDesk): readonly Route[] {
  const keep = (change: NewVersion) => async (tx: Parameters<typeof propose>[1]) => {
    const version = await propose(desk, tx, change);
    return { reply: created({ version: versionJson(version) }, `/v1/policies/${version.number}`) };
  };
  return [
    route<{ body: Proposal }>({
      method: 'POST', path: '/v1/policies', operationId: 'proposePolicy', tag: 'Policies', access: 'party', scopes: ['compliance'], idempotent: true,
      summary: 'Propose a change of the policy; somebody else decides',
      description: 'Either the whole pack (`files`) or what changes in the basis (`changes`). The basis must be in force: else 409 says which files changed on both sides, and nothing is overwritten. What does not load or fails its own tests is refused with every place.',
      request: { body: { kind: 'json', maxBytes: packBytesMax, schema: { oneOf: [proposalOf({ files: packForm }), proposalOf({ changes: changesForm })] } } },
      responses: { 201: proposed },
      errors: proposalErrors,
      examples: { cli: 'veilgate policy propose --folder policies --comment "Revenue in bands for bureaus"' },
      async handler({ caller, body, once }) {
        // before the transaction: compiling takes longer than a transaction should
        const files = body.files === undefined ? { changes: body.changes ?? {} } : { whole: body.files };
        const change = await desk.inTurn(caller.party, () => judgeChange(desk, { basis: body.basis, files, comment: body.comment, effectiveMs: timeOf(body.effective_at) }, caller.party));
        return once(keep(change));
      },
    }),
    route<OfVersion & { body: { readonly comment: string; readonly effective_at?: string } }>({
      method: 'POST', path: '/v1/policies/{version}/rollback', operationId: 'rollBackPolicy', tag: 'Policies', access: 'party', scopes: ['compliance'], idempotent: true,
      summary: 'Propose the files of an earlier version; somebody else decides',
      request: { params: ofVersion, body: { kind: 'json', schema: object({ comment: commentForm, effective_at: effectiveForm }, { optional: ['effective_at'] }) } },
      responses: { 201: proposed },
      errors: [...proposalErrors, 'POLICY_STATE_CONFLICT'],
      examples: { cli: 'veilgate policy rollback 4 --comment "Bureaus complain"' },
      async handler({ caller, params, body, once }) {
        const change = await desk.inTurn(caller.party, () => judgeRollback(desk, params.version, { comment: body.comment, effectiveMs: timeOf(body.effective_at) }, caller.party));
        return once(keep(change));
      },
    }),
  ];
}

function decisionRoutes(desk: PolicyDesk): readonly Route[] {
  const decision = { kind: 'json', schema: object({ digest: named('Digest'), comment: commentForm }) } as const;
  const now = async (number: number): Promise<JsonObject> => ({ version: versionJson(await readVersion(desk.database, number)) });
  return [
    route<Deciding>({
      method: 'POST', path: '/v1/policies/{version}/approval', operationId: 'approvePolicy', tag: 'Policies', access: 'party', scopes: ['compliance'],
      summary: 'Approve the version somebody else proposed',
      description: 'The digest is the one of the files you reviewed. Tests are run again. It comes into force at its time on every node; a second approval answers POLICY_STATE_CONFLICT.',
      request: { params: ofVersion, body: decision },
      responses: { 200: decided },
      errors: [...decisionErrors, 'POLICY_BASIS_STALE', 'POLICY_BROKEN', 'POLICY_TESTS_FAILED'],
      examples: { cli: 'veilgate policy approve 5 --digest <sha256> --comment "Reviewed with the bureau"' },
      async handler({ caller, params, body }) {
        await desk.inTurn(caller.party, () => rejudge(desk, params.version));
        await desk.database.transaction('approve policy', (tx) => approve(desk, tx, caller.party, { number: params.version, ...body }));
        await desk.pickUp();
        return ok(await now(params.version));
      },
    }),
    route<Deciding>({
      method: 'POST', path: '/v1/policies/{version}/refusal', operationId: 'refusePolicy', tag: 'Policies', access: 'party', scopes: ['compliance'],
      summary: 'Refuse a proposed version',
      request: { params: ofVersion, body: decision },
      responses: { 200: decided },
      errors: decisionErrors,
      examples: { cli: 'veilgate policy refuse 5 --digest <sha256> --comment "Too wide"' },
      async handler({ caller, params, body }) {
        await desk.database.transaction('refuse policy', (tx) => refuse(desk, tx, caller.party, { number: params.version, ...body }));
        return ok(await now(params.version));
      },
    }),
    route<OfVersion & { body: { readonly comment: string } }>({
      method: 'POST', path: '/v1/policies/{version}/withdrawal', operationId: 'withdrawPolicy', tag: 'Policies', access: 'party', scopes: ['compliance'],
      summary: 'Take your own proposal back, or anybody\'s that is approved and waits for its time',
      request: { params: ofVersion, body: { kind: 'json', schema: object({ comment: commentForm }) } },
      responses: { 200: decided },
      errors: decisionErrors,
      examples: { cli: 'veilgate policy withdraw 5 --comment "Found a better way"' },
      async handler({ caller, params, body }) {
        await desk.database.transaction('withdraw policy', (tx) => withdraw(desk, tx, caller.party, { number: params.version, ...body }));
        return ok(await now(params.version));
      },
    }),
  ];
}

function timeOf(text: string | undefined): TimeMs | null {
  return text === undefined ? null : Date.parse(text) as TimeMs;
}

function reviewJson({ version, against, basisInForce, files, diff, tests, marks, exemptions }: PolicyReview): JsonObject {
  return {
    version: versionJson(version), against: against.number, basis_in_force: basisInForce, files, summary: diff.summary, combinations: diff.combinations, combinations_changed: diff.combinationsChanged,
    changes: diff.changes.map(({ risk, words, use, fields, purposes, institutionClasses, consent }) => ({ risk, words, use, fields, purposes, institution_classes: institutionClasses, consent })),
    settings: diff.settings.map(({ risk, words, path }) => ({ risk, words, path })),
    tests: { run: tests.tests, failures: trustedJson(tests.failures), uncovered_rules: tests.uncoveredRules }, marks, exemptions: trustedJson(exemptions),
  };
}

function replayJson({ unlikeRecord, institutions, fields, ...counts }: Replay): JsonObject {
  return { ...counts, unlike_record: unlikeRecord, institutions: trustedJson(institutions), fields: trustedJson(fields) };
}
