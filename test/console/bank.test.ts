import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { sampleCsv, sampleRows } from '../../scripts/sample/generate.ts';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { enterpriseClient } from '../../src/sdk/enterprise.ts';
import { grantRequestsClient } from '../../src/sdk/grant-requests.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import type { DatasetId } from '../../src/vocabulary.ts';
import type { TestPlatform } from '../support/gateway.ts';
import { assertAccessible, inspect, startTestConsole, type TestConsole } from './support/console.ts';
import { personOf, type Person } from './support/people.ts';

const sample = { enterprises: 2, seed: 11 };
const subject: string = sampleSubject(0, sample.seed);
const name = [...sampleRows('registry', sample)][0]?.['name'] as string;

describe('the bank\'s workbench', function () {
  this.timeout(180_000);
  let stage: TestConsole;
  let platform: TestPlatform;
  let clerk: Person;
  let page: Page;
  const keyFile = (party: string) => path.join(platform.folder, `${party}.key.json`);
  const sentBodies: string[] = [];

  before(async function () {
    const opened = await startTestConsole();
    if (opened === undefined) return this.skip();
    stage = opened;
    platform = stage.platform;
    for (const id of ['registry', 'tax'] as DatasetId[]) {
      const dataset = loadCatalogue('policies/catalogue').datasets.get(id);
      assert.ok(dataset);
      await platform.load(id, dataset.department, [...sampleCsv(dataset, sample)].join(''));
    }
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
  after(async () => stage?.close());

  const choose = async (field: string, use: 'Read' | 'Verify') => {
    await page.getByLabel('Find a field').fill(field);
    await page.getByRole('listitem').filter({ has: page.locator('code', { hasText: new RegExp(`^${field.replaceAll('.', '\\.')}$`) }) }).getByText(use, { exact: false }).first().click();
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
    await page.getByLabel('Unified social credit code').fill(`${subject.slice(0, 17)}${subject.endsWith('0') ? '1' : '0'}`);
    await page.getByText('This is no credit code').waitFor();
    await page.getByLabel('Unified social credit code').fill(subject);
    await choose('registry.name', 'Read');
    await choose('tax.declared_revenue_cents', 'Verify');
    await page.getByLabel('Find a field').fill('');
    await page.getByLabel(/^Value to compare/).fill('1');
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
    await page.reload();
    await page.getByText('accepted', { exact: true }).waitFor();
    assert.equal((await enterpriseClient(enterprise).grants()).grants.length, 1);
  });

  it('asks, opens the answer in the browser, and checks its receipt', async () => {
    await page.getByRole('link', { name: 'Query' }).click();
    await page.getByLabel(/^Value to compare/).fill('1');
    await page.getByText('Under grant').waitFor();
    await page.getByRole('button', { name: 'Ask now' }).click();
    await page.getByText('The receipt is right').waitFor();
    await page.getByText(name).waitFor();
    await page.getByText('does not match').waitFor();
    await inspect(page, 'bank-answer');
    assert.ok(!sentBodies.some((sent) => sent.includes(name)), 'what was opened left the browser');
  });

  it('keeps answer and receipt, and proves them later against the public log', async () => {
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Keep answer and receipt' }).click();
    const file = await (await downloading).path();
    const kept = readFileSync(file, 'utf8');
    assert.ok(!kept.includes(name), 'originals stay sealed in what is kept');
    await page.getByRole('link', { name: 'Receipts' }).click();
    await page.getByLabel('Kept answer (JSON)').setInputFiles(file);
    await page.getByText(/Proven under a signed checkpoint|The log has not published/).waitFor();
    await page.getByRole('button', { name: 'Show the answer' }).click();
    await page.getByText(name).waitFor();
    await inspect(page, 'bank-receipts');
    const forged = JSON.parse(kept) as { answer: { verified: { outcome: string }[] } };
    forged.answer.verified = forged.answer.verified.map((one) => ({ ...one, outcome: 'match' }));
    await page.getByLabel('Kept answer (JSON)').setInputFiles({ name: 'forged.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(forged)) });
    await page.getByText('AUDIT_RECEIPT_INVALID').waitFor();
  });

  it('says what the gateway refuses, and keeps what was typed', async () => {
    await page.getByRole('link', { name: 'Query' }).click();
    await page.getByText('Under grant').waitFor();
    await platform.compliance.suspend('bank-a', 'terms_violated');
    await page.getByRole('button', { name: 'Ask now' }).click();
    await page.getByRole('alert').first().waitFor();
    assert.equal(await page.getByLabel('Unified social credit code').inputValue(), subject);
    await platform.compliance.reinstate('bank-a');
    assert.equal(await page.evaluate('window.injected'), undefined);
  });
});
