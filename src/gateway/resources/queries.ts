import type { AdmittedCaller } from '../../identity/admit.ts';
import { identify, type IdentifiedRequest } from '../../identity/identify.ts';
import { signedQuery, type VerifiedBody } from '../../identity/signed-body.ts';
import { VeilgateError, isVeilgateError } from '../../errors.ts';
import { explain } from '../../policy/explain.ts';
import { isUscc } from '../../uscc.ts';
import type { InstitutionId } from '../../vocabulary.ts';
import { content, ok, route, trustedJson, type CallerProof, type JwtBody, type Route } from '../route.ts';
import type { QueryOutcome } from '../metrics.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, text } from '../schema/words.ts';
import type { AdmittedQuery } from '../use-cases/admission.ts';
import { answerQuery, decisionRequest, grantNeededJson, type Answer, type SignedQuery } from '../use-cases/answer-query.ts';
import { refusalAtTheDoor } from '../use-cases/door-refusals.ts';
import type { Query } from '../use-cases/query.ts';
import type { Services } from './services.ts';

type QueryShape = { readonly body: JwtBody; readonly payload: { readonly query: Query } };

const queryBody = { kind: 'jwt', typ: 'query+jwt', schema: named('QueryPayload'), code: 'QUERY_INVALID' } as const;

const withheld = object({ field: named('FieldRef'), use: named('Use'), reason: named('DecisionReason'), rule: nullable(text(200)), path: list(text(200), 16) });
const grantNeeded = list(object({ purpose: named('PurposeCode'), fields: list(object({ field: named('FieldRef'), ceiling: named('Ceiling') }), 500) }), 1, 'What to ask the enterprise for.');

/** Also of scores. */
export const disputed = list(named('FieldRef'), 250, 'Fields answered about to which the enterprise objects and whose department has not answered yet; absent when there is none.');

const answerSchema = object(
  {
    subject: named('SubjectId'),
    purpose: named('PurposeCode'),
    grant: named('GrantId'),
    policy: named('PolicyVersion'),
    data: { type: 'object', description: 'Rows by dataset, fields by name.', additionalProperties: list({ type: 'object', additionalProperties: named('Disclosure') }, 1000) },
    sealed: { type: 'string', description: 'Original values for your encryption key alone: JWE in compact form (docs/formats/sealed-answer.md).' },
    verified: list(object({ field: named('FieldRef'), outcome: named('VerificationOutcome') }), 50),
    withheld: list(withheld, 250),
    disputed,
    entry: object({ index: integer(0, Number.MAX_SAFE_INTEGER), salt: text(64), record: { type: 'object' } }, { description: 'What the log says of this answer, and the salt of its commitment.' }),
    receipt: named('CompactJws'),
  },
  { optional: ['sealed', 'disputed'] },
);

const explanationSchema = object(
  {
    policy: named('PolicyVersion'),
    purpose: named('PurposeCode'),
    grant: nullable(named('GrantId')),
    grant_problem: nullable(text(64, 'Code of what is wrong with the grant; null when it can be used.')),
    fields: list(
      object({
        field: named('FieldRef'), use: named('Use'), disposition: named('Disposition'), reason: named('DecisionReason'), rule: nullable(text(200)), path: list(text(200), 16),
        with_desensitised_consent: named('Disposition'), with_original_consent: named('Disposition'), consent_needed: nullable(oneOf(['desensitised', 'original'])),
        missing_facts: list(text(100), 32), words: named('Title'),
      }),
      250,
    ),
    grant_needed: grantNeeded,
  },
  { optional: ['grant_needed'] },
);

const example = {
  iss: 'bank-a', aud: 'https://gateway.example', iat: 1_790_000_000, exp: 1_790_000_060, jti: '5c0b7a5e2f4d4b6f9d0c',
  query: { subject: '91350211M000100Y43', purpose: 'pre_loan_review', read: ['registry.name', 'tax.declared_revenue_cents'], verify: [{ field: 'tax.declared_revenue_cents', claimed: 125000000 }] },
};

/** The main job: what a bank asks about an enterprise that consented. */
export function queryRoutes(services: Services): readonly Route[] {
  const { clock, onQuery } = services;
  return [
    route<QueryShape>({
      method: 'POST', path: '/v1/queries', operationId: 'query', tag: 'Queries', access: 'handler', scopes: ['query'],
      summary: 'Ask about an enterprise that consented',
      description: 'The body is signed by the institution. Masked values, bands and tokens are in `data`; original values are in `sealed`, for your encryption key alone. Nothing leaves before the log has it; the receipt proves what left.\n\nA query is answered at most once: repeating the same signed body is refused as a replay.',
      request: { body: queryBody },
      responses: { 200: { description: 'What may be disclosed, and the reason for what may not.', schema: answerSchema } },
      errors: [
        'PARTY_NOT_PERMITTED', 'INSTITUTION_ASSESSMENT_MISSING', 'CONSENT_REQUIRED', 'CONSENT_NOT_YET_VALID', 'CONSENT_EXPIRED', 'CONSENT_EXHAUSTED', 'CONSENT_FREQUENCY_EXCEEDED', 'CONSENT_PAUSED', 'CONSENT_REVOKED',
        'POLICY_PURPOSE_UNKNOWN', 'QUERY_INVALID', 'QUERY_NOTHING_PERMITTED', 'QUERY_FILTER_NOT_PERMITTED', 'QUERY_ATTEMPTS_EXHAUSTED',
        'DISCLOSURE_KEY_MISSING', 'DISCLOSURE_UNSEALABLE', 'DECISION_OUTDATED', 'AUDIT_UNAVAILABLE',
      ],
      examples: { cli: 'veilgate query 91350211M000100Y43 --purpose pre_loan_review --read registry.name', body: example },
      handler: async ({ proof, body, payload, admit }) => {
        const startMs = performance.now();
        let outcome: QueryOutcome = 'failed';
        try {
          const { signed, admission } = await letIn(services, proof, body, payload, admit);
          const { answer, json } = await answerQuery(services.desk, signed, admission);
          outcome = outcomeOf(answer);
          return content('application/json', json);
        } catch (error) {
          outcome = isVeilgateError(error) ? 'refused' : 'failed';
          throw error;
        } finally {
          onQuery(outcome, performance.now() - startMs);
        }
      },
    }),
    route<QueryShape>({
      method: 'POST', path: '/v1/queries/explain', operationId: 'explainQuery', tag: 'Queries', access: 'handler', scopes: ['query'],
      summary: 'What would a query disclose, and which grant is missing for the rest',
      description: 'Spends nothing and reads no record: the answer depends on policy and on your own grants only.',
      request: { body: queryBody },
      responses: { 200: { description: 'Field by field.', schema: explanationSchema } },
      errors: ['PARTY_NOT_PERMITTED', 'INSTITUTION_ASSESSMENT_MISSING', 'POLICY_PURPOSE_UNKNOWN', 'QUERY_INVALID'],
      examples: { cli: 'veilgate query explain 91350211M000100Y43 --purpose pre_loan_review --read tax.declared_revenue_cents', body: example },
      handler: async ({ proof, body, payload, admit }) => {
        const identified = await identifyQuery(services, proof, body);
        const { signed, admission } = await admitQuery(services, identified, body, readQuery(identified, payload), false);
        await admit(admission.caller);
        const grant = admission.grant instanceof VeilgateError ? null : admission.grant;
        const explanation = explain(services.policy(), decisionRequest({ clock }, signed, admission, grant));
        return ok({
          policy: explanation.policy,
          purpose: explanation.purpose,
          grant: grant?.id ?? null,
          grant_problem: admission.grant instanceof VeilgateError ? admission.grant.code : null,
          fields: explanation.fields.map(({ field, use, now, desensitised, original, consentNeeded, missingFacts, words }) => ({
            field, use, disposition: now.disposition, reason: now.reason, rule: now.rule, path: now.path,
            with_desensitised_consent: desensitised.disposition, with_original_consent: original.disposition, consent_needed: consentNeeded,
            missing_facts: missingFacts, words: { en: words.en, zh: words.zh },
          })),
          ...(explanation.grantNeeded === null ? {} : { grant_needed: trustedJson(grantNeededJson(explanation.grantNeeded)) }),
        });
      },
    }),
  ];
}

function outcomeOf(answer: Answer): QueryOutcome {
  if (answer.sealed !== undefined) return 'sealed';
  return Object.keys(answer.data).length > 0 ? 'desensitised' : 'verified';
}

type LetIn = { readonly signed: SignedQuery; readonly admission: AdmittedQuery };
type Admit = (caller: AdmittedCaller) => Promise<void>;
type IdentifiedQuery = IdentifiedRequest & { readonly body: VerifiedBody };

async function identifyQuery({ identity }: Services, proof: CallerProof, jws: string): Promise<IdentifiedQuery> {
  const { body, ...identified } = await identify({ ...proof, body: { jws, kind: signedQuery } }, identity);
  if (body === undefined) throw new VeilgateError('TOKEN_MISSING', 'The query must be signed.');
  return { ...identified, body };
}

/** Errors: QUERY_INVALID. */
function readQuery(identified: IdentifiedQuery, payload: (claims: unknown) => { readonly query: Query }): Query {
  const { query } = payload(identified.body.claims);
  // also keeps out of the log what is no credit code at all, such as a person's identity number
  if (!isUscc(query.subject)) throw new VeilgateError('QUERY_INVALID', 'The unified social credit code has a wrong check digit: check how it was typed.', { part: 'payload', pointer: '/query/subject', rule: 'check_digit' });
  return query;
}

/** Lets a query in. A token that came with a grant cannot be used for another. */
async function admitQuery({ admissions }: Services, identified: IdentifiedQuery, request: string, query: Query, spends: boolean): Promise<LetIn> {
  const signed: SignedQuery = { institution: identified.party as InstitutionId, query, request, requestDigest: identified.body.digest };
  const admission = await admissions.query(identified, query, spends);
  if (identified.grant !== undefined && query.grant !== undefined && identified.grant !== query.grant) {
    return { signed, admission: { ...admission, grant: new VeilgateError('CONSENT_REQUIRED', 'No consent covers this enterprise and purpose: ask the enterprise to grant it.') } };
  }
  return { signed, admission };
}

/** Identify, check the form, let in. Once it is proven who asks, a refusal is logged as every later one is. */
async function letIn(services: Services, proof: CallerProof, jws: string, payload: (claims: unknown) => { readonly query: Query }, admit: Admit): Promise<LetIn> {
  const identified = await identifyQuery(services, proof, jws);
  let query: Query | undefined;
  let caller: AdmittedCaller | undefined;
  try {
    try {
      query = readQuery(identified, payload);
    } catch (wrongForm) {
      caller = await services.admissions.caller(identified); // or a replay could be logged as often as it is sent
      await admit(caller);
      throw wrongForm;
    }
    const result = await admitQuery(services, identified, jws, query, true);
    caller = result.admission.caller;
    await admit(caller);
    return result;
  } catch (error) {
    const record = refusalAtTheDoor(identified, caller, query, error, services.clock.nowMs());
    // a text of another form is no question: its digest is enough, and nothing in it could be found to be erased
    if (record !== undefined) await services.refusals.record(record, query === undefined ? undefined : jws);
    throw error;
  }
}
