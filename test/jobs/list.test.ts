import { strict as assert } from 'node:assert';
import { hash, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { isVeilgateError, type ErrorCode } from '../../src/errors.ts';
import { addChunk, beginJob, cancelJob, forgetJobList, openJob, repeatJob } from '../../src/gateway/use-cases/score-job-requests.ts';
import { tidyJobs } from '../../src/gateway/use-cases/score-job-desk.ts';
import { findJob, ownJob } from '../../src/scoring/job/job.ts';
import { chunkBytesMax, chunkLines, chunkSubjectsMax, parseChunk, type ListedSubject } from '../../src/scoring/job/list-digest.ts';
import { openMasks, sealMasks } from '../../src/scoring/job/sealed-masks.ts';
import { readPartResult } from '../../src/scoring/job/part.ts';
import { chunked, digestList } from '../../src/sdk/score-jobs.ts';
import type { GrantId, InstitutionClass, InstitutionId, PartyId } from '../../src/vocabulary.ts';
import { progressOf } from './support/progress.ts';
import { bank, makeWorld, reasonsOf, runAll, subjectOf, usesOf } from './support/world.ts';

const caller = { party: bank as unknown as PartyId, institutionClass: 'commercial_bank' as InstitutionClass, securityLevel: 4 };
const many = (count: number): ListedSubject[] => Array.from({ length: count }, (_, n) => ({ subject: subjectOf(n) }));
const refused = (code: ErrorCode) => (error: unknown) => isVeilgateError(error, code);

describe('a list of enterprises', () => {
  it('is read as it was written, and in no other spelling', () => {
    const subject = fc.nat(1e8).map(subjectOf);
    const grant = fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url') as GrantId), { nil: undefined });
    fc.assert(fc.property(fc.array(fc.record({ subject, grant }), { maxLength: 20 }), (items) => {
      const subjects = items.map(({ subject: code, grant: id }) => (id === undefined ? { subject: code } : { subject: code, grant: id }));
      assert.deepEqual(parseChunk(chunkLines(subjects)), subjects);
      assert.ok(chunkLines(subjects).length <= chunkBytesMax);
    }));
    const good = chunkLines(many(2));
    for (const bad of [good.slice(0, -1), `${good}\n`, good.replace('{', '{ '), good.replace('"subject"', '"Subject"'), `${good}{"subject":"91310000000000000X","grant":"AAAAAAAAAAAAAAAAAAAAAA"}\n`, good.replaceAll('\n', '\r\n')]) {
      assert.equal(typeof parseChunk(bad), 'number', JSON.stringify(bad.slice(0, 60)));
    }
  });

  it('has one digest for bank and gateway, which its salt keeps from being guessed', async () => {
    const world = await makeWorld();
    const subjects = many(chunkSubjectsMax + 5);
    const { signed, salt } = await world.sign(subjects);
    assert.equal((await digestList(subjects, salt as Uint8Array<ArrayBuffer>)).digest, signed.score.subjects);
    assert.notEqual((await digestList(subjects)).digest, signed.score.subjects);
    const sizes: number[] = [];
    for await (const chunk of chunked(subjects)) sizes.push(chunk.length);
    assert.deepEqual(sizes, [chunkSubjectsMax, 5]);
  });

  it('is taken in order, each chunk once, and begins only when it is the one that was signed', async () => {
    const world = await makeWorld();
    const subjects = many(chunkSubjectsMax + 5);
    const { signed, salt } = await world.sign(subjects);
    const { id } = await openJob(world.door, signed, salt, caller);
    const [first, second] = [chunkLines(subjects.slice(0, chunkSubjectsMax)), chunkLines(subjects.slice(chunkSubjectsMax))];
    const add = (n: number, lines: string) => addChunk(world.door, bank, id, n, lines);
    await assert.rejects(add(1, second), refused('SCORE_LIST_MISMATCH'));
    await assert.rejects(add(0, second), refused('SCORE_LIST_MISMATCH'));
    await assert.rejects(add(0, `${first}x`), (error) => isVeilgateError(error, 'SCORE_LIST_INVALID') && error.detail?.['line'] === chunkSubjectsMax + 1);
    await add(0, first);
    assert.equal((await add(0, first)).chunks, 1, 'the same once more');
    await assert.rejects(add(0, first.replace('9131', '9231')), refused('SCORE_LIST_MISMATCH'));
    await assert.rejects(beginJob(world.door, bank, id), refused('SCORE_LIST_MISMATCH'));
    await add(1, second);
    const begun = await beginJob(world.door, bank, id);
    assert.equal(begun.state, 'planning');
    assert.equal((await beginJob(world.door, bank, id)).startedMs, begun.startedMs, 'once more changes nothing');
    await assert.rejects(add(2, second), refused('SCORE_JOB_STATE_CONFLICT'));

    const other = await world.sign(subjects);
    const wrong = await openJob(world.door, { ...other.signed, score: { ...other.signed.score, count: 5 } }, other.salt, caller);
    await addChunk(world.door, bank, wrong.id, 0, second);
    await assert.rejects(beginJob(world.door, bank, wrong.id), refused('SCORE_LIST_MISMATCH'));
  });

  it('is not taken when too many are kept, or they name too many enterprises, until one is forgotten', async () => {
    const world = await makeWorld();
    const { signed, salt } = await world.sign(many(1));
    const open = async () => openJob(world.door, { ...signed, requestDigest: hash('sha256', randomUUID(), 'hex') }, salt, caller);
    const first = await open();
    await assert.rejects(forgetJobList(world.door, bank, first.id), refused('SCORE_JOB_STATE_CONFLICT'));
    await cancelJob(world.door, bank, first.id);
    const keepMore = (lists: number, enterprises: number) => world.database.query(
      "insert into scoring_list select lpad(n::text, 22, 'A'), institution, salt, digest, $2, chain, received, chunks, keep_until_ms from scoring_list, generate_series(1, $1) as n where id not like 'AAAA%'", [lists, enterprises]);
    for (const [lists, enterprises] of [[20, 1_000_000], [999, 1]] as const) {
      await keepMore(lists, enterprises);
      await assert.rejects(open(), refused('SCORE_JOBS_TOO_MANY'));
      await world.database.query("delete from scoring_list where id like 'AAAA%'");
    }
    await keepMore(999, 1);
    await forgetJobList(world.door, bank, first.id);
    await assert.rejects(ownJob(world.database, first.id, bank), refused('SCORE_JOB_NOT_FOUND'));
    await cancelJob(world.door, bank, (await open()).id);
  });

  it('belongs to one bank: others cannot see, fill, begin, repeat or cancel its job', async () => {
    const world = await makeWorld();
    const job = await world.begun(many(1));
    const stranger = 'bank-b' as InstitutionId;
    const { signed } = await world.sign(many(1));
    for (const attempt of [
      () => ownJob(world.database, job, stranger), () => addChunk(world.door, stranger, job, 0, chunkLines(many(1))), () => beginJob(world.door, stranger, job),
      () => cancelJob(world.door, stranger, job), () => forgetJobList(world.door, stranger, job), () => repeatJob(world.door, job, { ...signed, institution: stranger }, caller), () => ownJob(world.database, 'A'.repeat(22), bank),
    ]) await assert.rejects(attempt(), refused('SCORE_JOB_NOT_FOUND'));
  });

  it('makes one job of one request, and no more jobs at a time than the platform takes', async () => {
    const world = await makeWorld();
    const { signed, salt } = await world.sign(many(1));
    await openJob(world.door, signed, salt, caller);
    await assert.rejects(openJob(world.door, signed, salt, caller), refused('SCORE_JOB_STATE_CONFLICT'));
    const open = async () => { const next = await world.sign(many(1)); return openJob(world.door, next.signed, next.salt, caller); };
    const jobs = [await open(), await open(), await open()];
    await assert.rejects(open(), refused('SCORE_JOBS_TOO_MANY'));
    await cancelJob(world.door, bank, jobs[0]!.id);
    await open();
  });

  it('is refused for one enterprise, for too many, under a model nobody may use, and after its request expired', async () => {
    const world = await makeWorld();
    const { signed, salt } = await world.sign(many(1));
    const asked = (changes: object) => openJob(world.door, { ...signed, score: { ...signed.score, ...changes } }, salt, caller);
    await assert.rejects(asked({ kind: 'one' }), refused('SCORE_INVALID'));
    await assert.rejects(asked({ count: 1_000_001 }), refused('SCORE_INVALID'));
    await assert.rejects(asked({ model: 'other@1' }), refused('SCORE_MODEL_NOT_USABLE'));
    await assert.rejects(asked({ purpose: 'marketing' }), refused('SCORE_MODEL_NOT_USABLE'));
    const { id } = await asked({});
    world.clock.advanceMs(86_400_000);
    await assert.rejects(addChunk(world.door, bank, id, 0, chunkLines(many(1))), refused('SCORE_JOB_EXPIRED'));
  });

  it('is scored again under a request of its own: grants are decided on and spent anew', async () => {
    const world = await makeWorld();
    const subjects = many(3);
    await world.place(subjects.map(({ subject }) => subject));
    await world.grant(subjects.map(({ subject }) => subject));
    const first = await world.begun(subjects);
    await runAll(world);
    await world.database.query("update consent_grant set state = 'paused' where subject = $1", [subjectOf(0)]);
    const { rows: [{ salt } = { salt: new Uint8Array() }] } = await world.database.query<{ salt: Uint8Array }>('select salt from scoring_list');
    const again = await world.sign(subjects, { salt: new Uint8Array(salt) });
    const run = await repeatJob(world.door, first, again.signed, caller);
    assert.deepEqual({ repeats: run.repeats, state: run.state }, { repeats: first, state: 'planning' });
    await runAll(world);
    assert.equal((await world.openPart(run.id, 0)).size, 2);
    assert.deepEqual(await reasonsOf(world, run.id), [[subjectOf(0), 'CONSENT_PAUSED']]);
    assert.deepEqual(await usesOf(world), new Map([[subjectOf(0), 1], [subjectOf(1), 2], [subjectOf(2), 2]]));
    const other = await world.sign(many(2));
    await assert.rejects(repeatJob(world.door, first, other.signed, caller), refused('SCORE_LIST_MISMATCH'));
  });
});

describe('what jobs leave behind', () => {
  it('expires: jobs with their request, results after days, lists long after the last job', async () => {
    const world = await makeWorld();
    await world.place([subjectOf(0)]);
    await world.grant([subjectOf(0)]);
    const job = await world.begun(many(2));
    await runAll(world);
    const idle = await openJob(world.door, (await world.sign(many(1))).signed, new Uint8Array(32), caller);
    const before = await progressOf(world.database, job);
    world.clock.advanceMs(2 * 86_400_000);
    await tidyJobs(world.desk);
    assert.deepEqual({ ...(await findJob(world.database, idle.id)) }.reason, 'SCORE_JOB_EXPIRED');
    assert.equal((await world.openPart(job, 0)).size, 1, 'results wait a week');
    world.clock.advanceMs(6 * 86_400_000);
    await tidyJobs(world.desk);
    assert.deepEqual({ ...await readPartResult(world.database, job, 0) }.gatewayHalf, null);
    assert.deepEqual(await progressOf(world.database, job), before, 'the figures stay');
    assert.deepEqual(await reasonsOf(world, job), []);
    world.clock.advanceMs(100 * 86_400_000);
    await tidyJobs(world.desk);
    const { rows: [left] } = await world.database.query('select (select count(*) from scoring_list) as lists, (select count(*) from scoring_job) as jobs, (select count(*) from scoring_list_chunk) as chunks');
    assert.deepEqual(left, { lists: 0, jobs: 0, chunks: 0 });
  });

  it('masks that wait for a release open with the platform\'s secret, in their own place, unaltered', () => {
    const secrets = { secrets: new Map([[1, new Uint8Array(32).fill(7)], [2, new Uint8Array(32).fill(9)]]), currentVersion: 2 };
    const masks = [Uint32Array.of(1, 2, 1_032_192), Uint32Array.of(4, 5, 6)];
    const sealed = sealMasks(secrets, 'job 1 ticket', masks);
    assert.deepEqual(openMasks(secrets, 'job 1 ticket', sealed, 3), masks);
    const altered = Buffer.from(sealed);
    altered[20]! ^= 1;
    for (const attempt of [
      () => openMasks(secrets, 'job 2 ticket', sealed, 3), () => openMasks(secrets, 'job 1 ticket', altered, 3), () => openMasks(secrets, 'job 1 ticket', sealed.subarray(0, -1), 3),
      () => openMasks(secrets, 'job 1 ticket', sealed, 4), () => openMasks({ ...secrets, secrets: new Map() }, 'job 1 ticket', sealed, 3), () => openMasks(secrets, 'job 1 ticket', sealed.subarray(0, 10), 3),
    ]) assert.throws(attempt, refused('INTERNAL'));
  });
});
