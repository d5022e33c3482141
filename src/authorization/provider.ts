import type { JWK } from 'jose';
import { Provider, errors, interactionPolicy, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import type { Clock } from '../clock.ts';
import { isVeilgateError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import type { Scope } from '../vocabulary.ts';
import { findAccount } from './accounts.ts';
import { clientAdapter, consentType, type FindClient } from './clients.ts';
import type { ConsentDesk } from './consent-desk.ts';
import { parseConsentRequest, termsOf } from './consent-request.ts';
import { recordIssuedToken, type OnTokenRevoked } from './issued-tokens.ts';
import { stateAdapter } from './state.ts';

export type ProviderOptions = {
  /** Public URL without a slash at the end; its path is where the app is mounted. http only on the loopback interface. */
  readonly issuer: string;
  /** What `aud` of access tokens says, and the only `resource` a client may name: the gateway's URL. */
  readonly gatewayAudience: string;
  readonly database: Database;
  readonly clock: Clock;
  /** Private Ed25519 JWKs with `kid`; the first signs, all are published. */
  readonly signingKeys: readonly JWK[];
  /** At least one, 32 characters or more each; the first signs, all verify. */
  readonly cookieKeys: readonly string[];
  /** 32 bytes, the same on all nodes. */
  readonly dpopNonceSecret: Uint8Array;
  readonly findClient: FindClient;
  readonly consent: ConsentDesk;
  readonly onTokenRevoked: OnTokenRevoked;
  /** True wherever browsers reach the issuer over https. */
  readonly secureCookies: boolean;
};

export type ProviderDependencies = ProviderOptions & {
  /** Shows an error to a person; gets the OAuth error code and a sentence, both safe to show. */
  readonly renderError: (ctx: KoaContextWithOIDC, code: string, sentence: string) => string;
};

/** Paths below the issuer that oidc-provider answers. */
export const oauthRoutes = {
  authorization: '/authorize',
  pushed_authorization_request: '/par',
  token: '/token',
  introspection: '/introspect',
  revocation: '/revoke',
  jwks: '/jwks',
} as const;

const accessTokenLifetimeS = 300;
/** Time a representative has to read and decide. */
const interactionLifetimeS = 1800;
const codeLifetimeS = 60;
/** How far ahead a client assertion may expire; its jti is remembered until then. */
const assertionLifetimeMaxS = 300;
const refreshLifetimeMaxS = 3660 * 86_400;
const signatures = ['ES256', 'Ed25519', 'EdDSA'] as const;
const scopes: readonly Scope[] = ['query', 'grants', 'records', 'registry', 'compliance', 'audit'];

/** What tokens of one consent carry; `valid_until_s` stays inside the server. */
export type GrantedDetail = { readonly type: typeof consentType; readonly grant: string; readonly valid_until_s?: number };

/** oidc-provider set up as an authorization server after the FAPI 2.0 Security Profile, without ID tokens. */
export function createProvider(dependencies: ProviderDependencies): Provider {
  const { issuer, clock, database, findClient } = dependencies;
  const clients = clientAdapter(findClient);
  return new Provider(issuer, {
    adapter: (kind: string) => (kind === 'Client' ? clients : stateAdapter(kind, dependencies)),
    jwks: { keys: dependencies.signingKeys.map((key) => ({ alg: 'EdDSA', use: 'sig', ...key })) },
    routes: { ...oauthRoutes },
    cookies: cookies(dependencies),
    features: features(dependencies),
    scopes: [...scopes],
    responseTypes: ['code'],
    clientAuthMethods: ['private_key_jwt'],
    clientDefaults: { id_token_signed_response_alg: 'EdDSA' },
    enabledJWA: {
      clientAuthSigningAlgValues: [...signatures, 'PS256'],
      dPoPSigningAlgValues: [...signatures],
      idTokenSigningAlgValues: ['EdDSA'],
    },
    clockTolerance: 10,
    allowOmittingSingleRegisteredRedirectUri: false,
    clientBasedCORS: () => false,
    assertJwtClientAuthClaimsAndHeader: assertShortAndForUs,
    extraParams: { authorization_details: requireOneConsent },
    pkce: { required: () => true },
    interactions: {
      policy: [alwaysAsk()],
      url: (_ctx, interaction) => `${new URL(issuer).pathname.replace(/\/$/, '')}/consent/${interaction.uid}`,
    },
    // consent is an enterprise's: nobody else's account stands behind a token
    findAccount: async (_ctx, id) => {
      const account = await findAccount(database, id);
      return account?.subject === undefined ? undefined : { accountId: account.accountId, claims: () => ({ sub: account.accountId }) };
    },
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client, code) => code.kind === 'AuthorizationCode' && client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    revokeGrantPolicy: () => true,
    formats: { customizers: { jwt: (_ctx, token, jwt) => record(database, token, jwt.payload) } },
    ttl: {
      AccessToken: accessTokenLifetimeS,
      ClientCredentials: accessTokenLifetimeS,
      AuthorizationCode: codeLifetimeS,
      Interaction: interactionLifetimeS,
      Session: interactionLifetimeS,
      IdToken: codeLifetimeS,
      Grant: (_ctx, grant) => lifetimeOfConsent(grant.rar, clock),
      RefreshToken: (_ctx, token) => lifetimeOfConsent(token.rar, clock),
    },
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.body = dependencies.renderError(ctx, out.error, out.error === 'server_error' ? '' : (out.error_description ?? ''));
    },
  });
}

function cookies({ secureCookies, cookieKeys }: ProviderDependencies): NonNullable<Configuration['cookies']> {
  const prefix = secureCookies ? '__Secure-' : '';
  const attributes = { httpOnly: true, sameSite: 'lax', secure: secureCookies, signed: true } as const;
  return {
    names: { session: `${prefix}veilgate_oauth`, interaction: `${prefix}veilgate_interaction`, resume: `${prefix}veilgate_resume` },
    long: attributes,
    short: attributes,
    keys: [...cookieKeys],
  };
}

function features(dependencies: ProviderDependencies): NonNullable<Configuration['features']> {
  return {
    fapi: { enabled: true, profile: '2.0' },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true, allowUnregisteredRedirectUris: false },
    dPoP: { enabled: true, nonceSecret: Buffer.from(dependencies.dpopNonceSecret), requireNonce: () => true, allowReplay: false },
    clientCredentials: { enabled: true },
    // refresh tokens only: JWT access tokens are answered by token-state.ts
    introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => dependencies.gatewayAudience,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => gatewayAsResource(ctx, resource, dependencies),
    },
    richAuthorizationRequests: {
      enabled: true,
      types: { [consentType]: { validate: (ctx, detail) => validateConsent(ctx, detail, dependencies) } },
      authorizationDetailsForGrantSource: (ctx) => ctx.oidc.entities.Grant?.rar,
      authorizationDetailsForAccessToken: (_ctx, _token, source) => publicDetails(source?.rar),
      authorizationDetailsForIntrospection: (_ctx, token) => publicDetails(token.rar),
    },
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
  };
}

/** A representative is asked each time: a grant is never reused for another request. */
function alwaysAsk(): interactionPolicy.Prompt {
  const { Check, Prompt } = interactionPolicy;
  return new Prompt(
    { name: 'consent', requestable: true },
    new Check('consent_required', 'the enterprise must decide about this request', (ctx) =>
      ctx.oidc.result?.consent === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT),
  );
}

/** FAPI 2.0, 5.3.2.1: the issuer as only audience. A far expiry would have to be remembered that long. */
function assertShortAndForUs(ctx: KoaContextWithOIDC, claims: { readonly aud?: unknown; readonly exp?: unknown; readonly jti?: unknown }): void {
  if (claims.aud !== ctx.oidc.issuer) throw new errors.InvalidClientAuth('audience (aud) must be the issuer');
  if (typeof claims.exp !== 'number' || claims.exp > Date.now() / 1000 + assertionLifetimeMaxS) throw new errors.InvalidClientAuth('assertion lives too long');
  if (typeof claims.jti !== 'string' || claims.jti.length > 128) throw new errors.InvalidClientAuth('jti must be a string of at most 128 characters');
}

/** Authorization codes exist for consents only: exactly one in each request. */
function requireOneConsent(_ctx: KoaContextWithOIDC, value: unknown): void {
  const details: unknown = typeof value === 'string' ? JSON.parse(value) : undefined; // parsed once before by the library
  if (!Array.isArray(details) || details.length !== 1) throw new errors.InvalidAuthorizationDetails('authorization_details must hold exactly one consent request');
}

async function validateConsent(ctx: KoaContextWithOIDC, detail: unknown, { clock, consent }: ProviderDependencies): Promise<void> {
  if (ctx.oidc.route === 'token') throw new errors.InvalidAuthorizationDetails('a consent request must be pushed to the authorization endpoint');
  try {
    await consent.validate(termsOf(parseConsentRequest(detail), ctx.oidc.client?.clientId ?? '', clock.nowMs()));
  } catch (error) {
    if (isVeilgateError(error) && /^(CONSENT|POLICY|INSTITUTION)_/.test(error.code)) throw new errors.InvalidAuthorizationDetails(`${error.code}: ${error.message}`);
    throw error;
  }
}

function gatewayAsResource(ctx: KoaContextWithOIDC, resource: string, { gatewayAudience }: ProviderDependencies) {
  if (resource !== gatewayAudience) throw new errors.InvalidTarget('the only resource here is the gateway');
  const byCode = ctx.oidc.params?.['grant_type'] !== 'client_credentials';
  if (ctx.oidc.params?.['scope'] === undefined && !byCode) throw new errors.InvalidScope('scope must be given', '');
  return {
    // an enterprise can consent to queries, to nothing else
    scope: byCode ? 'query' : scopes.join(' '),
    audience: gatewayAudience,
    accessTokenFormat: 'jwt' as const,
    accessTokenTTL: accessTokenLifetimeS,
    jwt: { sign: { alg: 'EdDSA' as const } },
  };
}

function publicDetails(rar: readonly object[] | undefined): GrantedDetail[] | undefined {
  return rar?.map((detail) => ({ type: consentType, grant: (detail as GrantedDetail).grant }));
}

function lifetimeOfConsent(rar: readonly object[] | undefined, clock: Clock): number {
  const untilS = (rar?.[0] as GrantedDetail | undefined)?.valid_until_s ?? 0;
  return Math.min(refreshLifetimeMaxS, Math.max(60, untilS - Math.floor(clock.nowMs() / 1000)));
}

type TokenToRecord = { readonly clientId?: string | undefined; readonly grantId?: string | undefined };

async function record(database: Database, token: TokenToRecord, claims: { readonly [claim: string]: unknown }): Promise<void> {
  const { jti, exp } = claims;
  if (typeof jti !== 'string' || typeof exp !== 'number' || token.clientId === undefined) throw new Error('access token without jti, exp or client');
  await recordIssuedToken(database, { jti, clientId: token.clientId, oauthGrant: token.grantId, expiresAtMs: exp * 1000 });
}
