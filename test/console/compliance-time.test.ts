import { strict as assert } from 'node:assert';
import { dayMs, shanghaiDate } from '../../src/calendar.ts';
import { systemClock } from '../../src/clock.ts';
import { isVeilgateError } from '../../src/errors.ts';
import type { TimeMs } from '../../src/vocabulary.ts';
import { shiftClock } from '../support/shifted-clock.ts';
import { until } from '../support/until.ts';
import { inspect } from './support/console.ts';
import { invoiced, officerAt, startComplianceStage, vatPaid, type ComplianceStage } from './support/compliance-stage.ts';
import { choose } from './support/forms.ts';

const dayFromNow = (days: number) => shanghaiDate(systemClock.nowMs() + days * dayMs as TimeMs);
/** As the pages write a day, and its midnight. */
const dayText = (day: string) => new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'Asia/Shanghai' }).format(new Date(day));
const midnightText = (day: string) => new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Shanghai' }).format(new Date(`${day}T00:00:00+08:00`));

describe('the compliance officer\'s console: what begins and ends on a day', function () {
  this.timeout(180_000);
  let stage: ComplianceStage;
  let author: ReturnType<typeof officerAt>;
  let second: ReturnType<typeof officerAt>;
  let waiting = 0;
  const [tomorrow, afterTomorrow] = [dayFromNow(1), dayFromNow(2)];

  before(async function () {
    const opened = await startComplianceStage();
    if (opened === undefined) return this.skip();
    stage = opened;
    author = officerAt(stage.author, stage);
    second = officerAt(stage.second, stage);
    return undefined;
  });
  after(async () => {
    shiftClock(0);
    await stage?.close();
  });

  /** @returns number of the version */
  async function propose(comment: string, firstDay = ''): Promise<number> {
    await author.proposeDraft(comment, firstDay);
    const [proposal] = (await stage.policies.list({ state: 'proposed' })).versions;
    assert.equal(proposal?.comment, comment);
    return proposal.version;
  }

  async function approve(version: number, state: string): Promise<void> {
    await second.go(`/console/compliance/versions/${version}`);
    await second.decide('批准', [/理由/, '已核对']);
    await stage.second.getByText(state, { exact: true }).first().waitFor();
  }

  it('asks for the condition it was told there is, and for a day to come', async () => {
    const { author: page } = stage;
    await author.edit(invoiced, 'guarantee_company');
    await choose(page, 'With consent to the original', 'In clear');
    await page.getByText('Only if', { exact: true }).click();
    await page.getByRole('button', { name: 'Put into my draft' }).click();
    await page.getByText('Say under which condition: a security level, a last day, another fact.').waitFor();
    await page.getByLabel(/^Ends on/).fill(dayFromNow(0));
    await page.getByRole('button', { name: 'Put into my draft' }).click();
    await page.getByText('The rule would never hold: choose a later day.').waitFor();
    await page.getByLabel(/^Ends on/).fill(afterTomorrow);
    await page.getByRole('button', { name: 'Put into my draft' }).click();
    await page.getByText('Your draft: 1 changes').waitFor();
  });

  it('opens a field for some days, and says until when', async () => {
    assert.deepEqual(await stage.ask(), { forms: { [invoiced]: ['banded'], [vatPaid]: ['banded'] }, withheld: [] });
    const version = await propose('An exemption');
    await approve(version, '生效中');
    assert.deepEqual((await stage.ask()).forms, { [invoiced]: ['clear'], [vatPaid]: ['banded'] });
    await author.go(`/console/compliance/versions/${version}`);
    const exemptions = stage.author.getByRole('table', { name: 'Exemptions' });
    await exemptions.getByRole('row', { name: dayText(afterTomorrow) }).waitFor();
    assert.equal(await exemptions.getByText('over', { exact: true }).count(), 0);
  });

  it('refuses a first day that is over, on the page and past it', async () => {
    const { author: page } = stage;
    await page.clock.setSystemTime(systemClock.nowMs() - dayMs); // to this browser yesterday is today
    await author.edit(vatPaid, 'guarantee_company');
    await choose(page, 'With consent to the desensitised form', 'Nothing is provided');
    await choose(page, 'With consent to the original', 'No more than with consent to the desensitised form');
    await page.getByRole('button', { name: 'Put into my draft' }).click();
    await page.getByRole('link', { name: 'Review and propose' }).click();
    await page.getByLabel('Why, in your own words').fill('Too late');
    await page.getByLabel('First day in force').fill(dayFromNow(-1));
    await page.getByRole('button', { name: 'Propose', exact: true }).click();
    await page.getByText('This day is over: choose a later one, or none.').waitFor();
    const { version, files } = await stage.policies.inForce();
    const late = { basis: version.version, changes: { 'rules/tax.yaml': `${files['rules/tax.yaml'] ?? ''}\n# late\n` }, comment: 'late' };
    await assert.rejects(stage.policies.propose({ ...late, effective_at: `${dayFromNow(-1)}T00:00:00+08:00` }), (error) => isVeilgateError(error, 'REQUEST_INVALID') && error.detail?.['pointer'] === '/effective_at');
    assert.deepEqual((await stage.policies.list({ state: 'proposed' })).versions, []);
    await page.clock.setSystemTime(systemClock.nowMs() + 2 * dayMs); // and now tomorrow is over
    await author.go('/console/compliance/policy');
  });

  it('approves a change for a later day, says from when it holds, and what holds until then', async () => {
    const before = (await stage.policies.inForce()).version.version;
    waiting = await propose('Less from tomorrow', tomorrow);
    await author.go(`/console/compliance/versions/${waiting}`);
    await stage.author.getByText(midnightText(tomorrow)).first().waitFor();
    await second.go(`/console/compliance/versions/${waiting}`);
    await stage.second.getByRole('button', { name: '批准', exact: true }).click();
    await stage.second.getByRole('dialog').getByText('该版本将于').waitFor();
    await stage.second.keyboard.press('Escape');
    await approve(waiting, '已批准');
    await stage.second.getByText('已批准，尚未生效').waitFor();
    await inspect(stage.second, 'compliance-waiting-zh');
    await author.go(`/console/compliance/versions/${waiting}`);
    await stage.author.getByText(`Approved, and not in force yet: it comes into force on ${midnightText(tomorrow)}. Until then version ${before} holds.`).waitFor();
    await author.go('/console/compliance/versions');
    await stage.author.getByRole('row', { name: `Version ${waiting}` }).getByText(`from ${midnightText(tomorrow)}`).waitFor();
    await author.go('/console/compliance/policy');
    await stage.author.getByText(`Version ${before}, in force`).waitFor();
    assert.deepEqual((await stage.ask()).forms[vatPaid], ['banded'], 'not before its day');
    assert.equal((await stage.policies.inForce()).version.version, before);
  });

  it('comes into force by itself on its day, while the exemption still holds', async () => {
    shiftClock(dayMs);
    await until('the version is in force', async () => (await stage.policies.inForce()).version.version === waiting);
    await stage.signInAgain();
    await author.go(`/console/compliance/versions/${waiting}`);
    await stage.author.getByText('In force', { exact: true }).first().waitFor();
    assert.equal(await stage.author.getByText('not in force yet').count(), 0);
    const answer = await stage.ask();
    assert.deepEqual([answer.forms[invoiced], answer.withheld], [['clear'], [vatPaid]]);
  });

  it('lets the exemption end by itself on its day', async () => {
    shiftClock(2 * dayMs);
    await stage.signInAgain();
    const answer = await stage.ask();
    assert.deepEqual([answer.forms[invoiced], answer.withheld], [['banded'], [vatPaid]]);
    await author.go('/console/compliance/withholds');
    await stage.author.getByRole('row', { name: dayText(afterTomorrow) }).getByText('over', { exact: true }).waitFor();
  });
});
