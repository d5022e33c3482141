import { timingSafeEqual } from 'node:crypto';
import type { PartyId, SubjectId, TimeMs } from '../vocabulary.ts';
import type { AccountKind } from './accounts.ts';
import { cookieId, formTokens, readCookies, visitCookies } from './cookies.ts';
import { oneTimePasswordKeys } from './one-time-passwords.ts';
import { confirmSession, endSession, findSession, sessionDigest } from './sessions.ts';
import { confirmOneTimePassword } from './sign-in.ts';
import type { VisitDependencies } from './visits.ts';

/** What lets others in is done by whoever signed in, or showed the one-time password, at most this long ago. */
const confirmedForMs = 10 * 60_000;

/** Somebody who is signed in, with a second factor where one is asked for, and acts for a party that is admitted right now. */
export type BrowserSession = {
  readonly accountId: string;
  readonly party: PartyId;
  readonly kind: AccountKind;
  /** Present for enterprises. */
  readonly subject?: SubjectId;
  /** As whoever invited the person wrote it; null: not told. */
  readonly name: string | null;
  readonly username: string;
  /** SHA-256, lower-case hex: names the session in logs, opens nothing. */
  readonly sessionDigest: string;
  /** What each call that changes something must carry: `verifyCsrf`. */
  readonly csrf: string;
  readonly signedInAtMs: TimeMs;
  /** Whether the person has shown what signs them in within the last ten minutes. */
  readonly confirmed: boolean;
  /** When it ends unless another request comes. */
  readonly idleEndsAtMs: TimeMs;
  readonly absoluteEndsAtMs: TimeMs;
};

/** The pages' sessions, for what else is served at the authorization server's origin. */
export function browserSessions({ database, clock, cookieKeys, secureCookies, isAdmitted }: VisitDependencies) {
  const { names } = visitCookies(secureCookies);
  const tokens = formTokens(cookieKeys);
  const oneTimePasswords = oneTimePasswordKeys(cookieKeys);
  return {
    /** @param cookieHeader the request's Cookie header. @returns undefined when nobody is signed in, or the party is not admitted any more. */
    async read(cookieHeader: string | undefined): Promise<BrowserSession | undefined> {
      const id = cookieId(readCookies(cookieHeader), names.session);
      const session = id === undefined ? undefined : await findSession(database, clock, id);
      if (id === undefined || session === undefined || session.enrolling || !await isAdmitted(session.account.party)) return undefined;
      const { account, startedAtMs, confirmedAtMs, idleEndsAtMs, absoluteEndsAtMs } = session;
      return {
        accountId: account.accountId, party: account.party, kind: account.kind, name: account.personName, username: account.username,
        ...(account.subject === undefined ? {} : { subject: account.subject }),
        sessionDigest: sessionDigest(id), csrf: tokens.make(id), signedInAtMs: startedAtMs, confirmed: confirmedAtMs > clock.nowMs() - confirmedForMs, idleEndsAtMs, absoluteEndsAtMs,
      };
    },
    verifyCsrf({ csrf }: Pick<BrowserSession, 'csrf'>, given: string): boolean {
      const [expected, bytes] = [Buffer.from(csrf, 'base64url'), Buffer.from(given, 'base64url')];
      return expected.length === bytes.length && timingSafeEqual(expected, bytes);
    },
    /** Errors: ACCOUNT_SIGN_IN_FAILED, ACCOUNT_LOCKED. @param typed a one-time password that was not used yet */
    async confirm({ accountId, sessionDigest: digest }: Pick<BrowserSession, 'accountId' | 'sessionDigest'>, typed: string): Promise<void> {
      await confirmOneTimePassword({ database, clock, oneTimePasswords }, accountId, typed);
      await confirmSession(database, clock, digest);
    },
    end: (session: Pick<BrowserSession, 'sessionDigest'>): Promise<void> => endSession(database, session.sessionDigest),
  };
}
