import { strict as assert } from 'node:assert';
import type { Page } from 'playwright-core';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { dayMs, shanghaiDate } from '../../src/calendar.ts';
import { systemClock } from '../../src/clock.ts';
import { consentInBrowser } from '../support/gateway.ts';
import { assertAccessible, startTestConsole, type TestConsole } from './support/console.ts';
import { sendPast } from './support/past-the-page.ts';
import { personOf, representativeOf } from './support/people.ts';

const subject = sampleSubject(0, 9);
const hourMs = dayMs / 24;

describe('the consoles in a browser whose clock is wrong', function () {
  this.timeout(120_000);
  let stage: TestConsole;
  let officer: Page;
  let enterprise: Page;

  before(async function () {
    const opened = await startTestConsole({ VEILGATE_POLICY_SOURCE: 'database' });
    if (opened === undefined) return this.skip();
    stage = opened;
    const { platform } = stage;
    const representative = await representativeOf(platform, subject, '王芳');
    for (const [bank, days] of [['bank-soon', 10], ['bank-late', 20]] as const) {
      await consentInBrowser(await platform.bank(bank), representative.forms, {
        subject, purpose: 'pre_loan_review', valid_days: days, uses_max: 5, data_life_days: 30, kind: 'periodic', fields: [{ field: 'registry.name', ceiling: 'original' }],
      });
    }
    await platform.department('tax_administration');
    enterprise = await stage.open(representative, '/console/enterprise');
    assert.equal(await sendPast(enterprise, 'POST', '/v1/objections', { about: 'record', field: 'tax.declared_revenue_cents', fault: 'wrong', text: 'Not ours.' }), 'done');
    officer = await stage.open(await personOf(platform, 'officer-compliance', 'officer', 'Li', 'compliance'), '/console/compliance/objections');
    return undefined;
  });
  after(async () => stage?.close());

  /** Opens a page anew with the browser's clock so far ahead. */
  async function reopen(page: Page, aheadMs: number): Promise<void> {
    await page.clock.setSystemTime(systemClock.nowMs() + aheadMs);
    await page.reload();
    await page.getByRole('heading', { level: 1 }).waitFor();
  }

  it('say how wrong it is, beyond five minutes', async () => {
    await officer.getByRole('cell', { name: /working days left/ }).waitFor();
    assert.equal(await officer.getByText(/The clock of this machine/).count(), 0);
    await reopen(officer, hourMs);
    await officer.getByText('The clock of this machine is 1 h 0 min fast.').waitFor();
    await assertAccessible(officer);
    await reopen(officer, -dayMs);
    await officer.getByText('The clock of this machine is 24 h 0 min slow.').waitFor();
    await reopen(officer, -10 * 60_000);
    await officer.getByText('The clock of this machine is 10 min slow.').waitFor();
    await officer.getByRole('button', { name: '切换到中文' }).click();
    await officer.getByText('本机时钟慢了 10 分钟。').waitFor();
    await officer.getByRole('button', { name: 'Switch to English' }).click();
    await reopen(officer, 2 * 60_000);
    await officer.getByRole('cell', { name: /working days left/ }).waitFor();
    assert.equal(await officer.getByText(/The clock of this machine/).count(), 0);
  });

  it('show the same deadlines, and the same grants that end soon', async () => {
    const seen = async () => {
      await officer.getByRole('cell', { name: /working days left/ }).waitFor();
      await enterprise.getByRole('heading', { level: 2, name: /14 days/ }).waitFor();
      const ending = enterprise.locator('section').filter({ has: enterprise.getByRole('heading', { level: 2, name: /14 days/ }) });
      await ending.getByText('Bank bank-soon').waitFor();
      return [await officer.getByRole('cell', { name: /working days left/ }).innerText(), await ending.innerText()];
    };
    await reopen(officer, 0);
    await reopen(enterprise, 0);
    const right = await seen();
    assert.ok(!right[1]?.includes('bank-late'));
    for (const aheadMs of [hourMs, -dayMs, 8 * dayMs, -8 * dayMs]) {
      await reopen(officer, aheadMs);
      await reopen(enterprise, aheadMs);
      assert.deepEqual(await seen(), right);
    }
  });

  it('ask for the month that it is', async () => {
    const auditor = await stage.open(await personOf(stage.platform, 'officer-auditor', 'officer', 'Auditor', 'audit'), '/console/audit');
    await reopen(auditor, -45 * dayMs);
    await auditor.getByText('The clock of this machine is 1,080 h 0 min slow.').waitFor();
    await auditor.locator(`a[href$="month=${shanghaiDate(systemClock.nowMs()).slice(0, 7)}"]`).waitFor();
  });
});
