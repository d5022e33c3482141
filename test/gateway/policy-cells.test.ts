import { strict as assert } from 'node:assert';
import { isVeilgateError } from '../../src/errors.ts';
import { officerClient } from '../../src/sdk/officer.ts';
import { policiesClient } from '../../src/sdk/policies.ts';
import { policyCellsClient, type PolicyEdit, type PolicyMatrixView, type PolicyOpening } from '../../src/sdk/policy-cells.ts';
import { startWorld, subject, type World } from '../flow/support/world.ts';

type Cells = ReturnType<typeof policyCellsClient>;
const codeOf = (attempt: Promise<unknown>) => attempt.then(() => 'done', (error: unknown) => (isVeilgateError(error) ? error.code : error));
const at = ({ fields, purposes, outcomes, cells }: PolicyMatrixView, field: string, purpose: string) =>
  outcomes[cells[fields.findIndex((each) => each.field === field) * purposes.length + purposes.findIndex(({ code }) => code === purpose)] ?? -1];
const revenue = 'tax.declared_revenue_cents';
const closing: PolicyEdit = { field: revenue, use: 'read', purposes: ['pre_loan_review'], institution_classes: ['commercial_bank'], original: null };
const bands: PolicyOpening = { use: 'read', disposition: 'band', treatment: { method: 'band', edges: [1_000_000, 100_000_000] } };

describe('the policy as cells, at the gateway', () => {
  let world: World;
  let officer: Cells;
  let second: ReturnType<typeof policiesClient>;
  let policies: ReturnType<typeof policiesClient>;
  let auditor: Cells;

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
    const { platform } = world;
    await platform.registrar.registerOfficer({ id: 'officer-second', name: { en: 'Second', zh: '第二' }, roles: ['compliance'], key: (await platform.credentials('officer-second')).signing.publicJwk });
    await platform.compliance.approveOfficer('officer-second');
    const own = await platform.connect('officer-compliance', 'compliance');
    officer = policyCellsClient(own);
    policies = policiesClient(own);
    second = policiesClient(await platform.connect('officer-second', 'compliance'));
    auditor = policyCellsClient(await platform.connect('officer-auditor', 'audit'));
  });
  after(() => world.platform.close());

  it('are read by officers and auditors, and by nobody else', async () => {
    assert.equal((await auditor.matrix(1, undefined, 'read', 'original')).institution_class, 'commercial_bank', 'the first one');
    const matrix = await auditor.matrix(1, 'commercial_bank', 'read', 'original');
    assert.equal(matrix.cells.length, matrix.fields.length * matrix.purposes.length);
    assert.equal(at(matrix, revenue, 'pre_loan_review')?.disposition, 'clear');
    assert.equal(at(matrix, 'tax.largest_customer', 'in_loan_approval')?.conditional, true);
    assert.equal(at(matrix, 'owner.bank_account', 'pre_loan_review')?.reason, 'not_minimum_for_purpose');
    assert.equal(await codeOf(policyCellsClient(await world.platform.connect('officer-registrar', 'registry')).matrix(1, 'commercial_bank', 'read', 'original')), 'TOKEN_SCOPE_INSUFFICIENT');
    assert.equal(await codeOf(auditor.judge(1, [closing])), 'TOKEN_SCOPE_INSUFFICIENT', 'an auditor changes nothing');
    assert.equal(await codeOf(officer.matrix(99, 'commercial_bank', 'read', 'original')), 'POLICY_VERSION_NOT_FOUND');
    assert.equal(await codeOf(officer.matrix(1, 'casino', 'read', 'original')), 'REQUEST_INVALID');
    assert.equal(await codeOf(officer.cell(1, 'tax.nothing', 'pre_loan_review')), 'REQUEST_INVALID');
    assert.equal(await codeOf(officer.cell(1, revenue, 'gossip')), 'REQUEST_INVALID');
  });

  it('stand beside a list of those who decide on them', async () => {
    const { staff, next } = await world.platform.compliance.staff();
    assert.equal(next, null);
    assert.deepEqual(staff.filter(({ id }) => id === 'officer-second'), [{ ...staff.find(({ id }) => id === 'officer-second'), kind: 'officer', name: { en: 'Second', zh: '第二' }, status: 'approved',
      roles: ['compliance'], registered_by: 'officer-registrar' }]);
    assert.ok(staff.some(({ id, kind, roles }) => id === 'tax_administration' && kind === 'department' && roles.length === 0));
    assert.deepEqual((await world.platform.compliance.staff('officer-second')).staff.map(({ id }) => id), ['tax_administration']);
    const bank = officerClient(await world.platform.connect('bank-a', 'query'));
    assert.equal(await codeOf(bank.staff()), 'TOKEN_SCOPE_INSUFFICIENT');
  });

  it('say what may be set, and offer nothing that no policy may say', async () => {
    const cell = await officer.cell(1, revenue, 'pre_loan_review');
    const methods = (use: 'read' | 'verify') => cell.offers[use].map(({ opening }) => opening.treatment?.['method'] ?? opening.comparison?.['method'] ?? opening.disposition);
    assert.ok(methods('read').includes('band') && methods('read').includes('round'));
    for (const unfit of ['phone', 'year', 'generalise', 'keep_ends']) assert.ok(!methods('read').includes(unfit), unfit);
    assert.deepEqual(cell.offers.read.find(({ opening }) => opening.disposition === 'clear')?.consent, ['original'], 'never in clear with consent to the desensitised form');
    assert.deepEqual((await officer.cell(1, 'owner.bank_account', 'pre_loan_review')).offers.read.filter(({ opening }) => opening.disposition === 'clear'), [], 'level 5');
    const bank = cell.cells.find((each) => each.use === 'read' && each.institution_class === 'commercial_bank');
    assert.deepEqual([bank?.original.opening, bank?.original.simple], [{ use: 'read', disposition: 'clear' }, true]);
  });

  it('show made-up values before and after, with tokens that are no real ones', async () => {
    const { values, shown } = await officer.samples(revenue, [{ use: 'read', disposition: 'clear' }, bands, { use: 'read', disposition: 'token', treatment: { method: 'token' } }, null,
      { use: 'verify', comparison: { method: 'within_percent', percent: 5 } }]);
    assert.equal(values.length, 3);
    assert.deepEqual(shown.map((each) => each[0]?.kind), ['clear', 'disclosure', 'disclosure', 'withheld', 'verification']);
    assert.deepEqual(shown[1]?.[0], { kind: 'disclosure', disclosure: { kind: 'banded', from: 1_000_000, to: 100_000_000 } });
    assert.deepEqual(shown[4]?.map((each) => each.kind === 'verification' && each.outcome), ['match', 'within_tolerance', 'mismatch']);
    const again = await officer.samples(revenue, [{ use: 'read', disposition: 'token', treatment: { method: 'token' } }]);
    assert.notDeepEqual(again.shown[0], shown[2], 'each time another secret');
    assert.equal(await codeOf(officer.samples(revenue, [{ use: 'read', disposition: 'mask', treatment: { method: 'phone' } }])), 'REQUEST_INVALID');
    assert.equal(await codeOf(officer.samples(revenue, [{ use: 'read', disposition: 'band', treatment: { method: 'band' } }])), 'REQUEST_INVALID');
    assert.equal(await codeOf(officer.samples('tax.nothing', [null])), 'REQUEST_INVALID');
  });

  it('have a sample for every field of the catalogue', async () => {
    const { fields } = await officer.matrix(1, 'commercial_bank', 'read', 'original');
    const without = [];
    for (const { field } of fields) if ((await officer.samples(field, [null])).values.length === 0) without.push(field);
    assert.deepEqual(without, []);
  });

  it('tell what edits do to the policy and to its tests, and keep nothing', async () => {
    const judged = await officer.judge(1, [closing]);
    assert.deepEqual(judged.differences.map(({ risk, fields, purposes, institution_classes: classes }) => [risk, fields, purposes, classes]),
      [['tightened', [revenue], ['pre_loan_review'], ['commercial_bank']]]);
    assert.ok(judged.tests.failing > 0);
    assert.ok(judged.tests.stale.some(({ kind }) => kind === 'promised'), 'a promise is about this cell');
    assert.equal((await policies.list()).versions.length, 1);
    const adjusted = await officer.judge(1, [closing], true);
    assert.deepEqual([...new Set(adjusted.tests.stale.map(({ kind }) => kind))], ['promised'], 'promises are never brought up to date');
    assert.equal(await codeOf(policies.propose({ basis: 1, changes: adjusted.changes, comment: 'against a promise' })), 'POLICY_TESTS_FAILED');
    assert.equal(await codeOf(officer.judge(1, [{ ...closing, desensitised: { opening: { use: 'read', disposition: 'clear' } } }])), 'POLICY_BROKEN');
    assert.equal(await codeOf(officer.judge(1, [{ ...closing, field: 'tax.nothing' }])), 'REQUEST_INVALID');
    assert.equal(await codeOf(officer.judge(99, [closing])), 'POLICY_VERSION_NOT_FOUND');
  });

  it('go the whole way: edits, tests brought up to date, proposal, another officer, the next grid and the next answer', async () => {
    const edit: PolicyEdit = { field: revenue, use: 'read', purposes: ['post_loan_monitoring'], institution_classes: ['commercial_bank', 'rural_bank', 'policy_bank'], original: null };
    const judged = await officer.judge(1, [edit], true);
    assert.deepEqual([judged.tests.failing, judged.tests.stale], [0, []]);
    const { version } = await policies.propose({ basis: 1, changes: judged.changes, comment: 'Revenue in bands while a loan runs' });
    await second.approve(version.version, version.digest, 'fine');
    assert.equal(at(await officer.matrix(version.version, 'commercial_bank', 'read', 'original'), revenue, 'post_loan_monitoring')?.disposition, 'band');
    assert.equal(at(await officer.matrix(1, 'commercial_bank', 'read', 'original'), revenue, 'post_loan_monitoring')?.disposition, 'clear', 'versions never change');
    const { json } = await world.bank.query({ subject, purpose: 'pre_loan_review', read: [revenue] });
    assert.equal(json['policy'], version.policy, 'answers are given by it');
  });
});
