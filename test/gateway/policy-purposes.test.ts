import { strict as assert } from 'node:assert';
import { isVeilgateError } from '../../src/errors.ts';
import { policiesClient } from '../../src/sdk/policies.ts';
import { policyCellsClient, type PolicyEdit } from '../../src/sdk/policy-cells.ts';
import { policyPurposesClient, type PolicyFactEdit, type PolicyPurposeEdit } from '../../src/sdk/policy-purposes.ts';
import { startWorld, subject, type World } from '../flow/support/world.ts';

const codeOf = (attempt: Promise<unknown>) => attempt.then(() => 'done', (error: unknown) => (isVeilgateError(error) ? error.code : error));
const address = 'registry.address';
const purpose = 'pre_loan_review';
const needless: PolicyPurposeEdit = { purpose, minimum: { add: [], remove: [address] } };
const shorter: PolicyPurposeEdit = { purpose, caps: { validity_days_max: 60 } };
const tons: PolicyFactEdit = { fact: 'request.tons', declared: { type: 'integer', min: 0, max: 10, unit: 't', title: { en: 'tons', zh: '吨数' } } };

describe('purposes of the policy, at the gateway', () => {
  let world: World;
  let officer: ReturnType<typeof policyPurposesClient>;
  let cells: ReturnType<typeof policyCellsClient>;
  let policies: ReturnType<typeof policiesClient>;
  let second: ReturnType<typeof policiesClient>;

  before(async function () {
    this.timeout(60_000);
    world = await startWorld({ VEILGATE_POLICY_SOURCE: 'database' });
    const { platform } = world;
    await platform.registrar.registerOfficer({ id: 'officer-second', name: { en: 'Second', zh: '第二' }, roles: ['compliance'], key: (await platform.credentials('officer-second')).signing.publicJwk });
    await platform.compliance.approveOfficer('officer-second');
    const own = await platform.connect('officer-compliance', 'compliance');
    officer = policyPurposesClient(own);
    cells = policyCellsClient(own);
    policies = policiesClient(own);
    second = policiesClient(await platform.connect('officer-second', 'compliance'));
  });
  after(() => world.platform.close());

  it('are read by officers and auditors, and by nobody else', async () => {
    const auditor = policyPurposesClient(await world.platform.connect('officer-auditor', 'audit'));
    const { caps, attempts_max: attempts, bounds, datasets, conditions, facts, uses } = await auditor.purpose(1, purpose);
    assert.deepEqual([caps.validity_days_max, caps.frequency_max, attempts, uses], [90, { max: 20, per: 'day' }, 3, ['read', 'verify', 'score']]);
    assert.deepEqual([bounds.validity_days_max, bounds.attempts_max], [{ min: 1, max: 3650 }, { min: 0, max: 100 }]);
    const fields = datasets.flatMap((each) => each.fields);
    assert.deepEqual(fields.filter(({ field }) => [address, 'owner.bank_account'].includes(field)).map(({ field, in_minimum: needed }) => [field, needed]).toSorted(), [['owner.bank_account', false], [address, true]]);
    assert.ok(fields.some(({ opened }) => opened) && conditions.every((each) => each.facts.every((name) => facts.some(({ fact, rules }) => fact === name && rules > 0))));
    const registrar = policyPurposesClient(await world.platform.connect('officer-registrar', 'registry'));
    assert.equal(await codeOf(registrar.purpose(1, purpose)), 'TOKEN_SCOPE_INSUFFICIENT');
    assert.equal(await codeOf(officer.purpose(99, purpose)), 'POLICY_VERSION_NOT_FOUND');
    assert.equal(await codeOf(officer.purpose(1, 'gossip')), 'REQUEST_INVALID');
  });

  it('are judged with cells: in full, in plain words, and nothing is kept', async () => {
    const judged = await cells.judge(1, [], false, { purposes: [{ ...needless, ...shorter }], facts: [tons] });
    assert.deepEqual(judged.settings.map(({ risk, words }) => [risk, words.zh]), [
      ['tightened', '贷前审查（pre_loan_review）：授权有效期最长由90天改为60天'],
      ['tightened', `贷前审查（pre_loan_review）：最小必要范围移除1个字段：${await titleOf(address)}（${address}）`],
      ['altered', '新增条件要素：request.tons（integer from 0 to 10 in t “tons” (吨数)）'],
    ]);
    assert.ok(judged.differences.length > 0 && judged.differences.every(({ risk, fields, purposes }) => risk === 'tightened' && fields.join() === address && purposes.join() === purpose));
    assert.deepEqual(Object.keys(judged.changes), ['purposes.yaml']);
    assert.equal((await policies.list()).versions.length, 1);
  });

  const titleOf = async (ref: string) => (await officer.purpose(1, purpose)).datasets.flatMap(({ fields }) => fields).find(({ field }) => field === ref)?.title.zh;

  it('take expectations about a field that the purpose loses along when asked to, and no promise', async () => {
    const first = await cells.judge(1, [], false, { purposes: [{ purpose, minimum: { add: [], remove: ['utility.period'] } }] });
    assert.ok(first.tests.failing > 0 && first.tests.stale.some(({ kind, field }) => kind === 'edited' && field === 'utility.period'));
    const adjusted = await cells.judge(1, [], true, { purposes: [{ purpose, minimum: { add: [], remove: ['utility.period'] } }] });
    assert.ok(adjusted.tests.adjusted > 0 && adjusted.tests.stale.every(({ kind }) => kind === 'promised'));
  });

  it('open a cell of a field that the minimum has only now', async () => {
    const field = 'owner.bank_account';
    const opening: PolicyEdit = { field, use: 'verify', purposes: [purpose], institution_classes: ['commercial_bank'], original: { opening: { use: 'verify', comparison: { method: 'equal' } } } };
    assert.equal(await codeOf(cells.judge(1, [opening])), 'REQUEST_INVALID');
    const judged = await cells.judge(1, [opening], true, { purposes: [{ purpose, minimum: { add: [field], remove: [] } }] });
    assert.ok(judged.differences.some(({ use, fields, institution_classes: classes }) => use === 'verify' && fields.join() === field && classes.join() === 'commercial_bank'));
    assert.deepEqual(Object.keys(judged.changes).filter((file) => !file.startsWith('tests/')), ['purposes.yaml', 'rules/owner.yaml']);
  });

  it('are refused outside the bounds of the schema, with control characters, and where a member is missing', async () => {
    const judge = (edit: object, facts: readonly PolicyFactEdit[] = []) => codeOf(cells.judge(1, [], false, { purposes: [{ purpose, ...edit }], facts }));
    assert.equal(await judge({ caps: { validity_days_max: 3651 } }), 'REQUEST_INVALID');
    assert.equal(await judge({ caps: { validity_days_max: 3650 } }), 'done');
    assert.equal(await judge({ caps: { uses_max: 0 } }), 'REQUEST_INVALID');
    assert.equal(await judge({ attempts_max: 101 }), 'REQUEST_INVALID');
    assert.equal(await judge({ caps: { kinds: [] } }), 'REQUEST_INVALID');
    assert.equal(await judge({ title: { en: 'x\u202Ey', zh: 'x' } }), 'REQUEST_INVALID');
    assert.equal(await judge({ minimum: { add: ['tax.nothing'], remove: [] } }), 'REQUEST_INVALID');
    assert.equal(await judge({ minimum: { add: ['tax.*'], remove: [] } }), 'REQUEST_INVALID', 'fields, no patterns');
    assert.equal(await judge({ is_new: true }), 'REQUEST_INVALID');
    assert.equal(await judge({ uses: ['score'] }), 'POLICY_BROKEN');
    assert.equal(await judge({}, [{ fact: 'institution.security_level', declared: null }]), 'POLICY_BROKEN');
    assert.equal(await judge({}, [{ fact: 'institution.colour', declared: tons.declared }]), 'REQUEST_INVALID');
    assert.equal(await judge({}, [{ fact: 'somebody.said', declared: tons.declared }]), 'REQUEST_INVALID');
  });

  it('go the whole way: proposal, review in plain words, another officer, the next query and the next request for consent', async () => {
    const before = await world.bank.query({ subject, purpose, read: [address] });
    assert.deepEqual(before.json['withheld'], []);
    const judged = await cells.judge(1, [], true, { purposes: [{ ...needless, ...shorter }], facts: [] });
    assert.deepEqual(judged.tests.stale, []);
    const { version } = await policies.propose({ basis: 1, changes: judged.changes, comment: 'The address is not needed' });
    assert.equal(await codeOf(policies.approve(version.version, version.digest, 'mine')), 'POLICY_SAME_PERSON');
    const review = await second.review(version.version);
    assert.deepEqual(review.settings, judged.settings);
    await second.approve(version.version, version.digest, 'fine');
    const after = await world.bank.query({ subject, purpose, read: [address, 'registry.name'] });
    assert.deepEqual((after.json['withheld'] as { field: string; reason: string }[]).map(({ field, reason }) => [field, reason]), [[address, 'not_minimum_for_purpose']]);
    assert.equal((await officer.purpose(version.version, purpose)).caps.validity_days_max, 60);
    assert.equal((await officer.purpose(1, purpose)).caps.validity_days_max, 90, 'versions never change');
  });
});
