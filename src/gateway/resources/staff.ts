import { isoTime } from '../../clock.ts';
import { listStaff, staffPageMax } from '../../identity/registry/staff-view.ts';
import { ok, route, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { list, nullable, object, oneOf } from '../schema/words.ts';
import type { Services } from './services.ts';

const member = object({
  id: named('PartyId'), kind: oneOf(['officer', 'department']), name: nullable(named('Title')), status: oneOf(['applied', 'assessed', 'approved', 'suspended', 'revoked']),
  roles: list(oneOf(['registrar', 'compliance', 'auditor']), 3, 'Empty for departments.'), registered_by: nullable(named('PartyId')), registered_at: named('Time'),
});

/** Who works for the platform, and which departments supply it: for those who register and approve. */
export function staffRoutes({ database }: Pick<Services, 'database'>): readonly Route[] {
  return [
    route<{ query: { readonly after?: string } }>({
      method: 'GET', path: '/v1/staff', operationId: 'listStaff', tag: 'Parties', access: 'party', scopes: ['registry', 'compliance', 'audit'],
      summary: 'Officers and departments by id',
      description: 'An officer with the state `applied` was registered and waits for another officer\'s approval.',
      request: { query: object({ after: named('PartyId') }, { optional: ['after'] }) },
      responses: { 200: { description: `At most ${staffPageMax}; \`next\` continues.`, schema: object({ staff: list(member, staffPageMax), next: nullable(named('PartyId')) }) } },
      errors: [],
      handler: async ({ query }) => {
        const found = await listStaff(database, query.after);
        const staff = found.map(({ id, kind, name, status, roles, registeredBy, registeredMs }) => (
          { id, kind, name: name === null ? null : { ...name }, status, roles, registered_by: registeredBy, registered_at: isoTime(registeredMs) }));
        return ok({ staff, next: found.length === staffPageMax ? (found.at(-1)?.id ?? null) : null });
      },
    }),
  ];
}
