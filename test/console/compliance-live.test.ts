import { strict as assert } from 'node:assert';
import { isVeilgateError } from '../../src/errors.ts';
import { inspect } from './support/console.ts';
import { invoiced, officerAt, purpose, recordedValues, startComplianceStage, subject, vatPaid, type ComplianceStage } from './support/compliance-stage.ts';
import { choose } from './support/forms.ts';

const codeOf = (attempt: Promise<unknown>) => attempt.then(() => 'done', (error: unknown) => (isVeilgateError(error) ? error.code : error));

describe('the compliance officer\'s console, while institutions ask', function () {
  this.timeout(180_000);
  let stage: ComplianceStage;
  let author: ReturnType<typeof officerAt>;
  let second: ReturnType<typeof officerAt>;

  before(async function () {
    const opened = await startComplianceStage();
    if (opened === undefined) return this.skip();
    stage = opened;
    author = officerAt(stage.author, stage);
    second = officerAt(stage.second, stage);
    return undefined;
  });
  after(async () => stage?.close());

  describe('a reviewer', () => {
    it('sees which real queries would have got more: how many, of whom, which fields, and no value', async () => {
      const { author: page, second: reviewer } = stage;
      for (let time = 0; time < 3; time += 1) await stage.ask();
      const other = await stage.platform.bank('bank-b'); // a commercial bank: nothing changes for it
      await stage.grantTo('bank-b');
      await other.query({ subject, purpose, read: [invoiced, vatPaid] });
      await author.edit(invoiced, 'guarantee_company');
      await choose(page, 'With consent to the original', 'In clear');
      await page.getByRole('button', { name: 'Put into my draft' }).click();
      await author.proposeDraft('Guarantors need the amount');
      const [proposal] = (await stage.policies.list({ state: 'proposed' })).versions;

      await second.go(`/console/compliance/versions/${proposal?.version ?? 0}`);
      const answer = reviewer.waitForResponse((response) => response.url().includes('/replay?'));
      await reviewer.getByRole('button', { name: '开始推算' }).click();
      await reviewer.getByText('在过去 4 次查询中，3 次会得到更多，0 次会得到更少，0 次形式不同。').waitFor();
      const rowsOf = async (name: string) => (await reviewer.getByRole('table', { name, exact: true }).getByRole('row').allInnerTexts()).slice(1).map((row) => row.split(/\s+/));
      assert.deepEqual(await rowsOf('机构'), [['bank-a', '3', '0', '0', '0']]);
      assert.deepEqual(await rowsOf('字段'), [[invoiced, 'read', '3', '0', '0', '0']]);
      await inspect(reviewer, 'compliance-replay-zh');
      assert.ok(recordedValues.length > 4);
      const told = `${await (await answer).text()} ${await reviewer.content()}`;
      assert.deepEqual(recordedValues.filter((value) => told.includes(value)), []);
      assert.ok(!told.includes(subject), 'nor of which enterprise');
    });
  });

  describe('an institution', () => {
    const at = '/console/compliance/institutions/bank-a';

    it('may not ask while it is suspended, and asks again once it is reinstated', async () => {
      await second.go(at);
      await second.decide('暂停', ['原因代码', 'Terms <b>violated</b>']);
      await stage.second.getByRole('dialog').getByText('以字母开头，仅限小写字母、数字和下划线。').waitFor();
      assert.deepEqual(await stage.ask().then(({ withheld }) => withheld), [], 'nothing was done yet');
      await stage.second.getByRole('dialog').getByLabel('原因代码').fill('terms_violated');
      await stage.second.getByRole('dialog').getByRole('button', { name: '暂停' }).click();
      await stage.second.getByText('已暂停', { exact: true }).waitFor();
      assert.equal(await codeOf(stage.ask()), 'INSTITUTION_NOT_ACTIVE');
      await second.decide('恢复');
      await stage.second.getByText('已批准', { exact: true }).waitFor();
      assert.equal(await codeOf(stage.ask()), 'done');
    });

    it('is revoked only when that is confirmed, and never asks again', async () => {
      const { author: page } = stage;
      await author.go(at);
      await page.getByRole('button', { name: 'Revoke for good' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('This cannot be undone.').waitFor();
      await dialog.getByRole('button', { name: 'Revoke for good' }).click();
      await dialog.getByText('Fill this in.').waitFor();
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      await dialog.waitFor({ state: 'detached' });
      assert.equal(await codeOf(stage.ask()), 'done', 'not confirmed');
      await author.decide('Revoke for good', [/^Reason code/, 'licence_lost']);
      await page.getByText('Revoked', { exact: true }).waitFor();
      await page.getByText('licence_lost').waitFor();
      assert.equal(await codeOf(stage.ask()), 'INSTITUTION_NOT_ACTIVE');
      assert.equal(await page.getByRole('button', { name: /Reinstate|Approve|Suspend|Revoke|Record an assessment/ }).count(), 0, 'nothing is left to decide');
      await inspect(page, 'compliance-revoked-en');
      await author.go('/console/compliance/institutions');
      await page.getByRole('row', { name: 'bank-a' }).getByText('Revoked', { exact: true }).waitFor();
    });
  });
});
