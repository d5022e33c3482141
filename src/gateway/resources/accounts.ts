import { accountsMax } from '../../authorization/invitations.ts';
import type { AccountOverview } from '../../authorization/accounts.ts';
import { isoTime } from '../../clock.ts';
import type { TimeMs } from '../../vocabulary.ts';
import { created, noContent, ok, route, type JsonObject, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { list, nullable, object, oneOf, oneLine, text } from '../schema/words.ts';
import { accountsOf, invitePerson, removePerson } from '../use-cases/accounts.ts';
import type { Services } from './services.ts';

const everyScope = ['query', 'grants', 'records', 'registry', 'compliance', 'audit'] as const;
const accountId = { type: 'string', pattern: '^[A-Za-z0-9_-]{22}$', maxLength: 22, description: 'Random; says nothing about the person.' } as const;
const account = object({
  account: accountId,
  name: { ...nullable(text(100)), description: 'The person\'s, as invited; null: not told.' },
  username: { ...nullable(text(64)), description: 'null: the invitation was not taken up yet.' },
  second_factors: list(oneOf(['one_time_password', 'passkey']), 2),
  created_at: nullable(named('Time')),
  last_used_at: { ...nullable(named('Time')), description: 'Last sign-in.' },
  invited_until: { ...nullable(named('Time')), description: 'When the open code ends; null: none is open.' },
});

const invitation = object({ account: accountId, page: text(600, 'Where the code is used.'), ends_at: named('Time'), activation_code: text(100) }, { optional: ['activation_code'] });
const inviting = `The activation code is shown once and works for seven days: hand it to the person, who chooses a user name, a password and a second factor with it at \`page\`.
An institution has at most ${accountsMax} accounts. An officer has one: another invitation replaces user name, password and second factors of it when it is taken up,
which is how a lost one is mended.

It takes your key: somebody who is merely signed in cannot bring others in.`;

/** The people who sign in to the consoles for a party. */
export function accountRoutes({ database, clock, issuerUrl }: Pick<Services, 'database' | 'clock' | 'issuerUrl'>): readonly Route[] {
  return [
    route<{ body: { readonly name: string } }>({
      method: 'POST', path: '/v1/accounts', operationId: 'inviteAccount', tag: 'Accounts', access: 'party', scopes: everyScope, idempotent: true,
      summary: 'Invite one of your people to sign in to the consoles',
      description: inviting,
      request: { body: { kind: 'json', schema: object({ name: oneLine(100, 'The person\'s name.') }) } },
      responses: { 201: { description: 'Invited.', schema: invitation } },
      errors: ['ACCOUNT_KEY_REQUIRED', 'ACCOUNT_LIMIT_REACHED', 'PARTY_NOT_PERMITTED', 'REQUEST_INVALID'],
      examples: { cli: 'veilgate account invite 王芳', body: { name: '王芳' } },
      handler: ({ caller, body, once }) => once(async (tx) => {
        const { accountId: id, code, endsAtMs } = await invitePerson(tx, caller, body.name, clock);
        return {
          reply: created({ account: id, page: `${issuerUrl}/activation?for=${encodeURIComponent(caller.party)}`, ends_at: isoTime(endsAtMs) }, `/v1/accounts/${id}`),
          shownOnce: { activation_code: code },
        };
      }),
    }),
    route({
      method: 'GET', path: '/v1/accounts', operationId: 'listAccounts', tag: 'Accounts', access: 'party', scopes: everyScope,
      summary: 'Your people who can sign in, or are invited to; oldest first',
      responses: { 200: { description: 'All of them.', schema: object({ accounts: list(account, 2 * accountsMax) }) } },
      errors: [],
      examples: { cli: 'veilgate account list' },
      handler: async ({ caller }) => ok({ accounts: (await accountsOf(database, caller, clock)).map(accountJson) }),
    }),
    route<{ params: { readonly account: string } }>({
      method: 'DELETE', path: '/v1/accounts/{account}', operationId: 'removeAccount', tag: 'Accounts', access: 'party', scopes: everyScope,
      summary: 'Remove one of your accounts or invitations; the person is signed out everywhere at once',
      request: { params: object({ account: accountId }) },
      responses: { 204: { description: 'Removed.' } },
      errors: ['ACCOUNT_KEY_REQUIRED', 'ACCOUNT_NOT_FOUND', 'PARTY_NOT_PERMITTED'],
      examples: { cli: 'veilgate account remove <id>' },
      handler: async ({ caller, params }) => {
        await database.transaction('remove account', (tx) => removePerson(tx, caller, params.account, clock));
        return noContent;
      },
    }),
  ];
}

function accountJson({ accountId: id, personName, username, secondFactors, createdAtMs, lastUsedAtMs, invitedUntilMs }: AccountOverview): JsonObject {
  const time = (ms: TimeMs | null) => (ms === null ? null : isoTime(ms));
  return {
    account: id, name: personName, username, second_factors: secondFactors,
    created_at: time(createdAtMs), last_used_at: time(lastUsedAtMs), invited_until: time(invitedUntilMs),
  };
}
