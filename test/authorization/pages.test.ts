import { strict as assert } from 'node:assert';
import { Browser, type Page } from '../../scripts/demo/form-browser.ts';
import { activationCode, agreed, authorizationApp, consentDetail, openRequest, password, representative, startPlatform, subjectNumber, type Platform } from './support/platform.ts';

const markup = '<script>alert(1)</script>"\'><img src=x onerror=alert(2)>&amp;`';

describe('authorization/pages', () => {
  let platform: Platform;
  before(async () => {
    platform = await startPlatform({ names: { institution: `Bank ${markup}`, purpose: `Purpose ${markup}`, field: `Field ${markup}` } });
  });
  after(() => platform.close());

  const inert = (page: Page) => {
    assert.ok(!/<script|<img|javascript:|\son[a-z]+=/i.test(page.html.replace(/&#[0-9]+;/g, '_').replace(/onerror=alert\(2\)/g, '_')), page.html);
    assert.ok(!page.html.includes('<script>alert'), page.html);
  };

  it('shows markup in names, fields and typed values as text', async () => {
    const subject = subjectNumber(1);
    const browser = new Browser(platform.issuer);
    const code = await activationCode(platform, subject, `Name ${markup}`.slice(0, 100));
    const page = await browser.submit(await browser.open('/activation'), { holder: subject, code, username: 'first.user', password, password_again: password });
    assert.equal(page.status, 200);
    const consent = await openRequest(platform, browser, consentDetail(subject));
    inert(consent);
    assert.ok(consent.html.includes('&#60;script&#62;alert(1)'));
    await browser.submit(consent, { ...agreed });
    inert(await browser.open('/consents'));

    const stranger = new Browser(platform.issuer);
    inert(await stranger.submit(await stranger.open('/sign-in'), { username: `"><script>x</script>`, password: 'x' }));
    inert(await stranger.submit(await stranger.open('/activation'), { subject: '"><script>', code: 'x', username: '"><script>', password: 'y', password_again: 'z' }));
    inert(await stranger.open('/nothing/"><script>x</script>'));
    inert(await stranger.open('/authorize?client_id=%22%3E%3Cscript%3Ex%3C/script%3E'));
    inert(await stranger.open('/sign-in?to=%22%3E%3Cscript%3E&lang=%22%3E%3Cscript%3E'));
  });

  it('sends headers that forbid framing, scripts, caching and leaking addresses with every page', async () => {
    const browser = await representative(platform, subjectNumber(2));
    const consent = await openRequest(platform, browser, consentDetail(subjectNumber(2)));
    for (const page of [consent, await browser.open('/sign-in'), await browser.open('/consents'), await browser.open('/nowhere'), await browser.open('/authorize?client_id=x')]) {
      const policy = page.headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.ok(!/unsafe|script-src|\*/.test(policy), policy);
      assert.equal(page.headers.get('x-frame-options'), 'DENY');
      assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(page.headers.get('referrer-policy'), 'same-origin');
      assert.match(page.headers.get('cache-control') ?? '', /no-store/);
      assert.equal(page.headers.get('x-powered-by'), null);
      assert.ok(!/<script|<style|\sstyle=|\son[a-z]+=/i.test(page.html.replace(/&#[0-9]+;[^<]*/g, '')));
    }
    assert.match(consent.headers.get('content-security-policy') ?? '', /form-action 'self' https:\/\/bank\.example(;|$)/);
    assert.match((await browser.open('/sign-in')).headers.get('content-security-policy') ?? '', /form-action 'self'(;|$)/);
  });

  it('refuses every form without its token, with another browser\'s, or from another origin', async () => {
    const subject = subjectNumber(3);
    const browser = await representative(platform, subject);
    const consent = await openRequest(platform, browser, consentDetail(subject));
    const list = await browser.open('/consents');
    const other = await (await representative(platform, subjectNumber(4))).open('/consents');
    const foreign = other.forms[0]?.fields.find(([name]) => name === 'csrf')?.[1] ?? assert.fail();
    const posts: [string, Page, number?][] = [['sign-in', await new Browser(platform.issuer).open('/sign-in')], ['sign-out', list, 0], ['consent', consent]];
    for (const [what, page, form] of posts) {
      const at = form === undefined ? {} : { form };
      const sender = what === 'sign-in' ? new Browser(platform.issuer) : browser;
      for (const [changes, headers] of [
        [{ csrf: null }, {}], [{ csrf: '' }, {}], [{ csrf: foreign }, {}], [{ csrf: ['a', 'b'] }, {}],
        [{}, { origin: 'https://evil.example' }], [{}, { origin: 'null' }], [{}, { 'sec-fetch-site': 'cross-site' }], [{}, { 'sec-fetch-site': 'same-site' }],
      ] as const) {
        if (what === 'sign-in' && 'csrf' in changes === false && Object.keys(headers).length === 0) continue;
        const answer = await sender.submit(page, { ...agreed, ...changes }, { ...at, headers });
        assert.ok(answer.status === 403 || answer.status === 400, `${what} ${JSON.stringify([changes, headers])} ${answer.status}`);
      }
    }
    assert.equal((await browser.open('/consents')).url.pathname, '/consents');
    assert.ok(!platform.orders.some(({ terms }) => terms.subject === subject));
  });

  it('refuses a form value that comes twice', async () => {
    const subject = subjectNumber(5);
    const browser = await representative(platform, subject);
    const page = await openRequest(platform, browser, consentDetail(subject));
    for (const name of ['decision', 'valid_days', 'uses_max', 'ceiling.tax.revenue']) {
      assert.equal((await browser.submit(page, { ...agreed, [name]: ['1', '2'] })).status, 400, name);
    }
    assert.equal((await browser.submit(page, { ...agreed, junk: 'x'.repeat(70_000) })).status, 413);
    assert.equal((await browser.submit(page, { ...agreed, junk: Array.from({ length: 600 }, () => 'x') })).status, 413);
    assert.equal((await browser.submit(page, { ...agreed, junk: 'x'.repeat(2000) })).status, 400);
    assert.equal(platform.orders.filter(({ terms }) => terms.subject === subject).length, 0);
  });

  it('makes one grant however often the form is sent', async () => {
    const subject = subjectNumber(6);
    const browser = await representative(platform, subject);
    const page = await openRequest(platform, browser, consentDetail(subject));
    await Promise.all(Array.from({ length: 5 }, () => browser.submit(page, { ...agreed })));
    const late = await browser.submit(page, { ...agreed });
    assert.equal(late.status, 400);
    assert.equal(platform.orders.filter(({ terms }) => terms.subject === subject).length, 1);
  });

  it('gives a session an id that nobody could know before sign-in', async () => {
    const subject = subjectNumber(7);
    await representative(platform, subject, 'fixation.user');
    const victim = new Browser(platform.issuer);
    const planted = 'A'.repeat(43);
    victim.setCookie('veilgate_session', planted);
    victim.setCookie('veilgate_visit', planted);
    const before = await victim.open('/sign-in');
    await victim.submit(before, { username: 'fixation.user', password });
    const session = victim.cookie('veilgate_session');
    assert.notEqual(session, planted);
    assert.match(session ?? '', /^[A-Za-z0-9_-]{43}$/);
    const attacker = new Browser(platform.issuer);
    attacker.setCookie('veilgate_session', planted);
    assert.equal((await attacker.open('/consents')).url.pathname, '/sign-in');

    // signing in again replaces the session and ends the one before
    await victim.submit(await victim.open('/sign-in'), { username: 'fixation.user', password });
    assert.notEqual(victim.cookie('veilgate_session'), session);
    attacker.setCookie('veilgate_session', session ?? '');
    assert.equal((await attacker.open('/consents')).url.pathname, '/sign-in');
  });

  it('marks cookies httpOnly and lax, and on https secure and bound to the host', async () => {
    const signIn = await fetch(`${platform.issuer}/sign-in`);
    for (const cookie of signIn.headers.getSetCookie()) assert.match(cookie, /HttpOnly; SameSite=Lax/);
    const behind = await authorizationApp({ issuer: 'https://platform.example', secureCookies: true, behindProxy: true, database: platform.database });
    const server = behind.app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const answer = await fetch(`http://127.0.0.1:${address.port}/sign-in`);
    const cookies = answer.headers.getSetCookie();
    assert.ok(cookies.length > 0);
    for (const cookie of cookies) assert.match(cookie, /^__Host-[\s\S]*Path=\/;.*HttpOnly; Secure; SameSite=Lax/);
    assert.match(answer.headers.get('strict-transport-security') ?? '', /max-age=31536000/);
    const metadata = (await (await fetch(`http://127.0.0.1:${address.port}/.well-known/openid-configuration`, { headers: { 'x-forwarded-host': 'evil.example' } })).json()) as Record<string, unknown>;
    assert.equal(metadata['token_endpoint'], 'https://platform.example/token');
    server.closeAllConnections();
    server.close();
  });

  it('never redirects a browser to another site after sign-in', async () => {
    await representative(platform, subjectNumber(8), 'redirect.user');
    for (const to of ['https://evil.example', '//evil.example', '/\\evil.example', '/consent/../../evil', 'javascript:alert(1)', '/consent/x?y=//evil', '']) {
      const browser = new Browser(platform.issuer);
      const page = await browser.open(`/sign-in?to=${encodeURIComponent(to)}`);
      const after = await browser.submit(page, { username: 'redirect.user', password });
      assert.equal(after.url.href, `${platform.issuer}/consents`, to);
      const tampered = new Browser(platform.issuer);
      const landed = await tampered.submit(await tampered.open('/sign-in'), { username: 'redirect.user', password, to });
      assert.equal(landed.url.href, `${platform.issuer}/consents`, to);
    }
  });

  it('declines a request for another subject without saying whether that subject exists', async () => {
    const browser = await representative(platform, subjectNumber(9));
    await representative(platform, subjectNumber(10));
    const answers = [];
    for (const stranger of [subjectNumber(10), subjectNumber(99_999)]) {
      const page = await openRequest(platform, browser, consentDetail(stranger));
      assert.ok(!page.html.includes(stranger) && !page.html.includes('tax.revenue') && !page.html.includes('Bank '));
      const forced = await openRequest(platform, browser, consentDetail(stranger));
      const back = [await browser.submit(page, {}), await browser.submit(forced, { ...agreed, field: 'tax.revenue', valid_days: '1' })];
      for (const { url } of back) {
        assert.equal(url.origin, 'https://bank.example');
        answers.push([...url.searchParams].filter(([name]) => name !== 'state').join('&'));
      }
    }
    assert.equal(new Set(answers).size, 1, answers.join('\n'));
    assert.match(answers[0] ?? '', /access_denied/);
    assert.ok(!platform.orders.some(({ terms }) => terms.subject === subjectNumber(10)));
  });

  it('answers a request only in the browser it was opened in', async () => {
    const subject = subjectNumber(11);
    const browser = await representative(platform, subject);
    const page = await openRequest(platform, browser, consentDetail(subject));
    const other = new Browser(platform.issuer);
    const session = browser.cookie('veilgate_session');
    other.setCookie('veilgate_session', session ?? '');
    assert.equal((await other.open(page.url)).status, 400);
    assert.equal((await other.submit(page, { ...agreed })).status, 400);

    const second = await openRequest(platform, browser, consentDetail(subject));
    const crossed = new Browser(platform.issuer);
    for (const name of ['veilgate_session', 'veilgate_interaction', 'veilgate_interaction.sig']) crossed.setCookie(name, browser.cookie(name) ?? '');
    assert.notEqual(second.url.pathname, page.url.pathname);
    assert.deepEqual([(await crossed.open(page.url)).status, (await crossed.open(second.url)).status].sort(), [200, 400]);
  });
});

describe('authorization/pages, my consents', () => {
  let platform: Platform;
  before(async () => { platform = await startPlatform(); });
  after(() => platform.close());

  it('lists, pauses, resumes and revokes consents and hands out receipts', async () => {
    const subject = subjectNumber(1);
    const browser = await representative(platform, subject);
    await browser.submit(await openRequest(platform, browser, consentDetail(subject)), { ...agreed });
    const { id } = platform.orders.at(-1) ?? assert.fail();
    const act = async (action: string) => {
      const list = await browser.open('/consents');
      return browser.submit(list, {}, { form: list.forms.findIndex((form) => form.action.pathname === `/consents/${id}/${action}`) });
    };
    assert.match((await act('pause')).html, /The consent is paused/);
    assert.equal(platform.states.get(id), 'paused');
    assert.match((await act('resume')).html, /valid again/);
    const receipt = await browser.open(`/consents/${id}/receipt`);
    assert.equal(receipt.html, 'receipt.of.grant');
    assert.equal(receipt.headers.get('content-type'), 'application/jose');
    assert.match(receipt.headers.get('content-disposition') ?? '', /^attachment; filename=/);
    const list = await browser.open('/consents');
    assert.match((await act('revoke')).html, /is revoked/);
    assert.equal(platform.states.get(id), 'revoked');
    const conflict = await browser.submit(list, {}, { form: list.forms.findIndex((form) => form.action.pathname.endsWith('/pause')) });
    assert.equal(conflict.status, 409);
  });

  it('shows and changes nothing of another enterprise', async () => {
    const owner = await representative(platform, subjectNumber(2));
    await owner.submit(await openRequest(platform, owner, consentDetail(subjectNumber(2))), { ...agreed });
    const { id } = platform.orders.at(-1) ?? assert.fail();
    const thief = await representative(platform, subjectNumber(3));
    const list = await thief.open('/consents');
    assert.ok(!list.html.includes(id));
    const csrf = list.forms[0]?.fields[0]?.[1] ?? '';
    assert.equal((await thief.open(`/consents/${id}/receipt`)).status, 404);
    assert.equal((await thief.post(`/consents/${id}/revoke`, new URLSearchParams({ csrf }))).status, 404);
    assert.equal((await thief.post('/consents/..%2f..%2fx/revoke', new URLSearchParams({ csrf }))).status, 404);
    assert.equal(platform.states.get(id), undefined);
  });

  it('ends the session with sign-out, after a pause and after a working day', async () => {
    const subject = subjectNumber(4);
    const browser = await representative(platform, subject, 'timeout.user');
    const session = browser.cookie('veilgate_session') ?? '';
    const list = await browser.open('/consents');
    await browser.submit(list, {}, { form: 0 });
    browser.setCookie('veilgate_session', session);
    assert.equal((await browser.open('/consents')).url.pathname, '/sign-in');

    const signIn = async () => browser.submit(await browser.open('/sign-in'), { username: 'timeout.user', password });
    await signIn();
    platform.clock.advanceMs(14 * 60_000);
    assert.equal((await browser.open('/consents')).url.pathname, '/consents');
    platform.clock.advanceMs(14 * 60_000);
    assert.equal((await browser.open('/consents')).url.pathname, '/consents');
    platform.clock.advanceMs(16 * 60_000);
    assert.equal((await browser.open('/consents')).url.pathname, '/sign-in');

    await signIn();
    for (let minutes = 0; minutes < 8 * 60; minutes += 10) {
      assert.equal((await browser.open('/consents')).url.pathname, '/consents');
      platform.clock.advanceMs(10 * 60_000);
    }
    assert.equal((await browser.open('/consents')).url.pathname, '/sign-in');
  });

  it('lets no provider session outlive sign-out: the next request asks again', async () => {
    const subject = subjectNumber(5);
    const browser = await representative(platform, subject);
    await browser.submit(await openRequest(platform, browser, consentDetail(subject)), { ...agreed });
    assert.equal(browser.cookie('veilgate_oauth'), undefined);
    assert.match((await openRequest(platform, browser, consentDetail(subject))).url.pathname, /^\/consent\//);
    await browser.submit(await browser.open('/consents'), {}, { form: 0 });
    assert.equal((await openRequest(platform, browser, consentDetail(subject))).url.pathname, '/sign-in');
    const { rows } = await platform.database.query("select count(*) as n from oidc_payload where model = 'Session'");
    assert.equal(rows[0]?.['n'], 0);
  });

  it('lets another enterprise of the same browser answer its own request', async () => {
    const browser = await representative(platform, subjectNumber(6), 'shared.one');
    await representative(platform, subjectNumber(7), 'shared.two');
    await browser.submit(await openRequest(platform, browser, consentDetail(subjectNumber(6))), { ...agreed });
    await browser.submit(await browser.open('/consents'), {}, { form: 0 });
    const signIn = await openRequest(platform, browser, consentDetail(subjectNumber(7)));
    const page = await browser.submit(signIn, { username: 'shared.two', password });
    const back = await browser.submit(page, { ...agreed });
    assert.ok(back.url.searchParams.get('code'), back.html);
  });
});
