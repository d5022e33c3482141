import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

const cookieIdShape = /^[A-Za-z0-9_-]{43}$/;

/** Names and attributes of the cookies of pages and console. */
export function visitCookies(secureCookies: boolean) {
  // __Host-: a neighbour domain cannot plant these cookies
  const prefix = secureCookies ? '__Host-' : '';
  return {
    names: { session: `${prefix}veilgate_session`, visit: `${prefix}veilgate_visit`, language: `${prefix}veilgate_lang` },
    attributes: { httpOnly: true, sameSite: 'lax', secure: secureCookies, path: '/' },
  } as const;
}

/** RFC 6265 cookie header; of a name that occurs twice the first counts, as servers commonly take it. */
export function readCookies(header: string | undefined): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).trim();
    if (at > 0 && !cookies.has(name)) cookies.set(name, pair.slice(at + 1).trim());
  }
  return cookies;
}

/** A session's or a browser's id out of a cookie; undefined when it is none of ours. */
export function cookieId(cookies: ReadonlyMap<string, string>, name: string): string | undefined {
  const id = cookies.get(name);
  return id !== undefined && cookieIdShape.test(id) ? id : undefined;
}

/** What forms and calls of one browser must carry: an HMAC of what its cookie holds. @param cookieKeys the first makes, all verify */
export function formTokens(cookieKeys: readonly string[]) {
  const keys = cookieKeys.map((key) => Buffer.from(hkdfSync('sha256', key, '', 'veilgate form token', 32)));
  const tokenOf = (id: string, key: Buffer) => createHmac('sha256', key).update(id).digest();
  return {
    /** base64url */
    make: (id: string): string => tokenOf(id, keys[0] ?? Buffer.alloc(32)).toString('base64url'),
    isGenuine(id: string, given: string): boolean {
      const bytes = Buffer.from(given, 'base64url');
      return keys.some((key) => {
        const expected = tokenOf(id, key);
        return bytes.length === expected.length && timingSafeEqual(bytes, expected);
      });
    },
  };
}
