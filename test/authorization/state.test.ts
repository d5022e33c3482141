import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { idHash, openPayload, sealPayload } from '../../src/authorization/sealed-payload.ts';
import { removeExpiredAuthorizationState } from '../../src/authorization/cleanup.ts';
import { stateAdapter } from '../../src/authorization/state.ts';
import { fixedClock } from '../../src/clock.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { createAuthorizationServer } from '../../src/authorization/server.ts';
import { openDatabase, type Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import { authorizationApp, consentDetail, consentedTokens, openRequest, password, representative, startPlatform, subjectNumber } from './support/platform.ts';

const tables = ['oidc_payload', 'issued_access_token', 'account', 'account_invitation', 'account_session', 'sign_in_throttle'];

describe('authorization/state', () => {
  let database: Database;
  before(async () => { database = await freshDatabase(); });

  it('opens a payload only with the id it was sealed for', () => {
    fc.assert(fc.property(fc.string(), fc.string(), fc.jsonValue(), (id, other, payload) => {
      const sealed = sealPayload('Kind', id, { payload });
      assert.deepEqual(openPayload('Kind', id, sealed), JSON.parse(JSON.stringify({ payload })));
      if (other !== id) assert.throws(() => openPayload('Kind', other, sealed));
      assert.throws(() => openPayload('Kind2', id, sealed));
      sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
      assert.throws(() => openPayload('Kind', id, sealed));
    }));
  });

  it('leaves nothing in the database, the log or the console that could be used as a code, token, session or password', async () => {
    const printed: string[] = [];
    const consoles = ['log', 'info', 'warn', 'error'] as const;
    const originals = consoles.map((name) => console[name]);
    for (const name of consoles) console[name] = (...parts: unknown[]) => { printed.push(parts.map(String).join(' ')); };
    const platform = await startPlatform();
    try {
      const subject = subjectNumber(1);
      const browser = await representative(platform, subject, 'canary.user');
      const page = await openRequest(platform, browser, consentDetail(subject));
      const { code, accessToken, refreshToken } = await consentedTokens(platform, browser, subject);
      await platform.bank.exchange(code);
      await platform.bank.refresh(refreshToken);
      await platform.bank.ownToken('query', { dpop: 'missing' });
      await browser.submit(await browser.open('/sign-in'), { username: 'canary.user', password: `${password} wrong` });
      await browser.post('/sign-in', 'csrf=%zz&username=canary.user');
      const secrets = [code, accessToken, refreshToken, accessToken.split('.')[2] ?? '', browser.cookie('veilgate_session') ?? '', password, platform.bank.verifier, page.url.pathname.split('/').at(-1) ?? ''];
      for (const secret of secrets) assert.ok(secret.length > 10, 'a canary is missing');
      const dump = (await Promise.all(tables.map((table) => platform.database.query(`select row_to_json(t)::text as text from ${table} t`)))).flatMap(({ rows }) => rows.map((row) => String(row['text'])));
      assert.ok(dump.length > 5 && platform.log.length > 3);
      const logged = JSON.stringify(platform.log) + printed.join('\n');
      for (const secret of secrets) {
        const hex = Buffer.from(secret).toString('hex');
        assert.ok(!dump.some((row) => row.includes(secret) || row.includes(hex)), `in the database: ${secret.slice(0, 4)}…`);
        assert.ok(!logged.includes(secret), `in the log: ${secret.slice(0, 4)}…`);
      }
      for (const personal of [subject, 'canary.user', 'Wang Fang']) assert.ok(!logged.includes(personal), personal);
      assert.deepEqual(printed, []);
    } finally {
      consoles.forEach((name, at) => { console[name] = originals[at] as typeof console.log; });
      await platform.close();
    }
  });

  it('writes nothing under a grant that is gone, and lets one of many racing users of a code win', async () => {
    const clock = fixedClock('2026-03-01T00:00:00Z');
    const adapter = (kind: string) => stateAdapter(kind, { database, clock, onTokenRevoked: async () => {} });
    await assert.rejects(async () => adapter('RefreshToken').upsert('r1', { grantId: 'g1' }, 60), /invalid_grant/);
    await adapter('Grant').upsert('g1', {}, 600);
    await adapter('AuthorizationCode').upsert('c1', { grantId: 'g1' }, 60);
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, async () => adapter('AuthorizationCode').consume('c1')));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal(await adapter('Grant').find('g1'), undefined, 'a race is a replay: the grant ends');
    await assert.rejects(async () => adapter('AuthorizationCode').upsert('c2', { grantId: 'g1' }, 60), /invalid_grant/);
  });

  it('remembers an assertion or proof once, whoever else sends it at the same time, until it has expired', async () => {
    const clock = fixedClock('2026-03-01T00:00:00Z');
    const adapter = stateAdapter('ReplayDetection', { database, clock, onTokenRevoked: async () => {} });
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, async () => adapter.upsert('seen', { iss: 'bank-1' }, 60)));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    clock.advanceMs(60_000);
    await adapter.upsert('seen', { iss: 'bank-1' }, 60);
  });

  it('finds nothing that expired, and removes it', async () => {
    const clock = fixedClock('2026-03-01T00:00:00Z');
    const adapter = stateAdapter('PushedAuthorizationRequest', { database, clock, onTokenRevoked: async () => {} });
    await adapter.upsert('p1', { request: 'x' }, 60);
    assert.deepEqual(await adapter.find('p1'), { request: 'x' });
    clock.advanceMs(60_000);
    assert.equal(await adapter.find('p1'), undefined);
    await assert.rejects(async () => adapter.consume('p1'), /invalid_request_uri/);
    assert.ok((await removeExpiredAuthorizationState(database, clock)) >= 1);
  });

  it('hashes ids per kind', () => {
    assert.notDeepEqual(idHash('A', 'x'), idHash('B', 'x'));
  });

  it('answers with a plain fault and keeps no half-made grant when the database is away', async () => {
    const platform = await startPlatform({ database: openDatabase({ url: database.url }) });
    await platform.database.close();
    const answer = await platform.bank.ownToken();
    assert.equal(answer.status, 500);
    assert.equal(answer.body['error'], 'server_error');
    const page = await fetch(`${platform.issuer}/consents`, { headers: { cookie: `veilgate_session=${'A'.repeat(43)}` } });
    assert.ok(page.status >= 500);
    assert.ok(!/pool|database|at /i.test((await page.text()).replace(/<[^>]*>/g, '')));
    await platform.close();
  });
});

describe('authorization/server', () => {
  it('refuses to start with an insecure or contradictory setting and says which', async () => {
    const database = await freshDatabase();
    const base = await authorizationApp({ database });
    const options = {
      issuer: base.issuer, gatewayAudience: 'https://gateway.example', database: base.database, clock: base.clock, signingKeys: [base.signingKey],
      cookieKeys: ['k'.repeat(32)], dpopNonceSecret: new Uint8Array(32), findClient: async () => undefined, consent: base.desk, onTokenRevoked: async () => {}, secureCookies: false,
      isAdmitted: async () => true,
    };
    createAuthorizationServer(options);
    for (const [change, code, say] of [
      [{ issuer: 'http://platform.example' }, 'CONFIG_INSECURE', /https/],
      [{ issuer: 'https://platform.example' }, 'CONFIG_INSECURE', /secureCookies/],
      [{ issuer: `${base.issuer}/` }, 'CONFIG_INVALID', /slash/],
      [{ issuer: `${base.issuer}/?x=1` }, 'CONFIG_INVALID', /query/],
      [{ cookieKeys: [] }, 'CONFIG_INSECURE', /cookie key/],
      [{ cookieKeys: ['short'] }, 'CONFIG_INSECURE', /32/],
      [{ dpopNonceSecret: new Uint8Array(16) }, 'CONFIG_INSECURE', /nonce/],
      [{ signingKeys: [] }, 'CONFIG_INVALID', /Ed25519/],
      [{ signingKeys: [{ kty: 'OKP', crv: 'Ed25519', x: base.signingKey.x ?? '', kid: 'public' }] }, 'CONFIG_INVALID', /private/],
    ] as const) {
      assert.throws(() => createAuthorizationServer({ ...options, ...change }), (error) => isVeilgateError(error, code) && say.test(error.message), JSON.stringify(change));
    }
  });
});
