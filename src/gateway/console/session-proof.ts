import type { BrowserSession } from '../../authorization/browser-session.ts';
import { VeilgateError } from '../../errors.ts';
import type { ReadProof } from '../app-route.ts';

/** What the console needs of the authorization server's sessions. */
export type Sessions = {
  readonly read: (cookie: string | undefined) => Promise<BrowserSession | undefined>;
  readonly verifyCsrf: (session: BrowserSession, given: string) => boolean;
  /** Errors: ACCOUNT_SIGN_IN_FAILED, ACCOUNT_LOCKED. */
  readonly confirm: (session: BrowserSession, oneTimePassword: string) => Promise<void>;
  readonly end: (session: BrowserSession) => Promise<void>;
};

/** Sent by our own script with every call but the first; a form or a link of another site cannot. The SDK names it too (sdk/session.ts). */
const csrfHeader = 'veilgate-csrf';
const reading: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Who calls the console's interface: a session of this issuer, asked for by a page of its own origin. A page elsewhere can
 * make a browser send the cookie, but neither our origin nor the session's own token. Errors: SESSION_MISSING, SESSION_FORGED.
 */
export function readSessionProof(sessions: Sessions, issuerUrl: string): ReadProof {
  const { origin } = new URL(issuerUrl);
  return async ({ headers, method, path }) => {
    const site = headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin') throw forged();
    if (headers.origin !== undefined && headers.origin !== origin) throw forged();
    const browser = await sessions.read(headers.cookie);
    if (browser === undefined) throw new VeilgateError('SESSION_MISSING', 'Nobody is signed in with this browser, or the session has ended: sign in, then try again.');
    // reading is an access too, which may be logged and counted; where the session itself is read, the page learns its token
    if (!(reading.has(method) && path === '/session')) {
      const given = headers[csrfHeader];
      if (typeof given !== 'string' || !sessions.verifyCsrf(browser, given)) throw forged();
    }
    if (!reading.has(method) && headers.origin === undefined) throw forged();
    return { authorization: undefined, dpop: undefined, method, url: '', session: { party: browser.party, issuer: issuerUrl, id: browser.sessionDigest, browser } };
  };
}

function forged(): VeilgateError {
  return new VeilgateError('SESSION_FORGED', 'The request did not come from this console\'s own page in this session: reload the page and try again.');
}
