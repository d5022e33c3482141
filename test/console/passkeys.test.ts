import { strict as assert } from 'node:assert';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CDPSession, Page } from 'playwright-core';
import { Browser as FormBrowser } from '../../scripts/demo/form-browser.ts';
import { oneTimePassword } from '../../scripts/demo/one-time-password.ts';
import { accountsClient } from '../../src/sdk/accounts.ts';
import { freePort } from '../../src/store/cluster.ts';
import { optionsOf } from '../authorization/support/passkey-pages.ts';
import { password, type TestPlatform } from '../support/gateway.ts';
import { assertAccessible, startTestConsole, type TestConsole } from './support/console.ts';

/** A passkey of a device that the browser believes in: the ceremonies are the browser's own. */
describe('passkeys in a real browser', function () {
  this.timeout(120_000);
  let stage: TestConsole;
  let platform: TestPlatform;

  before(async function () {
    const port = await freePort();
    // passkeys are bound to names: an address has none
    const opened = await startTestConsole({ VEILGATE_ISSUER_PORT: String(port), VEILGATE_ISSUER_PUBLIC_URL: `http://localhost:${port}` });
    if (opened === undefined) return this.skip();
    stage = opened;
    ({ platform } = stage);
    return undefined;
  });
  after(async () => stage?.close());

  /** A tab with a device of its own. */
  const withDevice = async (path: string) => {
    const page = await stage.open(undefined, path);
    const debug = await page.context().newCDPSession(page);
    await debug.send('WebAuthn.enable');
    const { authenticatorId } = await debug.send('WebAuthn.addVirtualAuthenticator', {
      options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    });
    return { page, device: deviceOf(debug, authenticatorId) };
  };
  const deviceOf = (debug: CDPSession, authenticatorId: string) => ({
    keys: async () => (await debug.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    knowsItsPerson: (isUserVerified: boolean) => debug.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
  });
  /** Activates an invitation up to the choice of a second factor. */
  const begin = async (party: string, scope: string, username: string) => {
    const invitation = await accountsClient(await platform.connect(party, scope)).invite('王芳');
    const { pathname, search } = new URL(invitation.page);
    const { page, device } = await withDevice(pathname + search);
    await page.fill('[name=code]', invitation.activation_code);
    await page.fill('[name=username]', username);
    await page.fill('[name=password]', password);
    await page.fill('[name=password_again]', password);
    await page.getByRole('button', { name: 'Activate account' }).click();
    await page.getByRole('heading', { level: 1, name: 'Second factor' }).waitFor();
    return { page, device };
  };
  const enrolled = async (party: string, scope: string, username: string) => {
    const begun = await begin(party, scope, username);
    await begun.page.getByRole('button', { name: 'Use a passkey of this device' }).click();
    await begun.page.waitForURL(/\/console\//);
    return begun;
  };
  const signOut = async (page: Page) => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(/\/sign-in/);
    await page.goto(`${platform.gateway.issuerUrl}/sign-in/passkey`);
  };
  const remove = async (page: Page) => {
    await page.locator('summary').filter({ hasText: 'Remove' }).click();
    await page.locator('details').getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Remove' }).click();
  };
  const useIt = (page: Page) => page.getByRole('button', { name: 'Sign in with a passkey' }).click();

  it('are the second factor of an officer, who signs in with one and keeps the last', async () => {
    const { page, device } = await enrolled('officer-compliance', 'compliance', 'officer.passkey');
    assert.deepEqual((await device.keys()).map(({ rpId, isResidentCredential }) => [rpId, isResidentCredential]), [['localhost', true]]);
    await signOut(page);
    await assertAccessible(page);
    await useIt(page);
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await page.goto(`${platform.gateway.issuerUrl}/passkeys`);
    await remove(page);
    await page.getByRole('alert').waitFor();
    await assertAccessible(page);
    assert.equal((await platform.database.query('select from account_passkey')).rowCount, 1);
  });

  it('are added beside a one-time password, and are worth nothing once they are removed', async () => {
    const { page, device } = await begin('officer-registrar', 'registry', 'officer.both');
    const secret = ((await page.locator('dd code').innerText()).replaceAll(' ', ''));
    await page.fill('[name=one_time_password]', oneTimePassword(secret, Date.now()));
    await page.getByRole('button', { name: 'Use this app' }).click();
    await page.waitForURL(/\/console\//);
    await page.goto(`${platform.gateway.issuerUrl}/passkeys`);
    await page.fill('[name=password]', password);
    await page.getByRole('button', { name: 'Add a passkey of this device' }).click();
    await page.getByRole('status').waitFor();
    await assertAccessible(page);
    await page.goto(`${platform.gateway.issuerUrl}/console/`);
    await signOut(page);
    await useIt(page);
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await page.goto(`${platform.gateway.issuerUrl}/passkeys`);
    await remove(page);
    await page.getByRole('status').waitFor();
    await page.goto(`${platform.gateway.issuerUrl}/console/`);
    await signOut(page);
    assert.equal((await device.keys()).length, 1, 'the device still has it');
    await useIt(page);
    await page.getByRole('alert').filter({ hasText: 'The passkey was not accepted' }).waitFor();
  });

  it('sign nobody in when the device does not know its person', async () => {
    const { page, device } = await enrolled('officer-auditor', 'audit', 'auditor.passkey');
    await signOut(page);
    await device.knowsItsPerson(false);
    await useIt(page);
    await page.getByRole('alert').filter({ hasText: 'The passkey was not accepted' }).waitFor();
    await device.knowsItsPerson(true);
    await useIt(page);
    await page.waitForURL(/\/console\//);
  });

  it('signed on a page of somebody else, or used already, sign nobody in', async () => {
    await platform.bank('bank-a');
    const { page } = await enrolled('bank-a', 'query', 'clerk.passkey');
    await signOut(page);

    // what the right page sends, kept: it has signed in once
    const [sent] = await Promise.all([page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/sign-in/passkey')), useIt(page)]);
    await page.waitForURL(/\/console\//);
    const again = (body: string, cookie: string) => fetch(sent.url(), {
      method: 'POST', redirect: 'manual', body, headers: { cookie, origin: platform.gateway.issuerUrl, 'content-type': 'application/x-www-form-urlencoded', 'accept-language': 'en' },
    });
    const visit = /veilgate_visit=[^;]+/.exec((await sent.allHeaders())['cookie'] ?? '')?.[0] ?? assert.fail('no visit');
    const replayed = await again(sent.postData() ?? '', visit);
    assert.deepEqual([replayed.status, replayed.headers.getSetCookie().filter((cookie) => cookie.includes('session'))], [403, []]);
    assert.match(await replayed.text(), /role="alert">The passkey was not accepted/);

    // a page at another port of the same name asks for a challenge, has the device sign it, and sends it on: browsers bind passkeys to names alone
    const foreign = createServer((_request, response) => void response.setHeader('content-type', 'text/html').end('<!doctype html><title>Sign in</title>'));
    await new Promise<void>((resolve) => { foreign.listen(0, '127.0.0.1', resolve); });
    const thief = new FormBrowser(platform.gateway.issuerUrl);
    const asked = await thief.open('/sign-in/passkey');
    await page.goto(`http://localhost:${(foreign.address() as AddressInfo).port}`);
    const credential = await page.evaluate<string>(`navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(${JSON.stringify(optionsOf(asked))}) }).then((signed) => JSON.stringify(signed.toJSON()))`);
    assert.ok(credential.includes('signature'), 'the browser signed');
    const refused = await thief.submit(asked, { credential });
    assert.deepEqual([refused.status, thief.cookie('veilgate_session')], [403, undefined]);
    foreign.close();
    stage.takeFaults(); // the other page is none of ours
  });
});
