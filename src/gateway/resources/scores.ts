import type { AdmittedCaller } from '../../identity/admit.ts';
import { identify, type IdentifiedRequest } from '../../identity/identify.ts';
import { signedScore } from '../../identity/signed-body.ts';
import { VeilgateError, isVeilgateError } from '../../errors.ts';
import type { ScoreRequestClaims, ScoreSubjects } from '../../scoring/protocol.ts';
import type { InstitutionId } from '../../vocabulary.ts';
import type { ScoreOutcome } from '../metrics.ts';
import { ok, route, trustedJson, type CallerProof, type JsonObject, type KnownCaller, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, text } from '../schema/words.ts';
import type { Admission } from '../use-cases/answer-query.ts';
import { grantNeededJson } from '../use-cases/answer-query.ts';
import { scoreRefusalAtTheDoor } from '../use-cases/door-refusals.ts';
import { explainScore } from '../use-cases/score-explain.ts';
import { scoreOne, subjectOf } from '../use-cases/score-one.ts';
import { checkSubjects, type SignedScore } from '../use-cases/score-request.ts';
import { disputed } from './queries.ts';
import type { Services } from './services.ts';

type ScoreShape = {
  readonly body: { readonly request: string; readonly subjects: ScoreSubjects };
  readonly payload: Pick<ScoreRequestClaims, 'score'>;
};

const scoreBody = { kind: 'json', schema: named('ScoreOne'), code: 'SCORE_INVALID', signed: { typ: 'score+jwt', schema: named('ScorePayload') } } as const;
const compactJwe = { type: 'string', maxLength: 65_536, pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$' } as const;

const answerSchema = object({
  subject: named('SubjectId'),
  purpose: named('PurposeCode'),
  grant: named('GrantId'),
  policy: named('PolicyVersion'),
  model: named('ModelRef'),
  parameters: text(64, 'Parameter set: it fixes the modulus of both halves.'),
  custodian: text(128, 'Id of the custodian: issuer of its half.'),
  sealed: object({ custodian: compactJwe, gateway: compactJwe }, { description: 'Two JWEs for your encryption key: masked values and their masks. Neither says anything without the other.' }),
  disputed,
  entry: object({ index: integer(0, Number.MAX_SAFE_INTEGER), salt: text(64), record: { type: 'object' } }, { description: 'What the log says of this answer, and the salt of its commitment.' }),
  receipt: named('CompactJws'),
}, { optional: ['disputed'] });

const explanationSchema = object({
  policy: named('PolicyVersion'),
  model: named('ModelRef'),
  ready: { type: 'boolean', description: 'True when the request would be answered with a score as things stand.' },
  missing: list(text(64), 16, 'Codes of what is in the way; the first is what the request would be refused with.'),
  grant: nullable(named('GrantId')),
  fields: list(object({ field: named('FieldRef'), disposition: named('Disposition'), reason: named('DecisionReason'), consent_needed: nullable(oneOf(['desensitised', 'original'])), words: named('Title') }), 500),
  data: nullable(oneOf(['complete', 'incomplete'], 'Whether the platform has every value the model needs; null without a grant that covers them.')),
  functionals: nullable(object({ obtained: integer(0, 100_000), added: integer(0, 1000) }, { description: 'Different functions of the enterprise\'s features you have had, and those this model adds.' })),
  grant_needed: list(object({ purpose: named('PurposeCode'), fields: list(object({ field: named('FieldRef'), ceiling: named('Ceiling') }), 500) }), 1, 'What to ask the enterprise for.'),
}, { optional: ['grant_needed'] });

const example = { request: 'eyJ….eyJ….c2ln', subjects: { salt: 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE', subjects: [{ subject: '91350211M000100Y43' }] } };

/** Scores under approved models: computed on encrypted features, opened by the bank alone. */
export function scoreRoutes(services: Services): readonly Route[] {
  return [
    route<ScoreShape>({
      method: 'POST', path: '/v1/scores', operationId: 'score', tag: 'Scores', access: 'handler', scopes: ['query'],
      summary: 'Score an enterprise that consented, under an approved model',
      description: 'The request is signed by the institution; it goes on to the custodian and names the enterprise by a salted digest only. The platform computes on encrypted features and sees neither features nor score: the answer is two sealed halves for your key alone (docs/formats/sealed-scoring.md). Nothing leaves before the log has it; the receipt proves what left.\n\nA request is answered at most once: repeating it is refused as a replay.',
      request: { body: scoreBody },
      responses: { 200: { description: 'The two halves, and the proof.', schema: answerSchema } },
      errors: [
        'PARTY_NOT_PERMITTED', 'INSTITUTION_ASSESSMENT_MISSING', 'REQUEST_QUOTA_EXCEEDED', 'CONSENT_REQUIRED', 'CONSENT_NOT_YET_VALID', 'CONSENT_EXPIRED', 'CONSENT_EXHAUSTED', 'CONSENT_FREQUENCY_EXCEEDED', 'CONSENT_PAUSED', 'CONSENT_REVOKED',
        'POLICY_PURPOSE_UNKNOWN', 'SCORE_INVALID', 'SCORE_MODEL_NOT_USABLE', 'SCORE_NOT_PERMITTED', 'SCORE_DATA_MISSING', 'SCORE_LIMIT_REACHED', 'SCORE_UNAVAILABLE', 'FEATURE_BLOCK_MISSING',
        'DISCLOSURE_KEY_MISSING', 'DISCLOSURE_UNSEALABLE', 'CUSTODIAN_UNAVAILABLE', 'CUSTODIAN_REFUSED', 'HE_EVALUATION_FAILED', 'DECISION_OUTDATED', 'AUDIT_UNAVAILABLE', 'STORE_UNAVAILABLE',
      ],
      examples: { cli: 'veilgate score one 91350211M000100Y43 --model sme_growth@1 --purpose pre_loan_review', body: example },
      handler: async ({ proof, body, payload, admit }) => {
        const startMs = performance.now();
        let outcome: ScoreOutcome = 'failed';
        try {
          const { signed, admission } = await letIn(services, proof, body, payload, admit);
          const answer = await scoreOne(services.scoring.desk, signed, admission);
          outcome = 'released';
          return ok(trustedJson(answer) as JsonObject);
        } catch (error) {
          outcome = isVeilgateError(error) ? 'refused' : 'failed';
          throw error;
        } finally {
          services.scoring.onScore(outcome, performance.now() - startMs);
        }
      },
    }),
    route<ScoreShape>({
      method: 'POST', path: '/v1/scores/explain', operationId: 'explainScore', tag: 'Scores', access: 'handler', scopes: ['query'],
      summary: 'What is missing for a score, before anything is spent',
      description: 'Computes nothing, spends nothing. Without your own grant for the enterprise the answer depends on policy and model only.',
      request: { body: scoreBody },
      responses: { 200: { description: 'What stands in the way.', schema: explanationSchema } },
      errors: ['PARTY_NOT_PERMITTED', 'INSTITUTION_ASSESSMENT_MISSING', 'POLICY_PURPOSE_UNKNOWN', 'SCORE_INVALID', 'STORE_UNAVAILABLE'],
      examples: { cli: 'veilgate score explain 91350211M000100Y43 --model sme_growth@1 --purpose pre_loan_review', body: example },
      handler: async ({ proof, body, payload, admit }) => {
        const identified = await identifyScore(services, proof, body.request);
        const signed = readScore(identified, body, payload);
        const admission = await admitScore(services, identified, signed, false);
        await admit(admission.caller);
        const { grantNeeded, fields, ...rest } = await explainScore(services.scoring.desk, signed, admission);
        return ok({
          ...rest,
          fields: fields.map(({ field, now, consentNeeded, words }) => ({ field, disposition: now.disposition, reason: now.reason, consent_needed: consentNeeded, words: { en: words.en, zh: words.zh } })),
          ...(grantNeeded === null ? {} : { grant_needed: trustedJson(grantNeededJson(grantNeeded)) }),
        });
      },
    }),
  ];
}

type Admit = (caller: KnownCaller) => Promise<void>;
type IdentifiedScore = IdentifiedRequest & { readonly body: NonNullable<IdentifiedRequest['body']> };

async function identifyScore(services: Services, proof: CallerProof, jws: string): Promise<IdentifiedScore> {
  const { body, ...identified } = await identify({ ...proof, body: { jws, kind: signedScore } }, services.identity);
  if (body === undefined) throw new VeilgateError('TOKEN_MISSING', 'The request must be signed.');
  return { ...identified, body };
}

/** The form of the request, and the list held against what was signed. Errors: SCORE_INVALID. */
function readScore(identified: IdentifiedScore, { request, subjects }: ScoreShape['body'], payload: (claims: unknown) => ScoreShape['payload']): SignedScore {
  const { score } = payload(identified.body.claims);
  checkSubjects(score, 'one', subjects);
  return { institution: identified.party as InstitutionId, score, request, requestDigest: identified.body.digest, asked: subjects };
}

/** Lets a request in and finds its grant. A token that came with a grant cannot be used for another. */
async function admitScore({ admissions }: Services, identified: IdentifiedScore, signed: SignedScore, spends: boolean): Promise<Admission & { readonly caller: AdmittedCaller }> {
  const { subject, grant } = subjectOf(signed);
  const admission = await admissions.query(identified, { subject, purpose: signed.score.purpose, ...(grant === undefined ? {} : { grant }) }, spends);
  if (identified.grant === undefined || grant === undefined || identified.grant === grant) return admission;
  return { ...admission, grant: new VeilgateError('CONSENT_REQUIRED', 'No consent covers this enterprise and purpose: ask the enterprise to grant it.') };
}

/** Identify, check the form, let in. Once it is proven who asks, a refusal is logged as every later one is. */
async function letIn(services: Services, proof: CallerProof, body: ScoreShape['body'], payload: (claims: unknown) => ScoreShape['payload'], admit: Admit): Promise<{ readonly signed: SignedScore; readonly admission: Admission }> {
  const identified = await identifyScore(services, proof, body.request);
  let signed: SignedScore | undefined;
  let caller: AdmittedCaller | undefined;
  try {
    try {
      signed = readScore(identified, body, payload);
    } catch (wrongForm) {
      caller = await services.admissions.caller(identified); // or a replay could be logged as often as it is sent
      await admit(caller);
      throw wrongForm;
    }
    const admission = await admitScore(services, identified, signed, true);
    caller = admission.caller;
    await admit(caller);
    return { signed, admission };
  } catch (error) {
    const record = scoreRefusalAtTheDoor(identified, caller, signed && { score: signed.score, asked: subjectOf(signed) }, error, services.clock.nowMs());
    if (record !== undefined) await services.refusals.record(record, signed?.request);
    throw error;
  }
}
