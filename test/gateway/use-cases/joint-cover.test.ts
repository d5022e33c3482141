import { strict as assert } from 'node:assert';
import path from 'node:path';
import { fixedClock, type Clock } from '../../../src/clock.ts';
import { changeGrant } from '../../../src/consent/grants.ts';
import { formCohort } from '../../../src/gateway/use-cases/joint-cohorts.ts';
import { assertCohortFresh, coveringSubjects } from '../../../src/gateway/use-cases/joint-cover.ts';
import type { JointDesk } from '../../../src/gateway/use-cases/joint-projects.ts';
import { stopProject } from '../../../src/gateway/use-cases/joint-projects.ts';
import { cohortOf, type Cohort } from '../../../src/joint/cohort/registry.ts';
import { projectFromJson } from '../../../src/joint/project/document.ts';
import { loadJointSettings } from '../../../src/joint/project/settings.ts';
import { createGate } from '../../../src/joint/threads/gate.ts';
import { compilePolicyPack, readPolicyFiles } from '../../../src/policy/load.ts';
import type { CompiledPolicy } from '../../../src/policy/policy.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import type { Caller, GrantId, IsoDate, SubjectId, TimeMs } from '../../../src/vocabulary.ts';
import { codeOf, consentTo, startJointStage, subjects, type JointStage } from '../../support/joint.ts';
import { root } from '../../support/sources.ts';

const policies = path.join(root, 'policies');

describe('a cohort before its results leave', () => {
  let stage: JointStage;
  let cohort: Cohort;
  let grants: GrantId[];
  const catalogue = loadCatalogue(path.join(policies, 'catalogue'));
  /** The sample policy, with one word of one file changed. */
  const policyWith = (file?: string, from = '', to = ''): CompiledPolicy => compilePolicyPack(readPolicyFiles(policies).map((each) => {
    if (each.file !== file) return each;
    const text = Buffer.from(each.bytes).toString('utf8');
    assert.ok(text.includes(from));
    return { ...each, bytes: Buffer.from(text.replace(from, to)) };
  }), catalogue);
  const usual = policyWith();
  const deskWith = (policy = usual, clock: Clock = fixedClock(Date.now())): JointDesk => ({
    database: stage.platform.database, clock, catalogue, policy: () => policy, settings: () => loadJointSettings(policies), secrets: { secrets: new Map(), currentVersion: 1 },
    threads: { threads: 1, memoryMb: 256 }, gate: createGate(1, 1),
  });
  const fresh = (desk = deskWith()) => codeOf(stage.platform.database.transaction('release', (tx) => assertCohortFresh(desk, tx, cohort)));

  const grantsOf = async (of: readonly SubjectId[]) => (await stage.platform.database.query<{ id: GrantId }>('select id from consent_grant where subject = any($1)', [of])).rows.map(({ id }) => id);

  before(async function () {
    this.timeout(60_000);
    stage = await startJointStage();
    const shorter = await consentTo(stage.platform.database, 'bank-a', subjects(0, 1), undefined, 'desensitised', 10);
    grants = [...shorter, ...await consentTo(stage.platform.database, 'bank-a', subjects(1, 100))];
    const { id } = await stage.partner.formCohort(await stage.approved());
    cohort = await cohortOf(stage.platform.database, id);
  });
  after(() => stage.platform.close());

  it('is fresh while everybody consents, whichever of several grants covers', async () => {
    assert.equal(await fresh(), 'done');
    await consentTo(stage.platform.database, 'bank-a', subjects(0, 3), ['financials.debt_ratio']);
    assert.equal(await fresh(), 'done');
  });

  it('is stale when the policy no longer lets one of its fields be used', async () => {
    const closed = policyWith('rules/financials.yaml', "'*_ratio', borrowing_dependency, '*_turnover', '*_to_*', interest_coverage]\n    purposes: [joint_modelling]", "borrowing_dependency, '*_turnover', '*_to_*', interest_coverage]\n    purposes: [joint_modelling]");
    assert.equal(await fresh(deskWith(closed)), 'COHORT_STALE');
    const caller = { party: 'bank-a', kind: 'institution' } as Caller;
    assert.equal(await codeOf(formCohort(deskWith(closed), caller, cohort.project)), 'JOINT_NOT_PERMITTED', 'and no other one is formed');
    assert.equal((await formCohort(deskWith(), caller, cohort.project)).formed, false);
  });

  it('counts no grant for data up to a day that is past, and none that leaves a field out', async () => {
    const project = (await stage.partner.project(cohort.project)).project;
    const { database } = stage.platform;
    const covered = async (more: readonly GrantId[]) => {
      const { rows } = await database.query<{ subject: SubjectId }>('select subject from consent_grant where id = any($1)', [more]);
      return coveringSubjects(deskWith(), database, projectFromJson(project), Date.now() as TimeMs, rows.map(({ subject }) => subject));
    };
    const [one, other] = [subjects(300, 301), subjects(301, 302)];
    assert.equal((await covered(await consentTo(database, 'bank-a', one, undefined, 'desensitised', 200, { dataTo: '2020-01-01' as IsoDate }))).size, 0);
    assert.equal((await covered(await consentTo(database, 'bank-a', one, undefined, 'desensitised', 200, { dataTo: '2090-01-01' as IsoDate }))).size, 1);
    assert.equal((await covered(await consentTo(database, 'bank-a', other, ['registry.size_class']))).size, 0);
    assert.equal((await covered(await consentTo(database, 'bank-a', other))).size, 1);
    for (const id of [...await grantsOf([...one, ...other])]) await database.query("update consent_grant set state = 'paused', changed_ms = 0 where id = $1", [id]);
  });

  it('is stale when grants have run out, and refused past the project\'s last day', async () => {
    const dayMs = 86_400_000;
    assert.equal(await fresh(deskWith(usual, fixedClock(Date.now() + 9 * dayMs))), 'done');
    assert.equal(await fresh(deskWith(usual, fixedClock(Date.now() + 11 * dayMs))), 'COHORT_STALE', 'one grant was for ten days');
    assert.equal(await fresh(deskWith(usual, fixedClock(Date.now() + 92 * dayMs))), 'JOINT_PROJECT_STATE_CONFLICT');
  });

  it('is refused while its institution is suspended', async () => {
    await stage.platform.compliance.suspend('bank-a', 'alarm');
    assert.equal(await fresh(), 'INSTITUTION_NOT_ACTIVE');
    await stage.platform.compliance.reinstate('bank-a');
    assert.equal(await fresh(), 'done');
  });

  it('lets nobody revoke or stop between the look and the release; afterwards nothing is released', async () => {
    const { database } = stage.platform;
    const order: string[] = [];
    const desk = deskWith();
    const later: Promise<unknown>[] = [];
    await database.transaction('release', async (tx) => {
      await assertCohortFresh(desk, tx, cohort);
      later.push(
        database.transaction('revoke', (other) => changeGrant(other, { grant: grants[50] as GrantId, actor: { subject: subjects(50, 51)[0] as never }, action: 'revoke' }, desk.clock)).then(() => order.push('revoked')),
        database.transaction('stop', (other) => stopProject(desk, other, cohort.project, { reason: 'complaint' })).then(() => order.push('stopped')),
      );
      await new Promise((resolve) => setTimeout(resolve, 200));
      order.push('released');
    });
    await Promise.all(later);
    assert.deepEqual(order.toSorted(), ['released', 'revoked', 'stopped']);
    assert.equal(order[0], 'released');
    assert.equal(await fresh(), 'JOINT_PROJECT_STATE_CONFLICT');
  });
});
