import { strict as assert } from 'node:assert';
import { appendRecords, policyIndex } from '../../src/audit/append.ts';
import { recordHead } from '../../src/audit/entry.ts';
import { VeilgateError, isVeilgateError } from '../../src/errors.ts';
import { unloggedStanding } from '../../src/gateway/use-cases/policy-standing.ts';
import { refusalsMax, runJobTask } from '../../src/gateway/use-cases/score-job-part.ts';
import { cancelJob } from '../../src/gateway/use-cases/score-job-requests.ts';
import type { CompiledPolicy } from '../../src/policy/policy.ts';
import { removeSubject } from '../../src/scoring/feature/removal.ts';
import { findJob } from '../../src/scoring/job/job.ts';
import type { FeatureId } from '../../src/scoring/protocol.ts';
import type { FieldRef, PartyId, SubjectId } from '../../src/vocabulary.ts';
import { untilBlocked } from '../support/until.ts';
import { progressOf } from './support/progress.ts';
import { bank, makeWorld, purpose, reasonsOf, startMs, runAll, scoreOf, subjectOf, usesOf, type World } from './support/world.ts';

const many = (count: number, from = 0) => Array.from({ length: count }, (_, n) => subjectOf(from + n));
const listed = (subjects: readonly SubjectId[]) => subjects.map((subject) => ({ subject }));

/** The world's policy, but for everything being closed. */
const closedPolicy = ({ desk: { standing } }: World): CompiledPolicy => ({ ...standing.policy(), version: 'f'.repeat(64) as never, decide: (request) => standing.policy().decide({ ...request, consent: null }) });

/** Enterprises that stand in as many blocks, two in each: small parts, many of them. */
async function sparse(world: World, blocks: number): Promise<SubjectId[]> {
  const chosen = many(blocks * 2);
  await world.placeAt(chosen.map((subject, at) => [subject, Math.floor(at / 2) * 4096 + (at % 2)]));
  await world.grant(chosen);
  return chosen;
}

describe('a job that scores many', () => {
  it('gives the bank the score of each enterprise that granted it, in parts, and spends each grant once', async () => {
    const world = await makeWorld();
    const subjects = many(5000);
    await world.place(subjects);
    await world.grant(subjects);
    const job = await world.begun(listed(subjects));
    await runAll(world);
    assert.equal((await findJob(world.database, job))?.state, 'done');
    assert.deepEqual(await progressOf(world.database, job), { planned: 1, parts: { pending: 0, released: 2, empty: 0, failed: 0, stopped: 0 }, scored: 5000, unscored: 0 });
    const scores = new Map([...await world.openPart(job, 0), ...await world.openPart(job, 1)]);
    assert.equal(scores.size, 5000);
    subjects.forEach((subject, at) => assert.equal(scores.get(subject), scoreOf(Math.floor(at / 4096), at % 4096)));
    assert.deepEqual(new Set((await usesOf(world)).values()), new Set([1]));
    const { rows: [left] } = await world.database.query('select count(masks) as masks, (select count(*) from scoring_job_fragment) as fragments from scoring_job_part');
    assert.deepEqual(left, { masks: 0, fragments: 0 }, 'masks and plans go with the release');
  });

  it('reports who cannot be scored, alike for unknown enterprises, missing grants and those of others', async () => {
    const world = await makeWorld();
    const [good, none, others, narrow, noData, noPlace] = many(6) as [SubjectId, SubjectId, SubjectId, SubjectId, SubjectId, SubjectId];
    await world.place([good, none, others, narrow, noData], { unfilled: [noData] });
    await world.grant([good, noData, noPlace]);
    await world.grant([narrow], { fields: ['tax.credit_rating'] });
    const foreign = (await world.grant([others], { institution: 'bank-b' })).get(others)!;
    const mistyped = `${good.slice(0, 17)}${good.endsWith('0') ? '1' : '0'}` as SubjectId;
    const job = await world.begun([...listed([good, none]), { subject: others, grant: foreign }, ...listed([narrow, noData, noPlace, subjectOf(77), mistyped, good])]);
    await runAll(world);
    assert.deepEqual(await world.openPart(job, 0), new Map([[good, scoreOf(0, 0)]]));
    assert.deepEqual(await reasonsOf(world, job), [
      [none, 'CONSENT_REQUIRED'], [others, 'CONSENT_REQUIRED'], [narrow, 'SCORE_NOT_PERMITTED'], [noPlace, 'SCORE_DATA_MISSING'],
      [subjectOf(77), 'CONSENT_REQUIRED'], [mistyped, 'CONSENT_REQUIRED'], [good, 'SCORE_SUBJECT_REPEATED'], [noData, 'SCORE_DATA_MISSING'],
    ].sort());
    assert.deepEqual([...await usesOf(world)].filter(([, uses]) => uses > 0), [[good, 1]]);
    const { scored, unscored } = await progressOf(world.database, job);
    assert.deepEqual({ scored, unscored }, { scored: 1, unscored: 8 });
  });

  it('loses and doubles nothing when every task is done three times, at once', async () => {
    const world = await makeWorld();
    const subjects = await sparse(world, 3);
    const job = await world.begun(listed(subjects));
    for (let tasks = await world.takeTasks(); tasks.length > 0; tasks = await world.takeTasks()) {
      await Promise.all([...tasks, ...tasks, ...tasks].map((task) => runJobTask(world.desk, task)));
    }
    assert.equal((await progressOf(world.database, job)).scored, 6);
    assert.deepEqual(new Set((await usesOf(world)).values()), new Set([1]));
    const { rows: [counted] } = await world.database.query(
      `select (select count(*) from audit_entry where kind = 'scores.released') as records, (select count(*) from score_release) as histories`);
    assert.deepEqual({ records: counted?.['records'], histories: counted?.['histories'] }, { records: 3, histories: 6 });
    for (const n of [0, 1, 2]) assert.equal((await world.openPart(job, n)).size, 2);
  });

  it('leaves out whose grant was revoked between submit and release: not spent, not told, no mask of it given out', async () => {
    const world = await makeWorld();
    const [stays, goes] = await sparse(world, 1) as [SubjectId, SubjectId];
    const job = await world.begun(listed([stays, goes]));
    world.before.release = async () => { await world.database.query("update consent_grant set state = 'revoked' where subject = $1", [goes]); };
    await runAll(world);
    assert.equal(world.counts.opened, 1, 'the custodian answered for both');
    assert.deepEqual(await world.openPart(job, 0), new Map([[stays, scoreOf(0, 0)]]));
    assert.deepEqual(await reasonsOf(world, job), [[goes, 'CONSENT_REVOKED']]);
    assert.deepEqual(await usesOf(world), new Map([[stays, 1], [goes, 0]]));
  });

  it('leaves out who was taken out of the columns between computing and release', async () => {
    const world = await makeWorld();
    const [stays, goes] = await sparse(world, 1) as [SubjectId, SubjectId];
    const job = await world.begun(listed([stays, goes]));
    world.before.release = async () => {
      const removed = await world.database.transaction('test removal', (tx) => removeSubject(tx, goes, ['tax/rating_a' as FeatureId], world.clock.nowMs()));
      assert.equal(removed?.position.slot, 1);
    };
    await runAll(world);
    assert.equal(world.counts.opened, 1, 'the custodian answered for both');
    assert.deepEqual(await world.openPart(job, 0), new Map([[stays, scoreOf(0, 0)]]));
    assert.deepEqual(await reasonsOf(world, job), [[goes, 'SCORE_DATA_MISSING']]);
    assert.deepEqual(await usesOf(world), new Map([[stays, 1], [goes, 0]]));
  });

  it('asks policy again when it changed since the list was planned', async () => {
    const world = await makeWorld();
    const subjects = await sparse(world, 1);
    const job = await world.begun(listed(subjects));
    await runAll(world, (task) => task.kind === 'plan');
    const closed: World['desk'] = { ...world.desk, standing: unloggedStanding(() => closedPolicy(world)) };
    for (const task of world.held) await runJobTask(closed, task);
    assert.deepEqual((await reasonsOf(world, job)).map(([, reason]) => reason), ['SCORE_NOT_PERMITTED', 'SCORE_NOT_PERMITTED']);
    assert.equal((await progressOf(world.database, job)).parts.empty, 1);
    assert.deepEqual(new Set((await usesOf(world)).values()), new Set([0]));
  });

  it('leaves under no policy of before, whenever another one comes into force: what was computed is decided again', async () => {
    const world = await makeWorld();
    const subjects = await sparse(world, 1);
    const job = await world.begun(listed(subjects));
    await runAll(world, (task) => task.kind === 'plan');
    let policy = world.desk.standing.policy();
    let followed = 0;
    let asOf = -1;
    const desk: World['desk'] = { ...world.desk, standing: { policy: () => policy, asOf: () => asOf, follow: async () => {
      followed += 1;
      asOf = await policyIndex(world.database);
      policy = closedPolicy(world);
    } } };
    // where the last step before the entry is the wait for the grants
    await world.database.transaction('hold', async (tx) => {
      await tx.query('select from consent_grant where subject = $1 for update', [subjects[0]]);
      const released = Promise.all(world.held.map((task) => runJobTask(desk, task)));
      await untilBlocked(world.database);
      await world.database.transaction('withhold', (other) => appendRecords(other, [{ ...recordHead('policy.emergency_withheld', world.clock.nowMs(), 'officer-c' as PartyId), withhold: 'a'.repeat(16), field: 'tax.credit_rating' as FieldRef, purpose, reason: 'wrong_values', expires: '2026-04-01T00:00:00.000Z' }]));
      return { released };
    }).then(({ released }) => released);
    assert.equal(followed, 1);
    assert.deepEqual((await reasonsOf(world, job)).map(([, reason]) => reason), ['SCORE_NOT_PERMITTED', 'SCORE_NOT_PERMITTED']);
    assert.deepEqual(new Set((await usesOf(world)).values()), new Set([0]));
    assert.equal(world.counts.opened, 1, 'computed once');
  });

  it('ends when its model is retired or its bank\'s assessment is not passed any more before a part leaves', async () => {
    const changes: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
      SCORE_MODEL_NOT_USABLE: ({ database }) => database.query(
        "insert into scoring_model (ref, document, digest, state, proposed_by, proposed_ms, decided_by, decided_ms, retired_by, retired_ms, retirement) values ('test@1', '{}', $1, 'retired', $2, 0, 'officer-c', 1, 'officer-c', 2, 'outdated')", ['a'.repeat(64), bank]),
      INSTITUTION_ASSESSMENT_MISSING: ({ database }) => database.query("insert into security_assessment (institution, level, passed, assessor, assessed_ms, valid_until, findings_digest) values ($1, 4, false, 'officer-c', $2, '2027-01-01', $3)", [bank, startMs, 'b'.repeat(64)]),
    };
    for (const [reason, change] of Object.entries(changes)) {
      const world = await makeWorld();
      const job = await world.begun(listed(await sparse(world, 1)));
      world.before.release = async () => { await change(world); };
      await runAll(world);
      const ended = await findJob(world.database, job);
      assert.deepEqual([ended?.state, ended?.reason], ['stopped', reason]);
      assert.deepEqual(new Set((await usesOf(world)).values()), new Set([0]));
    }
  });

  it('withholds what together with earlier scores would tell too much', async () => {
    const world = await makeWorld({ judge: () => false });
    const subjects = await sparse(world, 1);
    const job = await world.begun(listed(subjects));
    await runAll(world);
    assert.deepEqual((await reasonsOf(world, job)).map(([, reason]) => reason), ['SCORE_LIMIT_REACHED', 'SCORE_LIMIT_REACHED']);
  });

  it('has every sum held to what its columns may hold', async () => {
    const world = await makeWorld();
    await world.begun(listed(await sparse(world, 1)));
    const bounds: unknown[] = [];
    await runAll(world, () => true, { ...world.desk, evaluate: (task) => { bounds.push(task.bounds?.map(({ low, high }) => [low, high])); return world.desk.evaluate(task); } });
    assert.deepEqual(bounds, [[[0, 1], [0, 1], [0, 1]]]);
  });

  it('is cancelled: nothing is released afterwards, what was released stays', async () => {
    const world = await makeWorld();
    const subjects = await sparse(world, 3);
    const job = await world.begun(listed(subjects));
    await runAll(world, (task) => task.kind === 'plan' || task.n === 0);
    const cancelled = await cancelJob(world.door, bank, job);
    assert.equal(cancelled.state, 'cancelled');
    for (const task of world.held) await runJobTask(world.desk, task);
    await runAll(world);
    assert.deepEqual((await progressOf(world.database, job)).parts, { pending: 0, released: 1, empty: 0, failed: 0, stopped: 2 });
    assert.equal((await world.openPart(job, 0)).size, 2);
    assert.equal([...(await usesOf(world)).values()].reduce((sum, uses) => sum + uses, 0), 2);
    assert.equal((await cancelJob(world.door, bank, job)).finishedMs, cancelled.finishedMs, 'once more changes nothing');
  });

  it('stops when its institution is suspended, also between computing and release', async () => {
    for (const moment of ['before', 'release'] as const) {
      const world = await makeWorld();
      const job = await world.begun(listed(await sparse(world, 1)));
      const suspend = async () => { await world.database.query("update party set status = 'suspended' where id = $1", [bank]); };
      if (moment === 'before') await suspend();
      else world.before.release = suspend;
      await runAll(world);
      const { state, reason } = (await findJob(world.database, job))!;
      assert.deepEqual({ state, reason }, { state: 'stopped', reason: 'INSTITUTION_NOT_ACTIVE' });
      assert.deepEqual(new Set((await usesOf(world)).values()), new Set([0]));
    }
  });

  it('stops when its model or its key is withdrawn, or its request has expired', async () => {
    const world = await makeWorld();
    const subjects = await sparse(world, 1);
    const ends: Readonly<Record<string, Partial<World['desk']>>> = { SCORE_MODEL_NOT_USABLE: { model: async () => undefined }, DISCLOSURE_KEY_MISSING: { recipientKey: async () => undefined }, SCORE_JOB_EXPIRED: {} };
    for (const [code, changes] of Object.entries(ends)) {
      const job = await world.begun(listed(subjects));
      if (code === 'SCORE_JOB_EXPIRED') world.clock.advanceMs(86_400_000);
      await runAll(world, () => true, { ...world.desk, ...changes });
      assert.equal((await findJob(world.database, job))?.reason, code);
    }
  });

  it('tries again when the custodian does not answer, and gives a part up that it refuses for good', async () => {
    const world = await makeWorld();
    const subjects = await sparse(world, 2);
    const job = await world.begun(listed(subjects));
    let answers: readonly string[] = ['CUSTODIAN_UNAVAILABLE', 'ok'];
    world.before.openMasked = async () => {
      const [answer, ...rest] = answers;
      answers = rest;
      if (answer !== undefined && answer !== 'ok') throw new VeilgateError(answer as 'CUSTODIAN_REFUSED', 'test');
    };
    await runAll(world, (task) => task.kind === 'plan');
    const [first, second] = world.held;
    await assert.rejects(runJobTask(world.desk, first!), (error) => isVeilgateError(error, 'CUSTODIAN_UNAVAILABLE'));
    await runJobTask(world.desk, first!);
    answers = Array.from({ length: refusalsMax }, () => 'CUSTODIAN_REFUSED');
    for (let refusals = 1; refusals < refusalsMax; refusals += 1) {
      await assert.rejects(runJobTask(world.desk, second!), (error) => isVeilgateError(error, 'CUSTODIAN_REFUSED'));
      assert.equal((await progressOf(world.database, job)).parts.failed, 0, `refusal ${refusals}`);
    }
    await runJobTask(world.desk, second!);
    const { parts, scored, unscored } = await progressOf(world.database, job);
    assert.deepEqual({ released: parts.released, failed: parts.failed, scored, unscored }, { released: 1, failed: 1, scored: 2, unscored: 2 });
    assert.deepEqual(new Set((await reasonsOf(world, job)).map(([, reason]) => reason)), new Set(['CUSTODIAN_REFUSED']));
    assert.equal((await findJob(world.database, job))?.state, 'done');
  });

  it('takes turns with other jobs, however long each is', async () => {
    const world = await makeWorld();
    const subjects = await sparse(world, 40);
    const long = await world.begun(listed(subjects));
    await runAll(world, (task) => task.kind === 'plan');
    await world.putBack();
    const short = await world.begun(listed(subjects.slice(0, 8)));
    const order: string[] = [];
    for (let tasks = await world.takeTasks(1); tasks.length > 0; tasks = await world.takeTasks(1)) {
      for (const task of tasks) await runJobTask(world.desk, task);
      order.push(tasks[0]!.job === long ? 'long' : 'short');
    }
    const lastOfShort = order.lastIndexOf('short');
    assert.ok(lastOfShort < 40, `the short job ended after ${lastOfShort} tasks`);
    assert.equal((await progressOf(world.database, short)).scored, 8);
    assert.equal((await progressOf(world.database, long)).scored, 80);
  });
});
