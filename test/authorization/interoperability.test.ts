import { strict as assert } from 'node:assert';
import * as oauth from 'oauth4webapi';
import { newKeyPair } from './support/bank.ts';
import { agreed, consentDetail, representative, startPlatform, subjectNumber, type Platform } from './support/platform.ts';

/** oauth4webapi is a certified FAPI 2.0 client: what it is content with, others can build on. */
describe('authorization/interoperability', () => {
  let platform: Platform;
  before(async () => { platform = await startPlatform(); });
  after(() => platform.close());

  it('serves a certified client from discovery to revocation, with Ed25519 and with P-256 keys', async () => {
    for (const algorithm of ['Ed25519', 'ES256'] as const) {
      const keys = await oauth.generateKeyPair(algorithm, { extractable: true });
      const jwk = await crypto.subtle.exportKey('jwk', keys.publicKey);
      const clientId = `certified-${algorithm}`;
      const redirectUri = 'https://bank.example/callback';
      const { kty = '', crv = '', x = '', y } = jwk;
      platform.clients.set(clientId, { client_id: clientId, jwks: { keys: [{ kty, crv, x, ...(y === undefined ? {} : { y }), kid: 'k1', use: 'sig' }] }, redirect_uris: [redirectUri], scope: 'query' });

      const http = { [oauth.allowInsecureRequests]: true };
      const issuer = new URL(platform.issuer);
      const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http }));
      const client: oauth.Client = { client_id: clientId };
      const authentication = oauth.PrivateKeyJwt({ key: keys.privateKey, kid: 'k1' });
      const DPoP = oauth.DPoP(client, await oauth.generateKeyPair(algorithm));
      const withNonce = async <T>(attempt: () => Promise<T>) => attempt().catch((error: unknown) => {
        if (!oauth.isDPoPNonceError(error)) throw error;
        return attempt();
      });

      const own = await withNonce(async () => oauth.processClientCredentialsResponse(server, client,
        await oauth.clientCredentialsGrantRequest(server, client, authentication, { scope: 'query', resource: 'https://gateway.example' }, { DPoP, ...http })));
      assert.equal(own.token_type, 'dpop');

      const subject = subjectNumber(algorithm === 'ES256' ? 501 : 502);
      const browser = await representative(platform, subject);
      const verifier = oauth.generateRandomCodeVerifier();
      const parameters = {
        response_type: 'code', redirect_uri: redirectUri, scope: 'query', resource: 'https://gateway.example', state: 'st',
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
        authorization_details: JSON.stringify([consentDetail(subject)]),
      };
      const pushed = await withNonce(async () => oauth.processPushedAuthorizationResponse(server, client, await oauth.pushedAuthorizationRequest(server, client, authentication, parameters, { DPoP, ...http })));
      const url = new URL(server.authorization_endpoint ?? '');
      url.searchParams.set('client_id', clientId);
      url.searchParams.set('request_uri', pushed.request_uri);
      const back = await browser.submit(await browser.open(url), agreed);
      const callback = oauth.validateAuthResponse(server, client, back.url, 'st');
      const tokens = await withNonce(async () => oauth.processAuthorizationCodeResponse(server, client,
        await oauth.authorizationCodeGrantRequest(server, client, authentication, callback, redirectUri, verifier, { DPoP, ...http })));
      assert.equal((tokens.authorization_details?.[0] as { grant?: string }).grant, platform.orders.at(-1)?.id);

      const renewed = await withNonce(async () => oauth.processRefreshTokenResponse(server, client, await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token ?? '', { DPoP, ...http })));
      const seen = await oauth.processIntrospectionResponse(server, client, await oauth.introspectionRequest(server, client, authentication, renewed.access_token, http));
      assert.equal(seen.active, true);
      await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, renewed.access_token, http));
      const gone = await oauth.processIntrospectionResponse(server, client, await oauth.introspectionRequest(server, client, authentication, renewed.access_token, http));
      assert.equal(gone.active, false);
    }
  });

  it('binds the code to the DPoP key a request was pushed with', async () => {
    const subject = subjectNumber(503);
    const browser = await representative(platform, subject);
    const { bank } = platform;
    const pushed = await bank.push(consentDetail(subject));
    const back = await browser.submit(await browser.open(bank.authorizationUrl(pushed)), agreed);
    const stolen = await bank.exchange(back.url.searchParams.get('code') ?? '', { proofKey: await newKeyPair() });
    assert.equal(stolen.body['error'], 'invalid_grant');
  });
});
