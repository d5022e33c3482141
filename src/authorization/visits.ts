import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import type { EnterpriseAccount } from './accounts.ts';
import { chooseLanguage, type Language } from './pages/language.ts';
import type { PageFrame } from './pages/layout.ts';
import { endSession, findSession, startSession } from './sessions.ts';

export type VisitDependencies = {
  readonly issuer: string;
  readonly database: Database;
  readonly clock: Clock;
  readonly cookieKeys: readonly string[];
  readonly secureCookies: boolean;
};

/** One browser at our pages: who is signed in, and what its forms must carry. */
export type Visit = {
  readonly account: EnterpriseAccount | undefined;
  /** What its cookie holds: a secret of this browser, new with each sign-in. */
  readonly browserId: string;
  readonly language: Language;
  readonly frame: PageFrame;
};

export type Visits = ReturnType<typeof createVisits>;

const cookieIdShape = /^[A-Za-z0-9_-]{43}$/;

/**
 * Cookies of the pages. A browser that is not signed in carries a random id, one that is carries its session;
 * forms carry an HMAC of whichever it is, so a form works only in the browser it was made for and dies with sign-in.
 */
export function createVisits({ issuer, database, clock, cookieKeys, secureCookies }: VisitDependencies) {
  const { origin, pathname } = new URL(issuer);
  const base = pathname.replace(/\/$/, '');
  // __Host-: a neighbour domain cannot plant these cookies
  const prefix = secureCookies ? '__Host-' : '';
  const names = { session: `${prefix}veilgate_session`, visit: `${prefix}veilgate_visit`, language: `${prefix}veilgate_lang` };
  const attributes = { httpOnly: true, sameSite: 'lax', secure: secureCookies, path: '/' } as const;
  const formKeys = cookieKeys.map((key) => Buffer.from(hkdfSync('sha256', key, '', 'veilgate form token', 32)));
  const formToken = (id: string, key: Buffer) => createHmac('sha256', key).update(id).digest();

  const cookieId = async (request: Request, response: Response): Promise<{ id: string; account: EnterpriseAccount | undefined }> => {
    const cookies = readCookies(request.headers.cookie);
    const session = cookies.get(names.session);
    if (session !== undefined && cookieIdShape.test(session)) {
      const account = await findSession(database, clock, session);
      if (account !== undefined) return { id: session, account };
    }
    const known = cookies.get(names.visit);
    if (known !== undefined && cookieIdShape.test(known)) return { id: known, account: undefined };
    const id = randomBytes(32).toString('base64url');
    response.cookie(names.visit, id, attributes);
    return { id, account: undefined };
  };

  const open = async (request: Request, response: Response): Promise<Visit> => {
    const { id, account } = await cookieId(request, response);
    const asked = typeof request.query['lang'] === 'string' ? request.query['lang'] : undefined;
    const language = chooseLanguage([asked, readCookies(request.headers.cookie).get(names.language)], request.headers['accept-language']);
    if (asked === language) response.cookie(names.language, language, attributes);
    const csrf = formToken(id, formKeys[0] ?? Buffer.alloc(32)).toString('base64url');
    // a page that answers a POST is offered in the other language where it can be fetched again
    const here = request.method === 'GET' ? request.originalUrl : base + request.path;
    return { browserId: id, account, language, frame: { language, base, here, csrf, ...(account === undefined ? {} : { subject: account.subject }) } };
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
      const given = Buffer.from(csrf, 'base64url');
      const genuine = formKeys.some((key) => {
        const expected = formToken(opened.browserId, key);
        return given.length === expected.length && timingSafeEqual(given, expected);
      });
      if (!genuine) throw forged();
      return opened;
    },

    /** Starts a new session and ends the one the browser may have had. */
    async signedIn(request: Request, response: Response, account: EnterpriseAccount): Promise<void> {
      const before = readCookies(request.headers.cookie).get(names.session);
      if (before !== undefined) await endSession(database, before);
      response.cookie(names.session, await startSession(database, clock, account.accountId), attributes);
      response.clearCookie(names.visit, attributes);
    },

    async signedOut(request: Request, response: Response): Promise<void> {
      const session = readCookies(request.headers.cookie).get(names.session);
      if (session !== undefined) await endSession(database, session);
      response.clearCookie(names.session, attributes);
    },
  };
}

function forged(): VeilgateError {
  return new VeilgateError('REQUEST_INVALID', 'The form is no longer valid: go back, reload the page and try again.', { reason: 'form token' });
}

/** RFC 6265 cookie header; of a name that occurs twice the first counts, as servers commonly take it. */
function readCookies(header: string | undefined): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).trim();
    if (at > 0 && !cookies.has(name)) cookies.set(name, pair.slice(at + 1).trim());
  }
  return cookies;
}
