import { strict as assert } from 'node:assert';
import type { Page } from 'playwright-core';
import { shanghaiDate } from '../../src/calendar.ts';
import { systemClock } from '../../src/clock.ts';
import { checkEntryProof, type EntryProof } from '../../src/sdk/entry-proof.ts';
import { reportsClient, type WorkReportView } from '../../src/sdk/reports.ts';
import type { BankClient } from '../../src/sdk/bank.ts';
import type { TestPlatform } from '../support/gateway.ts';
import { ask, auditPages, inspectInBoth, makeHistory, published, scripted, subject } from './support/audit-stage.ts';
import { assertAccessible, inspect, startTestConsole, type TestConsole, hasRows } from './support/console.ts';
import { personOf, type Person } from './support/people.ts';

const today = shanghaiDate(systemClock.nowMs());
const month = today.slice(0, 7);
/** What happened until the report is taken, counted by hand. */
const monthByHand = `section,institution,purpose,dataset,kind,detail,measure,count
answers,bank-a,pre_loan_review,,query,,released,2
answers,bank-a,pre_loan_review,,query,,refused,26
answers,bank-a,pre_loan_review,,query,,verifications,2
refusals,bank-a,pre_loan_review,,query,CONSENT_REQUIRED,refused,25
refusals,bank-a,pre_loan_review,,query,INSTITUTION_NOT_ACTIVE,refused,1
datasets,bank-a,pre_loan_review,registry,,,answers,2
datasets,bank-a,pre_loan_review,registry,,,rows,2
datasets,bank-a,pre_loan_review,tax,,,answers,2
datasets,bank-a,pre_loan_review,tax,,,rows,48
disclosures,bank-a,pre_loan_review,owner,read,withhold,fields,2
disclosures,bank-a,pre_loan_review,registry,read,clear,fields,2
disclosures,bank-a,pre_loan_review,tax,read,band,fields,2
disclosures,bank-a,pre_loan_review,tax,verify,verify,fields,2
purposes,,pre_loan_review,,,,grants_created,1
purposes,,pre_loan_review,,,,answers,2
purposes,,pre_loan_review,,,,enterprises_served,1
records,,,registry,,,rows,3
records,,,tax,,,rows,72
${[
  ['account.activated', 2], ['account.invited', 2], ['department.registered', 2], ['enterprise.registered', 1], ['grant.created', 1], ['institution.applied', 2], ['institution.approved', 2],
  ['institution.assessed', 2], ['institution.reinstated', 1], ['institution.suspended', 1], ['officer.registered', 3], ['policy.in_force', 1], ['policy.loaded', 1], ['query.refused', 26], ['query.released', 2],
  ['records.loaded', 2], ['request.shown', 1],
].map(([kind, count]) => `events,,,,${kind},,count,${count}\nevents,,,,${kind},,ever,${count}`).join('\n')}
participants,,,,,,enterprises_registered,1
participants,,,,,,enterprises_ever,1
participants,,,,,,institutions_approved,2
participants,,,,,,institutions_ever,2
participants,,,,,,institutions_with_answers,1`;

describe('the auditor\'s console', function () {
  this.timeout(180_000);
  let stage: TestConsole;
  let platform: TestPlatform;
  let bank: BankClient;
  let auditor: Person;
  let officer: Person;
  let page: Page;
  let on: ReturnType<typeof auditPages>;

  before(async function () {
    const opened = await startTestConsole();
    if (opened === undefined) return this.skip();
    stage = opened;
    platform = stage.platform;
    bank = await makeHistory(platform);
    auditor = await personOf(platform, 'officer-auditor', 'officer', '审计员', 'audit');
    officer = await personOf(platform, 'officer-compliance', 'officer', scripted, 'compliance');
    page = await stage.open(auditor, '/console/');
    on = auditPages(page);
    return undefined;
  });
  afterEach(async () => {
    if (page !== undefined) assert.equal(await page.evaluate('window.injected'), undefined, 'a text was run');
  });
  after(async () => stage?.close());

  it('begins with what this browser knows of the log, this month, and the newest refusals', async () => {
    await on.heading('Overview');
    await page.getByText('This browser does not know the log yet').waitFor();
    await on.section('This month').getByText('Answers and scores given').waitFor();
    await on.section('Newest refusals').getByRole('row').nth(5).waitFor();
    await inspectInBoth(page, 'overview');
  });

  describe('verification', () => {
    it('remembers the log\'s key after it was compared', async () => {
      await on.go('Verification');
      const key = (await (await fetch(`${platform.gateway.gatewayUrl}/v1/log/key`)).text()).trim();
      await page.getByText(key).waitFor();
      await page.getByLabel('Key you were given by another way').fill(`${key}x`);
      await page.getByText('It is another key').waitFor();
      await page.getByLabel('Key you were given by another way').fill(key);
      await page.getByText('It is the same key.').waitFor();
      await inspectInBoth(page, 'first-key');
      await page.getByRole('button', { name: 'Remember this key' }).click();
      await page.getByRole('heading', { level: 2, name: 'What this browser remembers' }).waitFor();
    });

    it('looks at everything, then at what came since, then at the continuation alone', async () => {
      await published(platform);
      const { rows: [log] } = await platform.database.query<{ size: number }>('select count(*)::int as size from audit_entry');
      await on.verify('Everything', 'The log is sound');
      const verdict = page.getByRole('status').filter({ hasText: 'The log is sound' });
      assert.match(await verdict.innerText(), new RegExp(`Entries\\s+${log?.size}[^]*Records that fit their entries\\s+${log?.size}`));
      await inspectInBoth(page, 'verified');
      await ask(bank);
      await published(platform);
      await on.verify('New entries', 'The log is sound');
      assert.match(await verdict.innerText(), new RegExp(`begins with what this browser remembers[^]*Entries\\s+${(log?.size ?? 0) + 1}[^]*Begins with the log remembered\\s+${log?.size} entries`));
      await on.verify('Continuation', 'The log is sound');
      await page.reload();
      await on.section('What this browser remembers').getByText(String((log?.size ?? 0) + 1)).first().waitFor();
    });
  });

  describe('the log', () => {
    it('pages through all entries, newest first, and shows names as they are written', async () => {
      await on.go('Log');
      const list = on.section('Entries of the log, newest first');
      await list.getByRole('row').nth(25).waitFor();
      await hasRows(list, 26);
      await inspectInBoth(page, 'log');
      const seen: number[] = [];
      const older = list.getByRole('button', { name: 'Older' });
      let namesSeen = 0;
      for (;;) {
        const shown = await list.locator('td.numeric').allInnerTexts();
        seen.push(...shown.map(Number));
        namesSeen += await list.getByText(scripted).count();
        if (await older.isDisabled()) break;
        await older.dblclick();
        await list.locator('td.numeric').getByText(shown[0] ?? '', { exact: true }).waitFor({ state: 'detached' });
      }
      const { rows: [log] } = await platform.database.query<{ size: number }>('select max(index)::int + 1 as size from audit_entry');
      assert.deepEqual(seen, Array.from({ length: log?.size ?? 0 }, (_, at) => (log?.size ?? 0) - 1 - at), 'all of them, without gaps or doubles, down to the first');
      assert.ok(namesSeen > 0, 'a name is shown as it is written');
      assert.equal(await list.getByText(subject).count(), 0, 'the list names no enterprise');
    });

    it('finds entries by what they are about, under an address that can be kept', async () => {
      await on.choose('Outcome', 'Refused');
      await on.choose('Institution', 'Bank bank-a');
      await page.getByText('More filters').click();
      await page.getByLabel('Error code of a refusal').fill('consent_required');
      await page.getByRole('button', { name: 'Apply filters' }).click();
      await page.getByText('This cannot be looked for').waitFor();
      await assertAccessible(page);
      await page.getByLabel('Error code of a refusal').fill('INSTITUTION_NOT_ACTIVE');
      await page.getByRole('button', { name: 'Apply filters' }).click();
      const list = on.section('Entries of the log, newest first');
      await list.getByText('institution not admitted').waitFor();
      await hasRows(list, 2);
      assert.match(page.url(), /institution=bank-a&outcome=refused&code=INSTITUTION_NOT_ACTIVE/);
      await page.reload();
      await list.getByText('institution not admitted').waitFor();
      await inspect(page, 'audit-log-filtered');
      await page.getByRole('button', { name: 'Remove filters' }).click();
      await list.getByRole('row').nth(25).waitFor();
      await on.choose('About', 'Institutions');
      await on.choose('Event', 'Institution suspended');
      await page.getByLabel('From day').fill(today);
      await page.getByRole('button', { name: 'Apply filters' }).click();
      await list.getByRole('link', { name: 'Institution suspended' }).waitFor();
      await hasRows(list, 2);
      await page.getByLabel('Up to day').fill('2020-01-01');
      await page.getByRole('button', { name: 'Apply filters' }).click();
      await page.getByText('No entry matches these filters.').waitFor();
      await assertAccessible(page);
    });

    it('finds nothing for an address that asks for nonsense', async () => {
      await page.goto(`${platform.gateway.issuerUrl}/console/audit/entries?policy=${encodeURIComponent(scripted)}`);
      await page.getByText('This cannot be looked for').waitFor();
      assert.equal(await page.getByRole('heading', { level: 2, name: 'Entries of the log, newest first' }).count(), 0);
    });
  });

  describe('an entry', () => {
    it('says what was decided of each field, and proves its place in the browser', async () => {
      await page.goto(`${platform.gateway.issuerUrl}/console/audit/entries?group=answers`);
      await page.getByRole('link', { name: 'Query answered' }).first().click();
      await on.heading(/^Entry \d+: Query answered$/);
      await on.section('What the entry says').getByText(subject).waitFor();
      await on.section('What the entry says').getByRole('row').filter({ hasText: 'owner.name' }).getByText('Withheld').waitFor();
      await page.getByText('Checked with the key this browser remembers.').waitFor();
      await inspectInBoth(page, 'entry');
      const { name, text } = await on.saved(page.getByRole('button', { name: 'Download entry and proof' }));
      assert.match(name, /^entry-\d+\.json$/);
      assert.ok(await checkEntryProof(JSON.parse(text) as EntryProof) > 0);
    });

    it('shows the request the institution signed, checked, and logs who read it', async () => {
      await page.getByRole('button', { name: 'Read and check the request' }).click();
      await page.getByText('Checked: bank-a signed this request').waitFor();
      await page.getByText('"pre_loan_review"').first().waitFor();
      await assertAccessible(page);
      const read = await reportsClient(await platform.connect('officer-auditor', 'audit')).entries({ kinds: ['request.shown'] });
      assert.deepEqual(read.entries.map(({ actor }) => actor), ['officer-auditor']);
    });

    it('that is not there is told so', async () => {
      await page.goto(`${platform.gateway.issuerUrl}/console/audit/entries/999999`);
      await page.getByText('AUDIT_ENTRY_NOT_FOUND').waitFor();
      await page.goto(`${platform.gateway.issuerUrl}/console/audit/entries/x`);
      await page.getByText('An entry is named by a whole number').waitFor();
    });
  });

  describe('the work report', () => {
    it('counts a month, draws it, and gives the same as files', async () => {
      await on.go('Work reports');
      await on.section('By institution').getByRole('row').filter({ hasText: 'Bank bank-a' }).first().waitFor();
      await on.section('Refusals by code').getByText('no grant').waitFor();
      assert.ok(await page.getByRole('img').count() >= 4, 'charts');
      await inspectInBoth(page, 'report');
      const json = JSON.parse((await on.saved(page.getByRole('button', { name: 'Download JSON' }))).text) as WorkReportView;
      assert.equal(json.report.month, month);
      assert.equal(json.report.answers.find(({ institution }) => institution === 'bank-a')?.released, 2);
      const csv = await on.saved(page.getByRole('button', { name: 'Download CSV' }));
      assert.equal(csv.name, `work-report-${month}.csv`);
      assert.equal(csv.text, `${monthByHand}\n`.replaceAll('\n', '\r\n'));
    });

    it('checks the signature of a month that is closed, and says when the report was changed', async () => {
      await page.getByLabel('Month').fill('2026-03');
      await page.getByRole('button', { name: 'Show' }).click();
      await page.getByText('Signature checked in this browser').waitFor();
      await inspect(page, 'audit-report-closed');
      await page.route('**/v1/reports/work?month=2026-03', async (route) => {
        const answer = (await (await route.fetch()).json()) as WorkReportView;
        await route.fulfill({ json: { ...answer, report: { ...answer.report, participants: { ...answer.report.participants, enterprises_ever: 310_000 } } } });
      });
      await page.reload();
      await page.getByText('The report was changed after the platform signed it').waitFor();
      await page.unrouteAll();
    });
  });

  describe('the review of an institution', () => {
    it('shows what it did and what stands out, and leads to the entries', async () => {
      await on.go('Institution review');
      await page.getByText('Choose an institution and a period').waitFor();
      await page.getByRole('button', { name: 'Show' }).click();
      await page.getByText('Choose an institution.').first().waitFor();
      await on.choose('Institution', 'Bank bank-a');
      await page.getByLabel('From day').fill(today);
      await page.getByLabel('Up to day').fill(today);
      await page.getByRole('button', { name: 'Show' }).click();
      await page.getByText('Asked while it was not admitted').waitFor();
      await page.getByText('Asked about enterprises without a grant').waitFor();
      await on.section('What was decided about the institution').getByRole('link', { name: 'Institution suspended' }).waitFor();
      await on.section('Fields and how they were treated').getByRole('row').filter({ hasText: 'tax.declared_revenue_cents' }).first().waitFor();
      await inspectInBoth(page, 'institution');
      const { text } = await on.saved(page.getByRole('button', { name: 'Download JSON' }));
      assert.doesNotMatch(text, new RegExp(subject));
      await on.section('Refusals by code').getByRole('row').filter({ hasText: 'INSTITUTION_NOT_ACTIVE' }).getByRole('link', { name: 'Show entries' }).click();
      await on.heading('Log');
      await page.getByText('institution not admitted').waitFor();
      await hasRows(on.section('Entries of the log, newest first'), 2);
    });

    it('knows no institution by a name that is none', async () => {
      await page.goto(`${platform.gateway.issuerUrl}/console/audit/institutions?institution=${encodeURIComponent(scripted)}`);
      await page.getByRole('alert').getByText('REQUEST_INVALID').waitFor();
      await page.goto(`${platform.gateway.issuerUrl}/console/audit/institutions?institution=bank-z`);
      await page.getByRole('alert').getByText('INSTITUTION_NOT_FOUND').waitFor();
      await page.goto(`${platform.gateway.issuerUrl}/console/audit/institutions?institution=bank-a`);
    });

    it('refuses a period that is none, and keeps what was typed', async () => {
      await page.getByLabel('From day').fill('2020-01-01');
      await page.getByRole('button', { name: 'Show' }).click();
      await page.getByText('REPORT_PERIOD_INVALID').waitFor();
      assert.equal(await page.getByLabel('From day').inputValue(), '2020-01-01');
      await assertAccessible(page);
    });
  });

  describe('beyond the role', () => {
    it('an auditor changes nothing, whatever the page sends', async () => {
      const { csrf } = await page.evaluate<{ readonly csrf: string }>("fetch('/console/api/session').then((answer) => answer.json())");
      const attempt = (method: string, path: string, body: object) => page.evaluate(async ([how, where, text, token]) => {
        const headers = { 'content-type': 'application/json', 'veilgate-csrf': token, 'idempotency-key': crypto.randomUUID() };
        return (await (await fetch(`/console/api${where}`, { method: how, headers, body: text })).json() as { readonly code: string }).code;
      }, [method, path, JSON.stringify(body), csrf] as const);
      assert.equal(await attempt('POST', '/v1/institutions/bank-a/suspension', { reason: 'x' }), 'TOKEN_SCOPE_INSUFFICIENT');
      assert.equal(await attempt('PUT', '/v1/institutions/bank-a/limits', { limits: {} }), 'TOKEN_SCOPE_INSUFFICIENT');
      assert.equal(await attempt('POST', '/v1/policies/1/approval', { digest: 'a'.repeat(64), comment: '' }), 'TOKEN_SCOPE_INSUFFICIENT');
    });

    it('a compliance officer reads figures, no entry', async () => {
      const other = await stage.open(officer, '/console/audit/institutions?institution=bank-a');
      await other.getByText('Asked while it was not admitted').waitFor();
      const navigation = other.getByRole('navigation', { name: 'Pages' });
      assert.deepEqual([await navigation.getByRole('link', { name: 'Work reports' }).count(), await navigation.getByRole('link', { name: 'Verification' }).count()], [1, 0]);
      assert.equal(await other.getByRole('link', { name: /entries/i }).count(), 0);
      assert.equal(await other.evaluate("fetch('/console/api/session').then((answer) => answer.json()).then(({ csrf }) => fetch('/console/api/v1/log/entries', { headers: { 'veilgate-csrf': csrf } })).then(async (answer) => (await answer.json()).code)"), 'TOKEN_SCOPE_INSUFFICIENT');
      await other.goto(`${platform.gateway.issuerUrl}/console/audit/entries`);
      await other.getByRole('heading', { level: 1, name: 'No such page' }).waitFor();
      assert.equal(await other.evaluate('window.injected'), undefined);
      await other.close();
    });
  });
});
