import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, createRemoteJWKSet, jwtVerify, type JWK } from 'jose';
import { Browser } from './support/browser.ts';
import { Bank } from './support/bank.ts';
import { activationCode, consentDetail, consentedTokens, openRequest, password, representative, startPlatform, subjectNumber, type Platform } from './support/platform.ts';

describe('authorization/flow', () => {
  let platform: Platform;
  before(async () => { platform = await startPlatform(); });
  after(() => platform.close());

  it('takes a bank from a pushed request over activation, sign-in and consent to a bound access token', async () => {
    const { bank, issuer, subject } = platform;
    const pushed = await bank.push(consentDetail(subject));
    assert.equal(pushed.status, 201, JSON.stringify(pushed.body));

    const browser = new Browser(issuer);
    const signIn = await browser.open(bank.authorizationUrl(pushed));
    assert.match(signIn.url.href, /\/sign-in\?to=/);
    const activation = await browser.open(/href="([^"]*activation[^"]*)"/.exec(signIn.html)?.[1] ?? '');
    const code = await activationCode(platform, subject);
    const consent = await browser.submit(activation, { subject, code, username: 'Wang.Fang', password, password_again: password });
    assert.equal(consent.status, 200);
    for (const words of ['Example Bank', 'Review before a loan', 'Title of tax.revenue', 'the exact value', 'a band', 'at most 10 answers', '180 days']) {
      assert.ok(consent.html.includes(words), words);
    }
    const back = await browser.submit(consent, { decision: 'grant' });
    assert.equal(back.url.origin, 'https://bank.example');
    assert.equal(back.url.searchParams.get('state'), bank.state);
    assert.equal(back.url.searchParams.get('iss'), issuer);

    const tokens = await bank.exchange(back.url.searchParams.get('code') ?? '');
    assert.equal(tokens.status, 200, JSON.stringify(tokens.body));
    const order = platform.orders.at(-1);
    assert.ok(order);
    assert.deepEqual(tokens.body['authorization_details'], [{ type: 'veilgate_consent', grant: order.id }]);
    assert.equal(tokens.body['token_type'], 'DPoP');
    assert.ok((tokens.body['expires_in'] as number) <= 300);

    const { payload, protectedHeader } = await jwtVerify(String(tokens.body['access_token']), createRemoteJWKSet(new URL(`${issuer}/jwks`)), { issuer, audience: 'https://gateway.example', typ: 'at+jwt' });
    assert.equal(protectedHeader.alg, 'EdDSA');
    assert.equal(protectedHeader.kid, 'platform-1');
    assert.equal(payload['client_id'], 'bank-1');
    assert.equal(payload['scope'], 'query');
    assert.deepEqual(payload['authorization_details'], [{ type: 'veilgate_consent', grant: order.id }]);
    assert.deepEqual(payload['cnf'], { jkt: await calculateJwkThumbprint(bank.proofKeys.jwk as unknown as JWK) });
    assert.ok((payload.exp ?? 0) - (payload.iat ?? 0) <= 300);
    assert.notEqual(payload.sub, subject);

    assert.equal(order.representative, 'Wang Fang');
    assert.equal(order.terms.institution, 'bank-1');
    assert.equal(order.terms.validUntilMs - order.terms.validFromMs, 90 * 86_400_000);
    assert.match(order.noticeText, /Example Bank[\s\S]*tax\.revenue[\s\S]*original, the exact value/);
  });
});
