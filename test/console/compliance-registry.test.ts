import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { applyForAdmission } from '../../src/sdk/application.ts';
import { jointClient } from '../../src/sdk/joint.ts';
import { modelsClient } from '../../src/sdk/models.ts';
import { objectionsClient } from '../../src/sdk/objections.ts';
import { officerClient } from '../../src/sdk/officer.ts';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { jointProject } from '../support/joint.ts';
import { root } from '../support/sources.ts';
import { inspect, startTestConsole, type TestConsole } from './support/console.ts';
import { choose } from './support/forms.ts';
import { sendPast } from './support/past-the-page.ts';
import { personOf } from './support/people.ts';

const hostile = '<script>window.hacked=1</script> "Bank"';
const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor();
const subject = sampleSubject(0, 11);

describe('the compliance officer\'s console: institutions, models, projects, parties, objections', function () {
  this.timeout(180_000);
  let stage: TestConsole;
  let officer: Page;
  let registrar: Page;
  let second: Page;

  before(async function () {
    const opened = await startTestConsole();
    if (opened === undefined) return this.skip();
    stage = opened;
    const { platform } = stage;
    await applyForAdmission(platform.gateway.gatewayUrl, await platform.credentials('bank-a'), {
      name: { en: hostile, zh: '甲银行' }, institution_class: 'commercial_bank', redirect_uris: ['https://bank-a.example/callback'], country: 'CN',
    });
    await platform.registrar.registerOfficer({ id: 'officer-second', name: { en: 'Second', zh: '第二' }, roles: ['compliance'], key: (await platform.credentials('officer-second')).signing.publicJwk });
    await platform.compliance.approveOfficer('officer-second');
    officer = await stage.open(await personOf(platform, 'officer-compliance', 'officer', 'Li', 'compliance'), '/console/compliance');
    registrar = await stage.open(await personOf(platform, 'officer-registrar', 'officer', 'Registrar', 'registry'), '/console/compliance');
    second = await stage.open(await personOf(platform, 'officer-second', 'officer', '王', 'compliance'), '/console/compliance', { language: 'zh' });
    return undefined;
  });
  after(async () => stage?.close());

  const go = async (where: Page, address: string) => {
    await where.goto(stage.platform.gateway.issuerUrl + address);
    await where.getByRole('heading', { level: 1 }).waitFor();
  };
  const decide = async (page: Page, button: string, text?: readonly [label: string, typed: string]) => {
    await page.getByRole('button', { name: button, exact: true }).first().click();
    const dialog = page.getByRole('dialog');
    if (text !== undefined) await dialog.getByLabel(text[0]).fill(text[1]);
    await dialog.getByRole('button', { name: button, exact: true }).click();
    return dialog;
  };

  it('says what waits', async () => {
    await officer.getByText('Institutions to assess or approve').waitFor();
    await officer.locator('.figure', { hasText: 'Institutions to assess or approve' }).getByText('1', { exact: true }).waitFor();
    await inspect(officer, 'compliance-home-en');
    assert.equal(await registrar.getByText('Proposals to decide on').count(), 0, 'a registrar sees only what is theirs');
  });

  it('records an assessment, of whose report only the digest leaves the machine, and lets nobody approve who assessed', async () => {
    await go(officer, '/console/compliance/institutions');
    await inspect(officer, 'compliance-institutions-en');
    await officer.getByRole('link', { name: hostile }).click();
    await heading(officer, hostile);
    await officer.getByRole('button', { name: 'Record an assessment' }).click();
    await officer.getByText('Choose the last day.').waitFor();
    await officer.getByLabel('Valid until').fill(new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10));
    await officer.getByLabel('Report', { exact: true }).setInputFiles({ name: 'report.pdf', mimeType: 'application/pdf', buffer: Buffer.from('findings') });
    await officer.waitForFunction(() => {
      const { document } = globalThis as unknown as { readonly document: { readonly querySelectorAll: (selector: string) => Iterable<{ readonly value: string }> } };
      return [...document.querySelectorAll('input')].some(({ value }) => /^[0-9a-f]{64}$/.test(value));
    });
    await choose(officer, 'Security level', '4');
    await officer.getByRole('button', { name: 'Record an assessment' }).click();
    await officer.getByText('Assessed').first().waitFor();
    const dialog = await decide(officer, 'Approve');
    await dialog.getByText('Code INSTITUTION_SAME_PERSON').waitFor();
    await officer.keyboard.press('Escape');
    assert.equal(await officer.evaluate('window.hacked'), undefined);
    await inspect(officer, 'compliance-institution-en');
  });

  it('is approved and limited by a registrar, suspended and reinstated by officers', async () => {
    await go(registrar, '/console/compliance/institutions/bank-a');
    await decide(registrar, 'Approve');
    await registrar.getByText('Approved', { exact: true }).first().waitFor();
    await registrar.getByRole('button', { name: 'Change limits' }).click();
    await registrar.getByRole('dialog').getByLabel('Queries a day').fill('many');
    await registrar.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await registrar.getByText('Whole numbers only.').first().waitFor();
    await registrar.getByRole('dialog').getByLabel('Queries a day').fill('5000');
    await registrar.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await registrar.getByText('5,000').waitFor();
    assert.equal(await registrar.getByRole('button', { name: 'Suspend' }).count(), 0);
    await go(second, '/console/compliance/institutions/bank-a');
    await decide(second, '暂停', ['原因代码', 'terms_violated']);
    await second.getByText('已暂停').waitFor();
    await decide(second, '恢复');
    await second.getByText('已批准').waitFor();
    await inspect(second, 'compliance-institution-zh');
    assert.equal((await stage.platform.compliance.institution('bank-a')).limits.queries_per_day, 5000);
  });

  it('registers an officer, whom somebody else lets in, and an enterprise, whose code is shown once', async () => {
    const { publicJwk } = (await stage.platform.credentials('officer-third')).signing;
    await go(registrar, '/console/compliance/people');
    await registrar.getByLabel('Identifier').fill('officer-third');
    await registrar.getByLabel('Name in English').fill(hostile);
    await registrar.getByLabel('Name in Chinese').fill('第三');
    await registrar.getByText('Auditor', { exact: true }).last().click();
    await registrar.getByRole('textbox', { name: 'Public signature key (JWK)' }).fill(JSON.stringify({ ...publicJwk, d: 'secret' }));
    await registrar.getByRole('tabpanel').getByRole('button', { name: 'Register' }).click();
    await registrar.getByText('This is not the JSON of a public key.').waitFor();
    await registrar.getByRole('textbox', { name: 'Public signature key (JWK)' }).fill(JSON.stringify(publicJwk));
    await registrar.getByRole('tabpanel').getByRole('button', { name: 'Register' }).click();
    await registrar.getByText('officer-third is registered.').waitFor();
    const dialog = registrar.getByRole('dialog');
    await registrar.getByRole('button', { name: 'Let in: officer-third' }).click();
    await dialog.getByRole('button', { name: 'Let in' }).click();
    await dialog.getByText('Code INSTITUTION_SAME_PERSON').waitFor();
    await registrar.keyboard.press('Escape');
    await inspect(registrar, 'compliance-people-en');
    await go(officer, '/console/compliance/people');
    await officer.getByRole('button', { name: 'Let in: officer-third' }).click();
    await officer.getByRole('dialog').getByRole('button', { name: 'Let in' }).click();
    await officer.getByRole('dialog').waitFor({ state: 'detached' });
    const { staff } = await officerClient(await stage.platform.connect('officer-auditor', 'audit')).staff();
    assert.deepEqual(staff.filter(({ id }) => id === 'officer-third').map(({ status, roles, registered_by: by }) => [status, roles, by]), [['approved', ['auditor'], 'officer-registrar']]);
    await registrar.getByRole('tab', { name: 'Register an enterprise' }).click();
    await registrar.getByLabel('Unified social credit code').fill(subject);
    await registrar.getByLabel('Name of the representative').fill('王芳');
    await registrar.getByRole('tabpanel').getByRole('button', { name: 'Register' }).click();
    await registrar.getByText('Activation code, shown once').waitFor();
  });

  it('reviews a model: features, weights, picture, guards, a trial; and approves the very document', async () => {
    const model = { ...JSON.parse(readFileSync(path.join(root, 'sample/models/solvency_linear-1.json'), 'utf8')) as object, title: { en: hostile, zh: hostile } };
    const { ref, digest } = await modelsClient(await stage.platform.connect('officer-second', 'compliance')).propose(model);
    await go(officer, '/console/compliance/models');
    await officer.getByRole('link', { name: ref }).click();
    await heading(officer, hostile);
    await officer.getByRole('img', { name: 'Picture of the weights' }).waitFor();
    await officer.getByText('The guards have no objection.').waitFor();
    await officer.getByRole('button', { name: 'Try it out' }).click();
    await officer.getByText('1,000 made-up enterprises').waitFor();
    await inspect(officer, 'compliance-model-en');
    await officer.getByRole('button', { name: 'Approve', exact: true }).click();
    await officer.getByRole('dialog').getByText(digest).waitFor();
    await officer.getByRole('dialog').getByRole('button', { name: 'Approve', exact: true }).click();
    await officer.getByText('Approved', { exact: true }).first().waitFor();
    await go(second, `/console/compliance/models/${encodeURIComponent(ref)}`);
    await decide(second, '停用', ['原因代码', 'drift_found']);
    await second.getByText('已停用').first().waitFor();
    await go(second, '/console/compliance/models');
    await second.getByRole('link', { name: hostile }).waitFor();
    await inspect(second, 'compliance-models-zh');
  });

  it('reviews a joint project, which one approval does not start, and refuses it', async () => {
    const partner = jointClient(await stage.platform.connect('officer-second', 'compliance'));
    const { id } = await partner.propose({ ...jointProject(), title: { en: hostile, zh: hostile } });
    await go(officer, '/console/compliance/projects');
    await officer.locator(`a[href$="${id}"]`).click();
    await heading(officer, hostile);
    await officer.getByText('Columns of the platform').first().waitFor();
    await inspect(officer, 'compliance-project-en');
    await decide(officer, 'Approve');
    await officer.getByText('officer-compliance ·').waitFor();
    await go(second, `/console/compliance/projects/${id}`);
    await second.getByText('此提案由您提出，须由他人审批。').waitFor();
    assert.equal(await second.getByRole('button', { name: '批准' }).count(), 0);
    await decide(officer, 'Refuse', ['Reason code', 'purpose_too_wide']);
    await officer.getByText('Refused').first().waitFor();
    await go(second, '/console/compliance/projects');
    await second.getByText('已驳回').waitFor();
    await inspect(second, 'compliance-projects-zh');
  });

  it('starts a joint project once two officers have approved it: not its author, and nobody twice', async () => {
    const { id, digest } = await jointClient(await stage.platform.connect('officer-second', 'compliance')).propose({ ...jointProject(), title: { en: 'הלוואות 2026', zh: '2026 הלוואות' } });
    const address = `/console/compliance/projects/${id}`;
    await go(officer, address);
    await officer.waitForFunction('document.title === "\u2068הלוואות 2026\u2069 – Veilgate"');
    await decide(officer, 'Approve');
    await officer.getByText('You have approved this: somebody else must approve it too.').waitFor();
    assert.equal(await officer.getByRole('button', { name: 'Approve', exact: true }).count(), 0);
    await go(second, address);
    await second.getByText('此提案由您提出，须由他人审批。').waitFor();
    assert.equal(await second.getByRole('button', { name: '批准', exact: true }).count(), 0);
    for (const person of [officer, second]) assert.equal(await sendPast(person, 'POST', `/v1/joint-projects/${id}/approval`, { digest }), 'JOINT_PROJECT_SAME_PERSON', 'nor past the page');
    assert.equal((await jointClient(await stage.platform.connect('officer-compliance', 'compliance')).project(id)).state, 'proposed');

    await stage.platform.registrar.registerOfficer({ id: 'officer-fourth', name: { en: 'Fourth', zh: '第四' }, roles: ['compliance'], key: (await stage.platform.credentials('officer-fourth')).signing.publicJwk });
    await stage.platform.compliance.approveOfficer('officer-fourth');
    const fourth = await stage.open(await personOf(stage.platform, 'officer-fourth', 'officer', 'Fourth', 'compliance'), address);
    await fourth.getByText('officer-compliance ·').waitFor();
    await decide(fourth, 'Approve');
    await fourth.getByText('Approved', { exact: true }).waitFor();
    await fourth.getByText('officer-fourth ·').waitFor();
    await fourth.getByRole('table', { name: 'Budget left' }).waitFor();
    await inspect(fourth, 'compliance-project-approved-en');
    const { state, approvals } = await jointClient(await stage.platform.connect('officer-compliance', 'compliance')).project(id);
    assert.deepEqual([state, approvals.map(({ by }) => by)], ['approved', ['officer-compliance', 'officer-fourth']]);
  });

  it('says so when a list is longer than it reads', async () => {
    const { institutions: [one] } = await stage.platform.compliance.institutions();
    let page = 0;
    await officer.route('**/console/api/v1/institutions*', (route) => { page += 1; return route.fulfill({ json: { institutions: [{ ...one, id: `bank-${page}` }], next: `bank-${page}` } }); });
    await go(officer, '/console/compliance/institutions');
    await officer.getByText('The list goes on: only the first 25 are here. Those behind them are found by their identifier.').waitFor();
    await officer.getByRole('link', { name: 'Overview' }).click();
    await officer.locator('.figure', { hasText: 'Institutions to assess or approve' }).getByText('at least 0', { exact: true }).waitFor();
    await officer.unroute('**/console/api/v1/institutions*');
    await go(officer, '/console/compliance/institutions');
    await officer.getByRole('link', { name: 'bank-a' }).waitFor();
    assert.equal(await officer.getByText('The list goes on').count(), 0);
  });

  it('takes in what an enterprise objects to, in its own words', async () => {
    const { platform } = stage;
    await platform.department('tax_administration');
    await platform.enterprise(sampleSubject(2, 11));
    const { rows: [party] } = await platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [sampleSubject(2, 11)]);
    const objections = objectionsClient(await platform.connect(party?.id ?? '', 'grants'));
    await objections.submit({ about: 'record', field: 'tax.declared_revenue_cents', fault: 'wrong', text: hostile });
    await go(officer, '/console/compliance/objections');
    await inspect(officer, 'compliance-objections-en');
    await officer.getByRole('link', { name: sampleSubject(2, 11) }).first().click();
    await officer.getByText(hostile).waitFor();
    await inspect(officer, 'compliance-objection-en');
    await decide(officer, 'Accept');
    await officer.getByText('Accepted').first().waitFor();
    assert.equal((await objections.list()).objections[0]?.state, 'accepted');
    assert.equal(await officer.evaluate('window.hacked'), undefined);
  });
});
