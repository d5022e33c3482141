import { isoTime } from '../../clock.ts';
import { modelToJson } from '../../scoring/model/document.ts';
import { rawRangeOf, reasonRangesOf } from '../../scoring/model/openable.ts';
import { modelPageMax, type RegisteredModel } from '../../scoring/model/registry.ts';
import { trialMax } from '../../scoring/model/trial.ts';
import type { FeatureSpace } from '../../scoring/model/space.ts';
import type { Model, ModelRef, ModelState } from '../../scoring/protocol.ts';
import { created, ok, route, trustedJson, type Json, type JsonObject, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, text } from '../schema/words.ts';
import { approve, harmlessDocument, judgeDocument, listVisible, propose, readVisible, refuse, rejudge, retire, tryVisible, type Judged, type ModelDesk } from '../use-cases/models.ts';
import type { Services } from './services.ts';

const reference = { type: 'string', maxLength: 60, pattern: '^[a-z][a-z0-9_]{0,40}@[1-9][0-9]{0,5}$', description: 'A model as `name@version`.', examples: ['sme_growth@1'] } as const;
const state = oneOf(['proposed', 'approved', 'refused', 'retired']);
const ofModel = object({ model: reference });
const reason = { type: 'string', pattern: '^[a-z][a-z0-9_]{0,63}$', maxLength: 64, description: 'A code, such as `purpose_too_wide`.' } as const;
const document = { kind: 'json', schema: object({ model: named('Model') }), code: 'MODEL_INVALID' } as const;
const finding = object({
  rule: text(32), part: text(100), feature: text(90), models: list(reference, 64), found: { type: 'number' }, allowed: { type: 'number' }, problem: text(500),
}, { optional: ['feature', 'models'] });
const judgement = { findings: list(finding, 1000, 'Which rules it breaks; none: it may be proposed.'), conflicts: list(object({ model: reference, problem: text(500) }), 1000, 'Approved models of which nobody may have the score of the same enterprise beside this one\'s.') };
const range = object({ low: { type: 'integer' }, high: { type: 'integer' } });
const summary = {
  ref: reference, title: named('Title'), state, digest: named('Digest'), purposes: list(named('PurposeCode'), 20), proposed_by: named('PartyId'), proposed_at: named('Time'),
  decided_by: nullable(named('PartyId')), decided_at: nullable(named('Time')), reason: nullable(text(64)), retired_by: nullable(named('PartyId')), retired_at: nullable(named('Time')),
};
const trial = object({
  count: integer(1, trialMax), seed: integer(0, 4_294_967_295),
  scores: object({ min: { type: 'number' }, max: { type: 'number' }, mean: { type: 'number' }, quantiles: list(object({ at: { type: 'number' }, score: { type: 'number' } }), 20) }),
  bands: list(object({ code: text(32), count: integer(0, trialMax) }), 50), reasons: list(object({ code: text(32), first: integer(0, trialMax) }), 16),
});
const changed = { description: 'Done, at once and on every node.', schema: object({ ref: reference, state }) };

type OfModel = { readonly params: { readonly model: ModelRef } };
type Document = { readonly body: { readonly model: unknown } };
type Needs = Pick<Services, 'models'>;

/** Scoring models: judged, proposed, tried, decided by somebody else, retired. */
export function modelRoutes({ models: desk }: Needs): readonly Route[] {
  return [...documentRoutes(desk), ...reviewRoutes(desk), ...decisionRoutes(desk)];
}

function documentRoutes(desk: ModelDesk): readonly Route[] {
  return [
    route<Document>({
      method: 'POST', path: '/v1/models/check', operationId: 'checkModel', tag: 'Models', access: 'party', scopes: ['query', 'compliance'], idempotent: false,
      summary: 'Judge a model without keeping it',
      request: { body: document },
      responses: { 200: { description: 'What the guards say.', schema: object({ ok: { type: 'boolean' }, ...judgement }) } },
      errors: ['MODEL_INVALID', 'REQUEST_OVERLOADED'],
      examples: { cli: 'veilgate model check scorecard.json' },
      handler: async ({ caller, body }) => {
        const judged = await judgeDocument(desk, caller, body.model);
        return ok({ ok: judged.verdict.ok, ...judgementJson(judged) });
      },
    }),
    route<Document>({
      method: 'POST', path: '/v1/models', operationId: 'proposeModel', tag: 'Models', access: 'party', scopes: ['query', 'compliance'], idempotent: true,
      summary: 'Propose a model; somebody else decides',
      description: 'Compliance officers propose for any institution, an institution for itself alone, under names that begin with its id. A name and version is given once; the document never changes.',
      request: { body: document },
      responses: { 201: { description: 'Waits for a decision.', schema: object({ ref: reference, state, digest: named('Digest') }) } },
      errors: ['MODEL_INVALID', 'MODEL_REFUSED', 'MODEL_EXISTS', 'REQUEST_QUOTA_EXCEEDED', 'REQUEST_OVERLOADED'],
      examples: { cli: 'veilgate model propose scorecard.json' },
      async handler({ caller, body, once }) {
        // before the transaction: judging takes longer than a transaction may
        const model = await harmlessDocument(desk, caller, body.model);
        return once(async (tx) => {
          const { ref, digest } = await propose(desk, tx, caller, model);
          return { reply: created({ ref, state: 'proposed', digest }, `/v1/models/${ref}`) };
        });
      },
    }),
  ];
}

function reviewRoutes(desk: ModelDesk): readonly Route[] {
  return [
    route<{ query: { readonly after?: string; readonly state?: ModelState } }>({
      method: 'GET', path: '/v1/models', operationId: 'listModels', tag: 'Models', access: 'party', scopes: ['query', 'compliance', 'audit'],
      summary: 'Models by name',
      description: 'Officers see all, institutions those meant for them and those they proposed.',
      request: { query: object({ after: reference, state }, { optional: ['after', 'state'] }) },
      responses: { 200: { description: `At most ${modelPageMax}; \`next\` continues.`, schema: object({ models: list(object(summary), modelPageMax), next: nullable(reference) }) } },
      errors: [],
      examples: { cli: 'veilgate model list' },
      handler: async ({ caller, query }) => {
        const { models, next } = await listVisible(desk, caller, query);
        return ok({ models: models.map(summaryJson), next });
      },
    }),
    route<OfModel>({
      method: 'GET', path: '/v1/models/{model}', operationId: 'readModel', tag: 'Models', access: 'party', scopes: ['query', 'compliance', 'audit'],
      summary: 'One model, with what is needed to open its scores',
      request: { params: ofModel },
      responses: { 200: { description: 'The document, its state, and between which raw values score and reason groups lie.', schema: object({ model: named('Model'), ...summary, raw_range: range, reason_ranges: list(range, 16) }) } },
      errors: ['MODEL_NOT_FOUND'],
      examples: { cli: 'veilgate model show sme_growth@1' },
      handler: async ({ caller, params }) => {
        const found = await readVisible(desk, caller, params.model);
        return ok({ model: trustedJson(modelToJson(found.model)), ...summaryJson(found), ...rangesJson(found.model, desk.space()) });
      },
    }),
    route<OfModel & { body: { readonly count: number; readonly seed: number } }>({
      method: 'POST', path: '/v1/models/{model}/trial', operationId: 'tryModel', tag: 'Models', access: 'party', scopes: ['query', 'compliance'], idempotent: false,
      summary: 'Score made-up enterprises in clear',
      description: 'Values are drawn evenly from what the features declare; no real value is touched. The same seed gives the same answer.',
      request: { params: ofModel, body: { kind: 'json', schema: object({ count: integer(1, trialMax), seed: integer(0, 4_294_967_295) }) } },
      responses: { 200: { description: 'Distribution of scores, bands and reasons.', schema: trial } },
      errors: ['MODEL_NOT_FOUND', 'REQUEST_OVERLOADED'],
      examples: { cli: 'veilgate model try sme_growth@1 --count 10000' },
      handler: async ({ caller, params, body }) => ok(trustedJson(await tryVisible(desk, caller, params.model, body)) as JsonObject),
    }),
  ];
}

function decisionRoutes(desk: ModelDesk): readonly Route[] {
  return [
    route<OfModel & { body: { readonly digest: string } }>({
      method: 'POST', path: '/v1/models/{model}/approval', operationId: 'approveModel', tag: 'Models', access: 'party', scopes: ['compliance'], idempotent: true,
      summary: 'Approve the model somebody else proposed',
      description: 'The digest is the one of the document you reviewed; the model is judged again by the limits of this moment.',
      request: { params: ofModel, body: { kind: 'json', schema: object({ digest: named('Digest') }) } },
      responses: { 200: changed },
      errors: ['MODEL_NOT_FOUND', 'MODEL_CHANGED', 'MODEL_STATE_CONFLICT', 'MODEL_SAME_PERSON', 'MODEL_REFUSED', 'MODEL_INVALID', 'REQUEST_OVERLOADED'],
      examples: { cli: 'veilgate model approve sme_growth@1 --digest <sha256>' },
      async handler({ caller, params, body, once }) {
        await rejudge(desk, params.model);
        return once(async (tx) => {
          await approve(desk, tx, caller, { ref: params.model, digest: body.digest });
          return { reply: ok({ ref: params.model, state: 'approved' }) };
        });
      },
    }),
    route<OfModel & { body: { readonly digest: string; readonly reason: string } }>({
      method: 'POST', path: '/v1/models/{model}/refusal', operationId: 'refuseModel', tag: 'Models', access: 'party', scopes: ['compliance'], idempotent: true,
      summary: 'Refuse a proposed model',
      request: { params: ofModel, body: { kind: 'json', schema: object({ digest: named('Digest'), reason }) } },
      responses: { 200: changed },
      errors: ['MODEL_NOT_FOUND', 'MODEL_CHANGED', 'MODEL_STATE_CONFLICT'],
      examples: { cli: 'veilgate model refuse sme_growth@1 --digest <sha256> --reason purpose_too_wide' },
      handler: ({ caller, params, body, once }) => once(async (tx) => {
        await refuse(desk, tx, caller, { ref: params.model, ...body });
        return { reply: ok({ ref: params.model, state: 'refused' }) };
      }),
    }),
    route<OfModel & { body: { readonly reason: string } }>({
      method: 'POST', path: '/v1/models/{model}/retirement', operationId: 'retireModel', tag: 'Models', access: 'party', scopes: ['compliance'], idempotent: true,
      summary: 'Take an approved model out of use',
      request: { params: ofModel, body: { kind: 'json', schema: object({ reason }) } },
      responses: { 200: changed },
      errors: ['MODEL_NOT_FOUND', 'MODEL_STATE_CONFLICT'],
      examples: { cli: 'veilgate model retire sme_growth@1 --reason superseded' },
      handler: ({ caller, params, body, once }) => once(async (tx) => {
        await retire(desk, tx, caller, { ref: params.model, reason: body.reason });
        return { reply: ok({ ref: params.model, state: 'retired' }) };
      }),
    }),
  ];
}

function judgementJson({ verdict, conflicts }: Judged): { readonly findings: Json; readonly conflicts: Json } {
  return { findings: trustedJson(verdict.findings), conflicts: trustedJson(conflicts) };
}

function summaryJson({ model, digest, state: now, proposedBy, proposedMs, decidedBy, decidedMs, reason: why, retiredBy, retiredMs }: RegisteredModel): JsonObject {
  return {
    ref: model.ref, title: { ...model.title }, state: now, digest, purposes: model.purposes, proposed_by: proposedBy, proposed_at: isoTime(proposedMs), decided_by: decidedBy,
    decided_at: decidedMs === null ? null : isoTime(decidedMs), reason: why, retired_by: retiredBy, retired_at: retiredMs === null ? null : isoTime(retiredMs),
  };
}

function rangesJson(model: Model, space: FeatureSpace): JsonObject {
  return { raw_range: { ...rawRangeOf(model, space) }, reason_ranges: reasonRangesOf(model, space).map((each) => ({ ...each })) };
}
