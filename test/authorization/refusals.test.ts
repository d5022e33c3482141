import { strict as assert } from 'node:assert';
import { connect } from 'node:net';
import { decodeJwt, SignJWT } from 'jose';
import { createLimits } from '../../src/gateway/limits.ts';
import { Browser } from '../../scripts/demo/form-browser.ts';
import { Bank, newKeyPair, type Answer, type Deviations } from './support/bank.ts';
import { agreed, consentDetail, consentedTokens, openRequest, representative, startPlatform, subjectNumber, type Platform } from './support/platform.ts';

describe('authorization/refusals', () => {
  let platform: Platform;
  let browser: Browser;
  const subject = subjectNumber(1);
  before(async () => {
    platform = await startPlatform();
    browser = await representative(platform, subject);
  });
  after(() => platform.close());

  const push = (deviations: Deviations, detail: object = consentDetail(subject)) => platform.bank.push(detail, deviations);
  const refused = (answer: Answer, status: number, error: string, what = '') => {
    assert.deepEqual([answer.status, answer.body['error']], [status, error], `${what} ${JSON.stringify(answer.body)}`);
  };
  const newCode = async () => {
    const back = await browser.submit(await openRequest(platform, browser, consentDetail(subject)), { ...agreed });
    return back.url.searchParams.get('code') ?? '';
  };

  it('refuses an authorization request that was not pushed, and never sends a browser to an address nobody registered', async () => {
    const url = new URL(`${platform.issuer}/authorize`);
    for (const [name, value] of Object.entries({
      client_id: 'bank-1', response_type: 'code', scope: 'query', redirect_uri: 'https://bank.example/callback', state: 's',
      code_challenge: 'A'.repeat(43), code_challenge_method: 'S256', authorization_details: JSON.stringify([consentDetail(subject)]),
    })) url.searchParams.set(name, value);
    const page = await browser.open(url);
    assert.equal(page.url.searchParams.get('error'), 'invalid_request');
    assert.equal(page.url.searchParams.get('code'), null);

    url.searchParams.set('redirect_uri', 'https://evil.example/');
    const evil = await browser.open(url);
    assert.equal(evil.url.origin, platform.issuer);
    assert.equal(evil.status, 400);
  });

  it('refuses plain PKCE, no PKCE and a wrong verifier', async () => {
    refused(await push({ parameters: { code_challenge_method: 'plain' } }), 400, 'invalid_request');
    refused(await push({ parameters: { code_challenge_method: null } }), 400, 'invalid_request');
    refused(await push({ parameters: { code_challenge: null, code_challenge_method: null } }), 400, 'invalid_request');
    const code = await newCode();
    refused(await platform.bank.exchange(code, { parameters: { code_verifier: 'B'.repeat(43) } }), 400, 'invalid_grant');
    refused(await platform.bank.exchange(code, { parameters: { code_verifier: null } }), 400, 'invalid_grant');
  });

  it('refuses a missing, nonceless, reused or foreign DPoP proof', async () => {
    const { bank } = platform;
    refused(await bank.ownToken('query', { dpop: 'missing' }), 400, 'invalid_grant');
    const nonceless = await bank.ownToken('query', { dpop: 'without nonce' });
    refused(nonceless, 400, 'use_dpop_nonce');
    assert.ok(nonceless.headers.get('dpop-nonce'));
    refused(await bank.ownToken('query', { dpopClaims: { nonce: 'made-up' }, dpop: 'without nonce' }), 400, 'use_dpop_nonce');
    refused(await bank.ownToken('query', { dpopClaims: { htu: `${platform.issuer}/par` } }), 400, 'invalid_dpop_proof');
    refused(await bank.ownToken('query', { dpopClaims: { htm: 'GET' } }), 400, 'invalid_dpop_proof');
    assert.equal((await bank.ownToken('query', { dpopClaims: { jti: 'once' } })).status, 200);
    refused(await bank.ownToken('query', { dpopClaims: { jti: 'once' } }), 400, 'invalid_grant');
  });

  it('refuses client authentication that is not a fresh assertion of the registered key for this issuer', async () => {
    const { bank, issuer } = platform;
    refused(await bank.ownToken('query', { key: await newKeyPair() }), 401, 'invalid_client', 'wrong key');
    refused(await bank.ownToken('query', { key: { ...(await newKeyPair()), jwk: bank.keys.jwk } }), 401, 'invalid_client', 'wrong key, right kid');
    refused(await bank.ownToken('query', { assertion: { aud: `${issuer}/token` } }), 401, 'invalid_client', 'endpoint as audience');
    refused(await bank.ownToken('query', { assertion: { aud: [issuer] } }), 401, 'invalid_client', 'list of audiences');
    refused(await bank.ownToken('query', { assertion: { exp: 1_000_000_000 } }), 401, 'invalid_client', 'expired');
    refused(await bank.ownToken('query', { assertion: { exp: Math.floor(Date.now() / 1000) + 3600 } }), 401, 'invalid_client', 'too long');
    refused(await bank.ownToken('query', { assertion: { iss: 'bank-2' } }), 401, 'invalid_client', 'other issuer');
    refused(await bank.ownToken('query', { assertion: { jti: 'j'.repeat(200) } }), 401, 'invalid_client', 'long jti');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ iss: 'bank-1', sub: 'bank-1', aud: issuer, jti: 'x', exp: Date.now() / 1000 + 60 })).toString('base64url')}.`;
    refused(await bank.ownToken('query', { assertionText: none }), 401, 'invalid_client', 'unsigned');
    const hmac = await new SignJWT({ iss: 'bank-1', sub: 'bank-1', aud: issuer, jti: 'y', exp: Math.floor(Date.now() / 1000) + 60 }).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(JSON.stringify(bank.keys.jwk)));
    refused(await bank.ownToken('query', { assertionText: hmac }), 401, 'invalid_client', 'HMAC under the public key');
    const once = await bank.assertion();
    assert.equal((await bank.ownToken('query', { assertionText: once })).status, 200);
    refused(await bank.ownToken('query', { assertionText: once }), 401, 'invalid_client', 'replay');
    refused(await bank.ownToken('query', { parameters: { client_assertion: null, client_assertion_type: null, client_id: 'bank-1' } }), 401, 'invalid_client', 'no assertion');
    refused(await bank.ownToken('query', { parameters: { client_assertion: null, client_assertion_type: null, client_id: 'bank-1', client_secret: 's' } }), 401, 'invalid_client', 'secret');
  });

  it('lets exactly one of many racing requests use an assertion', async () => {
    const assertion = await platform.bank.assertion();
    const answers = await Promise.all(Array.from({ length: 8 }, () => platform.bank.introspect('x', { assertionText: assertion })));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  });

  it('knows no unknown and no suspended client, at any step', async () => {
    const stranger = await Bank.create(platform.issuer, 'stranger');
    refused(await stranger.ownToken(), 401, 'invalid_client');
    const bank = await Bank.create(platform.issuer, 'bank-suspended');
    platform.clients.set(bank.clientId, bank.metadata());
    const pushed = await bank.push(consentDetail(subject));
    const page = await browser.open(bank.authorizationUrl(pushed));
    platform.clients.delete(bank.clientId);
    const back = await browser.submit(page, { ...agreed });
    assert.equal(back.url.origin, platform.issuer);
    assert.match(back.html, /invalid_client/);

    platform.clients.set(bank.clientId, bank.metadata());
    const again = await browser.open(bank.authorizationUrl(await bank.push(consentDetail(subject))));
    const code = (await browser.submit(again, { ...agreed })).url.searchParams.get('code') ?? '';
    platform.clients.delete(bank.clientId);
    refused(await bank.exchange(code), 401, 'invalid_client', 'suspended between consent and token');
    refused(await bank.push(consentDetail(subject)), 401, 'invalid_client');
  });

  it('lets no address take the server away from the others: pages and endpoints are counted, whatever cookie comes along', async () => {
    const limits = createLimits({ requestsInFlight: 3, partyRequestsPerSecond: 1, addressRequestsPerSecond: 5 / 60, windowSeconds: 60 });
    const limited = await startPlatform({ limits, database: platform.database });
    try {
      const ask = (path: string, options: RequestInit = {}) => fetch(`${limited.issuer}${path}`, { redirect: 'manual', ...options });
      const cookie = `veilgate_session=${'A'.repeat(43)}`;
      const answers = [await ask('/sign-in'), await ask('/consents', { headers: { cookie } }), await ask('/token', { method: 'POST' }), await ask('/par', { method: 'POST' }), await ask('/assets/veilgate.css')];
      assert.ok(answers.every(({ status }) => status < 429), String(answers.map(({ status }) => status)));
      const more = await Promise.all([ask('/consents', { headers: { cookie } }), ask('/token', { method: 'POST' })]);
      assert.deepEqual(more.map(({ status, headers }) => [status, Number(headers.get('retry-after')) > 0]), [[429, true], [429, true]]);
      const forPrograms = await (await ask('/token', { method: 'POST' })).json() as { readonly error_description: string };
      assert.match(forPrograms.error_description, /^REQUEST_RATE_LIMITED: Too many requests from this address: try again in \d+ s\.$/);
      for (let place = 0; place < 3; place += 1) limits.enter();
      assert.equal((await ask('/sign-in')).status, 503, 'nor beyond the requests it works on at once');
    } finally {
      await limited.close();
    }
  });

  it('uses new keys and redirect addresses of the registry at once', async () => {
    const bank = await Bank.create(platform.issuer, 'bank-rotating');
    platform.clients.set(bank.clientId, bank.metadata());
    assert.equal((await bank.ownToken()).status, 200);
    platform.clients.set(bank.clientId, { ...bank.metadata(), jwks: { keys: [(await newKeyPair()).jwk] } });
    refused(await bank.ownToken(), 401, 'invalid_client');
  });

  it('revokes everything when a code is used twice', async () => {
    const code = await newCode();
    const tokens = await platform.bank.exchange(code);
    const { jti } = decodeJwt(String(tokens.body['access_token']));
    assert.ok(!platform.revoked.includes(String(jti)));
    refused(await platform.bank.exchange(code), 400, 'invalid_grant');
    assert.ok(platform.revoked.includes(String(jti)));
    refused(await platform.bank.refresh(String(tokens.body['refresh_token'])), 400, 'invalid_grant');
    assert.deepEqual((await platform.bank.introspect(String(tokens.body['access_token']))).body, { active: false });
  });

  it('leaves no usable token when two requests race for one code', async () => {
    const code = await newCode();
    const answers = await Promise.all(Array.from({ length: 4 }, () => platform.bank.exchange(code)));
    const won = answers.filter(({ status }) => status === 200);
    assert.ok(won.length <= 1, `${won.length} requests got tokens for one code`);
    for (const { body } of won) {
      assert.ok(platform.revoked.includes(String(decodeJwt(String(body['access_token'])).jti)));
      refused(await platform.bank.refresh(String(body['refresh_token'])), 400, 'invalid_grant');
    }
  });

  it('refuses a code to another client and with another redirect address', async () => {
    const other = await Bank.create(platform.issuer, 'bank-2');
    platform.clients.set(other.clientId, other.metadata());
    const code = await newCode();
    refused(await other.exchange(code, { parameters: { code_verifier: platform.bank.verifier } }), 400, 'invalid_grant');
    refused(await platform.bank.exchange(code, { parameters: { redirect_uri: 'https://bank.example/other' } }), 400, 'invalid_grant');
    assert.equal((await platform.bank.exchange(code)).status, 200);
  });

  it('revokes the whole family when a refresh token is used twice', async () => {
    const { refreshToken } = await consentedTokens(platform, browser, subject);
    const renewed = await platform.bank.refresh(refreshToken);
    const { jti } = decodeJwt(String(renewed.body['access_token']));
    refused(await platform.bank.refresh(refreshToken), 400, 'invalid_grant');
    assert.ok(platform.revoked.includes(String(jti)));
    refused(await platform.bank.refresh(String(renewed.body['refresh_token'])), 400, 'invalid_grant');
  });

  it('refuses an expired request, and one that was answered', async () => {
    const pushed = await push({});
    platform.clock.advanceMs(61_000);
    const late = await browser.open(platform.bank.authorizationUrl(pushed));
    platform.clock.advanceMs(-61_000);
    assert.equal(late.status, 400);
    assert.match(late.html, /invalid_request_uri/);

    const answered = await push({});
    const url = platform.bank.authorizationUrl(answered);
    await browser.submit(await browser.open(url), { ...agreed });
    assert.match((await browser.open(url)).html, /invalid_request_uri/);
  });

  it('refuses consent requests that are malformed, beyond a cap, several or missing', async () => {
    const wrong = async (detail: object, say: RegExp) => {
      const answer = await push({}, detail);
      refused(answer, 400, 'invalid_authorization_details');
      assert.match(String(answer.body['error_description']), say);
    };
    await wrong(consentDetail(subject, { extra: 1 }), /CONSENT_INVALID.*additional/);
    await wrong(consentDetail('91310115MA1K000010'), /check digit/);
    await wrong(consentDetail(subject, { fields: Array.from({ length: 201 }, (_, n) => ({ field: `tax.f${n}`, ceiling: 'original' })) }), /fields/);
    await wrong(consentDetail(subject, { fields: [{ field: 'tax.paid', ceiling: 'original' }, { field: 'tax.paid', ceiling: 'desensitised' }] }), /twice/);
    await wrong(consentDetail(subject, { data_from: '2026-02-30' }), /calendar/);
    await wrong(consentDetail(subject, { data_life_days: 400 }), /CONSENT_EXCEEDS_CAP.*365/);
    await wrong(consentDetail(subject, { purpose: 'marketing' }), /POLICY_PURPOSE_UNKNOWN/);
    refused(await push({ parameters: { authorization_details: JSON.stringify([consentDetail(subject), consentDetail(subject)]) } }), 400, 'invalid_authorization_details');
    refused(await push({ parameters: { authorization_details: null } }), 400, 'invalid_authorization_details');
    refused(await push({ parameters: { authorization_details: '[]' } }), 400, 'invalid_authorization_details');
    refused(await push({ parameters: { authorization_details: '[{"type":"other"}]' } }), 400, 'invalid_authorization_details');
    refused(await push({ parameters: { authorization_details: '[{"type":"veilgate_consent","__proto__":{"subject":"x"}}]' } }), 400, 'invalid_authorization_details');
    refused(await platform.bank.ownToken('query', { parameters: { authorization_details: JSON.stringify([consentDetail(subject)]) } }), 400, 'invalid_authorization_details', 'without asking the enterprise');
  });

  it('refuses foreign redirect addresses, resources, scopes and response modes', async () => {
    refused(await push({ parameters: { redirect_uri: 'https://evil.example/callback' } }), 400, 'invalid_request');
    refused(await push({ parameters: { redirect_uri: 'https://bank.example/callback/../x' } }), 400, 'invalid_request');
    refused(await push({ parameters: { resource: 'https://other.example' } }), 400, 'invalid_target');
    refused(await push({ parameters: { scope: 'registry' } }), 400, 'invalid_scope');
    refused(await push({ parameters: { scope: 'openid query' } }), 400, 'invalid_scope');
    refused(await push({ parameters: { response_mode: 'form_post' } }), 400, 'invalid_request');
    refused(await push({ parameters: { response_mode: 'fragment' } }), 400, 'invalid_request');
    refused(await push({ parameters: { response_type: 'token' } }), 400, 'invalid_request');
    refused(await push({ parameters: { response_type: 'code id_token' } }), 400, 'invalid_request');
    refused(await push({ parameters: { request_uri: 'urn:ietf:params:oauth:request_uri:x' } }), 400, 'request_uri_not_supported');
    refused(await platform.bank.ownToken('query', { parameters: { resource: 'https://other.example' } }), 400, 'invalid_target');
  });

  it('refuses parameters that come twice', async () => {
    refused(await push({ rawBody: '&scope=query' }), 400, 'invalid_request');
    refused(await push({ rawBody: '&client_id=bank-2' }), 400, 'invalid_request');
    refused(await push({ rawBody: `&authorization_details=${encodeURIComponent(JSON.stringify([consentDetail(subjectNumber(2))]))}` }), 400, 'invalid_request');
    refused(await platform.bank.ownToken('query', { rawBody: '&grant_type=authorization_code' }), 400, 'invalid_request');
  });

  it('refuses oversized bodies, with and without announcing them', async () => {
    const large = await push({ rawBody: `&x=${'a'.repeat(70_000)}` });
    assert.equal(large.status, 413);
    const { hostname, port, host } = new URL(platform.issuer);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(`POST /par HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`);
        for (let n = 0; n < 8; n += 1) socket.write(`4000\r\n${'a'.repeat(0x4000)}\r\n`);
        socket.write('0\r\n\r\n');
      });
      let text = '';
      socket.on('data', (chunk: Buffer) => { text += chunk.toString(); });
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });
    assert.match(answer, /^HTTP\/1.1 400/);
  });

  it('refuses other grant types, other endpoints of the library and another Host', async () => {
    refused(await platform.bank.send('/token', { grant_type: 'password', username: 'a', password: 'b' }, {}), 400, 'unsupported_grant_type');
    refused(await platform.bank.send('/token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code' }, {}), 400, 'unsupported_grant_type');
    for (const path of ['/me', '/reg', '/session/end', '/session/end/confirm', '/device', '/interaction/x', '/backchannel']) {
      assert.equal((await fetch(platform.issuer + path, { method: path.endsWith('confirm') ? 'POST' : 'GET' })).status, 404, path);
    }
    const { port } = new URL(platform.issuer);
    const other = await fetch(`http://localhost:${port}/.well-known/openid-configuration`).catch(() => undefined);
    if (other !== undefined) assert.equal(other.status, 400);
  });
});

describe('authorization/token-state', () => {
  let platform: Platform;
  before(async () => { platform = await startPlatform(); });
  after(() => platform.close());

  it('revokes one access token, reports it to the gateway, and tells its own client only', async () => {
    const { bank } = platform;
    const token = String((await bank.ownToken()).body['access_token']);
    const { jti } = decodeJwt(token);
    const seen = await bank.introspect(token);
    assert.equal(seen.body['active'], true);
    assert.equal(seen.body['client_id'], 'bank-1');
    assert.ok((seen.body['cnf'] as { jkt?: string }).jkt);

    const other = await Bank.create(platform.issuer, 'bank-2');
    platform.clients.set(other.clientId, other.metadata());
    assert.deepEqual((await other.introspect(token)).body, { active: false });
    assert.equal((await other.revoke(token)).status, 200);
    assert.deepEqual(platform.revoked, []);
    assert.equal((await bank.revoke(token, { key: await newKeyPair() })).status, 401);
    assert.deepEqual(platform.revoked, []);

    assert.equal((await bank.revoke(token)).status, 200);
    assert.deepEqual(platform.revoked, [jti]);
    assert.deepEqual((await bank.introspect(token)).body, { active: false });
    assert.equal((await bank.revoke(token)).status, 200);
    assert.deepEqual(platform.revoked, [jti]);
  });

  it('believes no token that it did not sign', async () => {
    const { bank } = platform;
    const token = String((await bank.ownToken()).body['access_token']);
    const { privateKey } = await newKeyPair();
    const forged = await new SignJWT(decodeJwt(token)).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: 'platform-1' }).sign(privateKey);
    assert.deepEqual((await bank.introspect(forged)).body, { active: false });
    await bank.revoke(forged);
    assert.ok(!platform.revoked.includes(String(decodeJwt(token).jti)));
  });

  it('does not answer that a token is revoked before the gateway knows', async () => {
    let reachable = false;
    const down = await startPlatform({ database: platform.database, onTokenRevoked: async () => { if (!reachable) throw new Error('gateway is down'); } });
    try {
      const token = String((await down.bank.ownToken()).body['access_token']);
      assert.equal((await down.bank.revoke(token)).status, 500);
      assert.equal((await down.bank.introspect(token)).body['active'], true);
      reachable = true;
      assert.equal((await down.bank.revoke(token)).status, 200);
      assert.equal((await down.bank.introspect(token)).body['active'], false);
    } finally {
      await down.close();
    }
  });

  it('ends the grant with its refresh token', async () => {
    const subject = subjectNumber(8);
    const { refreshToken, accessToken } = await consentedTokens(platform, await representative(platform, subject), subject);
    const seen = await platform.bank.introspect(refreshToken);
    assert.equal(seen.body['active'], true);
    assert.deepEqual(Object.keys((seen.body['authorization_details'] as object[])[0] ?? {}), ['type', 'grant']);
    assert.equal((await platform.bank.revoke(refreshToken)).status, 200);
    assert.ok(platform.revoked.includes(String(decodeJwt(accessToken).jti)));
    assert.equal((await platform.bank.refresh(refreshToken)).body['error'], 'invalid_grant');
  });
});
