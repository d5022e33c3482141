import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import type { PartyId } from '../vocabulary.ts';
import type { Account } from './accounts.ts';
import { cookieId, formTokens, readCookies, visitCookies } from './cookies.ts';
import { chooseLanguage, type Language } from './pages/language.ts';
import type { PageFrame } from './pages/layout.ts';
import { endSession, findSession, sessionDigest, startSession, type Session } from './sessions.ts';

export type VisitDependencies = {
  readonly issuer: string;
  readonly database: Database;
  readonly clock: Clock;
  readonly cookieKeys: readonly string[];
  readonly secureCookies: boolean;
  /** Whether the registry lets the party in right now: asked at every request, so that suspension acts at once. */
  readonly isAdmitted: (party: PartyId) => Promise<boolean>;
};

/** One browser at our pages: who is signed in, and what its forms must carry. */
export type Visit = {
  readonly account: Account | undefined;
  /** Who has activated an account and may enrol its second factor, nothing else. */
  readonly enrolling: Account | undefined;
  /** What its cookie holds: a secret of this browser, new with each sign-in. */
  readonly browserId: string;
  readonly language: Language;
  readonly frame: PageFrame;
};

export type Visits = ReturnType<typeof createVisits>;

/**
 * Cookies of the pages. A browser that is not signed in carries a random id, one that is carries its session;
 * forms carry an HMAC of whichever it is, so a form works only in the browser it was made for and dies with sign-in.
 */
export function createVisits({ issuer, database, clock, cookieKeys, secureCookies, isAdmitted }: VisitDependencies) {
  const { origin, pathname } = new URL(issuer);
  const base = pathname.replace(/\/$/, '');
  const { names, attributes } = visitCookies(secureCookies);
  const tokens = formTokens(cookieKeys);

  const find = async (request: Request, response: Response): Promise<{ id: string; session: Session | undefined }> => {
    const cookies = readCookies(request.headers.cookie);
    const id = cookieId(cookies, names.session);
    const session = id === undefined ? undefined : await findSession(database, clock, id);
    if (id !== undefined && session !== undefined && await isAdmitted(session.account.party)) return { id, session };
    const known = cookieId(cookies, names.visit);
    if (known !== undefined) return { id: known, session: undefined };
    const fresh = randomBytes(32).toString('base64url');
    response.cookie(names.visit, fresh, attributes);
    return { id: fresh, session: undefined };
  };

  const open = async (request: Request, response: Response): Promise<Visit> => {
    const { id, session } = await find(request, response);
    const asked = typeof request.query['lang'] === 'string' ? request.query['lang'] : undefined;
    const language = chooseLanguage([asked, readCookies(request.headers.cookie).get(names.language)], request.headers['accept-language']);
    if (asked === language) response.cookie(names.language, language, attributes);
    const account = session?.enrolling === false ? session.account : undefined;
    // a page that answers a POST is offered in the other language where it can be fetched again
    const here = request.method === 'GET' ? request.originalUrl : base + request.path;
    const signedIn = account === undefined ? {} : { signedIn: { as: account.subject ?? account.username, kind: account.kind } };
    return {
      browserId: id, account, enrolling: session?.enrolling === true ? session.account : undefined,
      language, frame: { language, base, here, csrf: tokens.make(id), ...signedIn },
    };
  };

  const endFormer = async (request: Request): Promise<void> => {
    const before = cookieId(readCookies(request.headers.cookie), names.session);
    if (before !== undefined) await endSession(database, sessionDigest(before));
  };

  return {
    base,
    /** For pages that only show something. */
    visit: async (request: Request, response: Response): Promise<Visit> => open(request, response),

    /** For everything a form does. Errors: REQUEST_INVALID when the form did not come from our page in this browser. */
    async submission(request: Request, response: Response, csrf: string): Promise<Visit> {
      const site = request.headers['sec-fetch-site'];
      if (request.headers.origin !== origin || (site !== undefined && site !== 'same-origin')) throw forged();
      const opened = await open(request, response);
      if (!tokens.isGenuine(opened.browserId, csrf)) throw forged();
      return opened;
    },

    /** Starts a new session and ends the one the browser may have had. @param enrolling only for a second factor. Errors: ACCOUNT_NOT_ADMITTED. */
    async signedIn(request: Request, response: Response, account: Account, enrolling = false): Promise<void> {
      if (!await isAdmitted(account.party)) {
        throw new VeilgateError('ACCOUNT_NOT_ADMITTED', 'The organisation you act for is not admitted right now: ask the platform\'s registrar.');
      }
      await endFormer(request);
      response.cookie(names.session, await startSession(database, clock, account.accountId, enrolling), attributes);
      response.clearCookie(names.visit, attributes);
    },

    async signedOut(request: Request, response: Response): Promise<void> {
      await endFormer(request);
      response.clearCookie(names.session, attributes);
    },
  };
}

function forged(): VeilgateError {
  return new VeilgateError('REQUEST_INVALID', 'The form is no longer valid: go back, reload the page and try again.', { reason: 'form token' });
}
