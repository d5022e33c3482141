import type { KoaContextWithOIDC, Provider, errors } from 'oidc-provider';
import { faultFacts, type Log } from './log.ts';

/** Events of oidc-provider that tell of a refusal. */
const refusals = ['pushed_authorization_request.error', 'authorization.error', 'grant.error', 'revocation.error', 'introspection.error'] as const;

/** What the library does not do itself: our words for faults, honest metadata, no session left behind, a log. */
export function finishAnswers(provider: Provider, log: Log): void {
  provider.use(async (ctx: KoaContextWithOIDC, next: () => Promise<void>) => {
    try {
      await next();
    } catch (error) {
      log('server_error', faultFacts(error));
      ctx.status = 500;
      ctx.body = { error: 'server_error' };
    }
    const body = ctx.body as Record<string, unknown> | undefined;
    if (typeof body === 'object' && body['error'] === 'server_error') {
      body['error_description'] = 'the server cannot answer right now, nothing was changed: try again in a few seconds';
    }
    const route: string | undefined = ctx.oidc?.route;
    if (route === 'discovery' && body !== undefined) describeHonestly(body);
    if (route === 'resume') await forgetSession(provider, ctx);
  });
  // koa prints what it thinks is unexpected; every fault passes the middleware above instead
  provider.silent = true;
  listen(provider, log);
}

/** The library lists what it could do; this server offers less. */
function describeHonestly(metadata: Record<string, unknown>): void {
  metadata['response_modes_supported'] = ['query'];
  metadata['scopes_supported'] = (metadata['scopes_supported'] as string[]).filter((scope) => scope !== 'openid');
  metadata['tls_client_certificate_bound_access_tokens'] = false;
}

/**
 * Our own sign-in decides who is at the browser, at each request anew. The library's session would outlive
 * sign-out, so it ends with the answer it was made for.
 */
async function forgetSession(provider: Provider, ctx: KoaContextWithOIDC): Promise<void> {
  const { session } = ctx.oidc;
  if (session === undefined) return;
  await session.destroy();
  ctx.cookies.set(provider.cookieName('session'), null, { overwrite: true, path: '/' });
}

function listen(provider: Provider, log: Log): void {
  for (const event of refusals) {
    // one signature for all five: the declared overloads differ only in the event's name
    provider.on(event as 'grant.error', (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) =>
      log(event, { error: error.error ?? error.name, client: ctx.oidc?.client?.clientId ?? '' }));
  }
  provider.on('server_error', (_ctx, error) => log('server_error', faultFacts(error)));
  provider.on('grant.success', (ctx) => log('token.issued', { client: ctx.oidc.client?.clientId ?? '', grant_type: String(ctx.oidc.params?.['grant_type'] ?? '') }));
  provider.on('grant.revoked', (ctx) => log('oauth_grant.revoked', { client: ctx.oidc.client?.clientId ?? '' }));
}
