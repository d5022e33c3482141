import * as oauth from 'oauth4webapi';
import type { AskedTerms } from '../vocabulary.ts';
import { VeilgateError } from '../errors.ts';
import { named } from './authorization-fault.ts';
import { withFreshNonce, type Connection } from './connection.ts';

export type ConsentRequest = AskedTerms;

/** A consent request under way: send the enterprise's representative to `url`, then call `finish`. */
export type PendingConsent = {
  readonly url: string;
  /** @param callback the full redirect URL the representative's browser came back to */
  readonly finish: (callback: string) => Promise<GrantedConsent>;
};

/** What finishes a consent request; whoever keeps it beyond the process keeps it secret, with the connection's DPoP key. */
export type ConsentSecrets = { readonly state: string; readonly verifier: string; readonly redirectUri: string };

/** What the bank holds after the enterprise consented. */
export type GrantedConsent = {
  readonly grant: string;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
};

/** Asks for consent and finishes it in one process. Errors: those of beginConsent and finishConsent. */
export async function requestConsent(connection: Connection, request: ConsentRequest, redirectUri: string): Promise<PendingConsent> {
  const { url, secrets } = await beginConsent(connection, request, redirectUri);
  return { url, finish: (callback) => finishConsent(connection, secrets, callback) };
}

/**
 * PAR + PKCE + DPoP (FAPI 2.0): the request itself never passes through the browser. The code that comes back is
 * bound to the connection's DPoP key. Errors: CONSENT_*, POLICY_PURPOSE_UNKNOWN, PARTY_NOT_PERMITTED, TOKEN_*.
 */
export async function beginConsent(connection: Connection, request: ConsentRequest, redirectUri: string): Promise<{ readonly url: string; readonly secrets: ConsentSecrets }> {
  const { server, client, authentication, dpop, http } = connection.authorization;
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const parameters = {
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'query',
    resource: connection.gateway,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    authorization_details: JSON.stringify([{ type: 'veilgate_consent', ...request }]),
  };
  const pushed = await named(withFreshNonce(async () =>
    oauth.processPushedAuthorizationResponse(server, client, await oauth.pushedAuthorizationRequest(server, client, authentication, parameters, { DPoP: dpop, ...http }))));
  const url = new URL(server.authorization_endpoint ?? '');
  url.searchParams.set('client_id', client.client_id);
  url.searchParams.set('request_uri', pushed.request_uri);
  return { url: url.href, secrets: { state, verifier, redirectUri } };
}

/**
 * Redeems the code of a callback. The connection must have the DPoP key the request was begun with.
 * Errors: CONSENT_REQUIRED when the enterprise declined, CONSENT_INVALID for a callback of another request, TOKEN_*.
 */
export async function finishConsent(connection: Connection, { state, verifier, redirectUri }: ConsentSecrets, callback: string): Promise<GrantedConsent> {
  const { server, client, authentication, dpop, http } = connection.authorization;
  return named((async () => {
    const answer = oauth.validateAuthResponse(server, client, callbackUrl(callback), state);
    const tokens = await withFreshNonce(async () =>
      oauth.processAuthorizationCodeResponse(
        server,
        client,
        await oauth.authorizationCodeGrantRequest(server, client, authentication, answer, redirectUri, verifier, { DPoP: dpop, additionalParameters: { resource: connection.gateway }, ...http }),
      ));
    return granted(tokens);
  })());
}

/** New tokens for a consent that was given before. Errors: TOKEN_*, PARTY_NOT_PERMITTED. */
export async function refreshConsent(connection: Connection, consent: GrantedConsent): Promise<GrantedConsent> {
  const { server, client, authentication, dpop, http } = connection.authorization;
  const tokens = await named(withFreshNonce(async () =>
    oauth.processRefreshTokenResponse(
      server,
      client,
      await oauth.refreshTokenGrantRequest(server, client, authentication, consent.refreshToken ?? '', { DPoP: dpop, additionalParameters: { resource: connection.gateway }, ...http }),
    )));
  return granted(tokens);
}

function callbackUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new VeilgateError('CONSENT_INVALID', 'This is no callback URL: copy all of it from the browser\'s address line.');
  return url;
}

function granted(tokens: oauth.TokenEndpointResponse): GrantedConsent {
  const details = tokens.authorization_details?.[0] as { readonly grant?: string } | undefined;
  if (details?.grant === undefined) throw new VeilgateError('CONSENT_INVALID', 'The authorization server answered without a grant: ask the platform.');
  return { grant: details.grant, accessToken: tokens.access_token, refreshToken: tokens.refresh_token };
}
