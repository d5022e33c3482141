import { strict as assert } from 'node:assert';
import { isVeilgateError } from '../../src/errors.ts';
import { costFor, nanoRhoPerRho } from '../../src/joint/noise/accountant.ts';
import { jointClient } from '../../src/sdk/joint.ts';
import { codeOf, jointProject, startJointStage, type JointStage } from '../support/joint.ts';

const pointersOf = (attempt: Promise<unknown>) => attempt.then(() => [], (error: unknown) => {
  assert.ok(isVeilgateError(error, 'JOINT_PROJECT_INVALID'), String(error));
  return ((error.detail?.['problems'] ?? []) as readonly { readonly pointer: string }[]).map(({ pointer }) => pointer);
});
const columnWith = (encoding: Record<string, unknown>, source = 'financials.debt_ratio') => ({ ...jointProject(), datasets: [source.split('.')[0]], columns: [{ name: 'only', source, encoding }] });

describe('joint-modelling projects at the gateway', () => {
  let stage: JointStage;
  let first: JointStage['officers'][0];
  let second: JointStage['officers'][0];
  let third: JointStage['officers'][0];

  before(async function () {
    this.timeout(60_000);
    stage = await startJointStage();
    [first, second, third] = stage.officers;
  });
  after(() => stage.platform.close());

  it('takes a proposal, needs two others to approve the very document, opens its accounts and logs each step', async () => {
    const { id, state, digest } = await first.propose(jointProject());
    assert.equal(state, 'proposed');
    assert.deepEqual((await second.balances(id)).accounts, [], 'nothing to spend before it is approved');
    assert.equal(await codeOf(first.approve(id, digest)), 'JOINT_PROJECT_SAME_PERSON');
    assert.equal(await codeOf(second.approve(id, 'f'.repeat(64))), 'JOINT_PROJECT_CHANGED');
    assert.deepEqual(await second.approve(id, digest), { id, state: 'proposed', approvals: 1 });
    assert.equal(await codeOf(second.approve(id, digest)), 'JOINT_PROJECT_SAME_PERSON', 'one person twice is not two');
    assert.deepEqual(await third.approve(id, digest), { id, state: 'approved', approvals: 2 });
    assert.equal(await codeOf(third.approve(id, digest)), 'JOINT_PROJECT_STATE_CONFLICT');

    const view = await stage.partner.project(id);
    assert.deepEqual(view.project, jointProject());
    assert.deepEqual(view.approvals.map(({ by }) => by), ['officer-second', 'officer-third']);
    const { accounts } = await stage.partner.balances(id);
    assert.deepEqual(accounts.map(({ account }) => account), ['dataset/financials', 'dataset/registry', 'institution/bank-a/financials', 'institution/bank-a/registry', `project/${id}`]);
    assert.equal(accounts.at(-1)?.total_rho, costFor(3, 0.000001) / nanoRhoPerRho);
    assert.equal(accounts[0]?.total_rho, costFor(16, 0.000001) / nanoRhoPerRho);
    assert.equal(accounts[2]?.left_rho, costFor(8, 0.000001) / nanoRhoPerRho);

    const { rows } = await stage.platform.database.query<{ kind: string; actor: string; digest: string; approvals: string | null }>(
      "select kind, record::jsonb ->> 'actor' as actor, record::jsonb ->> 'digest' as digest, record::jsonb ->> 'approvals' as approvals from audit_entry where record::jsonb ->> 'project' = $1 order by index", [id]);
    assert.deepEqual(rows, [
      { kind: 'joint.project_proposed', actor: 'officer-compliance', digest, approvals: null }, { kind: 'joint.project_approved', actor: 'officer-second', digest, approvals: '1' },
      { kind: 'joint.project_approved', actor: 'officer-third', digest, approvals: '2' },
    ]);
  });

  it('lets a partner propose for itself alone and never decide', async () => {
    assert.deepEqual(await pointersOf(stage.partner.propose(jointProject('partner-b'))), ['/partner']);
    const { id, digest } = await stage.partner.propose(jointProject());
    assert.equal(await codeOf(stage.partner.approve(id, digest)), 'TOKEN_SCOPE_INSUFFICIENT');
    assert.equal(await codeOf(stage.partner.stop(id, 'no_need')), 'TOKEN_SCOPE_INSUFFICIENT');
    await first.approve(id, digest);
    assert.equal((await second.approve(id, digest)).state, 'approved');
    assert.equal((await stage.partner.end(id)).state, 'ended');
    assert.equal((await stage.partner.project(id)).reason, 'finished');
  });

  it('shows a partner its own projects; another institution\'s look like none', async () => {
    const { id } = await first.propose(jointProject());
    assert.equal(await codeOf(stage.other.project(id)), 'JOINT_PROJECT_NOT_FOUND');
    assert.equal(await codeOf(stage.other.project('A'.repeat(22))), 'JOINT_PROJECT_NOT_FOUND');
    assert.equal(await codeOf(stage.other.balances(id)), 'JOINT_PROJECT_NOT_FOUND');
    assert.equal(await codeOf(stage.other.end(id)), 'JOINT_PROJECT_NOT_FOUND');
    assert.deepEqual((await stage.other.projects()).projects, []);
    assert.ok((await stage.partner.projects()).projects.some((each) => each.id === id));
    const auditor = jointClient(await stage.platform.connect('officer-auditor', 'audit'));
    assert.equal((await auditor.project(id)).partner, 'bank-a');
  });

  it('takes titles of one line that shows, and names the place of one that does not', async () => {
    for (const zh of ['\u202e', '\u200b', '\n', '\u0000', '\u2067', '\ufeff'].map((hidden) => `项目${hidden}一`)) {
      await assert.rejects(first.propose({ ...jointProject(), title: { en: 'One', zh } }),
        (error: unknown) => isVeilgateError(error, 'JOINT_PROJECT_INVALID') && /\/title\/zh must be one line of text/.test(error.message), JSON.stringify(zh));
    }
  });

  it('makes every changed document another proposal: what was approved cannot be edited, not even past the code', async () => {
    const id = await stage.approved();
    const { digest } = await first.project(id);
    const wider = await first.propose({ ...jointProject(), budget: { epsilon: 4, delta: 0.000001 } });
    assert.notEqual(wider.id, id);
    assert.notEqual(wider.digest, digest);
    assert.equal(await codeOf(second.approve(wider.id, digest)), 'JOINT_PROJECT_CHANGED', 'an approval of one document approves no other');
    const { database } = stage.platform;
    await assert.rejects(database.query("update joint_project set document = replace(document, '\"epsilon\":3', '\"epsilon\":30') where id = $1", [id]), /never changed/);
    await assert.rejects(database.query("update joint_project set state = 'approved', first_by = proposed_by, first_ms = 1, second_by = 'officer-third', second_ms = 1 where id = $1", [wider.id]), /joint_project_six_eyes/);
    await assert.rejects(database.query("update joint_project set state = 'approved', first_by = 'officer-third', first_ms = 1 where id = $1", [wider.id]), /joint_project_approved_by_two/);
  });

  it('refuses columns without bounds and documents that break schema, themselves, catalogue or limits, each with its place', async () => {
    const at = (encoding: Record<string, unknown>, source?: string) => pointersOf(first.propose(columnWith(encoding, source)));
    assert.equal(await codeOf(first.propose(columnWith({ kind: 'steps' }))), 'JOINT_PROJECT_INVALID');
    assert.deepEqual(await at({ kind: 'steps', min: 0, steps: 5 }), ['/columns/0/encoding']);
    assert.deepEqual(await at({ kind: 'bins', min: 0 }), ['/columns/0/encoding']);
    assert.deepEqual(await at({ kind: 'bins', edges: [2, 1] }), ['/columns/0/encoding']);
    assert.deepEqual(await at({ kind: 'steps', min: 5, max: 5, steps: 5 }), ['/columns/0/encoding']);
    assert.deepEqual(await at({ kind: 'steps', min: 0, max: 1, steps: 4096 }), [], 'as many steps as 100 rows leave room for');
    assert.deepEqual(await at({ kind: 'bins', codes: ['nonsense'] }, 'registry.size_class'), ['/columns/0/encoding']);
    assert.deepEqual(await at({ kind: 'bins', edges: [1] }, 'registry.size_class'), ['/columns/0/encoding']);
    const wrong = (changes: Record<string, unknown>) => pointersOf(first.propose({ ...jointProject(), ...changes }));
    assert.deepEqual(await wrong({ cohort_min: 99 }), ['/cohort_min']);
    assert.deepEqual(await wrong({ budget: { epsilon: 5, delta: 0.000001 } }), ['/budget']);
    assert.deepEqual(await wrong({ budget: { epsilon: 3, delta: 0.0001 } }), ['/budget']);
    assert.deepEqual(await wrong({ ends_on: '2020-01-01' }), ['/ends_on']);
    assert.deepEqual(await wrong({ ends_on: '2090-01-01' }), ['/ends_on']);
    assert.deepEqual(await wrong({ ends_on: '2026-02-31' }), ['/ends_on']);
    assert.deepEqual(await wrong({ partner: 'nobody' }), ['/partner']);
    assert.deepEqual(await wrong({ datasets: ['financials', 'registry', 'tax'] }), ['/datasets/2']);
    assert.deepEqual(await wrong({ datasets: ['registry'] }), ['/columns/0/source']);
    assert.deepEqual(await wrong({ columns: [...jointProject().columns, jointProject().columns[0]] }), ['/columns/3/name']);
    assert.equal(await codeOf(first.propose({ ...jointProject(), bundles: 7 })), 'JOINT_PROJECT_INVALID');
    assert.equal(await codeOf(first.propose({ ...jointProject(), partner_columns: [{ name: 'wide', bins: 65 }] })), 'JOINT_PROJECT_INVALID');
    assert.equal(await codeOf(first.propose({ ...jointProject(), purpose: 'pre_loan_review' })), 'JOINT_PROJECT_INVALID');
  });

  it('refuses fields the policy does not let this partner use in aggregates, and names them', async () => {
    const thrown = await first.propose(columnWith({ kind: 'bins', edges: [50] }, 'owner.share_percent')).then(() => undefined, (error: unknown) => error);
    assert.ok(isVeilgateError(thrown, 'JOINT_NOT_PERMITTED'), String(thrown));
    assert.deepEqual((thrown.detail?.['withheld'] as readonly { readonly field: string; readonly use: string }[]).map(({ field, use }) => [field, use]), [['owner.share_percent', 'aggregate']]);
    assert.equal(await codeOf(first.propose(columnWith({ kind: 'bins', edges: [1] }, 'financials.nothing'))), 'JOINT_NOT_PERMITTED', 'unknown and closed look alike');
    assert.match((await first.propose(jointProject('partner-b'))).id, /^[\w-]{22}$/, 'a modelling partner may use what a bank may');
  });

  it('is refused or stopped for good, with the reason', async () => {
    const { id, digest } = await first.propose(jointProject());
    assert.equal(await codeOf(first.stop(id, 'complaint')), 'JOINT_PROJECT_STATE_CONFLICT');
    assert.equal((await second.refuse(id, digest, 'purpose_too_wide')).state, 'refused');
    assert.equal(await codeOf(third.approve(id, digest)), 'JOINT_PROJECT_STATE_CONFLICT');
    const running = await stage.approved();
    assert.equal((await first.stop(running, 'complaint')).state, 'stopped');
    assert.equal(await codeOf(first.stop(running, 'complaint')), 'JOINT_PROJECT_STATE_CONFLICT');
    assert.equal(await codeOf(stage.partner.end(running)), 'JOINT_PROJECT_STATE_CONFLICT');
    await assert.rejects(stage.platform.database.query("update joint_project set state = 'active' where id = $1", [running]), /never changed/);
  });

  it('has two approvals at once counted as two, of two people', async () => {
    const { id, digest } = await first.propose(jointProject());
    const outcomes = await Promise.all([codeOf(second.approve(id, digest)), codeOf(second.approve(id, digest)), codeOf(third.approve(id, digest))]);
    assert.equal(outcomes.filter((outcome) => outcome === 'done').length, 2);
    assert.equal(outcomes[2], 'done', 'one of each person');
    // whose second try comes last finds the project approved already
    assert.ok(outcomes.some((outcome) => outcome === 'JOINT_PROJECT_SAME_PERSON' || outcome === 'JOINT_PROJECT_STATE_CONFLICT'), outcomes.join());
    assert.equal((await first.project(id)).state, 'approved');
  });

  it('bounds what may wait for a decision', async () => {
    const { database } = stage.platform;
    const { id } = await stage.other.propose(jointProject('partner-b'));
    await database.query("insert into joint_project (id, document, digest, partner, ends_on, proposed_by, proposed_ms) select lpad(n::text, 22, 'x'), document, digest, partner, ends_on, proposed_by, 0 from generate_series(1, 20) n, joint_project where id = $1", [id]);
    assert.equal(await codeOf(stage.other.propose(jointProject('partner-b'))), 'REQUEST_QUOTA_EXCEEDED');
    assert.equal((await stage.other.projects()).projects.length >= 21, true);
  });
});
