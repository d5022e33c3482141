import { strict as assert } from 'node:assert';
import type { Page } from 'playwright-core';
import { oneTimePassword } from '../../scripts/demo/one-time-password.ts';
import { sessionDigest } from '../../src/authorization/sessions.ts';
import { password, type TestPlatform } from '../support/gateway.ts';
import { assertAccessible } from './support/console.ts';
import { handsOn, startEnterpriseStage, subject, terms, type EnterpriseStage } from './support/enterprise-stage.ts';
import { personOf, type Person } from './support/people.ts';

const idleMs = 15 * 60_000;
const absoluteMs = 8 * 3_600_000;

describe('a console that is interrupted', function () {
  this.timeout(120_000);
  let stage: EnterpriseStage;
  let platform: TestPlatform;
  let officer: Person;

  before(async function () {
    const opened = await startEnterpriseStage();
    if (opened === undefined) return this.skip();
    stage = opened;
    ({ platform } = stage);
    officer = await personOf(platform, 'officer-compliance', 'officer', 'Li', 'compliance');
    await stage.bank.askForGrant({ ...terms, subject });
    return undefined;
  });
  after(async () => stage?.close());

  const sessionOf = async (page: Page) => (await page.context().cookies()).find(({ name }) => name === 'veilgate_session')?.value ?? assert.fail('no session');
  /** As if this session had begun, or had last been used, so much earlier. */
  const age = (session: string, what: 'created_at_ms' | 'last_seen_at_ms', ms: number) =>
    platform.database.query(`update account_session set ${what} = ${what} - $1::bigint where id_hash = decode($2, 'hex')`, [ms, sessionDigest(session)]);
  const objections = async () => (await platform.database.query('select from objection')).rowCount;
  const answerOf = async (path: string, cookie: string) => {
    const answer = await fetch(platform.gateway.issuerUrl + path, { headers: { cookie: `veilgate_session=${cookie}` }, redirect: 'manual' });
    return answer.headers.get('location') ?? ((await answer.json()) as { readonly code: string }).code;
  };
  /** What was typed is there, and the page says what happened and where to sign in. */
  const saysItIsOver = async (page: Page) => {
    await page.getByRole('alert').filter({ hasText: 'Your session has ended' }).filter({ hasText: 'Nothing you typed is lost' }).last().waitFor();
    await assertAccessible(page);
  };
  /** In a new tab, as the page offers. */
  const signInAgain = async (page: Page, person: Person) => {
    const [tab] = await Promise.all([page.context().waitForEvent('page'), page.getByRole('link', { name: 'Sign in in a new tab' }).last().click()]);
    await tab.fill('[name=username]', person.username);
    await tab.fill('[name=password]', password);
    if (person.secret !== undefined) await tab.fill('[name=one_time_password]', oneTimePassword(person.secret, Date.now()));
    await tab.click('form button:not(.link)');
    await tab.waitForURL(page.url());
    await tab.close();
  };

  describe('by the end of its session', () => {
    it('after 15 minutes without a request says so, keeps what was typed, and goes on after signing in again', async () => {
      const page = await stage.open(stage.person, '/console/enterprise/objections/new?field=registry.name');
      await page.getByLabel('Your reasons').fill('Our name has changed.');
      const former = await sessionOf(page);
      await age(former, 'last_seen_at_ms', idleMs);
      await page.getByRole('button', { name: 'Submit objection' }).click();
      await saysItIsOver(page);
      assert.equal(await page.getByLabel('Your reasons').inputValue(), 'Our name has changed.');
      assert.equal(await objections(), 0);
      await signInAgain(page, stage.person);
      assert.notEqual(await sessionOf(page), former);
      await page.getByRole('button', { name: 'Submit objection' }).click();
      await handsOn(page).heading(/^Objection to/);
      assert.equal(await page.getByText('Your session has ended').count(), 0);
      assert.equal(await objections(), 1);
      assert.deepEqual([await answerOf('/console/api/session', former), await answerOf('/console/api/v1/grants', former), await answerOf('/password', former)], ['SESSION_MISSING', 'SESSION_MISSING', '/sign-in']);
    });

    it('does not end while there are requests, until 8 hours are over: then also within a dialog', async () => {
      const page = await stage.open(officer, '/console/compliance/institutions/bank-b');
      await page.getByRole('button', { name: 'Suspend' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Reason code').fill('terms_violated');
      const former = await sessionOf(page);
      await age(former, 'created_at_ms', absoluteMs - 60_000);
      assert.equal((await fetch(`${platform.gateway.issuerUrl}/console/api/session`, { headers: { cookie: `veilgate_session=${former}` } })).status, 200);
      await age(former, 'created_at_ms', 60_000);
      await dialog.getByRole('button', { name: 'Suspend' }).click();
      await saysItIsOver(page);
      await signInAgain(page, officer);
      assert.equal(await dialog.getByLabel('Reason code').inputValue(), 'terms_violated');
      assert.equal((await platform.compliance.institution('bank-b')).status, 'approved');
      await dialog.getByRole('button', { name: 'Suspend' }).click();
      await dialog.waitFor({ state: 'detached' });
      assert.equal((await platform.compliance.institution('bank-b')).status, 'suspended');
      assert.equal(await answerOf('/console/api/session', former), 'SESSION_MISSING');
      await platform.compliance.reinstate('bank-b');
    });
  });

  describe('by a restart of the gateway', () => {
    it('says that the platform does not answer, loses nothing typed, and goes on in the same session when it is back', async () => {
      const page = await stage.open(stage.other, '/console/enterprise/objections/new?field=registry.address');
      await page.getByLabel('Your reasons').fill('We have moved.');
      const [session, before] = [await sessionOf(page), await objections()];
      const startAgain = await platform.stopGateway();
      await page.getByRole('button', { name: 'Submit objection' }).click();
      await page.getByRole('alert').filter({ hasText: 'The platform does not answer' }).waitFor();
      assert.equal(await page.getByLabel('Your reasons').inputValue(), 'We have moved.');
      await assertAccessible(page);
      await startAgain();
      await page.getByRole('button', { name: 'Submit objection' }).click();
      await handsOn(page).heading(/^Objection to/);
      assert.deepEqual([await sessionOf(page), await objections()], [session, (before ?? 0) + 1]);
    });

    it('goes on to pages that were never opened, says there that the platform does not answer, and shows them when it is back', async () => {
      const page = await stage.open(stage.other, '/console/enterprise/grants');
      const hands = handsOn(page);
      await hands.heading('Grants');
      const ahead = await page.waitForRequest(/\/assets\/readers-[^/]*\.js$/);
      await (await ahead.response())?.finished();
      await page.evaluate('window.notReloaded = true');
      const startAgain = await platform.stopGateway();
      await hands.go('Who has access', 'Who has access to your data now');
      await page.getByRole('alert').filter({ hasText: 'The platform does not answer' }).waitFor();
      await assertAccessible(page);
      await startAgain();
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByText('Nobody has access to your data at this moment.').waitFor();
      assert.equal(await page.evaluate('window.notReloaded'), true);
    });

    it('says so where a page\'s script did not come, and keeps the other pages', async () => {
      const page = await stage.open(stage.other, '/console/nowhere');
      const hands = handsOn(page);
      await page.route(/\/assets\/readers-[^/]*\.js$/, (route) => route.abort('connectionrefused'));
      await hands.go('Grants');
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Who has access' }).click();
      await hands.heading('This page could not be loaded');
      await page.getByRole('alert').filter({ hasText: 'The pages you have opened before still work' }).waitFor();
      await assertAccessible(page);
      await hands.go('Grants');
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Who has access' }).click();
      await hands.heading('This page could not be loaded');
      await page.unrouteAll();
      await page.getByRole('button', { name: 'Reload' }).click();
      await hands.heading('Who has access to your data now');
      assert.ok(stage.takeFaults().every((fault) => fault.includes('a page could not be loaded')), 'React tells the browser\'s console');
    });
  });
});
