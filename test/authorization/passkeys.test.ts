import { strict as assert } from 'node:assert';
import { generateKeyPairSync } from 'node:crypto';
import { Browser } from '../../scripts/demo/form-browser.ts';
import { removeExpiredAuthorizationState } from '../../src/authorization/cleanup.ts';
import { relyingParty } from '../../src/authorization/passkeys.ts';
import { freePort } from '../../src/store/cluster.ts';
import { authenticator, type Changes } from './support/authenticator.ts';
import { formAt, optionsOf } from './support/passkey-pages.ts';
import { activationCode, password, startPlatform, subjectNumber, type Platform } from './support/platform.ts';

describe('authorization/passkeys', () => {
  let platform: Platform;
  let people = 100;
  before(async () => {
    platform = await startPlatform({ issuer: `http://localhost:${await freePort()}` });
  });
  after(() => platform.close());

  /** Somebody signed in with a password. */
  async function person() {
    people += 1;
    const subject = subjectNumber(people);
    const browser = new Browser(platform.issuer);
    const username = `person.${people}`;
    await browser.submit(await browser.open('/activation'), { holder: subject, code: await activationCode(platform, subject), username, password, password_again: password });
    return { subject, browser, username };
  }
  type Device = ReturnType<typeof authenticator>;
  async function add(browser: Browser, device: Device, changes: Changes & { readonly password?: string; readonly credential?: string } = {}) {
    const page = await browser.open('/passkeys');
    const credential = changes.credential ?? JSON.stringify(device.create(optionsOf(page), changes));
    return browser.submit(page, { password: changes.password ?? password, credential }, formAt(page, '/passkeys'));
  }
  async function signIn(device: Device, changes: Changes & { readonly credential?: string } = {}, browser = new Browser(platform.issuer)) {
    const page = await browser.open('/sign-in/passkey');
    return browser.submit(page, { credential: changes.credential ?? JSON.stringify(device.get(optionsOf(page), changes)) });
  }

  it('sign in as the account they were added to, again and again', async () => {
    const { browser, subject } = await person();
    const device = authenticator(platform.issuer);
    const added = await add(browser, device);
    assert.deepEqual([added.status, added.url.pathname], [200, '/passkeys']);
    assert.match(added.html, /Your passkeys were changed/);
    for (let round = 0; round < 2; round += 1) {
      const page = await signIn(device);
      assert.deepEqual([page.status, page.url.pathname], [200, '/consents']);
      assert.ok(page.html.includes(subject));
    }
    const silent = authenticator(platform.issuer, { counts: false });
    await add(browser, silent);
    assert.equal((await signIn(silent)).url.pathname, '/consents');
    assert.equal((await signIn(silent)).url.pathname, '/consents');
  });

  it('ask for the lock of the device, and for no passkey that is there already', async () => {
    const { browser } = await person();
    const device = authenticator(platform.issuer);
    await add(browser, device);
    const options = optionsOf(await browser.open('/passkeys'));
    assert.deepEqual([options.authenticatorSelection.userVerification, options.excludeCredentials.map(({ id }) => id)], ['required', [device.id]]);
  });

  it('are not added without the password, without a signature for this page, or without the lock', async () => {
    const { browser } = await person();
    const stranger = await person();
    const device = authenticator(platform.issuer);
    const foreign = optionsOf(await stranger.browser.open('/passkeys')).challenge;
    const forSignIn = optionsOf(await browser.open('/sign-in/passkey')).challenge;
    const wrong: readonly Parameters<typeof add>[2][] = [
      { password: 'not the password' }, { challenge: foreign }, { challenge: forSignIn }, { challenge: Buffer.alloc(56).toString('base64url') }, { challenge: '' },
      { origin: 'http://localhost' }, { origin: 'https://evil.example' }, { rpId: 'evil.example' }, { type: 'webauthn.get' }, { flags: 0x01 }, { flags: 0x04 },
      { credential: '' }, { credential: '{}' }, { credential: '{"response":{}}' }, { credential: '[]' }, { credential: '{"id":"a","id":"b","response":{}}' }, { credential: 'x'.repeat(8193) },
    ];
    for (const changes of wrong) assert.ok([400, 403].includes((await add(browser, device, changes)).status), JSON.stringify(changes).slice(0, 100));
    assert.equal((await platform.database.query('select from account_passkey where credential_id = $1', [device.id])).rowCount, 0);
    assert.equal((await add(browser, device)).status, 200);
    assert.equal((await add(stranger.browser, device)).status, 400, 'a passkey belongs to one account');
  });

  it('do not sign in with a wrong signature, page, lock, counter, owner or another browser\'s challenge: one answer for all', async () => {
    const { browser } = await person();
    const device = authenticator(platform.issuer);
    await add(browser, device);
    assert.equal((await signIn(device)).url.pathname, '/consents');
    const foreign = optionsOf(await new Browser(platform.issuer).open('/sign-in/passkey')).challenge;
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const wrong: readonly Parameters<typeof signIn>[1][] = [
      { key: privateKey }, { challenge: foreign }, { origin: 'https://evil.example' }, { rpId: 'evil.example' }, { type: 'webauthn.create' }, { flags: 0x01 },
      { counter: 1 }, { counter: 0 }, { userHandle: 'AAAAAAAAAAAAAAAAAAAAAA' }, { id: authenticator(platform.issuer).id }, { credential: '{"id":"x","response":{}}' }, { credential: 'null' },
    ];
    const pages = new Set<string>();
    for (const changes of wrong) {
      const page = await signIn(device, changes);
      assert.equal(page.status, 403, JSON.stringify(changes));
      assert.ok(page.html.includes('The passkey was not accepted'));
      pages.add(page.html.replaceAll(/(value|data-options)="[^"]*"/g, ''));
      await platform.database.query('delete from sign_in_throttle');
    }
    assert.equal(pages.size, 1);
    assert.equal((await signIn(device)).url.pathname, '/consents', 'the right one still works');
  });

  it('sign in one of two copies of a key that are used at once', async () => {
    const { browser } = await person();
    const device = authenticator(platform.issuer);
    await add(browser, device);
    const visitors = [new Browser(platform.issuer), new Browser(platform.issuer), new Browser(platform.issuer)];
    const pages = await Promise.all(visitors.map((visitor) => signIn(device, { counter: 7 }, visitor)));
    assert.deepEqual(pages.map(({ status }) => status).sort(), [200, 403, 403]);
  });

  it('answer a challenge once, and not after five minutes', async () => {
    const { browser } = await person();
    const device = authenticator(platform.issuer, { counts: false });
    await add(browser, device);
    const visitor = new Browser(platform.issuer);
    const page = await visitor.open('/sign-in/passkey');
    const visit = visitor.cookie('veilgate_visit') ?? assert.fail();
    const credential = JSON.stringify(device.get(optionsOf(page)));
    assert.equal((await visitor.submit(page, { credential })).url.pathname, '/consents');
    const thief = new Browser(platform.issuer);
    thief.setCookie('veilgate_visit', visit);
    assert.equal((await thief.submit(page, { credential })).status, 403);

    const late = new Browser(platform.issuer);
    const offered = await late.open('/sign-in/passkey');
    platform.clock.advanceMs(300_000);
    assert.equal((await late.submit(offered, { credential: JSON.stringify(device.get(optionsOf(offered))) })).status, 403);
    assert.ok(await removeExpiredAuthorizationState(platform.database, platform.clock) > 0);
    assert.equal((await platform.database.query('select from passkey_answered')).rowCount, 0);
  });

  it('are ten at most, can be removed by their owner alone, and go when the account is activated anew', async () => {
    const { browser, subject, username } = await person();
    const devices = Array.from({ length: 10 }, () => authenticator(platform.issuer));
    for (const device of devices) assert.equal((await add(browser, device)).status, 200);
    const full = await browser.open('/passkeys');
    assert.ok(!full.html.includes('data-options') && !full.html.includes('<script'));

    const [first, second] = devices as [Device, Device];
    const other = await person();
    const theirs = await other.browser.open('/passkeys');
    const csrf = theirs.forms[0]?.fields.find(([name]) => name === 'csrf')?.[1] ?? '';
    await other.browser.post('/passkeys/removal', new URLSearchParams({ csrf, password, passkey: first.id }));
    assert.equal((await signIn(first)).url.pathname, '/consents', 'another account cannot remove it');
    const own = full.forms.findIndex(({ fields }) => fields.some(([, value]) => value === first.id));
    assert.equal((await browser.submit(full, { password: 'somebody found the browser' }, { form: own })).status, 403);
    assert.equal((await signIn(first)).url.pathname, '/consents', 'nor can who finds the browser signed in');
    await browser.submit(full, { password }, { form: own });
    assert.equal((await signIn(first)).status, 403);

    const again = new Browser(platform.issuer);
    await again.submit(await again.open('/activation'), { holder: subject, code: await activationCode(platform, subject), username, password, password_again: password });
    assert.equal((await signIn(second)).status, 403, 'they may be another person\'s');
  });

  it('slow guesses down like passwords', async () => {
    const device = authenticator(platform.issuer);
    await platform.database.query('delete from sign_in_throttle');
    const statuses: number[] = [];
    for (let tries = 0; tries < 22; tries += 1) statuses.push((await signIn(device)).status);
    assert.deepEqual([statuses[0], statuses.at(-1)], [403, 429]);
    await platform.database.query('delete from sign_in_throttle');
  });

  it('need the only script of all pages, on their own two pages, and nothing that others could put there', async () => {
    const { browser } = await person();
    for (const page of [await browser.open('/passkeys'), await browser.open('/sign-in/passkey')]) {
      assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'.*script-src 'self'/);
      assert.deepEqual(page.html.match(/<script[^>]*>/g), ['<script src="/assets/passkeys.js" defer>']);
      assert.match(page.html, /hidden>/);
    }
    const script = await browser.open('/assets/passkeys.js');
    assert.match(script.headers.get('content-type') ?? '', /^text\/javascript/);
    assert.doesNotMatch(script.html, /eval|innerHTML|fetch\(|https?:/);
  });

  it('are not offered where the issuer is an address: browsers bind them to names', async () => {
    assert.deepEqual(['http://127.0.0.1:8081', 'http://[::1]:8081', 'https://sign-in.example/base'].map((issuer) => relyingParty(issuer)?.id), [undefined, undefined, 'sign-in.example']);
    const plain = await startPlatform();
    const browser = new Browser(plain.issuer);
    assert.ok(!(await browser.open('/sign-in')).html.includes('/sign-in/passkey'));
    assert.equal((await browser.open('/sign-in/passkey')).status, 404);
    await plain.close();
    assert.ok((await new Browser(platform.issuer).open('/sign-in')).html.includes('/sign-in/passkey'));
  });
});
