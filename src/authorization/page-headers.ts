import helmet from 'helmet';
import type { RequestHandler, Response } from 'express';

/** Nothing may be loaded but our style sheet, nothing may frame us, no script runs but our own where a page needs it. */
function contentSecurity(formTargets: readonly string[], scripts: readonly string[] = []): RequestHandler {
  return helmet.contentSecurityPolicy({
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      ...(scripts.length === 0 ? {} : { scriptSrc: scripts }),
      formAction: ["'self'", ...formTargets],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
    },
  });
}

/** Headers of every answer of this server. */
export function pageHeaders(issuer: string): readonly RequestHandler[] {
  const https = new URL(issuer).protocol === 'https:';
  return [
    helmet({
      contentSecurityPolicy: false,
      frameguard: { action: 'deny' },
      // not no-referrer: with it browsers send `Origin: null` with our own forms
      referrerPolicy: { policy: 'same-origin' },
      strictTransportSecurity: https ? { maxAge: 31_536_000, includeSubDomains: true } : false,
    }),
    contentSecurity([]),
    (_request, response, next) => {
      response.setHeader('Cache-Control', 'no-store');
      next();
    },
  ];
}

/** Lets this one page load the script of passkeys. */
export function allowOwnScript(response: Response): void {
  void contentSecurity([], ["'self'"])(response.req, response, () => {});
}

/**
 * Lets the forms of this one page end at the institution: browsers hold the redirects
 * that follow a form to `form-action` as well.
 */
export function allowFormsToReach(response: Response, redirectUri: unknown): void {
  const url = typeof redirectUri === 'string' ? URL.parse(redirectUri) : null;
  if (url === null) return;
  const target = url.origin === 'null' ? url.protocol : url.origin;
  if (!/^[a-z0-9.:[\]/+-]+$/i.test(target)) return;
  void contentSecurity([target])(response.req, response, () => {});
}
