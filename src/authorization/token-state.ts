import { createLocalJWKSet, jwtVerify, type JWK, type JWTPayload } from 'jose';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Clock } from '../clock.ts';
import type { Database } from '../store/database.ts';
import { isIssuedToken, revokeIssuedToken, type OnTokenRevoked } from './issued-tokens.ts';

export type TokenStateDependencies = {
  readonly issuer: string;
  readonly database: Database;
  readonly clock: Clock;
  readonly signingKeys: readonly JWK[];
  readonly onTokenRevoked: OnTokenRevoked;
};

/**
 * oidc-provider refuses to revoke or inspect JWT access tokens because it keeps none of them
 * (`unsupported_token_type`, an answer it gives only after it has authenticated the client).
 * This server does keep their ids, so it takes over from there (RFC 7009, RFC 7662).
 */
export function answerForAccessTokens(provider: Provider, dependencies: TokenStateDependencies): void {
  const keys = createLocalJWKSet({ keys: dependencies.signingKeys.map(publicPart) });
  const claimsOf = async (token: unknown): Promise<JWTPayload | undefined> => {
    if (typeof token !== 'string') return undefined;
    try {
      const { payload } = await jwtVerify(token, keys, { issuer: dependencies.issuer, typ: 'at+jwt', algorithms: ['EdDSA'] });
      return payload;
    } catch {
      return undefined;
    }
  };

  provider.use(async (ctx: KoaContextWithOIDC, next: () => Promise<void>) => {
    await next();
    const route: string | undefined = ctx.oidc?.route;
    if (route !== 'revocation' && route !== 'introspection') return;
    const client = ctx.oidc.client?.clientId;
    if (client === undefined || (ctx.body as { error?: unknown } | undefined)?.error !== 'unsupported_token_type') return;
    const claims = await claimsOf(ctx.oidc.params?.['token']);
    const { database, clock, onTokenRevoked } = dependencies;
    ctx.status = 200;
    if (route === 'revocation') {
      if (claims?.jti !== undefined) await revokeIssuedToken(database, clock, claims.jti, client, onTokenRevoked);
      ctx.remove('Content-Type');
      ctx.body = '';
      return;
    }
    const active = claims?.jti !== undefined && (await isIssuedToken(database, clock, claims.jti, client));
    ctx.body = active ? { active: true, token_type: 'DPoP', ...claims } : { active: false };
  });
}

function publicPart(key: JWK): JWK {
  const { d: _private, ...open } = key;
  return open;
}
