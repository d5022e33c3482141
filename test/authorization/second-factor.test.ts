import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { encode } from 'uqr';
import { enrolment, enrolOneTimePassword, findOneTimePassword, oneTimePasswordKeys, stepOf } from '../../src/authorization/one-time-passwords.ts';
import { removeExpiredAuthorizationState } from '../../src/authorization/cleanup.ts';
import { findAccount, listAccounts } from '../../src/authorization/accounts.ts';
import { removePasskey } from '../../src/authorization/passkeys.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { freePort } from '../../src/store/cluster.ts';
import type { PartyId } from '../../src/vocabulary.ts';
import { Browser, type Page } from '../../scripts/demo/form-browser.ts';
import { offeredSecret, oneTimePassword } from '../../scripts/demo/one-time-password.ts';
import { authenticator } from './support/authenticator.ts';
import { formAt, optionsOf } from './support/passkey-pages.ts';
import { password, startPlatform, type Platform } from './support/platform.ts';
import { begin, invitation, signInWithApp, staff } from './support/staff.ts';

describe('authorization/one-time passwords', () => {
  it('are those of RFC 6238, appendix B', () => {
    const secret = Buffer.from('12345678901234567890');
    const vectors = [[59, '287082'], [1_111_111_109, '081804'], [1_111_111_111, '050471'], [1_234_567_890, '005924'], [2_000_000_000, '279037'], [20_000_000_000, '353130']] as const;
    for (const [atS, code] of vectors) assert.equal(stepOf(secret, code, atS * 1000), Math.floor(atS / 30), code);
    assert.equal(stepOf(secret, ' 081 804 ', 1_111_111_109_000), 37_037_036, 'blanks are how apps show them');
  });

  it('count one step before and after their own, and have six digits', () => {
    const secret = Buffer.from('12345678901234567890');
    const steps = [-60_000, -30_000, 0, 30_000, 60_000].map((offMs) => stepOf(secret, '287082', 45_000 + offMs));
    assert.deepEqual(steps, [undefined, 1, 1, 1, undefined]);
    for (const odd of ['', '87082', '4287082', '94287082', '28708x', '२८७०८२', '287082\u0000', '-87082']) assert.equal(stepOf(secret, odd, 45_000), undefined, JSON.stringify(odd));
  });
});

describe('authorization/second factor', () => {
  let platform: Platform;
  let people = 0;
  const unique = () => ({ username: `staff.${people += 1}`, party: `officer-${people}` });
  before(async () => { platform = await startPlatform({ issuer: `http://localhost:${await freePort()}` }); });
  after(() => platform.close());
  beforeEach(() => platform.database.query('delete from sign_in_throttle'));

  it('must be enrolled before anything works; until then the activation code can be used again', async () => {
    const who = unique();
    const { browser, choice, code, accountId } = await begin(platform, { ...who, to: '/console/policies' });
    assert.deepEqual([choice.status, choice.url.pathname], [200, '/second-factor']);
    for (const path of ['/consents', '/passkeys', '/password']) assert.equal((await browser.open(path)).url.pathname, '/sign-in', path);
    assert.equal((await signInWithApp(platform, { ...who, secret: offeredSecret(choice) })).status, 403, 'the secret counts once it is enrolled');
    const [account] = await listAccounts(platform.database, who.party as PartyId, platform.clock.nowMs());
    assert.deepEqual([account?.accountId, account?.secondFactors, account?.invitedUntilMs === null], [accountId, [], false]);

    const again = await begin(platform, { ...who, code, browser: new Browser(platform.issuer), to: '/console/policies' });
    assert.notEqual(offeredSecret(again.choice), offeredSecret(choice), 'whoever saw the first secret has nothing of it');
    const stale = await browser.submit(choice, { one_time_password: oneTimePassword(offeredSecret(choice), platform.clock.nowMs()) });
    assert.equal(stale.status, 403, 'the first browser lost its place');
    const landed = await again.browser.submit(again.choice, { one_time_password: oneTimePassword(offeredSecret(again.choice), platform.clock.nowMs()) });
    assert.equal(landed.url.pathname, '/console/policies');
    const late = await begin(platform, { ...who, code });
    assert.equal(late.choice.status, 403, 'now the code is used up');
    assert.ok(platform.log.some(({ event, facts }) => event === 'account.activated' && facts['account'] === accountId));
  });

  it('page shows one secret until it is enrolled, as text and as a QR code that says the same, under a policy without styles or foreign scripts', async () => {
    const who = unique();
    const { browser, choice } = await begin(platform, who);
    const wrong = await browser.submit(choice, { one_time_password: '000000' });
    assert.equal(wrong.status, 403);
    assert.match(wrong.html, /role="alert">The app made another password/);
    const secret = offeredSecret(choice);
    assert.equal(offeredSecret(wrong), secret);
    const label = encodeURIComponent('Financing credit service platform');
    const { data, size } = encode(`otpauth://totp/${label}:${who.username}?issuer=${label}&secret=${secret}&algorithm=SHA1&digits=6&period=30`, { ecc: 'M', border: 4 });
    const drawn = new Set([.../<path fill="#000" d="([^"]+)"/.exec(choice.html)?.[1]?.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g) ?? []].flatMap(([, x, y, run]) => Array.from({ length: Number(run) }, (_, at) => `${Number(x) + at} ${y}`)));
    const dark = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`${x} ${y}`] : [])));
    assert.ok(choice.html.includes(`viewBox="0 0 ${size} ${size}"`));
    assert.deepEqual([...drawn].sort(), dark.sort());
    assert.match(choice.headers.get('content-security-policy') ?? '', /default-src 'none';style-src 'self';script-src 'self'/);
    assert.doesNotMatch(choice.html, /style=|<style/);
    const chinese = new Browser(platform.issuer, { 'accept-language': 'zh-CN' });
    assert.match((await begin(platform, { ...unique(), browser: chinese })).choice.html, /<h1>第二验证因素<\/h1>/);
  });

  it('begins a session that nobody knew before, for the account alone', async () => {
    const who = unique();
    const { browser, choice } = await begin(platform, who);
    const before = browser.cookie('veilgate_session');
    await browser.submit(choice, { one_time_password: oneTimePassword(offeredSecret(choice), platform.clock.nowMs()) });
    const after = browser.cookie('veilgate_session');
    assert.ok(before !== undefined && after !== undefined && before !== after);
    const thief = new Browser(platform.issuer);
    thief.setCookie('veilgate_session', before);
    assert.equal((await thief.open('/password')).url.pathname, '/sign-in');
    assert.equal((await thief.open('/second-factor')).url.pathname, '/activation');
    assert.equal((await browser.open('/password')).url.pathname, '/password');
    assert.equal((await browser.open('/second-factor')).url.pathname, '/activation', 'a secret is shown before it is enrolled, never after');
  });

  it('cannot be enrolled half an hour later, without our form, or from another site', async () => {
    const { browser, choice } = await begin(platform, unique());
    const right = { one_time_password: oneTimePassword(offeredSecret(choice), platform.clock.nowMs()) };
    assert.equal((await browser.submit(choice, { ...right, csrf: 'x' })).status, 403);
    assert.equal((await browser.submit(choice, right, { ...formAt(choice, '/second-factor'), headers: { origin: 'https://evil.example' } })).status, 403);
    assert.equal((await browser.submit(choice, right, { ...formAt(choice, '/second-factor'), headers: { 'sec-fetch-site': 'cross-site' } })).status, 403);
    for (let minutes = 0; minutes < 30; minutes += 10) {
      await browser.open('/second-factor');
      platform.clock.advanceMs(10 * 60_000);
    }
    assert.equal((await browser.open('/second-factor')).url.pathname, '/activation');
  });

  it('is asked for at every sign-in: one answer for an unknown name, a wrong password and a missing, wrong, used or older one-time password', async () => {
    const who = await staff(platform, unique());
    const shown = (steps: number) => oneTimePassword(who.secret, platform.clock.nowMs(), steps);
    assert.equal((await signInWithApp(platform, who)).url.pathname, '/console/');
    const used = shown(0);
    const wrong = [
      { one_time_password: used }, { one_time_password: shown(-1) }, { one_time_password: '' }, { one_time_password: '000000' },
      { one_time_password: shown(1), password: 'wrong wrong wrong' }, { one_time_password: shown(1), username: 'nobody.here' },
    ];
    const answers = new Set<string>();
    for (const change of wrong) {
      const visitor = new Browser(platform.issuer);
      const page = await visitor.submit(await visitor.open('/sign-in'), { username: who.username, password, ...change });
      assert.equal(page.status, 403, JSON.stringify(change));
      answers.add(page.html.replaceAll(/value="[^"]*"/g, ''));
      await platform.database.query('delete from sign_in_throttle');
    }
    assert.equal(answers.size, 1);
    assert.equal((await signInWithApp(platform, who, { steps: 1 })).url.pathname, '/console/', 'none of the failures used the next one up');
  });

  it('lets one of many uses of a one-time password through', async () => {
    const who = await staff(platform, unique());
    const pages = await Promise.all(Array.from({ length: 4 }, () => signInWithApp(platform, who)));
    assert.equal(pages.filter(({ url }) => url.pathname === '/console/').length, 1);
  });

  it('slows guesses of one-time passwords down, also of somebody who has the password', async () => {
    const who = await staff(platform, unique());
    const statuses: number[] = [];
    for (let tries = 0; tries < 6; tries += 1) statuses.push((await signInWithApp(platform, who, { typed: String(100_000 + tries) })).status);
    assert.deepEqual(statuses, [403, 403, 403, 403, 403, 429]);
    assert.equal((await signInWithApp(platform, who)).status, 429, 'the right one has to wait as well');
  });

  it('secrets are kept sealed for their account, and move on when the keys do', async () => {
    const { database, clock } = platform;
    const [first, second, other] = [await staff(platform, unique()), await staff(platform, unique()), await begin(platform, unique())];
    const { rows } = await database.query<{ secret: Buffer }>('select secret from account_one_time_password where account_id = $1', [first.accountId]);
    const [stored = assert.fail()] = rows;
    assert.equal(stored.secret.length, 48);
    await database.query('update account_one_time_password set secret = $2 where account_id = $1', [second.accountId, stored.secret]);
    assert.equal((await signInWithApp(platform, { username: second.username, secret: first.secret })).status, 403, 'another account\'s row does not open');

    const [before, after] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
    await database.query('delete from account_one_time_password where account_id = $1', [other.accountId]);
    const account = { accountId: other.accountId, username: 'rotated' };
    const { secret } = await enrolment(database, oneTimePasswordKeys([before]), account, 'platform');
    assert.ok(await enrolOneTimePassword(database, clock, oneTimePasswordKeys([before]), other.accountId, oneTimePassword(secret, clock.nowMs(), -1)));
    const accepts = async (keys: readonly string[], steps: number) => {
      const found = await findOneTimePassword(database, clock, oneTimePasswordKeys(keys), { accountId: other.accountId, typed: oneTimePassword(secret, clock.nowMs(), steps), enrolling: false });
      return found?.take();
    };
    assert.equal(await accepts([after], 0), undefined, 'without the key it was sealed under');
    assert.equal(await accepts([after, before], 0), true);
    assert.equal(await accepts([after], 1), true, 'sealed anew at its last use');
    assert.equal(await enrolOneTimePassword(database, clock, oneTimePasswordKeys([after]), other.accountId, oneTimePassword(secret, clock.nowMs(), 1)), false, 'enrolled once');
  });

  it('may be a passkey that verified its person; then no password opens the account, and the last one stays', async () => {
    const who = unique();
    const { browser, choice, accountId } = await begin(platform, who);
    const device = authenticator(platform.issuer);
    const give = (page: Page, changes = {}) => browser.submit(page, { credential: JSON.stringify(device.create(optionsOf(page), changes)) }, formAt(page, '/second-factor/passkey'));
    const unverified = await give(choice, { flags: 0x01 });
    assert.equal(unverified.status, 400);
    assert.match(unverified.html, /The passkey was not accepted/);
    const [account] = await listAccounts(platform.database, who.party as PartyId, platform.clock.nowMs());
    assert.deepEqual(account?.secondFactors, []);
    assert.equal((await give(await browser.open('/second-factor'))).url.pathname, '/console/');
    const [enrolled] = await listAccounts(platform.database, who.party as PartyId, platform.clock.nowMs());
    assert.deepEqual([enrolled?.accountId, enrolled?.secondFactors, enrolled?.invitedUntilMs], [accountId, ['passkey'], null]);

    assert.equal((await signInWithApp(platform, { ...who, secret: offeredSecret(choice) })).status, 403, 'the secret that was offered beside is none');
    const visitor = new Browser(platform.issuer);
    const page = await visitor.open('/sign-in/passkey');
    assert.equal((await visitor.submit(page, { credential: JSON.stringify(device.get(optionsOf(page))) })).url.pathname, '/console/');

    const list = await visitor.open('/passkeys');
    const thief = await visitor.submit(list, { password: 'not the password of it' }, formAt(list, '/passkeys/removal'));
    assert.equal(thief.status, 403, 'a browser found signed in takes no passkey away');
    const kept = await visitor.submit(list, { password }, formAt(list, '/passkeys/removal'));
    assert.equal(kept.status, 409);
    assert.match(kept.html, /the only second factor/);
    const owner = await findAccount(platform.database, accountId) ?? assert.fail();
    await assert.rejects(removePasskey(platform.database, owner, device.id), (error) => isVeilgateError(error, 'ACCOUNT_FACTOR_NEEDED'));
    const spare = authenticator(platform.issuer);
    await visitor.submit(list, { password, credential: JSON.stringify(spare.create(optionsOf(list))) }, formAt(list, '/passkeys'));
    const two = await visitor.open('/passkeys');
    assert.equal((await visitor.submit(two, { password }, formAt(two, '/passkeys/removal'))).status, 200);
    const { rowCount } = await platform.database.query('select from account_passkey where account_id = $1', [accountId]);
    assert.equal(rowCount, 1);
  });

  it('goes with the account when an officer is invited again; the old one works until then', async () => {
    const who = await staff(platform, unique());
    const { code, accountId } = await invitation(platform, { party: `officer-${people}` });
    assert.equal(accountId, who.accountId, 'an officer has one account');
    assert.equal((await signInWithApp(platform, who)).url.pathname, '/console/');
    const { choice } = await begin(platform, { party: `officer-${people}`, username: who.username, code });
    assert.equal((await who.browser.open('/password')).url.pathname, '/sign-in', 'signed out everywhere');
    assert.equal((await signInWithApp(platform, who, { steps: 1 })).status, 403);
    assert.notEqual(offeredSecret(choice), who.secret);
  });

  it('left for good leaves nothing: the unfinished account goes with its code', async () => {
    const { accountId } = await begin(platform, unique());
    const done = await staff(platform, unique());
    platform.clock.advanceMs(7 * 86_400_000);
    await removeExpiredAuthorizationState(platform.database, platform.clock);
    const { rows } = await platform.database.query('select account_id from account where account_id in ($1, $2)', [accountId, done.accountId]);
    assert.deepEqual(rows, [{ account_id: done.accountId }]);
  });
});
