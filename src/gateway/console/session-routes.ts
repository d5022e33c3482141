import type { BrowserSession } from '../../authorization/browser-session.ts';
import { isoTime } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import { identify } from '../../identity/identify.ts';
import { noContent, ok, route, type CallerProof, type Route } from '../route.ts';
import type { Services } from '../resources/services.ts';
import { object, text } from '../schema/words.ts';
import type { Sessions } from './session-proof.ts';

const everybody = ['query', 'grants', 'records', 'registry', 'compliance', 'audit'] as const;

/** Who is signed in, for the page that starts; and signing out. On the console's own interface only. */
export function sessionRoutes({ identity, admissions, gatewayUrl, clock }: Services, sessions: Sessions): readonly Route[] {
  return [
    route({
      method: 'GET', path: '/session', operationId: 'readSession', tag: 'Session', access: 'handler', scopes: everybody,
      summary: 'Who is signed in with this browser',
      responses: { 200: { description: 'The person, what they may do at this moment, and what every change must carry.' } },
      errors: ['PARTY_NOT_PERMITTED', 'INSTITUTION_ASSESSMENT_MISSING', 'SESSION_MISSING', 'SESSION_FORGED'],
      handler: async ({ proof, admit }) => {
        const session = browserOf(proof);
        const caller = await admissions.caller(await identify(proof, identity));
        await admit(caller);
        return ok({
          account: session.accountId, name: session.name, username: session.username, party: session.party, kind: caller.kind,
          scopes: [...caller.scopes], subject: caller.subject ?? null, csrf: session.csrf, gateway: gatewayUrl, now: isoTime(clock.nowMs()),
          idle_ends_at: isoTime(session.idleEndsAtMs), ends_at: isoTime(session.absoluteEndsAtMs),
        });
      },
    }),
    route<{ body: { readonly one_time_password: string } }>({
      method: 'POST', path: '/session/confirmation', operationId: 'confirmSession', tag: 'Session', access: 'handler', scopes: everybody,
      summary: 'Show the one-time password once more: what lets others in takes it, or a sign-in, of the last ten minutes',
      request: { body: { kind: 'json', schema: object({ one_time_password: text(16) }) } },
      responses: { 204: { description: 'Confirmed for ten minutes.' } },
      errors: ['SESSION_MISSING', 'SESSION_FORGED', 'ACCOUNT_SIGN_IN_FAILED', 'ACCOUNT_LOCKED'],
      handler: async ({ proof, body }) => {
        await sessions.confirm(browserOf(proof), body.one_time_password);
        return noContent;
      },
    }),
    route({
      method: 'DELETE', path: '/session', operationId: 'endSession', tag: 'Session', access: 'handler', scopes: everybody,
      summary: 'Sign out: the session ends for every tab at once',
      responses: { 204: { description: 'Nobody is signed in any more.' } },
      errors: ['SESSION_MISSING', 'SESSION_FORGED'],
      handler: async ({ proof }) => {
        await sessions.end(browserOf(proof));
        return noContent;
      },
    }),
  ];
}

function browserOf({ session }: CallerProof): BrowserSession {
  if (session === undefined) throw new VeilgateError('SESSION_MISSING', 'Nobody is signed in with this browser: sign in, then try again.');
  return session.browser;
}
