import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import type { Page } from 'playwright-core';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/gateway/log.ts';
import { startWorker, type RunningWorker } from '../../src/gateway/worker/worker.ts';
import { checkScoreReceipt, scoreFileOf } from '../../src/sdk/score-file.ts';
import { grantRequestsClient } from '../../src/sdk/grant-requests.ts';
import { approveModel, featureValues, rawOf, recordValues, scoringBank, scoringTerms, subjectOf, testModel, uploadFeatures } from '../support/scoring.ts';
import type { TestPlatform } from '../support/gateway.ts';
import { inspect, startTestConsole, type TestConsole } from './support/console.ts';
import { personOf, type Person } from './support/people.ts';

const model = testModel();
const scored = (n: number) => rawOf(model, featureValues(n)) / model.scale;
const bandOf = (n: number) => model.bands.findLast(({ from }) => from === null || scored(n) >= from)?.text.en ?? '';

describe('scores in the bank\'s workbench', function () {
  this.timeout(180_000);
  let stage: TestConsole;
  let platform: TestPlatform;
  let clerk: Person;
  let page: Page;
  let worker: RunningWorker | undefined;
  const sent: string[] = [];

  before(async function () {
    const opened = await startTestConsole({}, { scoring: true, custodian: { CUSTODIAN_REFUSAL_MS: '0' } });
    if (opened === undefined) return this.skip();
    stage = opened;
    platform = stage.platform;
    await uploadFeatures(platform, new Map(Array.from({ length: 4 }, (_, n) => [subjectOf(n), recordValues(n)])));
    await approveModel(platform, { ...model, reasons: model.reasons.map((reason) => ({ ...reason, text: { en: `${reason.text.en} <img src=x onerror="window.injected = true">`, zh: reason.text.zh } })) });
    await scoringBank(platform, 'bank-a');
    for (const n of [1, 2]) await (await platform.enterprise(subjectOf(n))).grant('bank-a', { subject: subjectOf(n), ...scoringTerms });
    assert.ok(platform.custodian);
    const log = createLog({ level: 'error', stream: new Writable({ write: (_chunk, _encoding, done) => done() }) });
    worker = await startWorker({ ...platform.config, workerMetricsPort: 0 }, platform.database.url, platform.custodian, log, systemClock);
    clerk = await personOf(platform, 'bank-a', 'institution', 'Clerk');
    page = await stage.open(clerk, '/console/scores');
    page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
    await page.getByLabel('Key file').setInputFiles(await keyFile());
    return undefined;
  });
  after(async () => {
    await worker?.stop();
    await stage?.close();
  });

  const keyFile = async () => ({ name: 'bank-a.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(await platform.credentialsFile('bank-a'))) });
  const listFile = (...numbers: readonly number[]) => ({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(`subject\n${numbers.map(subjectOf).join('\n')}\n`) });
  const downloaded = async (button: string) => {
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: button }).click();
    return readFileSync(await (await downloading).path(), 'utf8');
  };

  it('says what is missing, and asks the enterprise for it', async () => {
    await page.getByLabel('Unified social credit code').fill(subjectOf(0));
    await page.getByRole('button', { name: 'See what is missing' }).click();
    await page.getByText('The enterprise has not granted it to you.').waitFor();
    await inspect(page, 'bank-score-missing');
    await page.getByRole('button', { name: 'Request what is missing' }).click();
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('The request is with the enterprise.').waitFor();
    const requests = grantRequestsClient(await platform.connect('bank-a', 'query'));
    assert.equal((await requests.grantRequests()).requests.length, 1);
  });

  it('scores an enterprise: the halves are joined in the browser, with band and reasons in words', async () => {
    await page.getByLabel('Unified social credit code').fill(subjectOf(1));
    await page.getByRole('button', { name: 'See what is missing' }).click();
    await page.getByText('A score can be given.').waitFor();
    await page.getByRole('button', { name: 'Score now' }).click();
    await page.getByText('The receipt is right').waitFor();
    assert.equal(await page.locator('.figure b').first().textContent(), new Intl.NumberFormat('en-GB').format(scored(1)), 'what the model gives on clear values');
    assert.equal(await page.locator('.figure b').nth(1).textContent(), bandOf(1));
    await page.getByText('Weak profit <img').waitFor();
    assert.equal(await page.evaluate('window.injected'), undefined);
    await inspect(page, 'bank-score');
  });

  it('keeps the score sealed and shows it again', async () => {
    const text = await downloaded('Keep score and receipt');
    const kept = scoreFileOf(JSON.parse(text));
    assert.equal((await checkScoreReceipt(kept, kept.keys)).outcome, 'released');
    await page.getByRole('link', { name: 'Receipts' }).click();
    await page.getByLabel('Kept answer, score or report').setInputFiles({ name: 'score.json', mimeType: 'application/json', buffer: Buffer.from(text) });
    await page.getByText('Everything is as it should be').waitFor();
    await page.getByRole('link', { name: 'Scores', exact: true }).click();
    const file = page.getByLabel('Kept score (JSON)');
    await file.setInputFiles({ name: 'none.json', mimeType: 'application/json', buffer: Buffer.from('none') });
    await page.getByText('This is no saved score').waitFor();
    const swapped = JSON.stringify({ ...kept, answer: { ...kept.answer, subject: subjectOf(2) }, subjects: { ...kept.subjects, subjects: [{ subject: subjectOf(2) }] } });
    await file.setInputFiles({ name: 'swapped.json', mimeType: 'application/json', buffer: Buffer.from(swapped) });
    await page.getByText('SCORE_UNREADABLE').waitFor();
    await file.setInputFiles({ name: 'score.json', mimeType: 'application/json', buffer: Buffer.from(text) });
    await page.getByText('The receipt is right').waitFor();
    assert.equal(await page.locator('.figure b').nth(1).textContent(), bandOf(1));
  });

  it('spends nothing twice when the answer is lost', async () => {
    const usesLeft = async () => (await platform.database.query<{ left: number }>('select uses_left::int as left from consent_grant where subject = $1', [subjectOf(2)])).rows[0]?.left ?? 0;
    const before = await usesLeft();
    await page.getByLabel('Unified social credit code').fill(subjectOf(2));
    await page.route('**/v1/scores', async (route) => {
      await route.fetch();
      await route.abort('internetdisconnected');
    }, { times: 1 });
    await page.getByRole('button', { name: 'Score now' }).click();
    await page.getByText('it is not known whether the question arrived').waitFor();
    await page.getByRole('button', { name: 'Score now' }).click();
    await page.getByText('TOKEN_REPLAYED').waitFor();
    assert.equal(await usesLeft(), before - 1);
  });

  it('scores a list, says who is not scored, and opens the results in the browser', async () => {
    await page.getByRole('link', { name: 'Scores of lists' }).click();
    await page.getByText('No list was scored yet.').waitFor();
    await page.getByLabel('List of enterprises (CSV)').setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from('subject\n91350211M000100Y00\n') });
    await page.getByText('no unified social credit code with a right check digit').waitFor();
    await page.getByLabel('List of enterprises (CSV)').setInputFiles(listFile(1, 2, 3));
    await page.getByText('Enterprises in the list: 3').waitFor();
    await page.getByRole('button', { name: 'Score this list' }).click();
    await page.getByText('The list is being scored.').waitFor();
    await page.getByText('done', { exact: true }).waitFor();
    await page.getByText('2 scored, 1 not scored, of 3').waitFor();
    await inspect(page, 'bank-score-lists');
    await page.getByRole('button', { name: 'Who is not scored' }).click();
    await page.getByRole('dialog').getByText(subjectOf(3)).waitFor();
    await inspect(page, 'bank-score-report');
    assert.equal(await downloaded('Download (CSV)'), `subject,reason\n${subjectOf(3)},CONSENT_REQUIRED\n`);
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Results (CSV)' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('List of enterprises (CSV)').setInputFiles(listFile(1, 2));
    await dialog.getByText('This is another list').waitFor();
    const downloading = page.waitForEvent('download');
    await dialog.getByLabel('List of enterprises (CSV)').setInputFiles(listFile(1, 2, 3));
    const csv = readFileSync(await (await downloading).path(), 'utf8');
    assert.deepEqual(csv.trim().split('\n').slice(1).map((line) => line.split(',').slice(0, 2)).toSorted(), [1, 2].map((n) => [subjectOf(n), String(scored(n))]).toSorted());
    await dialog.getByText('2 scores were opened').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    assert.ok(!sent.some((text) => text.includes(`"${scored(1)}"`)), 'a score left the browser');
  });

  it('cancels a list that is not done', async () => {
    // a list that never begins: its last step is lost
    await page.route('**/start', (route) => route.abort('internetdisconnected'), { times: 1 });
    await page.getByLabel('List of enterprises (CSV)').setInputFiles(listFile(1));
    await page.getByRole('button', { name: 'Score this list' }).click();
    await page.getByText('GATEWAY_UNAVAILABLE').waitFor();
    await page.getByText('takes the list').waitFor();
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the job' }).click();
    await page.getByText('cancelled', { exact: true }).waitFor();
  });

  it('reads as well in Chinese', async () => {
    const chinese = await stage.open(clerk, '/console/scores/lists', { language: 'zh' });
    await chinese.getByLabel('密钥文件').setInputFiles(await keyFile());
    await chinese.getByRole('button', { name: '结果(CSV)' }).waitFor();
    await inspect(chinese, 'bank-score-lists-zh');
    await chinese.getByRole('link', { name: '评分', exact: true }).click();
    await chinese.getByLabel('统一社会信用代码').fill(subjectOf(1));
    await chinese.getByRole('button', { name: '立即评分' }).click();
    await chinese.getByText('回执正确').waitFor();
    await inspect(chinese, 'bank-score-zh');
  });
});
