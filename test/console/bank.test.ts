import { strict as assert } from 'node:assert';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { JSONWebKeySet } from 'jose';
import type { Download, Page } from 'playwright-core';
import { oneTimePassword } from '../../scripts/demo/one-time-password.ts';
import { sampleRows } from '../../scripts/sample/generate.ts';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { systemClock } from '../../src/clock.ts';
import { platformKeys } from '../../src/sdk/bank.ts';
import { checkCreditReport } from '../../src/sdk/credit-report-check.ts';
import { enterpriseClient } from '../../src/sdk/enterprise.ts';
import { grantRequestsClient } from '../../src/sdk/grant-requests.ts';
import { password, type TestPlatform } from '../support/gateway.ts';
import { published } from './support/audit-stage.ts';
import { assertAccessible, inspect, screenshot, startTestConsole, type TestConsole } from './support/console.ts';
import { personOf, type Person } from './support/people.ts';
import { loadSampleRecords } from '../support/sample-records.ts';

const sample = { enterprises: 2, seed: 11 };
const subject: string = sampleSubject(0, sample.seed);
const injection = '<img src=x onerror="window.injected = true">';
const plainName = [...sampleRows('registry', sample)][0]?.['name'] as string;
const name = `${injection}${plainName}`;
const root = path.resolve(import.meta.dirname, '../..');

describe('the bank\'s workbench', function () {
  this.timeout(180_000);
  let stage: TestConsole;
  let platform: TestPlatform;
  let clerk: Person;
  let page: Page;
  const keyFile = (party: string) => path.join(platform.folder, `${party}.key.json`);
  const sentBodies: string[] = [];
  let report = '';
  const policies = mkdtempSync(path.join(os.tmpdir(), 'veilgate-policies-'));

  before(async function () {
    cpSync(path.join(root, 'policies'), policies, { recursive: true });
    const tax = path.join(policies, 'catalogue/tax.yaml');
    writeFileSync(tax, readFileSync(tax, 'utf8').replace('title: { en: Tax, zh: 税务 }', `title: { en: 'Tax ${injection}', zh: '税务${injection}' }`));
    const opened = await startTestConsole({ VEILGATE_POLICY_FOLDER: policies });
    if (opened === undefined) return this.skip();
    stage = opened;
    platform = stage.platform;
    await loadSampleRecords(platform, ['registry', 'tax', 'social_insurance'], sample);
    await platform.database.query('update domain.registry set name = $1 where subject = $2', [name, subject]);
    await platform.enterprise(subject);
    for (const bank of ['bank-a', 'bank-b']) {
      await platform.bank(bank);
      writeFileSync(keyFile(bank), JSON.stringify(await platform.credentialsFile(bank)));
    }
    clerk = await personOf(platform, 'bank-a', 'institution', '赵经理');
    page = await stage.open(clerk, '/console/');
    page.on('request', (request) => sentBodies.push(`${request.url()} ${request.postData() ?? ''}`));
    return undefined;
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed' && page !== undefined) await screenshot(page, 'bank-failed');
  });
  after(async () => {
    await stage?.close();
    rmSync(policies, { recursive: true, force: true });
  });

  const choose = async (field: string, use: 'Read' | 'Verify') => {
    await page.getByLabel('Find a field').fill(field);
    await page.getByRole('listitem').filter({ has: page.locator('code', { hasText: new RegExp(`^${field.replaceAll('.', '\\.')}$`) }) }).getByText(use, { exact: false }).first().click();
  };

  /** The same query as before, after the page was loaded anew: what was typed is kept in memory alone. */
  const build = async () => {
    await page.getByRole('link', { name: 'Query' }).click();
    await page.getByLabel('Unified social credit code').fill(subject);
    await choose('registry.name', 'Read');
    await choose('tax.declared_revenue_cents', 'Verify');
    await choose('social_insurance.period', 'Read');
    await page.getByLabel('Find a field').fill('');
    await page.getByLabel(/^Value to compare/).fill('1');
  };
  const pick = async (label: string, option: string) => {
    await page.getByRole('button', { name: new RegExp(`${label}$`) }).click();
    await page.getByRole('option', { name: option, exact: true }).click();
  };
  const downloaded = async (button: string): Promise<{ readonly text: string; readonly download: Download }> => {
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: button }).click();
    const download = await downloading;
    return { text: readFileSync(await download.path(), 'utf8'), download };
  };
  const usesLeft = async () => {
    const { rows } = await platform.database.query<{ left: number }>('select uses_left::int as left from consent_grant where subject = $1', [subject]);
    return rows[0]?.left ?? 0;
  };

  it('takes the institution\'s own key file and no other, and never sends it', async () => {
    await page.getByRole('heading', { level: 1, name: 'Query' }).waitFor();
    await inspect(page, 'bank-key');
    await page.getByLabel('Key file').setInputFiles(keyFile('bank-b'));
    await page.getByText('This key file is of bank-b').waitFor();
    await page.getByLabel('Key file').setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('{"party":"bank-a"}') });
    await page.getByText('This is no key file').waitFor();
    await page.getByLabel('Key file').setInputFiles(keyFile('bank-a'));
    await page.getByText('The key of bank-a is in this browser').waitFor();
    const extractable = await page.evaluate(`new Promise((done, fail) => { const opening = indexedDB.open('veilgate-keys'); opening.onerror = fail; opening.onsuccess = () => { const reading = opening.result.transaction('credentials').objectStore('credentials').getAll(); reading.onsuccess = () => done(reading.result.flatMap(({ signing, encryption }) => [signing.privateKey.extractable, encryption.privateKey.extractable])); }; })`);
    assert.deepEqual(extractable, [false, false]);
  });

  it('shows the catalogue', async () => {
    await page.getByRole('link', { name: 'Catalogue' }).click();
    await page.getByText('registry.name').first().waitFor();
    await inspect(page, 'bank-catalogue');
  });

  it('explains a query while it is built, and asks the enterprise for what is missing', async () => {
    await page.getByRole('link', { name: 'Query' }).click();
    await page.getByText('how the enterprise is doing in order to decide', { exact: false }).first().waitFor();
    await page.getByLabel('Unified social credit code').fill(`${subject.slice(0, 17)}${subject.endsWith('0') ? '1' : '0'}`);
    await page.getByText('This is no credit code').waitFor();
    await build();
    await page.getByLabel(/^Value to compare/).fill('many');
    await page.getByText('Enter a whole number.').waitFor();
    await page.getByLabel(/^Value to compare/).fill('123456789');
    await page.getByText('¥1,234,567.89', { exact: false }).waitFor();
    await page.getByText('Which records of Social insurance').click();
    await page.getByRole('button', { name: 'Add a condition' }).click();
    await pick('Compares', 'at least');
    await page.getByLabel('Value', { exact: true }).fill('2025-01-01');
    await page.getByLabel('Records at most').fill('500');
    await page.getByText('Enter a whole number from 1 to 120.').waitFor();
    await page.getByLabel('Records at most').fill('1');
    await pick('Order by', 'Period (first day of the month)');
    await pick('Order', 'rising');
    await page.getByText('There is no grant that can be used').waitFor();
    await inspect(page, 'bank-explanation');
    await page.getByRole('button', { name: 'Request what is missing' }).click();
    await page.getByLabel('Message to the enterprise').fill('<script>window.injected = true</script> for your loan');
    await assertAccessible(page);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('The request is with the enterprise.').waitFor();
  });

  it('shows grants and requests', async () => {
    await page.getByRole('link', { name: 'Grants and requests' }).click();
    await page.getByText('waits for the enterprise').waitFor();
    await inspect(page, 'bank-grants');
    const [party] = (await platform.database.query<{ id: string }>("select id from enterprise where subject = $1", [subject])).rows;
    const enterprise = await platform.connect(party?.id ?? '', 'grants');
    const requests = grantRequestsClient(enterprise);
    const { requests: [request] } = await requests.grantRequests();
    const read = await requests.readGrantRequest(request?.id ?? '');
    assert.equal(read.message, '<script>window.injected = true</script> for your loan');
    await requests.acceptGrantRequest(read.id, read.offer?.notice_digest ?? '');
    // what was typed is kept while one looks at another page, and lost with the page: no list of enterprises is kept
    await page.getByRole('link', { name: 'Query' }).click();
    assert.equal(await page.getByLabel('Unified social credit code').inputValue(), subject);
    await page.getByRole('link', { name: 'Grants and requests' }).click();
    await page.reload();
    await page.getByText('accepted', { exact: true }).waitFor();
    assert.equal((await enterpriseClient(enterprise).grants()).grants.length, 1);
  });

  it('asks, opens the answer in the browser, and checks its receipt', async () => {
    await build();
    await page.getByText('Which records of Social insurance').click();
    await page.getByRole('button', { name: 'Add a condition' }).click();
    await pick('Compares', 'at least');
    await page.getByLabel('Value', { exact: true }).fill('2025-01-01');
    await page.getByLabel('Records at most').fill('1');
    await pick('Order by', 'Period (first day of the month)');
    await pick('Order', 'rising');
    await page.getByText('Under grant').waitFor();
    await page.getByRole('button', { name: 'Ask now' }).click();
    await page.getByText('The receipt is right').waitFor();
    await page.getByText(name).waitFor();
    await page.getByText('does not match').waitFor();
    assert.equal(await page.getByRole('row', { name: /social_insurance\.period.*2025-01-01/ }).count(), 1, 'the one record that was chosen');
    await inspect(page, 'bank-answer');
    assert.ok(!sentBodies.some((sent) => sent.includes(plainName)), 'what was opened left the browser');
  });

  it('makes a signed credit report, as a page to print and as a file, that proves itself', async () => {
    const keys = (await platformKeys(platform.gateway.gatewayUrl)) as JSONWebKeySet;
    const signer = (await platform.credentials('bank-a')).signing.publicJwk;
    const file = await downloaded('Signed file (JSON)');
    assert.match(file.download.suggestedFilename(), /^credit-report-\d+\.json$/);
    const checked = await checkCreditReport(file.text, { keys, clock: systemClock, signer });
    assert.deepEqual(checked.file.report.data['registry']?.[0]?.['name'], { kind: 'clear', value: name });
    assert.equal(checked.file.report.grant?.data_life_days, 30);
    await assert.rejects(checkCreditReport(file.text.replaceAll(plainName, '另一家公司'), { keys, clock: systemClock, signer }), { code: 'REPORT_INVALID' });
    const printed = await downloaded('Report to print (HTML)');
    report = printed.text;
    await checkCreditReport(printed.text, { keys, clock: systemClock, signer });
    const sheet = await stage.browser.newPage();
    await sheet.goto(`file://${await printed.download.path()}`);
    await sheet.setContent(printed.text); // a downloaded file has no name that says HTML
    await sheet.getByRole('heading', { level: 1, name: 'Credit report' }).waitFor();
    await sheet.getByText(name).waitFor();
    assert.equal(await sheet.evaluate('window.injected'), undefined);
    await screenshot(sheet, 'bank-report-sheet');
    await sheet.close();
  });

  it('keeps answer and receipt, and proves them later against the public log', async () => {
    const { text: kept, download } = await downloaded('Keep answer and receipt');
    assert.ok(!kept.includes(plainName), 'originals stay sealed in what is kept');
    await published(platform);
    const { rows: [log] } = await platform.database.query<{ size: number }>('select max(size)::int as size from audit_checkpoint');
    await page.getByRole('link', { name: 'Receipts' }).click();
    await page.getByLabel('Kept answer, score or report').setInputFiles(await download.path());
    await page.getByText(`Proven under a signed checkpoint of ${log?.size} entries.`).waitFor();
    await page.getByRole('button', { name: 'Show the answer' }).click();
    await page.getByText(name).waitFor();
    await inspect(page, 'bank-receipts');
    const forged = JSON.parse(kept) as { answer: { verified: { outcome: string }[] } };
    forged.answer.verified = forged.answer.verified.map((one) => ({ ...one, outcome: 'match' }));
    await page.getByLabel('Kept answer, score or report').setInputFiles({ name: 'forged.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(forged)) });
    await page.getByText('AUDIT_RECEIPT_INVALID').waitFor();
    await page.getByLabel('Kept answer, score or report').setInputFiles({ name: 'report.html', mimeType: 'text/html', buffer: Buffer.from(report) });
    await page.getByText('Report signed with key').waitFor();
    await page.getByLabel('Kept answer, score or report').setInputFiles({ name: 'report.html', mimeType: 'text/html', buffer: Buffer.from(report.replace(plainName, '另一家公司')) });
    await page.getByText('REPORT_INVALID').waitFor();
  });

  it('says that nobody answered, and asks nothing twice when the network fails', async () => {
    await page.getByRole('link', { name: 'Query' }).click();
    await page.getByText('Under grant').waitFor();
    const before = await usesLeft();
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Ask now' }).click();
    await page.getByText('GATEWAY_UNAVAILABLE').first().waitFor();
    await page.context().setOffline(false);
    assert.equal(await usesLeft(), before);
    // the question arrives, its answer does not
    let sent = 0;
    await page.route('**/v1/queries', async (route) => {
      await route.fetch();
      sent += 1;
      await route.abort('internetdisconnected');
    }, { times: 1 });
    await page.getByRole('button', { name: 'Ask now' }).click();
    await page.getByText('it is not known whether the question arrived').waitFor();
    await inspect(page, 'bank-offline');
    assert.deepEqual([sent, await usesLeft()], [1, before - 1]);
    await page.getByRole('button', { name: 'Ask now' }).click();
    await page.getByText('TOKEN_REPLAYED').waitFor();
    assert.equal(await usesLeft(), before - 1, 'the same question once more is refused');
    await page.getByRole('button', { name: 'Ask now' }).click();
    await page.getByText('The receipt is right').waitFor();
    assert.equal(await usesLeft(), before - 2, 'only a new question is a new query');
    assert.equal(await page.getByLabel('Unified social credit code').inputValue(), subject);
  });

  it('tells nothing about what is another institution\'s', async () => {
    const other = sampleSubject(1, sample.seed);
    const enterprise = await platform.enterprise(other);
    const terms = { subject: other, purpose: 'pre_loan_review', valid_days: 30, uses_max: 1, data_life_days: 30, kind: 'one_time', fields: [{ field: 'registry.name', ceiling: 'original' }] } as const;
    const grant = await enterprise.grant('bank-b', terms);
    const request = await grantRequestsClient(await platform.connect('bank-b', 'query')).askForGrant(terms);
    for (const [noun, id] of [['grants', grant.id], ['grant-requests', request.id]] as const) {
      const asked = await page.evaluate(async ([path, ids]) => {
        const { csrf } = await (await fetch('/console/api/session')).json() as { csrf: string };
        return Promise.all(ids.map(async (each) => {
          const response = await fetch(`${path}/${each}`, { headers: { 'veilgate-csrf': csrf } });
          const { code, detail } = await response.json() as { code: string; detail: string };
          return { status: response.status, code, detail };
        }));
      }, [`/console/api/v1/${noun}`, [id, `${id.slice(0, -1)}${id.endsWith('A') ? 'Q' : 'A'}`]] as const);
      assert.deepEqual(asked[0], asked[1], noun);
      assert.equal(asked[0]?.status, 404);
    }
  });

  it('says what the gateway refuses, and keeps what was typed', async () => {
    const limit = (queries: number | null) => platform.database.query("update institution set queries_per_day = $1 where id = 'bank-a'", [queries]);
    await limit(1);
    await page.getByRole('button', { name: 'Ask now' }).click();
    await page.getByRole('alert').getByText('REQUEST_QUOTA_EXCEEDED').waitFor();
    await limit(null);
    assert.equal(await page.getByLabel('Unified social credit code').inputValue(), subject);
    assert.equal(await page.evaluate('window.injected'), undefined);
  });

  it('lets nobody of a suspended institution go on, says so, and goes on where one was when it is admitted again', async () => {
    await platform.compliance.suspend('bank-a', 'terms_violated');
    const before = await usesLeft();
    await page.getByRole('button', { name: 'Ask now' }).click();
    await page.getByRole('alert').getByText('Your session has ended').waitFor();
    await page.getByRole('alert').getByText('SESSION_MISSING').waitFor();
    assert.deepEqual([await usesLeft(), await page.getByLabel('Unified social credit code').inputValue()], [before, subject]);
    const signIn = await stage.open(undefined, '/sign-in');
    await signIn.fill('[name=username]', clerk.username);
    await signIn.fill('[name=password]', password);
    await signIn.fill('[name=one_time_password]', oneTimePassword(clerk.secret ?? '', Date.now()));
    await signIn.click('form button:not(.link)');
    await signIn.getByText('not admitted right now').waitFor();
    await platform.compliance.reinstate('bank-a');
    await choose('tax.declared_revenue_cents', 'Verify'); // not once more: it was compared as often as policy allows
    await page.getByRole('button', { name: 'Ask now' }).click();
    await page.getByText('The receipt is right').waitFor();
    assert.equal(await page.getByText('Your session has ended').count(), 0);
  });

  it('reads as well in Chinese', async () => {
    const chinese = await stage.open(clerk, '/console/query', { language: 'zh' });
    await chinese.getByLabel('密钥文件').setInputFiles(keyFile('bank-a'));
    await chinese.getByRole('textbox', { name: /^统一社会信用代码/ }).waitFor();
    await inspect(chinese, 'bank-query-zh');
    for (const [link, shot] of [['授权与申请', 'bank-grants-zh'], ['更正通知', 'bank-notices-zh'], ['评分', 'bank-scores-zh']] as const) {
      await chinese.getByRole('link', { name: link, exact: true }).click();
      await chinese.getByRole('heading', { level: 1, name: link }).waitFor();
      await inspect(chinese, shot);
    }
  });
});
