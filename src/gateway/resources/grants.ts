import { isoTime } from '../../clock.ts';
import type { Actor } from '../../consent/events.ts';
import { changeGrant, listGrants, readGrant, type GrantAction, type Viewer } from '../../consent/grants.ts';
import type { StoredGrant } from '../../consent/grant-row.ts';
import { grantFromSigned } from '../../consent/signed-grant.ts';
import { consentToken } from '../../consent/token.ts';
import { fieldList } from '../../consent/terms.ts';
import { VeilgateError } from '../../errors.ts';
import { identify } from '../../identity/identify.ts';
import { signedGrant } from '../../identity/signed-body.ts';
import type { Caller, GrantId, InstitutionId } from '../../vocabulary.ts';
import { created, ok, route, type JsonObject, type JwtBody, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, text } from '../schema/words.ts';
import { validateTerms } from '../use-cases/consent-desk.ts';
import { recordGrantChange } from '../use-cases/record-change.ts';
import type { Services } from './services.ts';

const grant = object({ grant: named('GrantId') });
export const grantSchema = object({
  id: named('GrantId'), state: named('GrantState'), subject: named('SubjectId'), institution: named('PartyId'), purpose: named('PurposeCode'),
  fields: list(object({ field: named('FieldRef'), ceiling: named('Ceiling') }), 500),
  data_from: nullable(named('Date')), data_to: nullable(named('Date')), valid_from: named('Time'), valid_until: named('Time'),
  kind: oneOf(['one_time', 'periodic']), uses_max: nullable(integer(1, 1_000_000)), uses_left: nullable(integer(0, 1_000_000)), uses_total: integer(0, Number.MAX_SAFE_INTEGER),
  frequency: nullable(named('Frequency')), data_life_days: integer(1, 3650), notice_digest: named('Digest'), origin: oneOf(['browser', 'signed']), created_at: named('Time'),
});
const anyone = ['grants', 'query', 'compliance'] as const;

type OfGrant = { readonly params: { readonly grant: GrantId } };

/** What an enterprise consented to, for the enterprise and for the institution it granted to. */
export function grantRoutes(services: Services): readonly Route[] {
  const { database, clock, policy, identity, admissions } = services;
  return [
    route<{ body: JwtBody; payload: Readonly<Record<string, unknown>> }>({
      method: 'POST', path: '/v1/grants', operationId: 'createGrant', tag: 'Grants', access: 'handler', scopes: ['grants'],
      summary: 'Grant by a document signed with the enterprise\'s own registered key',
      description: 'Without the browser flow. The same document grants once, for ever: repeating it is refused, so no idempotency key is needed.',
      request: { body: { kind: 'jwt', typ: 'grant+jwt', schema: named('GrantPayload'), code: 'CONSENT_INVALID' } },
      responses: { 201: { description: 'Granted.', schema: grantSchema } },
      errors: ['PARTY_NOT_PERMITTED', 'CONSENT_INVALID', 'CONSENT_EXCEEDS_CAP', 'POLICY_PURPOSE_UNKNOWN', 'INSTITUTION_NOT_FOUND', 'INSTITUTION_NOT_ACTIVE', 'REQUEST_QUOTA_EXCEEDED', 'AUDIT_UNAVAILABLE'],
      handler: async ({ proof, body, payload, admit }) => {
        const identified = await identify({ ...proof, body: { jws: body, kind: signedGrant } }, identity);
        payload(identified.body?.claims);
        const caller = await admissions.caller(identified);
        await admit(caller);
        const subject = caller.subject;
        if (subject === undefined) throw new VeilgateError('PARTY_NOT_PERMITTED', 'Only an enterprise grants access to its data.');
        const stored = await database.transaction('signed grant', async (tx) => {
          const change = await grantFromSigned(tx, { payload: identified.body?.claims, document: body }, subject, (purpose) => policy().purposes.get(purpose)?.caps, clock);
          // on the transaction's own connection: to wait for a second one would let as many grants as there are connections wait for each other
          await validateTerms({ database: tx, clock, policy }, change.grant);
          await recordGrantChange(tx, change, caller.party);
          return change.grant;
        });
        return created(grantJson(stored), `/v1/grants/${stored.id}`);
      },
    }),
    route<{ query: { readonly after?: string; readonly limit?: number; readonly in_force?: boolean } }>({
      method: 'GET', path: '/v1/grants', operationId: 'listGrants', tag: 'Grants', access: 'party', scopes: ['grants', 'query'],
      summary: 'Your grants, newest first',
      request: { query: object({ after: text(64), limit: integer(1, 100), in_force: { type: 'boolean', description: 'Only what can be used right now: who can access me, and why.' } }, { optional: ['after', 'limit', 'in_force'] }) },
      responses: { 200: { description: 'A page; `next` continues.', schema: object({ grants: list(grantSchema, 100), next: nullable(text(64)) }) } },
      errors: ['PARTY_NOT_PERMITTED'],
      examples: { cli: 'veilgate grant list' },
      handler: async ({ caller, query }) => {
        const page = await listGrants(database, ownerOf(caller), { ...(query.after === undefined ? {} : { after: query.after }), ...(query.limit === undefined ? {} : { limit: query.limit }), inForce: query.in_force ?? false }, clock.nowMs());
        return ok({ grants: page.grants.map(grantJson), next: page.next });
      },
    }),
    route<OfGrant>({
      method: 'GET', path: '/v1/grants/{grant}', operationId: 'readGrant', tag: 'Grants', access: 'party', scopes: anyone,
      summary: 'One of your grants',
      request: { params: grant },
      responses: { 200: { description: 'The grant.', schema: grantSchema } },
      errors: ['CONSENT_NOT_FOUND', 'PARTY_NOT_PERMITTED'],
      handler: async ({ caller, params }) => ok(grantJson(await readGrant(database, params.grant, viewerOf(caller), clock.nowMs()))),
    }),
    ...(['pause', 'resume', 'revoke'] as const).map((action) => changeRoute(services, action)),
    route<OfGrant>({
      method: 'GET', path: '/v1/grants/{grant}/receipt', operationId: 'consentReceipt', tag: 'Grants', access: 'party', scopes: ['grants'],
      summary: 'The consent receipt for the enterprise to keep (ISO/IEC TS 27560)',
      request: { params: grant },
      responses: { 200: { description: 'Signed by the platform.', schema: object({ receipt: named('CompactJws') }) } },
      errors: ['CONSENT_NOT_FOUND', 'PARTY_NOT_PERMITTED'],
      examples: { cli: 'veilgate grant receipt <grant>' },
      handler: async ({ caller, params }) => {
        if (caller.subject === undefined) throw new VeilgateError('PARTY_NOT_PERMITTED', 'Consent receipts are for the enterprise.');
        return ok({ receipt: await services.receipts.issue(await readGrant(database, params.grant, { subject: caller.subject }, clock.nowMs())) });
      },
    }),
    route<OfGrant>({
      method: 'GET', path: '/v1/grants/{grant}/token', operationId: 'consentToken', tag: 'Grants', access: 'party', scopes: ['query'],
      summary: 'The grant as a consent token, for its institution',
      description: 'A JWT that proves what was granted. Whether it still holds is looked up at every release.',
      request: { params: grant },
      responses: { 200: { description: 'Signed by the platform.', schema: object({ consent_token: named('CompactJws') }) } },
      errors: ['CONSENT_NOT_FOUND', 'PARTY_NOT_PERMITTED'],
      handler: async ({ caller, params }) => {
        const stored = await readGrant(database, params.grant, { institution: caller.party as InstitutionId }, clock.nowMs());
        return ok({ consent_token: await consentToken(stored, services.gatewayUrl, services.pseudonymOf(stored.subject), services.signer, clock) });
      },
    }),
  ];
}

function changeRoute({ database, clock }: Pick<Services, 'database' | 'clock'>, action: GrantAction): Route {
  return route<OfGrant>({
    method: 'POST', path: `/v1/grants/{grant}/${action}`, operationId: `${action}Grant`, tag: 'Grants', access: 'party', scopes: anyone,
    summary: { pause: 'Hold the grant up', resume: 'Let a paused grant go on', revoke: 'End the grant for good, also for queries under way' }[action],
    request: { params: grant, body: { kind: 'json', schema: object({}) } },
    responses: { 200: { description: 'The grant as it is now.', schema: grantSchema } },
    errors: ['CONSENT_NOT_FOUND', 'CONSENT_STATE_CONFLICT', 'PARTY_NOT_PERMITTED', 'AUDIT_UNAVAILABLE', ...(action === 'resume' ? ['REQUEST_QUOTA_EXCEEDED' as const] : [])],
    examples: { cli: `veilgate grant ${action} <grant>` },
    handler: async ({ caller, params }) => {
      const changed = await database.transaction(`grant ${action}`, async (tx) => {
        const change = await changeGrant(tx, { grant: params.grant, actor: viewerOf(caller), action }, clock);
        await recordGrantChange(tx, change, caller.party);
        return change.grant;
      });
      return ok(grantJson(changed));
    },
  });
}

/** Departments see no grants: they must not learn who the banks' customers are. */
export function viewerOf(caller: Caller): Viewer & Exclude<Actor, { platform: true }> {
  if (caller.kind === 'officer') return { officer: caller.party };
  return ownerOf(caller);
}

function ownerOf(caller: Caller) {
  if (caller.subject !== undefined) return { subject: caller.subject };
  if (caller.kind === 'institution') return { institution: caller.party as InstitutionId };
  throw new VeilgateError('PARTY_NOT_PERMITTED', 'Grants are listed for enterprises and institutions.');
}

export function grantJson(grant: StoredGrant): JsonObject {
  return {
    id: grant.id, state: grant.state, subject: grant.subject, institution: grant.institution, purpose: grant.purpose, fields: fieldList(grant.fields),
    data_from: grant.dataFrom, data_to: grant.dataTo, valid_from: isoTime(grant.validFromMs), valid_until: isoTime(grant.validUntilMs), kind: grant.kind,
    uses_max: grant.usesMax, uses_left: grant.usesLeft, uses_total: grant.usesTotal, frequency: grant.frequency, data_life_days: grant.dataLifeDays,
    notice_digest: grant.noticeDigest, origin: grant.origin, created_at: isoTime(grant.createdAtMs),
  };
}
