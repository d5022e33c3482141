import { strict as assert } from 'node:assert';
import { oneTimePassword } from '../../scripts/demo/one-time-password.ts';
import type { TestPlatform } from '../support/gateway.ts';
import { inspect, startTestConsole, type TestConsole } from './support/console.ts';
import { personOf, type Person } from './support/people.ts';

/** Somebody finds a browser signed in: with it alone nobody is let in. */
describe('the consoles: letting others in', function () {
  this.timeout(120_000);
  let stage: TestConsole;
  let platform: TestPlatform;
  let registrar: Person;

  before(async function () {
    const opened = await startTestConsole();
    if (opened === undefined) return this.skip();
    stage = opened;
    platform = stage.platform;
    registrar = await personOf(platform, 'officer-registrar', 'officer', 'Registrar', 'registry');
    return undefined;
  });
  after(async () => stage?.close());

  const elevenMinutesOn = () => platform.database.query('update account_session set confirmed_at_ms = confirmed_at_ms - 11 * 60000');
  const exists = async (party: string) => ((await platform.database.query('select from party where id = $1', [party])).rowCount ?? 0) > 0;
  const typed = (steps: number) => oneTimePassword(registrar.secret ?? '', Date.now(), steps);

  it('takes who signed in, or showed the one-time password, within ten minutes, on every route that does it', async () => {
    await elevenMinutesOn();
    const { issuerUrl } = platform.gateway;
    const cookie = `veilgate_session=${registrar.forms.cookie('veilgate_session') ?? ''}`;
    const { csrf } = await (await fetch(`${issuerUrl}/console/api/session`, { headers: { cookie } })).json() as { readonly csrf: string };
    const ask = async (path: string) => {
      const response = await fetch(`${issuerUrl}/console/api${path}`, { method: 'POST', headers: { cookie, origin: issuerUrl, 'veilgate-csrf': csrf, 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() }, body: '{}' });
      return ((await response.json()) as { readonly code: string }).code;
    };
    const routes = ['/v1/enterprises', '/v1/departments', '/v1/officers', '/v1/officers/officer-new/approval', '/v1/institutions/bank-a/approval', '/v1/institutions/bank-a/assessments', '/v1/institutions/bank-a/reinstatement'];
    for (const path of routes) assert.equal(await ask(path), 'SESSION_CONFIRMATION_NEEDED', path);
    assert.equal(await ask('/session/confirmation'), 'REQUEST_INVALID');
    await platform.database.query('update account_session set confirmed_at_ms = confirmed_at_ms + 11 * 60000');
    assert.equal(await ask('/v1/departments'), 'REQUEST_INVALID', 'goes on as far as its body');
  });

  it('asks for the one-time password over the page, then does what was asked, and nothing typed is lost', async () => {
    await elevenMinutesOn();
    const page = await stage.open(registrar, '/console/compliance/people');
    await page.getByRole('tab', { name: 'Register a department' }).click();
    const form = page.getByRole('tabpanel');
    const { publicJwk } = (await platform.credentials('stat-bureau')).signing;
    await form.getByLabel('Name in English').fill('Statistics');
    await form.getByLabel('Name in Chinese').fill('统计局');
    await form.getByLabel('Identifier').fill('stat-bureau');
    await form.getByRole('textbox', { name: 'Public signature key (JWK)' }).fill(JSON.stringify(publicJwk));
    await form.getByRole('button', { name: 'Register' }).click();

    const dialog = page.getByRole('dialog', { name: 'Is it still you?' });
    await dialog.waitFor();
    await inspect(page, 'confirmation-en');
    await page.keyboard.press('Escape');
    await form.getByText('SESSION_CONFIRMATION_NEEDED').waitFor();
    assert.equal(await exists('stat-bureau'), false, 'nobody is let in by a session alone');

    await form.getByRole('button', { name: 'Register' }).click();
    await dialog.getByLabel('One-time password').fill('000000');
    await dialog.getByRole('button', { name: 'Confirm' }).click();
    await dialog.getByText('ACCOUNT_SIGN_IN_FAILED').waitFor();
    assert.equal(await exists('stat-bureau'), false);
    await dialog.getByLabel('One-time password').fill(typed(1));
    await dialog.getByRole('button', { name: 'Confirm' }).click();
    await page.getByText('stat-bureau is registered.').waitFor();
    assert.equal(await exists('stat-bureau'), true);
  });
});
