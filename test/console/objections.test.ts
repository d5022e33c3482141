import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { parse } from 'yaml';
import { veilgate } from '../cli/support/platform.ts';
import type { TestPlatform } from '../support/gateway.ts';
import { hasRows, screenshot } from './support/console.ts';
import { disputed, handsOn, scripted, startEnterpriseStage, subject, terms, type EnterpriseStage } from './support/enterprise-stage.ts';
import { personOf } from './support/people.ts';

const words = `We declared more. ${scripted}`;

describe('an objection, by everybody it concerns', function () {
  this.timeout(180_000);
  let stage: EnterpriseStage;
  let platform: TestPlatform;
  let enterprise: Page;
  let officer: Page;
  let clerk: Page;
  let otherClerk: Page;

  before(async function () {
    const opened = await startEnterpriseStage();
    if (opened === undefined) return this.skip();
    stage = opened;
    ({ platform } = stage);
    enterprise = await stage.open(stage.person, '/console/');
    officer = await stage.open(await personOf(platform, 'officer-compliance', 'officer', 'Li', 'compliance'), '/console/compliance/objections');
    clerk = await stage.open(await personOf(platform, 'bank-a', 'institution', 'Zhao'), '/console/query');
    otherClerk = await stage.open(await personOf(platform, 'bank-b', 'institution', 'Qian'), '/console/notices');
    writeFileSync(keyFile('bank-a'), JSON.stringify(await platform.credentialsFile('bank-a')));
    writeFileSync(keyFile('tax_administration'), JSON.stringify(await platform.credentialsFile('tax_administration')), { mode: 0o600 });
    await stage.bank.askForGrant({ ...terms, subject });
    await agree('Bank bank-a');
    return undefined;
  });
  afterEach(async function () {
    const open = Object.entries({ enterprise, officer, clerk, otherClerk }).filter(([, page]) => page !== undefined);
    for (const [name, page] of open) {
      if (this.currentTest?.state === 'failed') await screenshot(page, `objections-failed-${name}`);
      assert.equal(await page.evaluate('window.injected'), undefined, `${name} ran a text`);
    }
  });
  after(async () => stage?.close());

  const keyFile = (party: string) => path.join(platform.folder, `${party}.key.json`);
  const go = (page: Page, address: string) => page.goto(`${platform.gateway.issuerUrl}/console/${address}`);
  const agree = async (institution: string) => {
    await go(enterprise, 'enterprise/requests');
    await enterprise.getByRole('link', { name: institution }).click();
    await enterprise.getByRole('button', { name: 'Agree' }).click();
    await enterprise.getByRole('dialog').getByRole('button', { name: 'Agree' }).click();
    await enterprise.getByText('You agreed.').waitFor();
  };
  /** The page of an objection that begins with this address, submitted. @returns its id */
  const submit = async (address: string, said: string) => {
    await go(enterprise, address);
    await enterprise.getByLabel('Your reasons').fill(said);
    return submitted();
  };
  const submitted = async () => {
    await enterprise.getByRole('button', { name: 'Submit objection' }).click();
    await enterprise.waitForURL(/\/objections\/[\w-]{22}$/);
    return new URL(enterprise.url()).pathname.split('/').at(-1) ?? '';
  };
  const steps = () => handsOn(enterprise).section('Steps');
  /** The officer takes a step in the queue's page of the objection. */
  const decide = async (id: string, button: string, said?: string) => {
    await go(officer, `compliance/objections/${id}`);
    await officer.getByRole('button', { name: button, exact: true }).click();
    const dialog = officer.getByRole('dialog');
    if (said !== undefined) {
      await dialog.getByRole('button', { name: button, exact: true }).click();
      await dialog.getByText('Fill this in.').waitFor();
      await dialog.getByLabel('In your own words; the enterprise reads it').fill(said);
    }
    await dialog.getByRole('button', { name: button, exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
  };
  /** There is no page for departments: they work at the command line. */
  const department = async (...line: readonly string[]) => {
    const { code, out, err } = await veilgate(['--gateway', platform.gateway.gatewayUrl, '--credentials', keyFile('tax_administration'), ...line]);
    assert.equal(code, 0, err);
    return out;
  };
  /** The clerk asks what was built before, and waits for a new answer. */
  const ask = async () => {
    const [answer] = await Promise.all([clerk.waitForResponse(/\/v1\/queries$/), clerk.getByRole('button', { name: 'Ask now' }).click()]);
    assert.equal(answer.status(), 200);
    await clerk.getByText('The receipt is right').waitFor();
  };

  it('is submitted with its deadline in working days, returned with a reason, amended, or left as it is', async () => {
    const first = await submit(`enterprise/objections/new?field=${disputed}`, words);
    await enterprise.getByRole('heading', { level: 1, name: /^Objection to Declared sales revenue/ }).waitFor();
    await steps().getByText(`${workingDay(3)} (working days left: 3)`).waitFor();
    await go(officer, 'compliance/objections');
    await officer.getByRole('row').filter({ hasText: subject }).getByText('3 working days left').waitFor();
    await decide(first, 'Return with reason', `Name the period. ${scripted}`);
    await officer.getByText(words).waitFor();
    await officer.getByText('Returned', { exact: true }).first().waitFor();

    await enterprise.reload();
    await steps().getByText(`Name the period. ${scripted}`).waitFor();
    await steps().getByText(`${workingDay(10)} (working days left: 10)`).waitFor();
    await enterprise.getByRole('link', { name: 'Amend and submit again' }).click();
    await enterprise.getByRole('heading', { level: 1, name: 'New objection' }).waitFor();
    assert.equal(await enterprise.getByLabel('Your reasons').inputValue(), words, 'nothing is typed twice');
    await enterprise.getByRole('textbox', { name: 'Period' }).fill('2026-06-01');
    await handsOn(enterprise).inspectInBoth('enterprise-objection-again');
    const second = await submitted();
    assert.notEqual(second, first);
    await enterprise.getByText('2026-06-01').first().waitFor();

    await go(enterprise, `enterprise/objections/${first}`);
    await enterprise.getByRole('button', { name: 'Close objection' }).click();
    await enterprise.getByRole('dialog').getByText('You take note of the outcome.').waitFor();
    await enterprise.getByRole('dialog').getByRole('button', { name: 'Close objection' }).click();
    await enterprise.getByText('The objection is closed.').waitFor();
    assert.equal(await enterprise.getByRole('link', { name: 'Amend and submit again' }).count(), 0);
  });

  it('marks the field in the bank\'s answers from its acceptance until the department rejects it with a reason', async () => {
    const id = await openObjection();
    await clerk.getByLabel('Key file').setInputFiles(keyFile('bank-a'));
    await clerk.getByLabel('Unified social credit code').fill(subject);
    await clerk.getByLabel('Find a field').fill(disputed);
    await clerk.getByRole('listitem').filter({ hasText: disputed }).getByText('Read', { exact: false }).first().click();
    await clerk.getByText('Under grant').waitFor();
    const mark = clerk.getByText('The enterprise disputes: Declared sales revenue.');
    await ask();
    assert.equal(await mark.count(), 0, 'not before it is accepted');
    await decide(id, 'Accept');
    await officer.getByText('10 working days left').waitFor();
    await ask();
    await mark.waitFor();
    await enterprise.reload();
    await steps().getByText('The department corrects the value or says why not').waitFor();
    await steps().getByText(`${workingDay(10)} (working days left: 10)`).waitFor();
    await go(enterprise, 'enterprise/history?outcome=released');
    await enterprise.getByText('Marked as disputed: 1').waitFor();

    assert.match(await department('objection', 'reject', id, '--text', `The filing says so. ${scripted}`), /is rejected now/);
    await ask();
    await mark.waitFor({ state: 'detached' });
    await go(enterprise, `enterprise/objections/${id}`);
    await steps().getByText('Department that supplies the value', { exact: false }).waitFor();
    await steps().getByText(`The filing says so. ${scripted}`).waitFor();
    await officer.reload();
    await officer.getByText(`The filing says so. ${scripted}`).waitFor();
    await officer.getByText('Rejected', { exact: true }).first().waitFor();
  });

  it('ends in a correction that the bank which received the value is told of, and no other', async () => {
    const id = await submit(`enterprise/objections/new?field=${disputed}`, words);
    await decide(id, 'Accept');
    const { rows: [row] } = await platform.database.query<{ record: Record<string, unknown> }>(
      "select to_jsonb(t) - '_supplied_at' as record from domain.tax t where subject = $1 order by period desc limit 1", [subject]);
    const file = path.join(platform.folder, 'corrected.json');
    writeFileSync(file, JSON.stringify({ ...row?.record, declared_revenue_cents: 4_242 }));
    assert.match(await department('records', 'correct', 'tax', file), /is changed/);
    assert.match(await department('objection', 'correct', id, '--text', `The filing of July counts. ${scripted}`), /is corrected now/);

    await clerk.getByRole('link', { name: 'Notices' }).click();
    const notice = clerk.getByRole('row').filter({ hasText: disputed });
    await notice.getByText(subject).waitFor();
    await otherClerk.reload();
    await otherClerk.getByRole('checkbox', { name: 'Only those not acknowledged' }).waitFor({ state: 'attached' });
    await otherClerk.getByText('There is nothing here yet.').waitFor();
    assert.equal(await otherClerk.getByText(subject).count(), 0, 'it never received the value');
    await handsOn(clerk).inspectInBoth('bank-notice');
    await go(enterprise, `enterprise/objections/${id}`);
    const told = handsOn(enterprise).section('Who was told of the correction').getByRole('row').filter({ hasText: 'Bank bank-a' });
    await told.getByText('not yet').waitFor();
    await officer.reload();
    await officer.getByRole('row').filter({ hasText: 'bank-a' }).getByText('not yet').waitFor();

    await notice.getByRole('button', { name: /^Acknowledge/ }).click();
    await notice.waitFor({ state: 'detached' }); // only open ones are listed
    await clerk.getByText('Only those not acknowledged').click();
    await notice.getByText(/^Acknowledged/).waitFor();
    for (const [page, row] of [[enterprise, told], [officer, officer.getByRole('row').filter({ hasText: 'bank-a' })]] as const) {
      await page.reload();
      await row.waitFor();
      assert.equal(await row.getByText('not yet').count(), 0);
    }
    await enterprise.getByRole('button', { name: 'Close objection' }).click();
    await enterprise.getByRole('dialog').getByRole('button', { name: 'Close objection' }).click();
    await enterprise.getByText('The objection is closed.').waitFor();
    await officer.reload();
    await officer.getByText('Closed', { exact: true }).first().waitFor();
    assert.equal(await officer.getByRole('heading', { name: 'Next step' }).count(), 0);
  });

  it('to an access is remedied or rejected by an officer, who says what was done', async () => {
    const { rows: [entry] } = await platform.database.query<{ index: number }>("select index from audit_entry where subject = $1 and kind = 'query.released' limit 1", [subject]);
    for (const [button, state, ended] of [['Find it right, say what was done', 'Remedied', 'Found right and remedied'], ['Reject with reason', 'Rejected', 'Rejected']] as const) {
      const id = await submit(`enterprise/objections/new?entry=${entry?.index}`, words);
      await decide(id, 'Accept');
      await officer.getByRole('button', { name: 'Reject with reason', exact: true }).waitFor();
      await decide(id, button, `${state}: the bank was asked. ${scripted}`);
      await officer.getByText(state, { exact: true }).first().waitFor();
      await enterprise.reload();
      await steps().getByText(ended, { exact: true }).waitFor();
      await steps().getByText(`${state}: the bank was asked. ${scripted}`).waitFor();
      await steps().getByText('You look at the outcome; afterwards it is closed by itself').waitFor();
    }
  });

  it('is shown as late to both sides once its deadline is over', async () => {
    const id = await submit('enterprise/objections/new?field=registry.name', words);
    await platform.database.query('update objection set due_on = due_on - 14 where id = $1', [id]);
    await enterprise.reload();
    await steps().getByText(/\(working days over: \d+\)/).waitFor();
    await steps().getByText('overdue', { exact: true }).waitFor();
    await go(officer, 'compliance/objections');
    await officer.getByText('Late only').click();
    await officer.getByText(/^late by \d+ working days$/).waitFor();
    await hasRows(officer, 2); // the heading and the one that is late
  });

  it('shows the bank the reason of a refusal as it was written', async () => {
    await stage.otherBank.askForGrant({ ...terms, subject });
    await go(enterprise, 'enterprise/requests');
    await enterprise.getByRole('link', { name: /^Bank B/ }).click();
    await enterprise.getByRole('button', { name: 'Refuse' }).click();
    await enterprise.getByRole('dialog').getByLabel('Reason, for the institution to read').fill(`We chose another bank ${scripted}`);
    await enterprise.getByRole('dialog').getByRole('button', { name: 'Refuse' }).click();
    await enterprise.getByText('You refused this request').waitFor();
    await go(otherClerk, 'bank/grants');
    await otherClerk.getByText(`We chose another bank ${scripted}`).waitFor();
  });

  /** The one the enterprise has submitted and not closed. */
  async function openObjection(): Promise<string> {
    const { rows: [open] } = await platform.database.query<{ id: string }>("select id from objection where subject = $1 and state = 'submitted'", [subject]);
    await go(enterprise, `enterprise/objections/${open?.id}`);
    return open?.id ?? '';
  }
});

type Calendar = { readonly holidays: readonly { readonly from: string; readonly to: string }[]; readonly made_up: readonly string[] };

/** The day so many working days after today, counted day by day, as the page writes it. */
function workingDay(count: number): string {
  const { holidays, made_up: madeUp } = parse(readFileSync('policies/calendar.yaml', 'utf8')) as Calendar;
  const day = new Date(new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10));
  for (let left = count; left > 0;) {
    day.setUTCDate(day.getUTCDate() + 1);
    const text = day.toISOString().slice(0, 10);
    const isWorked = madeUp.includes(text) || (day.getUTCDay() % 6 !== 0 && !holidays.some(({ from, to }) => from <= text && text <= to));
    if (isWorked) left -= 1;
  }
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' }).format(day);
}
