import { strict as assert } from 'node:assert';
import type { Page } from 'playwright-core';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { isVeilgateError } from '../../src/errors.ts';
import type { BankClient } from '../../src/sdk/bank.ts';
import type { enterpriseClient } from '../../src/sdk/enterprise.ts';
import { policiesClient } from '../../src/sdk/policies.ts';
import { policyCellsClient } from '../../src/sdk/policy-cells.ts';
import { policyPurposesClient } from '../../src/sdk/policy-purposes.ts';
import { inspect, startTestConsole, type TestConsole } from './support/console.ts';
import { choose } from './support/forms.ts';
import { personOf } from './support/people.ts';

const subject: string = sampleSubject(0, 11);
const field = 'registry.address';
const hostile = '<img src=x onerror=window.hacked=1> & "why": #no';

describe('the compliance officer\'s console: purposes', function () {
  this.timeout(180_000);
  let stage: TestConsole;
  let page: Page;
  let second: Page;
  let bank: BankClient;
  let enterprise: ReturnType<typeof enterpriseClient>;
  let clients: { readonly author: ReturnType<typeof policiesClient>; readonly reviewer: ReturnType<typeof policiesClient>; readonly cells: ReturnType<typeof policyCellsClient>;
    readonly purposes: ReturnType<typeof policyPurposesClient> };

  before(async function () {
    const opened = await startTestConsole({ VEILGATE_POLICY_SOURCE: 'database' });
    if (opened === undefined) return this.skip();
    stage = opened;
    const { platform } = stage;
    await platform.registrar.registerOfficer({ id: 'officer-second', name: { en: 'Second', zh: '第二' }, roles: ['compliance'], key: (await platform.credentials('officer-second')).signing.publicJwk });
    await platform.compliance.approveOfficer('officer-second');
    bank = await platform.bank('bank-a');
    enterprise = await platform.enterprise(subject);
    const own = await platform.connect('officer-compliance', 'compliance');
    clients = { author: policiesClient(own), reviewer: policiesClient(await platform.connect('officer-second', 'compliance')), cells: policyCellsClient(own), purposes: policyPurposesClient(own) };
    page = await stage.open(await personOf(platform, 'officer-compliance', 'officer', 'Li Author', 'compliance'), '/console/compliance/purposes');
    second = await stage.open(await personOf(platform, 'officer-second', 'officer', '王审批', 'compliance'), '/console/compliance/purposes', { language: 'zh' });
    return undefined;
  });
  after(async () => stage?.close());

  const go = async (where: Page, path: string) => {
    await where.goto(stage.platform.gateway.issuerUrl + path);
    await where.getByRole('heading', { level: 1 }).waitFor();
  };
  const tick = (where: Page, name: string) => where.locator('label.checkbox').filter({ hasText: name });
  const effect = (where: Page, name = 'What this does') => where.locator('section').filter({ has: where.getByRole('heading', { level: 2, name, exact: true }) });
  const asked = async () => (await bank.explain({ subject, purpose: 'pre_loan_review', read: [field] })).fields.map((each) => [each.reason, each.with_original_consent]);
  const grantFor = (days: number) => enterprise.grant('bank-a', { subject, purpose: 'pre_loan_review', valid_days: days, uses_max: 10, data_life_days: 30, kind: 'periodic', frequency: { max: 5, per: 'day' },
    fields: [{ field: 'registry.name', ceiling: 'original' }] }).then(() => 'granted', (error: unknown) => (isVeilgateError(error) ? error.code : error));

  it('lists what institutions may ask for, and shows one in plain words', async () => {
    await page.getByRole('link', { name: 'Review before a loan' }).waitFor();
    await inspect(page, 'compliance-purposes-en');
    await inspect(second, 'compliance-purposes-zh');
    await page.getByRole('link', { name: 'Review before a loan' }).click();
    await page.getByRole('heading', { level: 1, name: 'Review before a loan' }).waitFor();
    assert.equal(await page.getByLabel('A grant is valid for at most').inputValue(), '90');
    await page.getByText('days, 1 to 3650').first().waitFor();
    await page.getByRole('group', { name: /^Tax/ }).waitFor();
    await page.getByText(/the loan amount/).first().waitFor();
    assert.equal(await page.getByText(/\.yaml|minimum:/).count(), 0, 'nothing of the file');
    await inspect(page, 'compliance-purpose-en');
    await go(second, '/console/compliance/purposes/pre_loan_review');
    await second.getByRole('heading', { level: 2, name: '最小必要范围' }).waitFor();
    await inspect(second, 'compliance-purpose-zh');
  });

  it('says what is out of bounds, and what a change does before it is even in the draft', async () => {
    const days = page.getByLabel('A grant is valid for at most');
    await days.fill('3651');
    await page.getByText('A whole number from 1 to 3650.').waitFor();
    await page.getByRole('button', { name: 'Put into my draft' }).click();
    await page.getByRole('alert').filter({ hasText: 'Correct what is marked first.' }).waitFor();
    await days.fill('60');
    await effect(page).getByText('a grant is valid for at most 60 days instead of 90 days').waitFor();
    await page.getByLabel('Search fields').fill(field);
    await tick(page, field).click();
    await effect(page).getByText(`the minimum has 1 field less: Registered address (${field})`).waitFor();
    await effect(page).getByText(/1 field no longer .* for .* \(pre_loan_review\)/).first().waitFor();
    await inspect(page, 'compliance-purpose-effect-en');
    await page.getByRole('button', { name: 'Put into my draft' }).click();
    await page.getByText('Your draft: 1 changes').waitFor();
  });

  it('says of a field that nothing opens it yet, and offers what there is and nothing else', async () => {
    await page.getByLabel('Search fields').fill('owner.bank_account');
    await tick(page, 'owner.bank_account').click();
    await tick(page, 'owner.bank_account').getByText('added').waitFor();
    const opened = (await clients.purposes.purpose(1, 'pre_loan_review')).datasets.flatMap(({ fields }) => fields).find((each) => each.field === 'owner.bank_account')?.opened;
    assert.equal(opened, false);
    await tick(page, 'owner.bank_account').getByText('no rule opens it for this purpose').waitFor();
    await effect(page).getByText('the minimum has 1 field more: ').waitFor();
    await page.getByLabel('Search fields').fill('no_such_field');
    await page.getByText('No field fits.').waitFor();
    await page.getByLabel('Search fields').fill('owner.bank_account');
    await tick(page, 'owner.bank_account').click();
    await page.getByLabel('Search fields').fill('');
  });

  it('changes what enterprises read, and declares a fact', async () => {
    await page.getByLabel('Description, English').fill(hostile);
    await effect(page).getByText('the description that enterprises read is').waitFor();
    await page.getByRole('button', { name: 'Put into my draft' }).click();
    await page.getByText('It is in your draft.').waitFor();
    await page.getByRole('button', { name: 'Declare a fact' }).click();
    const dialog = page.getByRole('dialog', { name: 'Declare a fact' });
    await dialog.getByLabel('Name').fill('Order');
    await dialog.getByRole('button', { name: 'Put into my draft' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Name').fill('order_count');
    await dialog.getByLabel('Title, Chinese').fill('订单数');
    await dialog.getByLabel('Title, English').fill('number of orders');
    await dialog.getByLabel('Greatest value').fill('1000');
    await inspect(page, 'compliance-fact-en');
    await dialog.getByRole('button', { name: 'Put into my draft' }).click();
    await page.getByRole('row', { name: /number of orders new in your draft/ }).waitFor();
    await page.getByText('Your draft: 2 changes').waitFor();
  });

  it('keeps the draft over a reload, beside cells, and proposes all of it as one', async () => {
    await page.reload();
    await page.getByText('Your draft changes this purpose already').waitFor();
    assert.equal(await page.getByLabel('A grant is valid for at most').inputValue(), '60');
    await page.getByRole('link', { name: 'Review and propose' }).click();
    await page.getByText('Needs no longer: Registered address').waitFor();
    await page.getByText('Fact number of orders is declared').waitFor();
    await effect(page, 'What it does').getByText('a grant is valid for at most 60 days instead of 90 days').waitFor();
    await page.getByText(/All \d+ tests pass/).waitFor();
    await inspect(page, 'compliance-purpose-draft-en');
    await page.getByLabel('Why, in your own words').fill('The address is not needed');
    await page.getByRole('button', { name: 'Propose' }).click();
    await page.getByText('Proposed as version 2').waitFor();
    assert.deepEqual([await asked(), await grantFor(80)], [[['no_valid_grant', 'clear']], 'granted'], 'nothing holds yet');
    assert.equal(await page.evaluate('window.hacked'), undefined);
  });

  it('holds when another officer has approved it, for the very next question and the next grant', async () => {
    await go(second, '/console/compliance/versions/2');
    await second.getByText('授权有效期最长由90天改为60天').waitFor();
    await second.getByText(`最小必要范围移除1个字段：住所（${field}）`).waitFor();
    await inspect(second, 'compliance-purpose-review-zh');
    await second.getByRole('button', { name: '批准', exact: true }).click();
    await second.getByRole('dialog').getByLabel(/理由/).fill('已核对');
    await second.getByRole('dialog').getByRole('button', { name: '批准' }).click();
    await second.getByText('生效中').first().waitFor();
    assert.deepEqual(await asked(), [['not_minimum_for_purpose', 'withhold']]);
    assert.deepEqual([await grantFor(80), await grantFor(60)], ['CONSENT_EXCEEDS_CAP', 'granted']);
  });

  it('shows both sides when another version came into force meanwhile, and applies the draft to it', async () => {
    await go(page, '/console/compliance/purposes/in_loan_approval');
    await page.getByLabel('A grant may be used at most').fill('50');
    await page.getByRole('button', { name: 'Put into my draft' }).click();
    const { changes } = await clients.cells.judge(2, [], false, { purposes: [{ purpose: 'in_loan_approval', caps: { validity_days_max: 20 } }] });
    const { version } = await clients.reviewer.propose({ basis: 2, changes, comment: 'meanwhile' });
    await clients.author.approve(version.version, version.digest, 'fine');
    await page.getByRole('link', { name: 'Review and propose' }).click();
    await page.getByRole('heading', { level: 1, name: 'My draft' }).waitFor();
    await page.reload();
    await page.getByText('Version 3 is in force by now; your draft changes version 2').waitFor();
    await page.getByText('a grant is valid for at most 20 days instead of 30 days').waitFor();
    await page.getByText('This purpose changed meanwhile').waitFor();
    await inspect(page, 'compliance-purpose-conflict-en');
    await page.getByRole('button', { name: 'Apply my changes to version 3' }).click();
    await page.getByText('Compared with version 3.').waitFor();
    await page.getByRole('button', { name: 'Take out: in_loan_approval' }).click();
    await page.getByText('Your draft is empty.').waitFor();
  });

  it('opens a field in the grid that the draft gives to a purpose, under a fact that the policy declares', async () => {
    await go(page, '/console/compliance/purposes/pre_loan_review');
    await page.getByLabel('Search fields').fill('owner.bank_account');
    await tick(page, 'owner.bank_account').click();
    await page.getByRole('button', { name: 'Put into my draft' }).click();
    await page.getByText('Your draft: 1 changes').waitFor();
    await go(page, '/console/compliance/policy?use=verify&text=owner.bank_account');
    await page.getByRole('row', { name: 'bank_account' }).getByRole('gridcell').first().click();
    await choose(page, 'With consent to the original', 'Equal or not');
    await page.getByRole('dialog').getByText('Only if', { exact: true }).click();
    await choose(page, 'Fact', 'number of orders');
    await page.getByLabel('Value', { exact: true }).fill('10');
    await inspect(page, 'compliance-cell-condition-en');
    await page.getByRole('button', { name: 'Put into my draft' }).click();
    await page.getByText('Your draft: 2 changes').waitFor();
    await page.getByRole('link', { name: 'Review and propose' }).click();
    await page.getByText(/if number of orders is at least 10/).first().waitFor();
    await page.getByRole('button', { name: 'Discard the draft' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Discard the draft' }).click();
    await page.getByText('Your draft is empty.').waitFor();
  });

  it('makes a new purpose that opens nothing', async () => {
    await go(second, '/console/compliance/new-purpose');
    await second.getByLabel(/用途代码/).fill('pre_loan_review');
    await second.getByText('已有该代码的用途。').waitFor();
    await second.getByLabel(/用途代码/).fill('supply_chain');
    await second.getByRole('button', { name: '加入草稿' }).first().click();
    await second.getByText('请填写中英文两种文字。').first().waitFor();
    for (const [label, text] of [['名称（中文）', '供应链融资'], ['名称（英文）', 'Supply chain'], ['说明（中文）', '查看订单。'], ['说明（英文）', 'Looks at orders.']] as const) await second.getByLabel(label).fill(text);
    await second.getByLabel('搜索字段').fill('registry.name');
    await tick(second, 'registry.name').click();
    await effect(second, '修改的影响').getByText('新增用途：供应链融资（supply_chain）').waitFor();
    await inspect(second, 'compliance-new-purpose-zh');
    await second.getByRole('button', { name: '加入草稿' }).first().click();
    await second.getByText('已加入草稿。').waitFor();
    await second.getByRole('link', { name: '审阅并提交' }).click();
    await second.getByLabel('修改理由').fill('新业务');
    await second.getByRole('button', { name: '提交提案' }).click();
    await second.getByText('已提交为第 4 版').waitFor();
    const { settings, combinations_changed: changed } = await clients.author.review(4);
    assert.deepEqual([settings.map(({ words }) => words.en), changed], [['New purpose: Supply chain (supply_chain)'], 0]);
  });
});
