import { VeilgateError } from '../../errors.ts';
import { registerDepartment } from '../../identity/registry/department.ts';
import { registerEnterpriseParty } from '../../identity/registry/enterprise.ts';
import { registerOfficer, approveOfficer } from '../../identity/registry/staff.ts';
import type { PartyId, SubjectId } from '../../vocabulary.ts';
import { inviteRepresentative } from '../../authorization/invitations.ts';
import { created, ok, route, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { list, object, oneLine, oneOf, text } from '../schema/words.ts';
import { recordRegistryEvent } from '../use-cases/record-change.ts';
import type { Services } from './services.ts';

type Name = { readonly en: string; readonly zh: string };
type NewParty = { readonly id: string; readonly name: Name; readonly key: Readonly<Record<string, unknown>> };

const publicJwk = named('PublicKey');
const newParty = { id: named('PartyId'), name: named('Title'), key: publicJwk };
const partyErrors = ['PARTY_NOT_PERMITTED', 'PARTY_EXISTS', 'KEY_REFUSED', 'KEY_DUPLICATE'] as const;

/** Enterprises, departments and officers: registered by officers of the platform. */
export function partyRoutes({ database, clock }: Pick<Services, 'database' | 'clock'>): readonly Route[] {
  return [
    route<{ body: { readonly subject: string; readonly representative: string; readonly key?: Readonly<Record<string, unknown>> } }>({
      method: 'POST', path: '/v1/enterprises', operationId: 'registerEnterprise', tag: 'Parties', access: 'party', scopes: ['registry'], confirmed: true, idempotent: true,
      summary: 'Register an enterprise and make the activation code of its representative',
      description: 'The code is shown once. Hand it to the representative by a way that proves who it is; it opens the sign-in pages of the authorization server.',
      request: { body: { kind: 'json', schema: object({ subject: named('SubjectId'), representative: oneLine(100, 'Name of the person who speaks for the enterprise.'), key: publicJwk }, { optional: ['key'] }) } },
      responses: { 201: { description: 'Registered.', schema: object({ party: named('PartyId'), activation_code: text(100) }, { optional: ['activation_code'] }) } },
      errors: [...partyErrors, 'ENTERPRISE_EXISTS'],
      examples: { cli: 'veilgate enterprise register 91350211M000100Y43 --representative 王芳', body: { subject: '91350211M000100Y43', representative: '王芳' } },
      handler: ({ caller, body, once }) => once(async (tx) => {
        const event = await registerEnterpriseParty(tx, { subject: body.subject, by: caller.party, ...(body.key === undefined ? {} : { key: body.key }) }, clock);
        await recordRegistryEvent(tx, event, clock.nowMs());
        const { code } = await inviteRepresentative(tx, clock, { party: event.party, subject: body.subject as SubjectId, personName: body.representative });
        return { reply: created({ party: event.party }), shownOnce: { activation_code: code } };
      }),
    }),
    route<{ body: NewParty }>({
      method: 'POST', path: '/v1/departments', operationId: 'registerDepartment', tag: 'Parties', access: 'party', scopes: ['registry'], confirmed: true, idempotent: true,
      summary: 'Register a department that supplies records',
      request: { body: { kind: 'json', schema: object(newParty) } },
      responses: { 201: { description: 'Registered.', schema: object({ id: named('PartyId') }) } },
      errors: partyErrors,
      handler: ({ caller, body, once }) => once(async (tx) => {
        await recordRegistryEvent(tx, await registerDepartment(tx, { ...body, by: caller.party }, clock), clock.nowMs());
        return { reply: created({ id: body.id }) };
      }),
    }),
    route<{ body: NewParty & { readonly roles: readonly string[] } }>({
      method: 'POST', path: '/v1/officers', operationId: 'registerOfficer', tag: 'Parties', access: 'party', scopes: ['registry'], confirmed: true, idempotent: true,
      summary: 'Register an officer, who can do nothing until another officer approves',
      request: { body: { kind: 'json', schema: object({ ...newParty, roles: list(oneOf(['registrar', 'compliance', 'auditor']), 3) }) } },
      responses: { 201: { description: 'Registered.', schema: object({ id: named('PartyId') }) } },
      errors: partyErrors,
      handler: ({ caller, body, once }) => once(async (tx) => {
        await recordRegistryEvent(tx, await registerOfficer(tx, { ...body, by: caller.party }, clock), clock.nowMs());
        return { reply: created({ id: body.id }) };
      }),
    }),
    route<{ params: { readonly officer: PartyId } }>({
      method: 'POST', path: '/v1/officers/{officer}/approval', operationId: 'approveOfficer', tag: 'Parties', access: 'party', scopes: ['registry', 'compliance'], confirmed: true,
      summary: 'Let a registered officer in; needs another person than the one who registered',
      request: { params: object({ officer: named('PartyId') }) },
      responses: { 200: { description: 'Approved.', schema: object({ id: named('PartyId') }) } },
      errors: ['PARTY_NOT_PERMITTED', 'INSTITUTION_NOT_FOUND', 'INSTITUTION_STATE_CONFLICT', 'INSTITUTION_SAME_PERSON'],
      handler: async ({ caller, params }) => {
        if (caller.kind !== 'officer') throw new VeilgateError('PARTY_NOT_PERMITTED', 'Only officers approve officers.');
        await database.transaction('approve officer', async (tx) => {
          await recordRegistryEvent(tx, await approveOfficer(tx, { officer: params.officer, by: caller.party }, clock), clock.nowMs());
        });
        return ok({ id: params.officer });
      },
    }),
  ];
}
