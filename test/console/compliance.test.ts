import { strict as assert } from 'node:assert';
import type { Page } from 'playwright-core';
import { policiesClient } from '../../src/sdk/policies.ts';
import { policyCellsClient, type PolicyEdit } from '../../src/sdk/policy-cells.ts';
import { inspect, startTestConsole, type TestConsole } from './support/console.ts';
import { choose, choosesWithKeys, tabTo } from './support/forms.ts';
import { sendPast } from './support/past-the-page.ts';
import { personOf, signedIn, type Person } from './support/people.ts';

const hostile = '<img src=x onerror=window.hacked=1> & "why"';
const decisionComment = '已核对 <svg onload=window.hacked=1></svg>';
const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
const cellOf = (page: Page, field: string, column: number) => page.getByRole('row', { name: field }).getByRole('gridcell').nth(column);

describe('the compliance officer\'s console: policies', function () {
  this.timeout(180_000);
  let stage: TestConsole;
  let author: Person;
  let reviewer: Person;
  let page: Page;
  let second: Page;
  let clients: { readonly author: ReturnType<typeof policiesClient>; readonly reviewer: ReturnType<typeof policiesClient>; readonly cells: ReturnType<typeof policyCellsClient> };

  before(async function () {
    const opened = await startTestConsole();
    if (opened === undefined) return this.skip();
    stage = opened;
    const { platform } = stage;
    await platform.registrar.registerOfficer({ id: 'officer-second', name: { en: 'Second', zh: '第二' }, roles: ['compliance'], key: (await platform.credentials('officer-second')).signing.publicJwk });
    await platform.compliance.approveOfficer('officer-second');
    author = await personOf(platform, 'officer-compliance', 'officer', 'Li <b>Author</b>', 'compliance');
    reviewer = await personOf(platform, 'officer-second', 'officer', '王审批', 'compliance');
    const own = await platform.connect('officer-compliance', 'compliance');
    clients = { author: policiesClient(own), reviewer: policiesClient(await platform.connect('officer-second', 'compliance')), cells: policyCellsClient(own) };
    page = await stage.open(author, '/console/compliance/policy');
    second = await stage.open(reviewer, '/console/compliance/versions', { language: 'zh' });
    return undefined;
  });
  after(async () => stage?.close());

  const go = async (where: Page, path: string) => {
    await where.goto(stage.platform.gateway.issuerUrl + path);
    await where.getByRole('heading', { level: 1 }).waitFor();
  };
  const proposals = async () => (await clients.author.list()).versions;
  /** Another change comes into force, made by the other officer. */
  const meanwhile = async (edit: PolicyEdit) => {
    const { version: { version: basis } } = await clients.author.inForce();
    const { version } = await clients.reviewer.propose({ basis, changes: (await clients.cells.judge(basis, [edit], true)).changes, comment: 'meanwhile' });
    await clients.author.approve(version.version, version.digest, 'fine');
    return version.version;
  };

  it('shows what the policy says as a grid that screen readers understand', async () => {
    await page.getByRole('gridcell').first().waitFor();
    const tree = await page.getByRole('grid', { name: 'Fields by purposes' }).ariaSnapshot();
    assert.match(tree, /columnheader "Review before a loan"/);
    assert.match(tree, /rowheader "Facility number Level 3 Commercial secret facility_no"/);
    assert.match(tree, /gridcell "In clear conditional"/);
    assert.equal(await page.getByRole('grid').getAttribute('aria-colcount'), '5');
    assert.ok(await page.getByRole('row').count() < 60, 'only the rows in sight are in the page');
    await inspect(page, 'compliance-grid-en');
  });

  it('is searched, and a cell is opened and changed, with the keyboard alone', async () => {
    await tabTo(page, 'Search');
    await page.keyboard.type('declared_revenue');
    await page.getByText('1 of 124 fields are shown.').waitFor();
    await tabTo(page, 'In clear');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Declared sales revenue: Monitoring of a running loan' }).waitFor();
    await page.getByText('What holds now').waitFor();
    await choosesWithKeys(page, 'With consent to the original', 'No more than with consent to the desensitised form');
    await page.getByRole('table', { name: 'Made-up values, before and after' }).getByText('sealed for the institution').first().waitFor();
    await inspect(page, 'compliance-cell-en');
    await tabTo(page, 'Put into my draft');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByText('changed in your draft').waitFor();
    // the focus is where it was
    await page.locator('[role=gridcell]:focus').waitFor();
  });

  it('offers only what the policy may say, and shows made-up values under it', async () => {
    await go(page, '/console/compliance/policy?class=policy_bank&text=invoice_count&consent=desensitised');
    await cellOf(page, 'Invoices issued', 1).click();
    await page.getByRole('button', { name: /With consent to the desensitised form/ }).click();
    const offered = await page.getByRole('option').allTextContents();
    assert.deepEqual(offered.filter((each) => ['In clear', 'Telephone number masked', 'Year only'].includes(each)), []);
    assert.ok(offered.includes('In bands') && offered.includes('Rounded'));
    await page.getByRole('option', { name: 'In bands' }).click();
    await page.getByLabel('Edges, ascending, with commas').fill('100, 1000');
    await page.getByRole('cell', { name: 'New, desensitised: under 100' }).or(page.getByText('under 100', { exact: true })).first().waitFor();
    await page.getByLabel('Edges, ascending, with commas').fill('1000, 100');
    await page.getByText('the edges must ascend').waitFor();
    await choose(page, 'With consent to the desensitised form', 'Rounded');
    await page.getByRole('button', { name: 'Put into my draft' }).click();
    await page.getByText('Your draft: 2 changes').waitFor();
  });

  it('keeps the draft over a reload, says what it does, and proposes it once however often it is pressed', async () => {
    await page.reload();
    await page.getByRole('link', { name: 'Review and propose' }).click();
    await heading(page, 'My draft');
    await page.getByText('Declared sales revenue · Monitoring of a running loan · Read').waitFor();
    await page.getByText(/1 field now masked instead of banded for 1 institution class: .* \(policy_bank\); for .*: Declared sales revenue \(tax\.declared_revenue_cents\)/).first().waitFor();
    await page.getByText('Bring the expectations about the changed cells up to date').click();
    await page.getByText(/All \d+ tests pass/).waitFor();
    await page.getByRole('button', { name: 'Propose' }).click();
    await page.getByText('Say why.').waitFor();
    await page.getByLabel('Why, in your own words').fill(hostile);
    await inspect(page, 'compliance-draft-en');
    await page.getByRole('button', { name: 'Propose' }).dblclick();
    await page.getByText('Proposed as version 2').waitFor();
    assert.deepEqual((await proposals()).map(({ state, comment }) => [state, comment]), [['proposed', hostile], ['in_force', '']]);
  });

  it('does not let its author approve it, not even past the page', async () => {
    await page.getByRole('link', { name: 'Open the proposal' }).click();
    await page.getByText('You proposed this version: somebody else must approve it.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Approve' }).count(), 0);
    const [proposal] = await proposals();
    assert.equal(await sendPast(page, 'POST', '/v1/policies/2/approval', { digest: proposal?.digest, comment: 'mine' }), 'POLICY_SAME_PERSON');
    assert.equal(await page.evaluate('window.hacked'), undefined);
    await page.getByText(hostile).waitFor();
  });

  it('is refused to a reviewer whose role was removed, and what was typed stays', async () => {
    await second.reload();
    await second.getByRole('link', { name: '第 2 版' }).first().click();
    await second.getByText('修改了测试').waitFor();
    await second.getByRole('button', { name: '开始推算' }).click();
    await second.getByText('目前没有可供推算的历史决策。').waitFor();
    await inspect(second, 'compliance-approval-zh');
    await second.getByRole('button', { name: '批准', exact: true }).click();
    const dialog = second.getByRole('dialog', { name: '批准' });
    await dialog.getByLabel(/理由/).fill(decisionComment);
    await stage.platform.database.query("update officer set roles = '{auditor}' where id = 'officer-second'");
    await dialog.getByRole('button', { name: '批准' }).click();
    await dialog.getByText('代码 TOKEN_SCOPE_INSUFFICIENT').waitFor();
    assert.equal(await dialog.getByLabel(/理由/).inputValue(), decisionComment);
    assert.equal((await proposals())[0]?.state, 'proposed');
    await stage.platform.database.query("update officer set roles = '{compliance}' where id = 'officer-second'");
  });

  it('comes into force when the other officer approves the very files that were shown', async () => {
    const dialog = second.getByRole('dialog', { name: '批准' });
    const tree = await dialog.ariaSnapshot();
    assert.match(tree, /heading "批准" \[level=2\]/);
    assert.match(tree, /textbox "理由/);
    assert.ok(tree.includes((await proposals())[0]?.digest ?? 'no digest'));
    await dialog.getByRole('button', { name: '批准' }).click();
    await second.getByText('生效中').first().waitFor();
    assert.deepEqual((await proposals()).map(({ version, state, decided_by: by, decision_comment: why }) => [version, state, by, why]), [[2, 'in_force', 'officer-second', decisionComment], [1, 'superseded', null, null]]);
    // the words of both are text, on the page and in the list
    await second.getByText(decisionComment).waitFor();
    await go(page, '/console/compliance/versions/2');
    await page.getByText(hostile, { exact: true }).waitFor();
    await page.getByText(decisionComment, { exact: true }).waitFor();
    assert.equal(await page.evaluate('window.hacked'), undefined);
    assert.equal(await second.evaluate('window.hacked'), undefined);
    await go(page, '/console/compliance/policy?text=declared_revenue');
    await page.getByText('Version 2, in force').waitFor();
    await cellOf(page, 'Declared sales revenue', 2).getByText('In bands', { exact: true }).waitFor();
  });

  const revenueCell = async (column: number, what: string) => {
    await go(page, '/console/compliance/policy?text=declared_revenue');
    await cellOf(page, 'Declared sales revenue', column).click();
    await choose(page, 'With consent to the original', what);
    await page.getByRole('button', { name: 'Put into my draft' }).click();
    await page.getByText('Your draft: 1 changes').waitFor();
    await page.getByRole('link', { name: 'Review and propose' }).click();
    await heading(page, 'My draft');
  };

  it('refuses what breaks a promise, says which, and keeps what was typed', async () => {
    await revenueCell(0, 'No more than with consent to the desensitised form');
    await page.getByText('A promise: it must stay true whoever edits a rule.').first().waitFor();
    await page.getByLabel('Why, in your own words').fill('Too open');
    await page.getByRole('button', { name: 'Propose' }).click();
    await page.getByText('Code POLICY_TESTS_FAILED').waitFor();
    assert.equal(await page.getByLabel('Why, in your own words').inputValue(), 'Too open');
    await page.getByRole('button', { name: 'Discard the draft' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Discard the draft' }).click();
    await page.getByText('Your draft is empty.').waitFor();
  });

  it('shows both sides when another version came into force meanwhile, and applies the draft to it', async () => {
    await revenueCell(1, 'Rounded');
    const comment = page.getByLabel('Why, in your own words');
    await comment.fill('Rounded is enough');
    const now = await meanwhile({ field: 'tax.declared_revenue_cents', use: 'read', purposes: ['in_loan_approval'], institution_classes: ['rural_bank'], original: null });
    await page.getByRole('button', { name: 'Propose' }).click();
    await page.getByText('Code POLICY_BASIS_STALE').waitFor();
    await page.getByText(/Files changed on both sides: .*rules\/tax\.yaml/).waitFor();
    await page.getByText(`Version ${now} is in force by now; your draft changes version 2`).waitFor();
    await page.getByText('What changed meanwhile').first().waitFor();
    await page.getByText(/rural_bank/).first().waitFor();
    await inspect(page, 'compliance-conflict-en');
    assert.equal(await comment.inputValue(), 'Rounded is enough');
    await page.getByRole('button', { name: `Apply my changes to version ${now}` }).click();
    await page.getByText(`Compared with version ${now}.`).waitFor();
  });

  it('says that there is no network, loses nothing, and proposes nothing twice when it is back', async () => {
    const context = page.context();
    const before = (await proposals()).length;
    const propose = page.getByRole('button', { name: 'Propose', exact: true });
    await context.setOffline(true);
    await propose.click();
    await page.getByText('The platform does not answer: check its address and the network, then try again.').waitFor();
    await page.getByText('Code GATEWAY_UNAVAILABLE').waitFor();
    assert.equal(await page.getByLabel('Why, in your own words').inputValue(), 'Rounded is enough');
    await context.setOffline(false);
    // broken off on its way: nothing arrives
    await page.route('**/console/api/v1/policies', (route) => route.abort('connectionreset'), { times: 1 });
    await propose.click();
    await page.locator('.button.busy', { hasText: 'Propose' }).waitFor({ state: 'detached' });
    await page.getByText('Code GATEWAY_UNAVAILABLE').waitFor();
    await page.reload();
    await page.getByText(/tests pass/).waitFor();
    assert.equal(await page.getByLabel('Why, in your own words').inputValue(), 'Rounded is enough', 'nor over a reload');
    assert.equal((await proposals()).length, before);
  });

  it('loses nothing when the session ends or the network fails in the middle, and proposes once', async () => {
    const context = page.context();
    await context.clearCookies();
    await page.getByRole('button', { name: 'Propose' }).click();
    await page.getByText('Your session has ended').waitFor();
    assert.equal(await page.getByLabel('Why, in your own words').inputValue(), 'Rounded is enough');
    await signedIn(context, stage.platform, author);
    const before = (await proposals()).length;
    // the gateway gets it, and its answer is lost
    await page.route('**/console/api/v1/policies', async (route) => { await route.fetch(); await route.abort(); }, { times: 1 });
    await page.getByRole('button', { name: 'Propose' }).click();
    await page.getByText('Code GATEWAY_UNAVAILABLE').waitFor();
    // pressed twice, while the answer takes its time
    let sent = 0;
    page.on('request', (request) => { if (request.method() === 'POST' && request.url().endsWith('/v1/policies')) sent += 1; });
    await page.route('**/console/api/v1/policies', async (route) => {
      const response = await route.fetch();
      await page.getByRole('button', { name: 'Propose' }).dblclick();
      await route.fulfill({ response });
    }, { times: 1 });
    await page.getByRole('button', { name: 'Propose' }).dblclick();
    await page.getByText('Proposed as version').waitFor();
    assert.deepEqual([(await proposals()).length, sent], [before + 1, 1]);
  });

  it('lets an author withdraw, and go back to an earlier version as a new proposal', async () => {
    await page.getByRole('link', { name: 'Open the proposal' }).click();
    await page.getByRole('button', { name: 'Withdraw' }).click();
    await page.getByRole('dialog').getByLabel(/Reason/).fill('Not now');
    await page.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click();
    await page.getByText('Withdrawn').first().waitFor();
    await go(page, '/console/compliance/versions/1');
    await page.getByRole('button', { name: 'Propose this version again' }).click();
    await page.getByRole('dialog').getByLabel(/Reason/).fill('Back to the start');
    await page.getByRole('dialog').getByRole('button', { name: 'Propose this version again' }).click();
    await page.getByText('Going back').waitFor();
    const [latest] = await proposals();
    assert.deepEqual([latest?.origin, latest?.state], ['rollback', 'proposed']);
    await go(second, `/console/compliance/versions/${latest?.version}`);
    await second.getByRole('button', { name: '驳回' }).click();
    await second.getByRole('dialog').getByLabel(/理由/).fill('不同意回退');
    await second.getByRole('dialog').getByRole('button', { name: '驳回' }).click();
    await second.getByText('已驳回').first().waitFor();
    await go(page, '/console/compliance/versions');
    await page.getByText('Back to the start').waitFor();
    await inspect(page, 'compliance-versions-en');
  });

  it('goes back to an earlier version when the other officer approves it, and the first files hold again', async () => {
    const [first] = (await proposals()).filter(({ version }) => version === 1);
    await go(page, '/console/compliance/versions/1');
    await page.getByRole('button', { name: 'Propose this version again' }).click();
    await page.getByRole('dialog').getByLabel(/Reason/).fill('Back after all');
    await page.getByRole('dialog').getByRole('button', { name: 'Propose this version again' }).click();
    await page.getByText('You proposed this version: somebody else must approve it.').waitFor();
    const [proposal] = await proposals();
    await second.getByRole('link', { name: '提案与历史' }).click();
    await second.getByRole('table', { name: '待审批' }).getByRole('link', { name: `第 ${proposal?.version ?? 0} 版` }).click();
    await second.getByRole('heading', { level: 1, name: `第 ${proposal?.version ?? 0} 版` }).waitFor();
    await second.getByText('回退', { exact: true }).waitFor();
    await second.getByRole('button', { name: '批准', exact: true }).click();
    await second.getByRole('dialog').getByLabel(/理由/).fill('同意回退');
    await second.getByRole('dialog').getByRole('button', { name: '批准', exact: true }).click();
    await second.getByText('生效中', { exact: true }).first().waitFor();
    const { version } = await clients.author.inForce();
    assert.deepEqual([version.version, version.origin, version.digest, version.decided_by], [proposal?.version, 'rollback', first?.digest, 'officer-second']);
    await go(page, '/console/compliance/policy?text=declared_revenue');
    await page.getByText(`Version ${version.version}, in force`).waitFor();
    await cellOf(page, 'Declared sales revenue', 2).getByText('In clear', { exact: true }).waitFor();
  });

  it('closes a field at once, shows it in the grid, and lets only another officer open it', async () => {
    await go(page, '/console/compliance/withholds?field=tax.declared_revenue_cents&purpose=pre_loan_review');
    await page.getByRole('button', { name: 'Withhold at once' }).click();
    await page.getByText('Begin with a letter').waitFor();
    await page.getByLabel('Reason code').fill('wrong_values');
    await page.getByRole('button', { name: 'Withhold at once' }).click();
    await page.getByText('tax.declared_revenue_cents is withheld for pre_loan_review now').waitFor();
    await page.getByText('Set by you: somebody else lifts it.').waitFor();
    await inspect(page, 'compliance-withholds-en');
    await go(page, '/console/compliance/policy?text=declared_revenue');
    await page.getByText('emergency withhold').waitFor();
    await go(second, '/console/compliance/withholds');
    await second.getByRole('button', { name: '解除: tax.declared_revenue_cents' }).click();
    await second.getByRole('dialog').getByRole('button', { name: '解除' }).click();
    await second.getByText('已解除').waitFor();
    await inspect(second, 'compliance-withholds-zh');
  });

  it('is not there for an auditor, on the page or past it', async () => {
    const auditor = await personOf(stage.platform, 'officer-auditor', 'officer', 'Auditor', 'audit');
    const other = await stage.open(auditor, '/console/compliance/policy');
    await heading(other, 'No such page');
    assert.equal(await sendPast(other, 'POST', '/v1/policies/1/edits', { edits: [] }), 'TOKEN_SCOPE_INSUFFICIENT');
    assert.equal(await sendPast(other, 'POST', '/v1/policies', { basis: 1, changes: {}, comment: 'x' }), 'TOKEN_SCOPE_INSUFFICIENT');
    assert.equal(await sendPast(other, 'POST', '/v1/policy-withholds', { field: 'tax.period', purpose: 'pre_loan_review', reason: 'x' }), 'TOKEN_SCOPE_INSUFFICIENT');
  });

  it('stays fluent with 2,000 fields × 8 purposes', async () => {
    const version = (await clients.author.inForce()).version.version;
    const small = await clients.cells.matrix(version, undefined, 'read', 'original');
    const purposes = Array.from({ length: 8 }, (_, at) => ({ code: `purpose_${at}`, title: { en: `Purpose ${at}`, zh: `用途${at}` }, uses: [] }));
    const fields = Array.from({ length: 2000 }, (_, at) => ({ field: `tax.field_${at}`, title: { en: `Field ${at}`, zh: `字段${at}` }, type: 'text', level: 3, kind: 'public' }));
    const cells = Array.from({ length: 16_000 }, (_, at) => at % small.outcomes.length);
    await page.route('**/matrix?**', (route) => route.fulfill({ json: { ...small, purposes, fields, cells } }));
    await go(page, '/console/compliance/policy');
    await page.getByText('2000 of 2000 fields are shown.').waitFor();
    assert.ok(await page.getByRole('row').count() < 60, 'only the rows in sight are in the page');
    const frames = await page.evaluate<number[]>(`new Promise((done) => {
      const grid = document.querySelector('.grid-frame');
      const times = [];
      let last = performance.now();
      const step = (now) => { times.push(now - last); last = now; grid.scrollTop += 600; if (times.length < 90) requestAnimationFrame(step); else done(times.slice(2)); };
      requestAnimationFrame(step);
    })`);
    // the bench measures this on a quiet machine; here others run beside it
    const median = frames.toSorted((a, b) => a - b)[Math.floor(frames.length / 2)] ?? Infinity;
    assert.ok(median < 100, `a frame of the scroll takes ${median.toFixed(1)} ms (median)`);
    await page.getByRole('gridcell').first().click();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.locator('[role=gridcell]:focus').waitFor();
    await page.keyboard.press('Control+End');
    await page.locator('[role=row]:has([role=gridcell]:focus)', { hasText: 'Field 1999' }).waitFor();
    await page.unroute('**/matrix?**');
  });

  it('reads the same in Chinese', async () => {
    await go(second, '/console/compliance/policy');
    await second.getByRole('gridcell').first().waitFor();
    await inspect(second, 'compliance-grid-zh');
    await cellOf(second, '授信编号', 0).or(second.getByRole('gridcell').first()).first().click();
    await second.getByText('现行规定').waitFor();
    await inspect(second, 'compliance-cell-zh');
    await second.keyboard.press('Escape');
    await go(second, '/console/compliance');
    await second.getByText('生效中的策略版本').waitFor();
    await inspect(second, 'compliance-home-zh');
  });
});
