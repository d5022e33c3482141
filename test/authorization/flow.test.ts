import { strict as assert } from 'node:assert';
import { createServer } from 'node:http';
import express from 'express';
import { calculateJwkThumbprint, createRemoteJWKSet, jwtVerify, type JWK } from 'jose';
import { VeilgateError } from '../../src/errors.ts';
import { freePort } from '../../src/store/cluster.ts';
import { Browser } from '../../scripts/demo/form-browser.ts';
import { Bank } from './support/bank.ts';
import { activationCode, agreed, authorizationApp, consentDetail, consentedTokens, openRequest, password, representative, startPlatform, subjectNumber, type Platform } from './support/platform.ts';

describe('authorization/flow', () => {
  let platform: Platform;
  const names: { gets?: string | undefined } = {};
  before(async () => { platform = await startPlatform({ names }); });
  after(() => platform.close());

  it('takes a bank from a pushed request over activation and consent to a bound access token', async () => {
    const { bank, issuer, subject } = platform;
    const pushed = await bank.push(consentDetail(subject));
    assert.equal(pushed.status, 201, JSON.stringify(pushed.body));

    const browser = new Browser(issuer);
    const signIn = await browser.open(bank.authorizationUrl(pushed));
    assert.match(signIn.url.href, /\/sign-in\?to=/);
    const activation = await browser.open(/href="([^"]*activation[^"]*)"/.exec(signIn.html)?.[1] ?? '');
    const code = await activationCode(platform, subject);
    const consent = await browser.submit(activation, { holder: subject, code, username: 'Wang.Fang', password, password_again: password });
    assert.equal(consent.status, 200);
    for (const words of ['Example Bank', 'Review before a loan', 'Title of tax.revenue', 'the exact value', 'a band', 'at most 10 answers', '180 days', '90 days at most']) {
      assert.ok(consent.html.includes(words), words);
    }
    const back = await browser.submit(consent, { ...agreed });
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

  it('signs in again with user name and password, and keeps the consent page reachable', async () => {
    const subject = subjectNumber(2);
    await representative(platform, subject, 'second.user');
    const browser = new Browser(platform.issuer);
    const signIn = await openRequest(platform, browser, consentDetail(subject));
    const consent = await browser.submit(signIn, { username: 'SECOND.user ', password });
    assert.match(consent.url.pathname, /^\/consent\//);
    const back = await browser.submit(consent, { ...agreed });
    assert.ok(back.url.searchParams.get('code'));
  });

  it('lets the representative take fields away, lower ceilings, shorten and reduce, and grants only that', async () => {
    const subject = subjectNumber(3);
    const browser = await representative(platform, subject);
    const page = await openRequest(platform, browser, consentDetail(subject));
    const back = await browser.submit(page, {
      ...agreed, field: ['tax.revenue', 'tax.paid'], 'ceiling.tax.revenue': 'desensitised', valid_days: '7', uses_max: '2',
    });
    assert.ok(back.url.searchParams.get('code'), back.html);
    const { terms, noticeText } = platform.orders.at(-1) ?? assert.fail();
    assert.deepEqual([...terms.fields], [['tax.revenue', 'desensitised'], ['tax.paid', 'desensitised']]);
    assert.equal(terms.validUntilMs - terms.validFromMs, 7 * 86_400_000);
    assert.equal(terms.usesMax, 2);
    assert.ok(!noticeText.includes('utility.kwh') && noticeText.includes('7 days') && noticeText.includes('2 answers'));
  });

  it('shows the form again when what was left cannot be granted', async () => {
    const subject = subjectNumber(4);
    const browser = await representative(platform, subject);
    const page = await openRequest(platform, browser, consentDetail(subject));
    for (const changes of [
      { agree: null }, { agree: 'no' }, { field: null }, { field: ['tax.revenue', 'court.cases'] }, { 'ceiling.tax.paid': 'original' },
      { valid_days: '91' }, { valid_days: '0' }, { valid_days: '1e1' }, { uses_max: '11' }, { uses_max: '-1' },
    ]) {
      const again = await browser.submit(page, { ...agreed, ...changes });
      assert.equal(again.status, 400, JSON.stringify(changes));
      assert.match(again.html, /role="alert"/);
    }
    assert.ok(!platform.orders.some(({ terms }) => terms.subject === subject));
    assert.ok((await browser.submit(page, { ...agreed })).url.searchParams.get('code'));
  });

  it('says in Chinese what is missing to whoever reads Chinese', async () => {
    const subject = subjectNumber(12);
    const browser = await representative(platform, subject);
    await browser.open('/sign-in?lang=zh');
    const page = await openRequest(platform, browser, consentDetail(subject));
    for (const [changes, say] of [[{ agree: null }, /请勾选/], [{ field: null }, /至少勾选/], [{ valid_days: '91' }, /1 到 90 之间/], [{ uses_max: '11' }, /1 到 10 之间/], [{ 'ceiling.tax.paid': 'original' }, /未被申请/]] as const) {
      assert.match((await browser.submit(page, { ...agreed, ...changes })).html, say);
    }
  });

  it('grants nothing that was not shown: a page that says other things by now is shown again', async () => {
    const subject = subjectNumber(44);
    const browser = await representative(platform, subject);
    const page = await openRequest(platform, browser, consentDetail(subject));
    names.gets = 'the exact value, by a policy that came into force meanwhile';
    const again = await browser.submit(page, agreed);
    names.gets = undefined;
    assert.equal(again.status, 409);
    assert.match(again.html, /role="alert"[^<]*>What the institution would get was changed/);
    assert.match(again.html, /came into force meanwhile/);
    assert.equal((await browser.submit(page, { ...agreed, read: null })).status, 409, 'nor without saying what was read');
    assert.ok(!platform.orders.some(({ terms }) => terms.subject === subject));
    assert.ok((await browser.submit(page, agreed)).url.searchParams.get('code'), 'the request is still open');
  });

  it('grants nothing to an institution that lost its admission while the page was open', async () => {
    const subject = subjectNumber(13);
    const browser = await representative(platform, subject);
    const page = await openRequest(platform, browser, consentDetail(subject));
    platform.refuseGrants.with = new VeilgateError('INSTITUTION_NOT_ACTIVE', 'The institution is not admitted right now.');
    const refused = await browser.submit(page, agreed);
    assert.equal(refused.status, 409);
    assert.match(refused.html, /not admitted/);
    platform.refuseGrants.with = new VeilgateError('CONSENT_EXCEEDS_CAP', 'The cap was lowered meanwhile.');
    const capped = await browser.submit(page, agreed);
    assert.equal(capped.status, 400);
    assert.match(capped.html, /cap was lowered/);
    platform.refuseGrants.with = undefined;
    assert.ok((await browser.submit(page, agreed)).url.searchParams.get('code'), 'the request is still open');
  });

  it('tells the bank only access_denied when the representative declines', async () => {
    const subject = subjectNumber(5);
    const browser = await representative(platform, subject);
    const page = await openRequest(platform, browser, consentDetail(subject));
    const back = await browser.submit(page, { decision: 'decline' });
    assert.equal(back.url.origin, 'https://bank.example');
    assert.equal(back.url.searchParams.get('error'), 'access_denied');
    assert.equal(back.url.searchParams.get('code'), null);
  });

  it('rotates refresh tokens and keeps the grant in each access token', async () => {
    const subject = subjectNumber(6);
    const { refreshToken } = await consentedTokens(platform, await representative(platform, subject), subject);
    const renewed = await platform.bank.refresh(refreshToken);
    assert.equal(renewed.status, 200, JSON.stringify(renewed.body));
    assert.notEqual(renewed.body['refresh_token'], refreshToken);
    assert.deepEqual(renewed.body['authorization_details'], [{ type: 'veilgate_consent', grant: platform.orders.at(-1)?.id }]);
    assert.equal(renewed.body['scope'], 'query');
  });

  it('gives every kind of party a token of its own for its registered scopes', async () => {
    const officer = await Bank.create(platform.issuer, 'officer-1');
    platform.clients.set('officer-1', { client_id: 'officer-1', jwks: { keys: [officer.keys.jwk] }, scope: 'registry audit' });
    const answer = await officer.ownToken('registry');
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.body['scope'], 'registry');
    const { payload } = await jwtVerify(String(answer.body['access_token']), createRemoteJWKSet(new URL(`${platform.issuer}/jwks`)));
    assert.equal(payload.sub, 'officer-1');
    assert.equal(payload.aud, 'https://gateway.example');
    assert.equal(answer.body['refresh_token'], undefined);
    assert.equal((await officer.ownToken('compliance')).body['error'], 'invalid_scope');
    assert.equal((await officer.ownToken('registry', { parameters: { scope: null } })).body['error'], 'invalid_scope');
  });

  it('publishes metadata and public keys only', async () => {
    for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']) {
      const metadata = (await (await fetch(platform.issuer + path)).json()) as Record<string, unknown>;
      assert.equal(metadata['issuer'], platform.issuer);
      assert.equal(metadata['pushed_authorization_request_endpoint'], `${platform.issuer}/par`);
      assert.equal(metadata['require_pushed_authorization_requests'], true);
      assert.deepEqual(metadata['token_endpoint_auth_methods_supported'], ['private_key_jwt']);
      assert.deepEqual(metadata['code_challenge_methods_supported'], ['S256']);
      assert.deepEqual(metadata['response_modes_supported'], ['query']);
      assert.deepEqual(metadata['authorization_details_types_supported'], ['veilgate_consent']);
      assert.deepEqual(metadata['scopes_supported'], ['query', 'grants', 'records', 'registry', 'compliance', 'audit']);
      assert.deepEqual([...(metadata['grant_types_supported'] as string[])].sort(), ['authorization_code', 'client_credentials', 'refresh_token']);
    }
    const { keys } = (await (await fetch(`${platform.issuer}/jwks`)).json()) as { keys: JWK[] };
    assert.equal(keys.length, 1);
    assert.equal(keys[0]?.x, platform.signingKey.x);
    assert.equal(keys[0]?.d, undefined);
  });

  it('works below a path where the gateway mounts it', async () => {
    const port = await freePort();
    const mounted = await authorizationApp({ issuer: `http://127.0.0.1:${port}/oauth`, database: platform.database });
    const server = createServer(express().use('/oauth', mounted.app)).listen(port, '127.0.0.1');
    try {
      const subject = subjectNumber(7);
      const browser = await representative(mounted, subject);
      const { tokens } = await consentedTokens(mounted, browser, subject);
      assert.equal(tokens.status, 200, JSON.stringify(tokens.body));
      const list = await browser.open(`${mounted.issuer}/consents`);
      assert.match(list.html, /Example Bank/);
      assert.equal((await browser.open(/href="([^"]*\.css)"/.exec(list.html)?.[1] ?? '')).status, 200);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('speaks Chinese or English as the browser or the link wishes', async () => {
    const chinese = new Browser(platform.issuer, { 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8' });
    const page = await chinese.open('/sign-in');
    assert.match(page.html, /<html lang="zh-CN">[\s\S]*用户名/);
    const english = await chinese.open('/sign-in?lang=en');
    assert.match(english.html, /<html lang="en">[\s\S]*User name/);
    assert.match((await chinese.open('/activation')).html, /Activation code/);
  });
});
