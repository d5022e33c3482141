import { readFileSync } from 'node:fs';
import path from 'node:path';
import express, { type RequestHandler } from 'express';
import type { Provider } from 'oidc-provider';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { accountRoutes } from './account-routes.ts';
import { consentRoutes } from './consent-routes.ts';
import { bodyBytesMax } from './forms.ts';
import { grantRoutes } from './grant-routes.ts';
import type { OnActivated } from './invitations.ts';
import type { Log } from './log.ts';
import { finishAnswers } from './oauth-answers.ts';
import { showError, showOAuthError } from './page-errors.ts';
import { pageHeaders } from './page-headers.ts';
import { texts } from './pages/language.ts';
import { passkeyRoutes } from './passkey-routes.ts';
import { createProvider, oauthRoutes, type ProviderOptions } from './provider.ts';
import { secondFactorRoutes } from './second-factor-routes.ts';
import { answerForAccessTokens } from './token-state.ts';
import { createVisits, type VisitDependencies, type Visits } from './visits.ts';

export type AuthorizationServerOptions = ProviderOptions & VisitDependencies & {
  /** Writes an activation to the platform's log, in the same transaction. */
  readonly onActivated?: OnActivated;
  readonly log?: Log;
  /** The consoles, served below /console at this origin: where people land who asked for nothing else. */
  readonly consoles?: RequestHandler;
  /** What keeps one address from taking this server, and the database behind it, away from the others. The consoles count for themselves. */
  readonly limits?: {
    /** Takes a place among the requests under way. Errors: REQUEST_OVERLOADED. */
    readonly enter: () => void;
    readonly leave: () => void;
    /** Counts a request of this address. Errors: REQUEST_RATE_LIMITED. */
    readonly anonymous: (address: string) => Promise<void>;
  };
  /** True behind one reverse proxy that ends TLS and sets X-Forwarded-For. */
  readonly behindProxy?: boolean;
};

export type PageDependencies = Pick<AuthorizationServerOptions, 'issuer' | 'database' | 'clock' | 'cookieKeys' | 'consent' | 'gatewayAudience' | 'onActivated'> & {
  readonly hasConsole: boolean;
  readonly provider: Provider;
  readonly visits: Visits;
  readonly log: Log;
};

/**
 * The authorization server as an express app: OAuth endpoints of oidc-provider and the pages for people.
 * Mount it where the issuer's path says. It keeps no timers and no state outside the database.
 * Errors: CONFIG_INSECURE, CONFIG_INVALID.
 */
export function createAuthorizationServer(options: AuthorizationServerOptions): express.Express {
  vetOptions(options);
  const log: Log = options.log ?? (() => {});
  const provider = createProvider({ ...options, renderError: showOAuthError(options.issuer) });
  provider.proxy = options.behindProxy ?? false;
  finishAnswers(provider, log);
  answerForAccessTokens(provider, options);
  const visits = createVisits(options);
  const pages: PageDependencies = { ...options, provider, visits, log, hasConsole: options.consoles !== undefined };

  const app = express();
  app.disable('etag');
  app.set('trust proxy', options.behindProxy === true ? 1 : false);
  app.use(...pageHeaders(options.issuer), onlyForIssuer(options));
  if (options.consoles !== undefined) app.use('/console', options.consoles);
  if (options.limits !== undefined) app.use(withinLimits(options.limits));
  app.use(refuseLargeBodies);
  app.get('/assets/veilgate.css', asset('veilgate.css'));
  app.get('/assets/passkeys.js', asset('passkeys.js'));
  app.use(accountRoutes(pages), secondFactorRoutes(pages), passkeyRoutes(pages), consentRoutes(pages), grantRoutes(pages));
  app.use(oauthEndpoints(provider));
  app.use(() => {
    throw new VeilgateError('REQUEST_NOT_FOUND', texts.en.notFound);
  });
  app.use(showError(visits.base, log));
  return app;
}

function vetOptions({ issuer, secureCookies, cookieKeys, dpopNonceSecret, signingKeys }: AuthorizationServerOptions): void {
  const { protocol, hostname, href, search, hash } = new URL(issuer);
  const loopback = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  if (protocol !== 'https:' && !loopback) throw new VeilgateError('CONFIG_INSECURE', 'The issuer must be an https URL: plain http is for 127.0.0.1 only.');
  if (protocol === 'https:' && !secureCookies) throw new VeilgateError('CONFIG_INSECURE', 'With an https issuer cookies must be secure: set secureCookies.');
  if (issuer.endsWith('/') || href.replace(/\/$/, '') !== issuer || search !== '' || hash !== '') throw new VeilgateError('CONFIG_INVALID', 'The issuer must be a normal URL without a slash, query or fragment at the end.');
  if (cookieKeys.length === 0 || cookieKeys.some((key) => key.length < 32)) throw new VeilgateError('CONFIG_INSECURE', 'Give at least one cookie key, each of 32 characters or more.');
  if (dpopNonceSecret.byteLength !== 32) throw new VeilgateError('CONFIG_INSECURE', 'The DPoP nonce secret must be 32 bytes.');
  if (signingKeys.length === 0 || signingKeys.some((key) => key.crv !== 'Ed25519' || key.d === undefined || key.kid === undefined)) {
    throw new VeilgateError('CONFIG_INVALID', 'Signing keys must be private Ed25519 JWKs with a kid.');
  }
}

/** Addresses in answers come from the configuration, never from the Host header of a request. */
function onlyForIssuer({ issuer, behindProxy }: AuthorizationServerOptions): RequestHandler {
  const { host, protocol } = new URL(issuer);
  return (request, _response, next) => {
    if (behindProxy === true) {
      request.headers.host = host;
      request.headers['x-forwarded-proto'] = protocol.slice(0, -1);
      delete request.headers['x-forwarded-host'];
    } else if (request.headers.host !== host) {
      throw new VeilgateError('REQUEST_INVALID', 'The request is addressed to another host than this server\'s.');
    }
    next();
  };
}

function withinLimits({ enter, leave, anonymous }: NonNullable<AuthorizationServerOptions['limits']>): RequestHandler {
  const endpoints = new Set<string>(Object.values(oauthRoutes));
  return async (request, response, next) => {
    try {
      enter();
      response.once('close', leave);
      await anonymous(request.ip ?? '');
    } catch (error) {
      // programs read no pages
      if (!isVeilgateError(error) || request.method !== 'POST' || !endpoints.has(request.path)) throw error;
      response.setHeader('Retry-After', String(error.detail?.['retryAfterSeconds'] ?? 1));
      response.status(429).json({ error: 'temporarily_unavailable', error_description: `${error.code}: ${error.message}` });
      return;
    }
    next();
  };
}

const refuseLargeBodies: RequestHandler = (request, _response, next) => {
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) throw new VeilgateError('REQUEST_TOO_LARGE', texts.en.tooLarge);
  next();
};

function asset(name: 'veilgate.css' | 'passkeys.js'): RequestHandler {
  const text = readFileSync(path.join(import.meta.dirname, 'pages', name), 'utf8');
  return (_request, response) => {
    response.setHeader('Cache-Control', 'public, max-age=3600');
    response.type(path.extname(name)).send(text);
  };
}

/** Only what this server means to offer reaches the library, which would answer more. */
function oauthEndpoints(provider: Provider): RequestHandler {
  const offered = new Set<string>([...Object.values(oauthRoutes), '/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']);
  const resume = new RegExp(`^${oauthRoutes.authorization}/[A-Za-z0-9_-]{1,64}$`);
  const answer = provider.callback();
  return (request, response, next) => {
    if (offered.has(request.path) || resume.test(request.path)) void answer(request, response);
    else next();
  };
}
