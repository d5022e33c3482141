import { strict as assert } from 'node:assert';
import type { TestPlatform } from '../support/gateway.ts';
import { password } from '../support/gateway.ts';
import { assertAccessible, inspect, startTestConsole, type TestConsole } from './support/console.ts';
import { oneTimePassword } from '../../scripts/demo/one-time-password.ts';
import { personOf, representativeOf, type Person } from './support/people.ts';

const subject = '91350211M000100Y46';

describe('the consoles\' sessions', function () {
  this.timeout(120_000);
  let stage: TestConsole;
  let platform: TestPlatform;
  let officer: Person;
  let auditor: Person;
  let representative: Person;

  before(async function () {
    const opened = await startTestConsole();
    if (opened === undefined) return this.skip();
    stage = opened;
    platform = stage.platform;
    officer = await personOf(platform, 'officer-compliance', 'officer', '李合规', 'compliance');
    auditor = await personOf(platform, 'officer-auditor', 'officer', '审计员', 'audit');
    representative = await representativeOf(platform, subject, '王芳');
    return undefined;
  });
  after(async () => stage?.close());

  const api = (path: string) => `${platform.gateway.issuerUrl}/console/api${path}`;
  const cookie = (person: Person) => `veilgate_session=${person.forms.cookie('veilgate_session') ?? ''}`;
  const get = (path: string, headers: Readonly<Record<string, string>>) => fetch(api(path), { headers });
  const codeOf = async (response: Response) => ((await response.json()) as { readonly code: string }).code;
  const csrfOf = async (person: Person) => ((await (await get('/session', { cookie: cookie(person) })).json()) as { readonly csrf: string }).csrf;
  const reading = async (person: Person) => ({ cookie: cookie(person), 'veilgate-csrf': await csrfOf(person) });
  const withhold = (headers: Readonly<Record<string, string>>) =>
    fetch(api('/v1/policy-withholds'), { method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID(), ...headers }, body: '{}' });

  describe('who calls', () => {
    it('nobody without a session, and a token of the gateway is none', async () => {
      assert.equal(await codeOf(await get('/v1/catalogue', {})), 'SESSION_MISSING');
      assert.equal(await codeOf(await get('/v1/catalogue', { cookie: 'veilgate_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' })), 'SESSION_MISSING');
      const token = await (await platform.connect('officer-compliance', 'compliance')).token();
      assert.equal(await codeOf(await get('/v1/catalogue', { authorization: `DPoP ${token}` })), 'SESSION_MISSING');
    });

    it('and the cookie alone opens nothing at the gateway itself', async () => {
      assert.equal(await codeOf(await fetch(`${platform.gateway.gatewayUrl}/v1/catalogue`, { headers: { cookie: cookie(officer) } })), 'TOKEN_MISSING');
    });

    it('is told to the page: the person, what they may do, nothing secret', async () => {
      const text = await (await get('/session', { cookie: cookie(officer) })).text();
      const { party, kind, scopes, name } = JSON.parse(text) as { readonly party: string; readonly kind: string; readonly scopes: readonly string[]; readonly name: string };
      assert.deepEqual({ party, kind, scopes, name }, { party: 'officer-compliance', kind: 'officer', scopes: ['compliance'], name: '李合规' });
      assert.ok(!text.includes(officer.forms.cookie('veilgate_session') ?? 'no cookie'));
    });

    it('may do what the registry allows the party at this moment, whatever the page shows', async () => {
      assert.equal((await get('/v1/policies', await reading(officer))).status, 200);
      assert.equal(await codeOf(await get('/v1/policies', await reading(representative))), 'TOKEN_SCOPE_INSUFFICIENT');
      const csrf = await csrfOf(auditor);
      const refused = await withhold({ cookie: cookie(auditor), origin: platform.gateway.issuerUrl, 'veilgate-csrf': csrf });
      assert.equal(await codeOf(refused), 'TOKEN_SCOPE_INSUFFICIENT');
    });
  });

  describe('requests that another site makes a browser send', () => {
    it('are refused by their origin, by where the browser says they come from, and for want of the session\'s own token', async () => {
      const own = { cookie: cookie(officer), origin: platform.gateway.issuerUrl, 'veilgate-csrf': await csrfOf(officer) };
      const forged = [
        { ...own, origin: 'https://evil.example' }, { ...own, origin: 'null' }, { ...own, 'sec-fetch-site': 'cross-site' }, { ...own, 'sec-fetch-site': 'same-site' },
        { cookie: own.cookie, origin: own.origin }, { cookie: own.cookie, 'veilgate-csrf': own['veilgate-csrf'] }, { ...own, 'veilgate-csrf': await csrfOf(auditor) }, { ...own, 'veilgate-csrf': '' },
      ];
      for (const headers of forged) assert.equal(await codeOf(await withhold(headers)), 'SESSION_FORGED', JSON.stringify(Object.keys(headers)));
      assert.equal(await codeOf(await withhold(own)), 'REQUEST_INVALID', 'the right one gets as far as its body');
      assert.equal(await codeOf(await get('/v1/policies', { cookie: own.cookie, 'sec-fetch-site': 'cross-site' })), 'SESSION_FORGED');
    });

    it('are refused when they only read, too: reading can be logged and counted, and not every browser says where a request comes from', async () => {
      const { cookie: own } = await reading(representative);
      const entries = async () => (await platform.database.query("select from audit_entry where kind = 'export.own'")).rowCount;
      const before = await entries();
      for (const method of ['GET', 'HEAD']) {
        const answer = await fetch(api('/v1/export?format=ndjson'), { method, headers: { cookie: own } });
        assert.equal(answer.status, 403, method);
      }
      assert.equal(await entries(), before);
      assert.equal((await fetch(api('/v1/export?format=ndjson'), { headers: await reading(representative) })).status, 200);
      assert.equal(await entries(), (before ?? 0) + 1);
    });
  });

  it('cannot take the party\'s keys away, nor put in others', async () => {
    const own = { cookie: cookie(officer), origin: platform.gateway.issuerUrl, 'veilgate-csrf': await csrfOf(officer) };
    const { publicJwk } = (await platform.credentials('officer-compliance')).signing;
    const retired = await fetch(api(`/v1/keys/${publicJwk.kid}`), { method: 'DELETE', headers: own });
    assert.equal(await codeOf(retired), 'REQUEST_NOT_FOUND');
    const { status } = await fetch(`${platform.gateway.gatewayUrl}/v1/policy`);
    assert.equal(status, 200);
    assert.ok(await (await platform.connect('officer-compliance', 'compliance')).token(), 'the key still works');
  });

  describe('the page', () => {
    it('sends whoever is not signed in to the sign-in page and back, with password and one-time password', async () => {
      const forSignIn = await personOf(platform, 'officer-registrar', 'officer', 'Registrar', 'registry');
      const page = await stage.open(undefined, '/console/nowhere?x=1');
      await page.waitForURL(/\/sign-in\?to=/);
      const planted = 'A'.repeat(43);
      await page.context().addCookies([{ name: 'veilgate_session', value: planted, url: platform.gateway.issuerUrl, httpOnly: true, sameSite: 'Lax' }]);
      await page.fill('[name=username]', forSignIn.username);
      await page.fill('[name=password]', password);
      await page.fill('[name=one_time_password]', oneTimePassword(forSignIn.secret ?? '', Date.now()));
      await page.click('form button:not(.link)');
      await page.waitForURL(/\/console\/nowhere\?x=1$/);
      await page.getByRole('heading', { level: 1, name: 'No such page' }).waitFor();
      const after = (await page.context().cookies()).find(({ name }) => name === 'veilgate_session');
      assert.notEqual(after?.value, planted, 'a session of its own, not one that was there before');
      assert.equal(await codeOf(await get('/session', { cookie: `veilgate_session=${planted}` })), 'SESSION_MISSING');
      assert.equal(after?.httpOnly, true);
    });

    it('is accessible and fits, in both languages, switched without a reload', async () => {
      const page = await stage.open(officer, '/console/');
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.evaluate('window.notReloaded = true');
      await inspect(page, 'frame-en');
      await page.getByRole('button', { name: '切换到中文' }).click();
      await page.getByRole('button', { name: '退出登录' }).waitFor();
      assert.equal(await page.evaluate('window.notReloaded'), true);
      assert.equal(await page.evaluate('document.documentElement.lang'), 'zh-CN');
      await inspect(page, 'frame-zh');
    });

    it('leads the keyboard past the navigation to the content', async () => {
      const page = await stage.open(officer, '/console/');
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.keyboard.press('Tab');
      await page.locator('a.skip:focus').waitFor({ state: 'attached' });
      await page.keyboard.press('Enter');
      await page.locator('#content:focus').waitFor();
    });

    it('ends the session on the server when somebody signs out', async () => {
      const leaving = await personOf(platform, 'officer-registrar', 'officer', 'Leaving', 'registry');
      const page = await stage.open(leaving, '/console/');
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.waitForURL(/\/sign-in/);
      assert.equal(await codeOf(await get('/session', { cookie: cookie(leaving) })), 'SESSION_MISSING', 'the session is over on the server too');
      await assertAccessible(page);
    });

    it('comes in a third of its size to browsers that take brotli, and whole to others', async () => {
      const html = await (await fetch(`${platform.gateway.issuerUrl}/console/`)).text();
      const [, script] = /src="(\/console\/assets\/[^"]+\.js)"/.exec(html) ?? [];
      const answers = await Promise.all(['br', 'identity'].map((encoding) => fetch(platform.gateway.issuerUrl + (script ?? ''), { headers: { 'accept-encoding': encoding } })));
      assert.deepEqual(answers.map(({ headers }) => headers.get('content-encoding')), ['br', null]);
      const [small = '', whole = ''] = await Promise.all(answers.map((answer) => answer.text()));
      assert.equal(small, whole);
      assert.equal(answers[0]?.headers.get('cache-control'), answers[1]?.headers.get('cache-control'));
      assert.equal((await fetch(`${platform.gateway.issuerUrl}/console/assets/..%2Findex.html`, { headers: { 'accept-encoding': 'br' } })).status, 404);
    });

    it('loads scripts and styles of its own only, and nobody may frame it', async () => {
      const { headers } = await fetch(`${platform.gateway.issuerUrl}/console/`);
      const policy = headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.doesNotMatch(policy, /unsafe|https?:/);
      const page = await stage.open(officer, '/console/');
      const run = await page.evaluate(`new Promise((done) => { const script = document.createElement('script'); script.textContent = 'window.injected = true'; document.body.append(script); setTimeout(() => done(window.injected === true), 50); })`);
      assert.equal(run, false, 'an inline script ran');
      const [fault, ...others] = stage.takeFaults();
      assert.match(fault ?? '', /inline script violates/);
      assert.deepEqual(others, []);
    });
  });
});
