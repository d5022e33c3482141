import { applyInstitution, approveInstitution, assessInstitution, changeLimits, type InstitutionLimits } from '../../identity/registry/institution.ts';
import { listInstitutions, readInstitution, readInstitutions, type InstitutionView } from '../../identity/registry/institution-view.ts';
import { requireOwnKey } from '../../identity/admit.ts';
import { reinstate, revoke, suspend } from '../../identity/registry/status.ts';
import { addKey, retireKey } from '../../identity/registry/key-change.ts';
import type { RegistryEvent } from '../../identity/registry/events.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Tx } from '../../store/database.ts';
import { isoTime } from '../../clock.ts';
import type { InstitutionId, PartyId } from '../../vocabulary.ts';
import { created, ok, route, type JsonObject, type JwtBody, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, text } from '../schema/words.ts';
import { recordRegistryEvent } from '../use-cases/record-change.ts';
import type { Services } from './services.ts';

const status = oneOf(['applied', 'assessed', 'approved', 'suspended', 'revoked']);
const limits = object({ requests_per_second: integer(1, 1_000_000), queries_per_day: integer(0, 1_000_000_000) }, { optional: ['requests_per_second', 'queries_per_day'], description: 'What is absent is not limited.' });
const institution = object({ institution: named('PartyId') });
const namesMax = 100;
const ids = { type: 'string', pattern: `^[A-Za-z0-9._~-]+(,[A-Za-z0-9._~-]+){0,${namesMax - 1}}$`, maxLength: 129 * namesMax, description: `At most ${namesMax} ids, separated by commas.`, examples: ['bank-a,bank-b'] } as const;
const changed = { description: 'Done, at once and on every node.', schema: object({ id: named('PartyId'), status }) };
const reason = object({ reason: { type: 'string', pattern: '^[a-z][a-z0-9_]{0,63}$', maxLength: 64, description: 'A code, such as `terms_violated`.' } });
const stateErrors: readonly ErrorCode[] = ['PARTY_NOT_PERMITTED', 'INSTITUTION_NOT_FOUND', 'INSTITUTION_STATE_CONFLICT'];

/** An institution as officers see it; institutionJson makes one. */
export const institutionSchema = object({
  id: named('PartyId'), name: named('Title'), class: named('InstitutionClass'), country: text(2), status, status_reason: nullable(text(64)),
  scopes: list(text(32), 8), limits, redirect_uris: list(text(512), 10), registered_at: named('Time'), registered_by: nullable(named('PartyId')), approved_by: nullable(named('PartyId')),
  assessment: nullable(object({ level: integer(1, 5), passed: { type: 'boolean' }, assessor: named('PartyId'), valid_until: named('Date') })),
  keys: list(object({ thumbprint: text(64), kid: text(256), use: oneOf(['sig', 'enc']), retired: { type: 'boolean' } }), 100),
});

type LimitsJson = { readonly requests_per_second?: number; readonly queries_per_day?: number };
type OfInstitution = { readonly params: { readonly institution: InstitutionId } };

/** Banks and partners: application, assessment, approval, limits, suspension, keys. */
export function institutionRoutes(services: Pick<Services, 'database' | 'clock' | 'policy' | 'gatewayUrl'>): readonly Route[] {
  const { database, clock, policy, gatewayUrl } = services;
  const apply = async (tx: Tx, jws: string, registrar?: PartyId) => {
    const event = await applyInstitution(tx, { jws, audience: gatewayUrl, classes: new Set(policy().institutionClasses.keys()), ...(registrar === undefined ? {} : { registrar }) }, clock);
    await recordRegistryEvent(tx, event, clock.nowMs());
    return { reply: created({ id: event.institution, status: 'applied' }, `/v1/institutions/${event.institution}`) };
  };
  return [
    route<{ body: JwtBody }>({
      method: 'POST', path: '/v1/institutions', operationId: 'applyInstitution', tag: 'Institutions', access: 'public', idempotent: true,
      summary: 'Apply for admission',
      description: 'The application carries its public keys and is signed with the signature key it carries. Access comes after a passed security assessment and another person\'s approval.',
      request: { body: { kind: 'jwt', typ: 'application+jwt', schema: named('ApplicationPayload') } },
      responses: { 201: { description: 'Received.', schema: object({ id: named('PartyId'), status }) } },
      errors: ['INSTITUTION_EXISTS', 'PARTY_EXISTS', 'KEY_REFUSED', 'KEY_DUPLICATE'],
      examples: { cli: 'veilgate institution apply --name-en "Bank A" --name-zh 甲银行 --class commercial_bank --redirect-uri https://bank-a.example/callback' },
      handler: ({ body, once }) => once((tx) => apply(tx, body)),
    }),
    route<{ body: JwtBody }>({
      method: 'POST', path: '/v1/handed-in-applications', operationId: 'handInApplication', tag: 'Institutions', access: 'party', scopes: ['registry'], idempotent: true,
      summary: 'Hand in an application that an institution gave you',
      description: 'The same application, which may be up to seven days old. However many wait that came by themselves, there is room for it; what follows is the same.',
      request: { body: { kind: 'jwt', typ: 'application+jwt', schema: named('ApplicationPayload') } },
      responses: { 201: { description: 'Received.', schema: object({ id: named('PartyId'), status }) } },
      errors: ['INSTITUTION_EXISTS', 'PARTY_EXISTS', 'PARTY_NOT_PERMITTED', 'KEY_REFUSED', 'KEY_DUPLICATE'],
      examples: { cli: 'veilgate institution hand-in bank-a.application.jwt' },
      handler: ({ caller, body, once }) => once((tx) => apply(tx, body, caller.party)),
    }),
    route<{ query: { readonly after?: string } }>({
      method: 'GET', path: '/v1/institutions', operationId: 'listInstitutions', tag: 'Institutions', access: 'party', scopes: ['registry', 'compliance', 'audit'],
      summary: 'Institutions by id',
      request: { query: object({ after: named('PartyId') }, { optional: ['after'] }) },
      responses: { 200: { description: 'At most 200; `next` continues.', schema: object({ institutions: list(institutionSchema, 200), next: nullable(named('PartyId')) }) } },
      errors: [],
      handler: async ({ query }) => {
        const found = await listInstitutions(database, query.after);
        return ok({ institutions: found.map(institutionJson), next: found.length === 200 ? (found.at(-1)?.id ?? null) : null });
      },
    }),
    route<{ query: { readonly ids: string } }>({
      method: 'GET', path: '/v1/institution-names', operationId: 'nameInstitutions', tag: 'Institutions', access: 'party', scopes: ['grants', 'compliance', 'audit'],
      summary: 'What institutions are called',
      description: 'Ids that are of no institution, or of one that was never admitted, are left out.',
      request: { query: object({ ids }) },
      responses: { 200: { description: 'Names.', schema: object({ institutions: list(object({ id: named('PartyId'), name: named('Title') }), namesMax) }) } },
      errors: [],
      handler: async ({ query }) => {
        const found = [...(await readInstitutions(database, query.ids.split(','))).values()].filter(({ approvedBy }) => approvedBy !== null);
        return ok({ institutions: found.map(({ id, name }) => ({ id, name: { en: name.en, zh: name.zh } })) });
      },
    }),
    route<OfInstitution>({
      method: 'GET', path: '/v1/institutions/{institution}', operationId: 'readInstitution', tag: 'Institutions', access: 'party', scopes: ['registry', 'compliance', 'audit'],
      summary: 'One institution',
      request: { params: institution },
      responses: { 200: { description: 'The institution.', schema: institutionSchema } },
      errors: ['INSTITUTION_NOT_FOUND'],
      handler: async ({ params }) => ok(institutionJson(await readInstitution(database, params.institution))),
    }),
    ...standingRoutes(services),
    ...ownKeyRoutes(services),
  ];
}

/** What officers decide of an institution: assessment, approval, limits, suspension and its end. */
function standingRoutes({ database, clock }: Pick<Services, 'database' | 'clock'>): readonly Route[] {
  /** Changes the registry and writes what changed to the log, in one transaction; answers with the new state. */
  const change = async (name: string, id: string, work: (tx: Tx) => Promise<RegistryEvent>) => {
    await database.transaction(name, async (tx) => recordRegistryEvent(tx, await work(tx), clock.nowMs()));
    return ok({ id, status: (await readInstitution(database, id)).status });
  };
  return [
    route<OfInstitution & { body: { readonly level: number; readonly passed: boolean; readonly valid_until: string; readonly findings_digest: string } }>({
      method: 'POST', path: '/v1/institutions/{institution}/assessments', operationId: 'assessInstitution', tag: 'Institutions', access: 'party', scopes: ['compliance'], confirmed: true,
      summary: 'Record a security assessment; the latest one counts',
      request: { params: institution, body: { kind: 'json', schema: object({ level: integer(1, 5), passed: { type: 'boolean' }, valid_until: named('Date'), findings_digest: named('Digest') }) } },
      responses: { 200: changed },
      errors: stateErrors,
      examples: { cli: 'veilgate institution assess bank-a --level 4 --valid-until 2027-06-30 --findings-digest <sha256>' },
      handler: ({ caller, params, body }) => change('assess institution', params.institution, (tx) =>
        assessInstitution(tx, { institution: params.institution, by: caller.party, level: body.level, passed: body.passed, validUntil: body.valid_until, findingsDigest: body.findings_digest }, clock)),
    }),
    route<OfInstitution & { body: { readonly limits?: LimitsJson } }>({
      method: 'POST', path: '/v1/institutions/{institution}/approval', operationId: 'approveInstitution', tag: 'Institutions', access: 'party', scopes: ['registry', 'compliance'], confirmed: true,
      summary: 'Admit an assessed institution; needs another person than the assessor',
      request: { params: institution, body: { kind: 'json', schema: object({ limits }, { optional: ['limits'] }) } },
      responses: { 200: changed },
      errors: [...stateErrors, 'INSTITUTION_ASSESSMENT_MISSING', 'INSTITUTION_SAME_PERSON'],
      examples: { cli: 'veilgate institution approve bank-a' },
      handler: ({ caller, params, body }) => change('approve institution', params.institution, (tx) =>
        approveInstitution(tx, { institution: params.institution, by: caller.party, limits: limitsOf(body.limits ?? {}) }, clock)),
    }),
    route<OfInstitution & { body: { readonly limits: LimitsJson } }>({
      method: 'PUT', path: '/v1/institutions/{institution}/limits', operationId: 'changeLimits', tag: 'Institutions', access: 'party', scopes: ['registry'],
      summary: 'Change an institution\'s limits',
      request: { params: institution, body: { kind: 'json', schema: object({ limits }) } },
      responses: { 200: changed },
      errors: stateErrors,
      handler: ({ caller, params, body }) => change('change limits', params.institution, (tx) =>
        changeLimits(tx, { institution: params.institution, by: caller.party, limits: limitsOf(body.limits) })),
    }),
    ...([['suspension', 'suspendInstitution', 'Take access away until reinstated', suspend], ['revocation', 'revokeInstitution', 'End access for good, or refuse an application', revoke]] as const).map(([noun, operationId, summary, act]) =>
      route<OfInstitution & { body: { readonly reason: string } }>({
        method: 'POST', path: `/v1/institutions/{institution}/${noun}`, operationId, tag: 'Institutions', access: 'party', scopes: ['compliance'], summary,
        request: { params: institution, body: { kind: 'json', schema: reason } },
        responses: { 200: changed },
        errors: stateErrors,
        handler: ({ caller, params, body }) => change(operationId, params.institution, (tx) => act(tx, { party: params.institution, by: caller.party, reason: body.reason }, clock)),
      })),
    route<OfInstitution>({
      method: 'POST', path: '/v1/institutions/{institution}/reinstatement', operationId: 'reinstateInstitution', tag: 'Institutions', access: 'party', scopes: ['compliance'], confirmed: true,
      summary: 'Give a suspended institution its access back',
      request: { params: institution, body: { kind: 'json', schema: object({}) } },
      responses: { 200: changed },
      errors: [...stateErrors, 'INSTITUTION_ASSESSMENT_MISSING'],
      handler: ({ caller, params }) => change('reinstate institution', params.institution, (tx) => reinstate(tx, { party: params.institution, by: caller.party }, clock)),
    }),
  ];
}

/** Keys of the calling party itself, whatever its kind. */
function ownKeyRoutes({ database, clock, gatewayUrl }: Pick<Services, 'database' | 'clock' | 'gatewayUrl'>): readonly Route[] {
  const anyScope = ['query', 'grants', 'records', 'registry', 'compliance', 'audit'] as const;
  return [
    route<{ body: JwtBody }>({
      method: 'POST', path: '/v1/keys', operationId: 'addKey', tag: 'Keys', access: 'party', scopes: anyScope, idempotent: true,
      summary: 'Add a key of your own, signed with one you have and proven by itself',
      request: { body: { kind: 'jwt', typ: 'key+jwt', schema: named('KeyPayload') } },
      responses: { 201: { description: 'In use at once.', schema: object({ thumbprint: text(64) }) } },
      errors: ['KEY_REFUSED', 'KEY_DUPLICATE', 'PARTY_NOT_PERMITTED', 'ACCOUNT_KEY_REQUIRED'],
      handler: ({ caller, body, once }) => once(async (tx) => {
        requireOwnKey(caller);
        const event = await addKey(tx, { jws: body, party: caller.party, audience: gatewayUrl }, clock);
        await recordRegistryEvent(tx, event, clock.nowMs());
        return { reply: created({ thumbprint: event.thumbprint }) };
      }),
    }),
    route<{ params: { readonly thumbprint: string } }>({
      method: 'DELETE', path: '/v1/keys/{thumbprint}', operationId: 'retireKey', tag: 'Keys', access: 'party', scopes: anyScope,
      summary: 'Retire a key of your own, at once and on every node',
      request: { params: object({ thumbprint: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$', maxLength: 43 } }) },
      responses: { 200: { description: 'Retired.', schema: object({ thumbprint: text(64) }) } },
      errors: ['KEY_REFUSED', 'PARTY_NOT_PERMITTED', 'REQUEST_NOT_FOUND', 'ACCOUNT_KEY_REQUIRED'],
      handler: async ({ caller, params }) => {
        requireOwnKey(caller);
        await database.transaction('retire key', async (tx) => {
          await recordRegistryEvent(tx, await retireKey(tx, { party: caller.party, thumbprint: params.thumbprint, by: caller.party }, clock), clock.nowMs());
        });
        return ok({ thumbprint: params.thumbprint });
      },
    }),
  ];
}

function limitsOf({ requests_per_second, queries_per_day }: LimitsJson): InstitutionLimits {
  return { ...(requests_per_second === undefined ? {} : { requestsPerSecond: requests_per_second }), ...(queries_per_day === undefined ? {} : { queriesPerDay: queries_per_day }) };
}

export function institutionJson(view: InstitutionView): JsonObject {
  const { requestsPerSecond, queriesPerDay } = view.limits;
  return {
    id: view.id, name: view.name, class: view.class, country: view.country, status: view.status, status_reason: view.statusReason, scopes: view.scopes,
    limits: { ...(requestsPerSecond === undefined ? {} : { requests_per_second: requestsPerSecond }), ...(queriesPerDay === undefined ? {} : { queries_per_day: queriesPerDay }) },
    redirect_uris: view.redirectUris, registered_at: isoTime(view.registeredMs), registered_by: view.registeredBy, approved_by: view.approvedBy,
    assessment: view.assessment === null ? null : { level: view.assessment.level, passed: view.assessment.passed, assessor: view.assessment.assessor, valid_until: view.assessment.validUntil },
    keys: view.keys.map(({ thumbprint, kid, use, retiredMs }) => ({ thumbprint, kid, use, retired: retiredMs !== null })),
  };
}

