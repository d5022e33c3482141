import { strict as assert } from 'node:assert';
import type { Page } from 'playwright-core';
import { published } from './support/audit-stage.ts';
import { startEnterpriseStage, subject, terms, type EnterpriseStage } from './support/enterprise-stage.ts';
import { tabTo } from './support/forms.ts';
import { personOf } from './support/people.ts';

/** The compliance officer's is in compliance.test.ts. */
describe('with the keyboard alone', function () {
  this.timeout(120_000);
  let stage: EnterpriseStage;

  before(async function () {
    const opened = await startEnterpriseStage();
    if (opened === undefined) return this.skip();
    stage = opened;
    await stage.bank.askForGrant({ ...terms, subject });
    return undefined;
  });
  after(async () => stage?.close());

  const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor();
  /** Past the navigation, to a link or button, which is pressed. */
  const press = async (page: Page, name: string) => {
    await tabTo(page, name);
    await page.keyboard.press('Enter');
  };
  const type = async (page: Page, label: string, text: string) => {
    await tabTo(page, label);
    await page.keyboard.press('Control+A');
    await page.keyboard.type(text);
  };

  it('an enterprise finds a request, shortens it and agrees', async () => {
    const page = await stage.open(stage.person, '/console/');
    await heading(page, 'Overview');
    await press(page, 'Requests');
    await heading(page, 'Requests for grants');
    await page.locator('h1:focus').waitFor();
    await press(page, 'Bank bank-a');
    await heading(page, 'Request of Bank bank-a');
    await type(page, 'Valid for so many days', '7');
    await press(page, 'Agree');
    await page.getByRole('dialog').waitFor();
    await press(page, 'Agree');
    await page.getByText('You agreed.').waitFor();
    const [grant] = (await stage.bank.grants()).grants;
    assert.equal(Math.round((Date.parse(grant?.valid_until ?? '') - Date.parse(grant?.valid_from ?? '')) / 86_400_000), 7);
  });

  it('a bank\'s clerk asks and reads the answer', async () => {
    const clerk = await personOf(stage.platform, 'bank-a', 'institution', '赵经理');
    const page = await stage.open(clerk, '/console/');
    await heading(page, 'Query');
    await tabTo(page, 'Key file');
    // which file is asked for by the system itself
    await page.getByLabel('Key file').setInputFiles({ name: 'bank-a.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(await stage.platform.credentialsFile('bank-a'))) });
    await type(page, 'Unified social credit code', subject);
    await type(page, 'Find a field', 'registry.status');
    await tabTo(page, 'Read Registration status');
    await page.keyboard.press('Space');
    await page.getByText('Under grant').waitFor();
    await press(page, 'Ask now');
    await page.getByText('The receipt is right').waitFor();
    await page.getByRole('row', { name: /registry\.status.*opened here/ }).waitFor();
  });

  it('an auditor remembers the log\'s key and verifies the log', async () => {
    await published(stage.platform);
    const auditor = await personOf(stage.platform, 'officer-auditor', 'officer', 'Auditor', 'audit');
    const page = await stage.open(auditor, '/console/');
    await heading(page, 'Overview');
    await press(page, 'Verification');
    await heading(page, 'Verification');
    await page.locator('h1:focus').waitFor();
    await type(page, 'Key you were given by another way', stage.platform.gateway.logVerifierKey);
    await page.getByText('It is the same key.').waitFor();
    await press(page, 'Remember this key');
    await page.getByRole('heading', { level: 2, name: 'What this browser remembers' }).waitFor();
    await press(page, 'Start');
    await page.getByText('The log is sound', { exact: true }).waitFor();
  });
});
