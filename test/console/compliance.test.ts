import { strict as assert } from 'node:assert';
import type { Page } from 'playwright-core';
import { inspect, startTestConsole, type TestConsole } from './support/console.ts';
import { personOf, type Person } from './support/people.ts';

describe('the compliance officer\'s console: policies', function () {
  this.timeout(180_000);
  let stage: TestConsole;
  let author: Person;
  let reviewer: Person;

  before(async function () {
    const opened = await startTestConsole({ VEILGATE_POLICY_SOURCE: 'database' });
    if (opened === undefined) return this.skip();
    stage = opened;
    const { platform } = stage;
    await platform.registrar.registerOfficer({ id: 'officer-second', name: { en: 'Second', zh: '第二' }, roles: ['compliance'], key: (await platform.credentials('officer-second')).signing.publicJwk });
    await platform.compliance.approveOfficer('officer-second');
    author = await personOf(platform, 'officer-compliance', 'officer', 'Li <b>Author</b>', 'compliance');
    reviewer = await personOf(platform, 'officer-second', 'officer', 'Wang Reviewer', 'compliance');
    return undefined;
  });
  after(async () => stage?.close());

  const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor();

  it('look', async () => {
    assert.ok(reviewer);
    const page = await stage.open(author, '/console/compliance/policy');
    await page.getByRole('gridcell').first().waitFor();
    await inspect(page, 'compliance-grid-en');
    await page.getByRole('gridcell').first().click();
    await page.getByRole('dialog').getByText('What holds now').waitFor();
    await page.waitForTimeout(1000);
    await inspect(page, 'compliance-cell-en');
    await heading(page, 'Field policies').catch(() => {});
  });
});
