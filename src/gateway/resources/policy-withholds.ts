import { listWithholds } from '../../policy/store/withholds.ts';
import type { FieldRef, PurposeCode } from '../../vocabulary.ts';
import { created, ok, route, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, object } from '../schema/words.ts';
import { requireStored } from '../use-cases/policy-versions.ts';
import { lift, withhold } from '../use-cases/policy-withholds.ts';
import { withholdForm, withholdId, withholdJson, withholdsForm } from './policy-forms.ts';
import type { Services } from './services.ts';

const reason = { type: 'string', pattern: '^[a-z][a-z0-9_]{0,63}$', maxLength: 64, description: 'A code that goes to the log, such as `wrong_values`.' } as const;

/** Emergency withholds: one officer closes at once, two decide what becomes of it. */
export function policyWithholdRoutes({ policies: desk }: Pick<Services, 'policies'>): readonly Route[] {
  return [
    route<{ body: { readonly field: FieldRef; readonly purpose: PurposeCode; readonly reason: string; readonly hours?: number } }>({
      method: 'POST', path: '/v1/policy-withholds', operationId: 'withholdField', tag: 'Policies', access: 'party', scopes: ['compliance'], idempotent: true,
      summary: 'Close a field for a purpose at once, on every node',
      description: 'For every institution and every use. Nothing that was decided before leaves after it: every answer goes through the log, which takes none that was decided without this one in mind. When its hours are over it becomes a proposal, and holds until another officer has decided on that.',
      request: { body: { kind: 'json', schema: object({ field: named('FieldRef'), purpose: named('PurposeCode'), reason, hours: integer(1, 720, 'Until it becomes a proposal; 72 when absent.') }, { optional: ['hours'] }) } },
      responses: { 201: { description: 'Closed.', schema: object({ withhold: withholdForm }) } },
      errors: ['POLICY_IN_FOLDER', 'POLICY_PURPOSE_UNKNOWN', 'POLICY_STATE_CONFLICT', 'POLICY_BROKEN', 'REQUEST_INVALID'],
      examples: { cli: 'veilgate policy withhold owner.phone --purpose pre_loan_review --reason wrong_values' },
      async handler({ caller, body, once }) {
        const reply = await once(async (tx) => ({ reply: created({ withhold: withholdJson(await withhold(desk, tx, caller.party, { ...body, hours: body.hours ?? 72 })) }) }));
        await desk.pickUp();
        return reply;
      },
    }),
    route({
      method: 'GET', path: '/v1/policy-withholds', operationId: 'listWithholds', tag: 'Policies', access: 'party', scopes: ['compliance', 'audit'],
      summary: 'Emergency withholds, newest first, ended ones too',
      responses: { 200: { description: 'At most 200.', schema: withholdsForm } },
      errors: ['POLICY_IN_FOLDER'],
      examples: { cli: 'veilgate policy withholds' },
      async handler() {
        requireStored(desk);
        return ok({ withholds: (await listWithholds(desk.database)).map(withholdJson) });
      },
    }),
    route<{ params: { readonly withhold: string } }>({
      method: 'POST', path: '/v1/policy-withholds/{withhold}/lifting', operationId: 'liftWithhold', tag: 'Policies', access: 'party', scopes: ['compliance'],
      summary: 'Open again what another officer closed',
      request: { params: object({ withhold: withholdId }), body: { kind: 'json', schema: object({}) } },
      responses: { 200: { description: 'Open, as far as the policy says.', schema: object({ withhold: withholdForm }) } },
      errors: ['POLICY_IN_FOLDER', 'POLICY_VERSION_NOT_FOUND', 'POLICY_STATE_CONFLICT', 'POLICY_SAME_PERSON'],
      examples: { cli: 'veilgate policy lift <id>' },
      async handler({ caller, params }) {
        const lifted = await desk.database.transaction('lift withhold', (tx) => lift(desk, tx, caller.party, params.withhold));
        await desk.pickUp();
        return ok({ withhold: withholdJson(lifted) });
      },
    }),
  ];
}
