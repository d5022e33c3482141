import { strict as assert } from 'node:assert';
import { systemClock } from '../../src/clock.ts';
import { isVeilgateError, type ErrorCode } from '../../src/errors.ts';
import { invitePerson, removePerson } from '../../src/gateway/use-cases/accounts.ts';
import { accountsClient } from '../../src/sdk/accounts.ts';
import type { Tx } from '../../src/store/database.ts';
import type { Caller, PartyId, Scope } from '../../src/vocabulary.ts';
import { Browser } from '../../scripts/demo/form-browser.ts';
import { password, startTestPlatform, type TestPlatform } from '../support/gateway.ts';
import { oneTimePassword } from '../../scripts/demo/one-time-password.ts';
import { signedInPerson } from '../support/person.ts';

const code = (expected: ErrorCode) => (error: unknown) => isVeilgateError(error, expected);

describe('/v1/accounts', () => {
  let platform: TestPlatform;
  before(async function () {
    this.timeout(60_000);
    platform = await startTestPlatform();
    await platform.bank('bank-a');
    await platform.bank('bank-b');
  });
  after(() => platform.close());
  const of = async (party: string, scope: Scope) => accountsClient(await platform.connect(party, scope));
  /** The gateway's routes as a signed-in browser's script calls them. */
  const consoleOf = async (browser: Browser) => {
    const { issuerUrl } = platform.gateway;
    const headers = { cookie: `veilgate_session=${browser.cookie('veilgate_session')}`, origin: issuerUrl, 'content-type': 'application/json' };
    const ask = async (method: string, path: string, body?: object, more: Record<string, string> = {}) => {
      const response = await fetch(`${issuerUrl}/console/api${path}`, { method, headers: { ...headers, ...more }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      return { status: response.status, json: (await response.json()) as Record<string, unknown> };
    };
    const { json: session } = await ask('GET', '/session');
    return (method: string, path: string, body?: object) => ask(method, path, body, { 'veilgate-csrf': String(session['csrf']), 'idempotency-key': crypto.randomUUID() });
  };
  const events = async (party: string) => {
    const ofParty = "select kind, record from audit_entry where kind like 'account.%' and record::jsonb ->> 'party' = $1 order by index";
    return (await platform.database.query<{ kind: string; record: string }>(ofParty, [party])).rows;
  };

  it('invites, lists and removes the caller\'s own people, each step in the log without a name', async () => {
    const { account, browser, landed, username, secret } = await signedInPerson(platform, 'bank-a', 'query', 'li.na');
    assert.equal(landed.url.pathname, '/console/');
    const accounts = await of('bank-a', 'query');
    const { activation_code: open, ...invited } = await accounts.invite('张伟');
    assert.equal(invited.page, `${platform.gateway.issuerUrl}/activation?for=bank-a`);
    assert.match(open, /^([0-9A-Z]{4}-){3}[0-9A-Z]{4}$/);
    const [first, second] = await accounts.list();
    assert.deepEqual([first?.account, first?.name, first?.username, first?.second_factors, first?.invited_until], [account, '王芳', 'li.na', ['one_time_password'], null]);
    assert.ok(first?.last_used_at !== null && first?.created_at !== null);
    assert.deepEqual(second, { account: invited.account, name: '张伟', username: null, second_factors: [], created_at: null, last_used_at: null, invited_until: invited.ends_at });

    assert.equal((await browser.open('/password')).url.pathname, '/password');
    await accounts.remove(account);
    assert.equal((await browser.open('/password')).url.pathname, '/sign-in', 'signed out at once');
    const again = await browser.submit(await browser.open('/sign-in'), { username, password, one_time_password: oneTimePassword(secret, Date.now()) });
    assert.equal(again.status, 403);
    await accounts.remove(invited.account);
    assert.deepEqual(await accounts.list(), []);

    const logged = await events('bank-a');
    assert.deepEqual(logged.map(({ kind }) => kind), ['account.invited', 'account.activated', 'account.invited', 'account.removed', 'account.removed']);
    const everything = logged.map(({ record }) => record).join('') + platform.logged();
    for (const secretOrName of ['王芳', '张伟', 'li.na', open, secret]) assert.ok(!everything.includes(secretOrName), secretOrName);
  });

  it('gives no party another\'s people: not there and not yours are one answer', async () => {
    const [mine, theirs] = [await of('bank-a', 'query'), await of('bank-b', 'query')];
    const { account } = await theirs.invite('李娜');
    assert.deepEqual(await mine.list(), []);
    const answers = await Promise.all([account, 'A'.repeat(22)].map((id) => mine.remove(id).then(() => assert.fail(), (error: unknown) => error)));
    for (const answer of answers) assert.ok(isVeilgateError(answer, 'ACCOUNT_NOT_FOUND'));
    const [one, other] = answers.map((answer) => (isVeilgateError(answer) ? answer.message : ''));
    assert.equal(one, other);
    assert.equal((await theirs.list()).length, 1);
    await theirs.remove(account);
  });

  it('lets an institution have twenty', async () => {
    const accounts = await of('bank-b', 'query');
    for (let n = 0; n < 20; n += 1) await accounts.invite(`Person ${n}`);
    await assert.rejects(accounts.invite('One more'), code('ACCOUNT_LIMIT_REACHED'));
    for (const { account } of await accounts.list()) await accounts.remove(account);
  });

  it('gives an officer one account, and refuses enterprises, departments and names that cannot be read', async () => {
    const officer = await of('officer-compliance', 'compliance');
    const [first, second] = [await officer.invite('王芳'), await officer.invite('王芳')];
    assert.equal(first.account, second.account);
    assert.equal((await officer.list()).length, 1);
    const replaced = new Browser(platform.gateway.issuerUrl);
    const form = { username: 'officer.wang', password, password_again: password };
    assert.equal((await replaced.submit(await replaced.open(first.page), { ...form, code: first.activation_code })).status, 403, 'the earlier code is gone');
    for (const name of ['', 'x'.repeat(101), 'a\u202eb', 'line\nbreak']) await assert.rejects(officer.invite(name), code('REQUEST_INVALID'), JSON.stringify(name));
    await platform.department('tax_administration');
    await assert.rejects((await of('tax_administration', 'records')).invite('王芳'), code('PARTY_NOT_PERMITTED'));
    await assert.rejects((await of('tax_administration', 'records')).remove('A'.repeat(22)), code('ACCOUNT_NOT_FOUND'));
    const subject = '91370202MA00QJTFYT';
    await platform.enterprise(subject);
    const { rows: [party] } = await platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [subject]);
    const enterprise = await of(party?.id ?? '', 'grants');
    await assert.rejects(enterprise.invite('王芳'), code('PARTY_NOT_PERMITTED'));
    const [own] = await enterprise.list();
    assert.equal(own?.name, '王芳');
    await assert.rejects(enterprise.remove(own?.account ?? ''), code('PARTY_NOT_PERMITTED'));
  });

  it('takes the party\'s key: who is merely signed in brings nobody in and puts nobody out', async () => {
    const { browser, account } = await signedInPerson(platform, 'bank-a', 'query', 'inside.person');
    const signedIn = await consoleOf(browser);
    const inside: Caller = { party: 'bank-a' as PartyId, kind: 'institution', scopes: new Set<Scope>(['query']), session: true };
    const refused = [await signedIn('POST', '/v1/accounts', { name: '王芳' }), await signedIn('DELETE', `/v1/accounts/${account}`)];
    assert.deepEqual(refused.map(({ status, json }) => [status, json['code']]), [[404, 'REQUEST_NOT_FOUND'], [404, 'REQUEST_NOT_FOUND']], 'there is no such door');
    const acts: readonly ((tx: Tx) => Promise<unknown>)[] = [(tx) => invitePerson(tx, inside, '王芳', systemClock), (tx) => removePerson(tx, inside, account, systemClock)];
    for (const act of acts) {
      await assert.rejects(platform.database.transaction('test', act), code('ACCOUNT_KEY_REQUIRED'), 'and nothing behind it for a session');
    }
    const accounts = await of('bank-a', 'query');
    assert.deepEqual((await accounts.list()).map((one) => one.account), [account]);
    await accounts.remove(account);
    assert.equal((await signedIn('GET', '/v1/grants')).json['code'], 'SESSION_MISSING');
  });

  it('gives a person what the registry says at that moment: a role that was taken away is gone with the next request', async () => {
    const { browser } = await signedInPerson(platform, 'officer-registrar', 'registry', 'the.registrar');
    const signedIn = await consoleOf(browser);
    const registers = async () => (await signedIn('POST', '/v1/departments', {})).json['code'];
    assert.equal(await registers(), 'REQUEST_INVALID', 'let in, with nothing to register');
    await platform.database.query("update officer set roles = '{auditor}' where id = 'officer-registrar'");
    assert.equal(await registers(), 'TOKEN_SCOPE_INSUFFICIENT');
    await platform.database.query("update officer set roles = '{registrar}' where id = 'officer-registrar'");
    assert.equal(await registers(), 'REQUEST_INVALID');
  });

  it('people of a party that is suspended or revoked are out at once, on every page', async () => {
    const { browser } = await signedInPerson(platform, 'bank-a', 'query', 'bank.person');
    assert.equal((await browser.open('/password')).url.pathname, '/password');
    await platform.compliance.suspend('bank-a', 'terms_violated');
    assert.equal((await browser.open('/password')).url.pathname, '/sign-in');
    await platform.compliance.reinstate('bank-a');
    assert.equal((await browser.open('/password')).url.pathname, '/password');
    await platform.compliance.revoke('bank-a', 'terms_violated');
    assert.equal((await browser.open('/password')).url.pathname, '/sign-in');
  });
});
