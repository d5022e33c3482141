import { strict as assert } from 'node:assert';
import { changeGrant } from '../../src/consent/grants.ts';
import { systemClock } from '../../src/clock.ts';
import { createAlignment, match } from '../../src/joint/cohort/alignment.ts';
import { loadGroup, pointBytes, type Group } from '../../src/joint/cohort/group.ts';
import { cohortOf } from '../../src/joint/cohort/registry.ts';
import type { AlignmentState, CohortSummary } from '../../src/sdk/joint.ts';
import type { GrantId, SubjectId } from '../../src/vocabulary.ts';
import { codeOf, consentTo, jointProject, ruleOf, startJointStage, subjects, type JointStage } from '../support/joint.ts';

/** Fewest that policies/joint.yaml allows. */
const k = 100;

describe('cohorts at the gateway', () => {
  let stage: JointStage;
  let group: Group;
  let project: string;
  let grants: GrantId[];
  let cohort: CohortSummary;
  const members = subjects(0, k);

  before(async function () {
    this.timeout(60_000);
    [stage, group] = await Promise.all([startJointStage(), loadGroup()]);
    project = await stage.approved();
  });
  after(() => stage.platform.close());

  const revoke = (ids: readonly GrantId[]) => stage.platform.database.transaction('revoke', async (tx) => {
    for (const grant of ids) {
      const { rows: [row] } = await tx.query<{ subject: SubjectId }>('select subject from consent_grant where id = $1', [grant]);
      await changeGrant(tx, { grant, actor: { subject: row?.subject as SubjectId }, action: 'revoke' }, systemClock);
    }
  });
  const logged = async (kind: string) => (await stage.platform.database.query<{ record: string }>('select record from audit_entry where kind = $1 order by index', [kind])).rows.map(({ record }) => JSON.parse(record) as Record<string, unknown>);

  it('is not formed of k - 1 enterprises, whoever else there may be', async () => {
    await consentTo(stage.platform.database, 'bank-a', members.slice(0, k - 1));
    assert.deepEqual([await codeOf(stage.partner.formCohort(project)), await ruleOf(stage.partner.formCohort(project))], ['COHORT_REFUSED', 'cohort_min']);
    // who consents to another institution, to one column less, or for older data only does not count
    await consentTo(stage.platform.database, 'partner-b', members.slice(k - 1));
    await consentTo(stage.platform.database, 'bank-a', members.slice(k - 1), ['financials.debt_ratio', 'registry.size_class']);
    assert.equal(await ruleOf(stage.partner.formCohort(project)), 'cohort_min');
    // nor does the same enterprise twice
    await consentTo(stage.platform.database, 'bank-a', members.slice(0, 1));
    assert.equal(await ruleOf(stage.partner.formCohort(project)), 'cohort_min');
    const refused = await logged('joint.cohort_refused');
    assert.equal(refused.length, 4, 'each is logged');
    assert.deepEqual([refused[0]?.['project'], refused[0]?.['institution'], refused[0]?.['code'], refused[0]?.['rule']], [project, 'bank-a', 'COHORT_REFUSED', 'cohort_min']);
  });

  it('is formed of everybody who consents to every column, in an order that says nothing, once', async () => {
    grants = await consentTo(stage.platform.database, 'bank-a', members.slice(k - 1));
    cohort = await stage.partner.formCohort(project);
    assert.equal(cohort.size, k);
    const stored = await cohortOf(stage.platform.database, cohort.id);
    assert.deepEqual(stored.members.toSorted(), members.toSorted());
    assert.notDeepEqual(stored.members, members, 'the order in which they consented');
    assert.notDeepEqual(stored.members, members.toSorted());
    assert.deepEqual(await stage.partner.formCohort(project), cohort, 'the same enterprises are the same cohort');
    assert.equal((await stage.partner.project(project)).state, 'active');
    assert.deepEqual(await stage.partner.cohort(cohort.id), { ...cohort, fresh: true });
    const [record, ...more] = await logged('joint.cohort_formed');
    assert.deepEqual([record?.['cohort'], record?.['size'], record?.['digest'], more.length], [cohort.id, k, cohort.digest, 0]);
    assert.ok(!JSON.stringify(record).includes(members[0] as string), 'the log names nobody');
  });

  it('tells the partner where its own customers stand, and the platform only how many there are', async () => {
    const list = [...subjects(k - 30, k + 50), ...subjects(0, 5)];
    const steps: number[] = [];
    const positions = await stage.partner.align(cohort.id, list, { onProgress: (done, all) => { steps.push(done); assert.equal(all, list.length + k); } });
    const { members: placed } = await cohortOf(stage.platform.database, cohort.id);
    assert.deepEqual(positions, list.map((code) => (placed.includes(code) ? placed.indexOf(code) : undefined)));
    assert.equal(positions.filter((position) => position !== undefined).length, 35);
    assert.equal(steps.at(-1), list.length + k);
    const opened = (await logged('joint.alignment_opened')).at(-1);
    assert.deepEqual([opened?.['points'], opened?.['cohort']], [list.length, cohort.id]);
    assert.equal((await logged('joint.alignment_closed')).at(-1)?.['outcome'], 'done');
    const { rows: [run] } = await stage.platform.database.query<{ secret: Buffer | null; chunks: number }>("select secret, (select count(*)::integer from joint_alignment_chunk) as chunks from joint_alignment where state = 'done'");
    assert.deepEqual(run, { secret: null, chunks: 0 }, 'secret and points are gone when the run is over');
  });

  it('matches nobody who has not consented: enumerating codes finds members alone, and no more of them than the cap lets through', async () => {
    const guesses = subjects(0, 3 * k);
    const found = (await stage.partner.align(cohort.id, guesses)).flatMap((position, at) => (position === undefined ? [] : [guesses[at]]));
    assert.deepEqual(found.toSorted(), members.toSorted(), 'those whose grants the partner holds, and lists by GET /v1/grants anyway');
    assert.equal((await stage.partner.formCohort(project)).size, k, 'codes of the partner\'s choice on its list add nobody');
    assert.equal(await ruleOf(stage.partner.steps.open(cohort.id, 200_001)), 'list_max');
  });

  it('lets a chunk be sent again, never another one in its place', async () => {
    const run = await stage.partner.steps.open(cohort.id, 3);
    const blind = createAlignment(group, run.id);
    const secret = group.randomScalar();
    const points = blind.blind(secret, subjects(0, 3));
    const first = await stage.partner.steps.blindAgain(run.id, 0, points);
    assert.deepEqual(await stage.partner.steps.blindAgain(run.id, 0, points), first);
    assert.equal(await ruleOf(stage.partner.steps.blindAgain(run.id, 0, blind.blind(secret, subjects(3, 6)))), 'chunk_fixed');
    assert.deepEqual(await stage.partner.steps.cohortPoints(run.id, 0), await stage.partner.steps.cohortPoints(run.id, 0));
    assert.deepEqual((await stage.partner.alignment(run.id)).list_chunks, { total: 1, done: [0] });
    assert.equal(await ruleOf(stage.partner.steps.blindAgain(run.id, 1, points)), 'chunk_size');
    assert.equal(await ruleOf(stage.partner.steps.blindAgain(run.id, 0, points.slice(0, pointBytes))), 'chunk_size');
    assert.equal(await ruleOf(stage.partner.steps.cohortPoints(run.id, 1)), 'chunk_size');

    const other = await stage.partner.steps.open(cohort.id, 3);
    assert.equal(await codeOf(stage.partner.steps.blindAgain(other.id, 0, new Uint8Array(3 * pointBytes).fill(255))), 'COHORT_POINT_REFUSED');
    // points of another run are points, but they meet nothing: hashes are of their run
    const again = await stage.partner.steps.blindAgain(other.id, 0, points);
    const theirs = createAlignment(group, other.id).blindAgain(secret, await stage.partner.steps.cohortPoints(other.id, 0));
    assert.deepEqual(match(again, theirs), [undefined, undefined, undefined]);
    for (const { id } of [run, other]) await stage.partner.endAlignment(id);
    assert.equal(await codeOf(stage.partner.steps.blindAgain(run.id, 0, points)), 'ALIGNMENT_STATE_CONFLICT');
    assert.equal((await stage.partner.endAlignment(run.id)).state, 'done', 'ended once');
  });

  it('goes on with an interrupted run, with the same list only', async () => {
    const list = subjects(0, 40);
    let kept: AlignmentState | undefined;
    let calls = 0;
    const { steps } = stage.partner;
    const broken = { ...stage.partner.steps, cohortPoints: () => Promise.reject(new Error('the network broke')) };
    const { alignList } = await import('../../src/sdk/alignment.ts');
    await assert.rejects(alignList(broken, cohort.id, list, { onOpen: (state) => { kept = state; } }), /network/);
    assert.ok(kept !== undefined);
    await assert.rejects(alignList(steps, cohort.id, list.toReversed(), { resume: kept }), { code: 'ALIGNMENT_CHUNK_REFUSED' });
    const counted = { ...steps, open: (id: string, points: number) => { calls += 1; return steps.open(id, points); } };
    const positions = await alignList(counted, cohort.id, list, { resume: kept });
    const { members: placed } = await cohortOf(stage.platform.database, cohort.id);
    assert.deepEqual([positions, calls], [list.map((code) => placed.indexOf(code)), 0]);
  });

  it('answers another institution as if nothing were there', async () => {
    const run = await stage.partner.steps.open(cohort.id, 1);
    const points = createAlignment(group, run.id).blind(group.randomScalar(), subjects(0, 1));
    const attempts = (id: string, of: string, alignment: string) => Promise.all([
      stage.other.formCohort(of), stage.other.cohorts(of), stage.other.cohort(id), stage.other.align(id, subjects(0, 1)), stage.other.alignment(alignment),
      stage.other.steps.blindAgain(alignment, 0, points), stage.other.steps.cohortPoints(alignment, 0), stage.other.endAlignment(alignment),
    ].map(codeOf));
    const nothing = 'A'.repeat(22);
    assert.deepEqual(await attempts(cohort.id, project, run.id), await attempts(nothing, nothing, nothing));
    assert.deepEqual([...new Set(await attempts(cohort.id, project, run.id))], ['JOINT_PROJECT_NOT_FOUND', 'COHORT_NOT_FOUND', 'ALIGNMENT_NOT_FOUND']);
    await stage.partner.endAlignment(run.id);
  });

  it('keeps the secret of a run encrypted, and only until its deadline', async () => {
    const { database } = stage.platform;
    const run = await stage.partner.steps.open(cohort.id, 1);
    const { rows: [row] } = await database.query<{ secret: Buffer }>('select secret from joint_alignment where id = $1', [run.id]);
    assert.equal(row?.secret.length, 4 + 12 + 32 + 16);
    const points = createAlignment(group, run.id).blind(group.randomScalar(), subjects(0, 1));
    await stage.partner.steps.blindAgain(run.id, 0, points);
    await database.query('update joint_alignment set deadline_ms = $2 where id = $1', [run.id, Date.now() - 1]);
    assert.equal((await stage.partner.alignment(run.id)).state, 'expired');
    assert.equal(await codeOf(stage.partner.steps.blindAgain(run.id, 0, points)), 'ALIGNMENT_STATE_CONFLICT');
    assert.equal(await codeOf(stage.partner.steps.cohortPoints(run.id, 0)), 'ALIGNMENT_STATE_CONFLICT');
    const { expireAlignments } = await import('../../src/gateway/use-cases/joint-cohorts.ts');
    await expireAlignments({ database, clock: systemClock });
    const { rows: [after] } = await database.query('select state, secret from joint_alignment where id = $1', [run.id]);
    assert.deepEqual(after, { state: 'expired', secret: null });
    assert.equal((await logged('joint.alignment_closed')).at(-1)?.['outcome'], 'expired');
  });

  it('is stale as soon as one member has revoked, for every later step', async () => {
    await revoke(grants.slice(0, 1));
    assert.equal((await stage.partner.cohort(cohort.id)).fresh, false);
    assert.equal(await codeOf(stage.partner.steps.open(cohort.id, 1)), 'COHORT_STALE');
    assert.equal(await ruleOf(stage.partner.formCohort(project)), 'cohort_min', 'k - 1 are left');
  });

  it('cannot be told from an earlier one by fewer than k enterprises, added and removed together, in any project', async () => {
    const { database } = stage.platform;
    const changed = await consentTo(database, 'bank-a', subjects(k, k + 2));
    assert.equal(await ruleOf(stage.partner.formCohort(project)), 'cohort_difference', 'one out, two in');
    const elsewhere = await stage.approved({ datasets: ['registry'], columns: jointProject().columns.slice(1) });
    assert.equal(await ruleOf(stage.partner.formCohort(elsewhere)), 'cohort_difference', 'another project over a common dataset');
    await revoke(changed);
    await consentTo(database, 'bank-a', members.slice(k - 1));
    const same = await stage.partner.formCohort(elsewhere);
    assert.notEqual(same.id, cohort.id, 'the same enterprises in another project: nobody is told apart');
    assert.equal((await stage.partner.cohort(cohort.id)).fresh, true, 'and the earlier cohort may be used again');
    await consentTo(database, 'bank-a', subjects(k, 2 * k - 1));
    assert.equal(await ruleOf(stage.partner.formCohort(project)), 'cohort_difference', 'k - 1 more');
    await consentTo(database, 'bank-a', subjects(2 * k - 1, 2 * k));
    assert.equal((await stage.partner.formCohort(project)).size, 2 * k, 'k more');
    assert.deepEqual((await stage.partner.cohorts(project)).map(({ size }) => size), [2 * k, k]);
  });

  it('ends with its project: nothing more is formed or aligned after its last day, or when it was stopped', async () => {
    const { database } = stage.platform;
    const run = await stage.partner.steps.open((await stage.partner.cohorts(project))[0]?.id as string, 1);
    await database.query('alter table joint_project disable trigger joint_project_document_fixed');
    await database.query(`update joint_project set document = regexp_replace(document, '"ends_on":"[^"]*"', '"ends_on":"2026-01-01"'), ends_on = '2026-01-01' where id = $1`, [project]);
    await database.query('alter table joint_project enable trigger joint_project_document_fixed');
    assert.equal((await stage.partner.project(project)).state, 'ended');
    assert.equal(await codeOf(stage.partner.formCohort(project)), 'JOINT_PROJECT_STATE_CONFLICT');
    assert.equal(await codeOf(stage.partner.steps.open(run.cohort, 1)), 'JOINT_PROJECT_STATE_CONFLICT');
    assert.equal(await codeOf(stage.partner.steps.cohortPoints(run.id, 0)), 'JOINT_PROJECT_STATE_CONFLICT', 'a run under way gives nothing more');
    const { endOverdueProjects } = await import('../../src/gateway/use-cases/joint-projects.ts');
    await endOverdueProjects({ database, clock: systemClock });
    assert.deepEqual((await logged('joint.project_ended')).at(-1)?.['reason'], 'time_over');
    const fresh = await stage.officers[0].propose(jointProject());
    assert.equal(await codeOf(stage.partner.formCohort(fresh.id)), 'JOINT_PROJECT_STATE_CONFLICT', 'not before it is approved');
  });

  it('bounds how many are begun in a day', async () => {
    const elsewhere = await stage.approved();
    const { id } = await stage.partner.formCohort(elsewhere);
    const outcomes: unknown[] = [];
    for (let n = 0; n < 11; n += 1) outcomes.push(await codeOf(stage.partner.steps.open(id, 1)));
    assert.equal(outcomes.at(-1), 'REQUEST_QUOTA_EXCEEDED');
    assert.ok((await logged('joint.alignment_opened')).length === 10);
  });

  it('is formed once when asked for twice at once', async () => {
    const elsewhere = await stage.approved();
    const both = await Promise.all([stage.partner.formCohort(elsewhere), stage.partner.formCohort(elsewhere)]);
    assert.equal(both[0]?.id, both[1]?.id);
  });
});
