import { isoTime } from '../../clock.ts';
import { grantRequestDays, grantRequestsPerDayMax, listGrantRequests, listedRequestsMax, type GrantRequest, type GrantRequestState } from '../../consent/grant-requests.ts';
import type { ConsentChoice, ConsentDetail } from '../../consent/schemas.ts';
import { readInstitutions, type InstitutionView } from '../../identity/registry/institution-view.ts';
import type { Sql } from '../../store/database.ts';
import { created, ok, route, trustedJson, type JsonObject, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, plainText, text } from '../schema/words.ts';
import { acceptRequest, askForGrant, readRequest, refuseRequest, requestViewer, withdrawRequest, type GrantOffer } from '../use-cases/grant-requests.ts';
import { grantJson, grantSchema } from './grants.ts';
import type { Services } from './services.ts';

const askSchema = object({ terms: named('ConsentDetail'), message: plainText(500, 'Why you ask, for the enterprise to read.') }, { optional: ['message'] });
const states: readonly GrantRequestState[] = ['pending', 'accepted', 'refused', 'withdrawn', 'expired'];
const request = object({ request: { ...named('GrantId'), description: 'Id of a request.' } });
const members = {
  id: named('GrantId'), institution: named('PartyId'), institution_name: nullable(named('Title')), subject: named('SubjectId'),
  terms: named('ConsentDetail'), message: nullable(plainText(500)), created_at: named('Time'), expires_at: named('Time'),
  state: oneOf(states), decided_at: nullable(named('Time')), reason: nullable(plainText(300)), grant: nullable(named('GrantId')),
};
const requestSchema = object(members, { description: 'A request for a grant; open terms are as far as the purpose allows.' });

type OfRequest = { readonly params: { readonly request: string } };
type Page = { readonly state?: GrantRequestState; readonly after?: string; readonly limit?: number };

/** Institutions ask enterprises for grants; enterprises answer. */
export function grantRequestRoutes(services: Pick<Services, 'database' | 'clock' | 'catalogue' | 'policy'>): readonly Route[] {
  const { database, clock } = services;
  return [
    route<{ body: { readonly terms: ConsentDetail; readonly message?: string } }>({
      method: 'POST', path: '/v1/grant-requests', operationId: 'createGrantRequest', tag: 'Grants', access: 'party', scopes: ['query'], idempotent: true,
      summary: 'Ask an enterprise for a grant',
      description: `The enterprise finds the request where it manages its grants, and answers within ${grantRequestDays} days. One request may be open between you and an enterprise, and ${
        grantRequestsPerDayMax} may be made in 24 hours. Whether an enterprise is registered is not told: a request to one that is not waits until it expires.`,
      request: { body: { kind: 'json', schema: askSchema, code: 'CONSENT_INVALID' } },
      responses: { 201: { description: 'Asked.', schema: requestSchema } },
      errors: ['PARTY_NOT_PERMITTED', 'CONSENT_INVALID', 'CONSENT_EXCEEDS_CAP', 'POLICY_PURPOSE_UNKNOWN', 'CONSENT_REQUESTS_TOO_MANY', 'AUDIT_UNAVAILABLE'],
      examples: { cli: 'veilgate grant request 91370202MA00QJTFYT --purpose pre_loan_review --original registry.name --valid-days 30 --data-life-days 90 --message "Your application of 3 June"' },
      handler: async ({ caller, body, once }) => once(async (tx) => {
        const asked = await askForGrant(services, tx, caller, { terms: body.terms, message: body.message ?? null });
        return { reply: created(await requestIn(tx, asked), `/v1/grant-requests/${asked.id}`) };
      }),
    }),
    route<{ query: Page }>({
      method: 'GET', path: '/v1/grant-requests', operationId: 'listGrantRequests', tag: 'Grants', access: 'party', scopes: ['grants', 'query'],
      summary: 'Requests for grants, newest first: those to your enterprise, or those your institution made',
      request: { query: object({ state: oneOf(states), after: text(64), limit: integer(1, listedRequestsMax) }, { optional: ['state', 'after', 'limit'] }) },
      responses: { 200: { description: 'A page; `next` continues.', schema: object({ requests: list(requestSchema, listedRequestsMax), next: nullable(text(64)) }) } },
      errors: ['PARTY_NOT_PERMITTED'],
      examples: { cli: 'veilgate grant requests --state pending' },
      handler: async ({ caller, query }) => {
        const page = await listGrantRequests(database, requestViewer(caller), query, clock.nowMs());
        const institutions = await readInstitutions(database, page.requests.map(({ institution }) => institution));
        return ok({ requests: page.requests.map((one) => requestJson(one, institutions)), next: page.next });
      },
    }),
    route<OfRequest>({
      method: 'GET', path: '/v1/grant-requests/{request}', operationId: 'readGrantRequest', tag: 'Grants', access: 'party', scopes: ['grants', 'query'],
      summary: 'One of these requests; for the enterprise with what it would agree to',
      request: { params: request },
      responses: { 200: { description: 'The request.', schema: object({ ...members, offer: nullable(named('GrantOffer')) }) } },
      errors: ['CONSENT_REQUEST_NOT_FOUND', 'PARTY_NOT_PERMITTED', 'CONSENT_INVALID', 'INSTITUTION_NOT_FOUND'],
      examples: { cli: 'veilgate grant requests <request>' },
      handler: async ({ caller, params }) => {
        const { request: found, offer } = await readRequest(services, caller, params.request);
        return ok({ ...(await requestIn(database, found)), offer: offer && offerJson(offer) });
      },
    }),
    route<OfRequest & { body: Readonly<Record<string, never>> }>({
      method: 'POST', path: '/v1/grant-requests/{request}/withdrawal', operationId: 'withdrawGrantRequest', tag: 'Grants', access: 'party', scopes: ['query'], idempotent: true,
      summary: 'Take a request back that nobody has answered',
      request: { params: request, body: { kind: 'json', schema: object({}) } },
      responses: { 200: { description: 'The request as it is now.', schema: requestSchema } },
      errors: ['CONSENT_REQUEST_NOT_FOUND', 'CONSENT_REQUEST_STATE_CONFLICT', 'PARTY_NOT_PERMITTED', 'AUDIT_UNAVAILABLE'],
      examples: { cli: 'veilgate grant withdraw <request>' },
      handler: async ({ caller, params, once }) => once(async (tx) => ({ reply: ok(await requestIn(tx, await withdrawRequest(services, tx, caller, params.request))) })),
    }),
    route<OfRequest & { body: { readonly reason?: string } }>({
      method: 'POST', path: '/v1/grant-requests/{request}/refusal', operationId: 'refuseGrantRequest', tag: 'Grants', access: 'party', scopes: ['grants'], idempotent: true,
      summary: 'Say no to a request',
      request: { params: request, body: { kind: 'json', schema: object({ reason: plainText(300, 'The institution reads it.') }, { optional: ['reason'] }) } },
      responses: { 200: { description: 'The request as it is now.', schema: requestSchema } },
      errors: ['CONSENT_REQUEST_NOT_FOUND', 'CONSENT_REQUEST_STATE_CONFLICT', 'PARTY_NOT_PERMITTED', 'AUDIT_UNAVAILABLE'],
      examples: { cli: 'veilgate grant refuse <request> --reason "We have found another bank"' },
      handler: async ({ caller, params, body, once }) => once(async (tx) => ({ reply: ok(await requestIn(tx, await refuseRequest(services, tx, caller, params.request, body.reason ?? null))) })),
    }),
    acceptanceRoute(services),
  ];
}

function acceptanceRoute(services: Pick<Services, 'clock' | 'catalogue' | 'policy'>): Route {
  return route<OfRequest & { body: { readonly notice_digest: string; readonly choice?: ConsentChoice } }>({
    method: 'POST', path: '/v1/grant-requests/{request}/acceptance', operationId: 'acceptGrantRequest', tag: 'Grants', access: 'party', scopes: ['grants'], idempotent: true,
    summary: 'Grant what a request asks for, or less of it',
    description: 'Name the `notice_digest` of the offer you read: if what you would agree to has changed since, nothing is granted. `choice` narrows it in any term.',
    request: { params: request, body: { kind: 'json', schema: object({ notice_digest: named('Digest'), choice: named('ConsentChoice') }, { optional: ['choice'] }), code: 'CONSENT_INVALID' } },
    responses: { 201: { description: 'Granted.', schema: object({ request: requestSchema, grant: grantSchema }) } },
    errors: [
      'CONSENT_REQUEST_NOT_FOUND', 'CONSENT_REQUEST_STATE_CONFLICT', 'CONSENT_REQUEST_CHANGED', 'CONSENT_INVALID', 'CONSENT_EXCEEDS_CAP', 'POLICY_PURPOSE_UNKNOWN', 'PARTY_NOT_PERMITTED',
      'INSTITUTION_NOT_FOUND', 'AUDIT_UNAVAILABLE',
    ],
    examples: { cli: 'veilgate grant accept <request> --notice <sha256>' },
    handler: async ({ caller, params, body, once }) => once(async (tx) => {
      const { request: accepted, grant } = await acceptRequest(services, tx, caller, params.request, { noticeDigest: body.notice_digest, choice: body.choice ?? {} });
      return { reply: created({ request: await requestIn(tx, accepted), grant: grantJson(grant) }, `/v1/grants/${grant.id}`) };
    }),
  });
}

async function requestIn(sql: Sql, one: GrantRequest): Promise<JsonObject> {
  return requestJson(one, await readInstitutions(sql, [one.institution]));
}

export function requestJson(one: GrantRequest, institutions: ReadonlyMap<string, InstitutionView>): JsonObject {
  return {
    id: one.id, institution: one.institution, institution_name: institutions.get(one.institution)?.name ?? null, subject: one.subject, terms: trustedJson(one.terms), message: one.message,
    created_at: isoTime(one.createdAtMs), expires_at: isoTime(one.expiresAtMs), state: one.state,
    decided_at: one.decidedAtMs === null ? null : isoTime(one.decidedAtMs), reason: one.reason, grant: one.grant,
  };
}

function offerJson({ terms, description, noticeDigest, obstacle }: GrantOffer): JsonObject {
  return { terms: trustedJson(terms), description: trustedJson(description), notice_digest: noticeDigest, obstacle };
}
