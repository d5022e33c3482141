import { strict as assert } from 'node:assert';
import path from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { unloggedStanding } from '../../src/gateway/use-cases/policy-standing.ts';
import { composeJoint } from '../../src/gateway/joint.ts';
import { purgeFinishedPads } from '../../src/gateway/use-cases/joint-bundle.ts';
import { answerQuestion } from '../../src/gateway/use-cases/joint-release.ts';
import { openKeyring } from '../../src/identity/keyring.ts';
import { encodeColumnValue } from '../../src/joint/project/encoding.ts';
import { loadPolicyPack } from '../../src/policy/load.ts';
import { openAnswer } from '../../src/sdk/joint-answers.ts';
import { fetchResults, type JointRunView, type Statement } from '../../src/sdk/joint-run.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import { latestColumns } from '../../src/source/latest-columns.ts';
import type { FieldRef, IsoDate } from '../../src/vocabulary.ts';
import { codeOf, consentTo } from '../support/joint.ts';
import { startRunStage, twinOf, type JointCase, type JointRunStage } from '../support/joint-run.ts';

/** Later than every tax record of the stage. */
const sinceLater = '2026-11-01' as IsoDate;
/** After the month before the latest, on the day of the latest. */
const sinceLatest = '2026-10-01' as IsoDate;
/** Enterprises whose grant lets data from then on be used. */
const bounded = 40;

describe('how much a grant lets joint modelling use, and for how long a finished project keeps anything', () => {
  let stage: JointRunStage;
  let found: JointCase & { readonly run: JointRunView };
  let work: (question: string, onStep?: (step: 'staged' | 'computed') => Promise<void>) => Promise<void>;
  const fields = ['financials.debt_ratio', 'tax.credit_rating', 'tax.invoice_count'];
  before(async function () {
    this.timeout(120_000);
    stage = await startRunStage(140);
    const { config, database } = stage.platform;
    await database.query("update consent_grant set state = 'revoked' where subject = any($1)", [stage.enterprises.slice(0, bounded)]);
    await consentTo(database, 'bank-a', stage.enterprises.slice(0, bounded), fields, 'desensitised', 200, { dataFrom: sinceLater });
    // one of them has a second grant without a bound: whichever lets more be used counts
    await consentTo(database, 'bank-a', stage.enterprises.slice(1, 2), fields);
    found = await stage.ready();
    const catalogue = loadCatalogue(path.join(config.policyFolder, 'catalogue'));
    const policy = loadPolicyPack(config.policyFolder, catalogue);
    const desk = composeJoint({ config, database, clock: systemClock, catalogue, standing: unloggedStanding(() => policy), secrets: openKeyring(config.keysFolder, systemClock).maskSecrets });
    work = (question, onStep = async () => {}) => answerQuestion({ ...desk, onStep }, question);
    await stage.stopWorker();
  });
  after(() => stage.close());

  it('reads no record of an earlier period than the grant names', async () => {
    const { database, config } = stage.platform;
    const catalogue = loadCatalogue(path.join(config.policyFolder, 'catalogue'));
    const rating = found.document.columns.find(({ name }) => name === 'rating')!;
    const subjects = stage.enterprises.slice(1, 4);
    const read = async (since: IsoDate | null) => [...(await latestColumns(database, catalogue, [{ source: rating.source as FieldRef, encode: (value) => encodeColumnValue(rating.encoding, value) }], subjects, subjects.map(() => since)))[0]!];
    const latest = [1, 2, 3].map((n) => twinOf(n).rating);
    assert.deepEqual([await read(null), await read(sinceLatest), await read(sinceLater)], [latest, latest, [4, 4, 4]]);
  });

  it('counts who may not be looked at so far back among those without a value', async () => {
    const statement: Statement = { kind: 'histogram', column: 'rating' };
    const { question } = await stage.runs.ask(found.run.run, statement, { rho: 0.1 });
    await work(question);
    const release = await stage.runs.release(question);
    const opened = await openAnswer(found.document, found.run, found.seeds, release, await fetchResults(stage.runs, release));
    const none = opened.groups[0]!.sums.at(-1)![0]!;
    const without = stage.enterprises.filter((_, n) => (n < bounded && n !== 1) || twinOf(n).rating === 4).length;
    const naive = stage.enterprises.filter((_, n) => twinOf(n).rating === 4).length;
    const sigma = Math.sqrt(opened.groups[0]!.variance);
    assert.ok(without - naive > 14 * sigma, 'the test can tell one from the other');
    assert.ok(Math.abs(none - without) <= 7 * sigma, `${none} for ${without}`);
  });

  it('releases nothing that rests on a wider grant than there is by then; what was computed is made again for the next', async () => {
    const { database } = stage.platform;
    const { question } = await stage.runs.ask(found.run.run, { kind: 'histogram', column: 'debt' }, { rho: 0.01 });
    const wide = async (state: string) => database.query("update consent_grant set state = $2 where subject = $1 and data_from is null and state <> 'revoked'", [stage.enterprises[1], state]);
    await work(question, async (step) => { if (step === 'computed') await wide('paused'); });
    const { state, reason } = await stage.runs.release(question);
    assert.deepEqual([state, reason], ['failed', 'COHORT_STALE'], 'the narrower grant still covers, but not what went in');

    await wide('active');
    const again = await stage.runs.ask(found.run.run, { kind: 'histogram', column: 'debt' }, { rho: 0.01 });
    const stagedOf = async () => (await database.query<{ result: Buffer }>('select result from joint_staged where question = $1 order by part', [again.question])).rows.map(({ result }) => result.toString('hex')).join();
    let first = '';
    await assert.rejects(work(again.question, async (step) => {
      if (step !== 'computed') return;
      first = await stagedOf();
      await wide('paused');
      throw new Error('power cut');
    }), /power cut/);
    assert.equal(await stagedOf(), first, 'kept for whoever goes on');
    let second = '';
    await work(again.question, async (step) => { if (step === 'computed') second = await stagedOf(); });
    assert.notEqual(second, first, 'but not taken over: grants had changed');
    assert.equal((await stage.runs.release(again.question)).state, 'released');
    await wide('active');
  });

  it('deletes pads, shifts and staged results of a project that is over, and no other\'s; answers stay', async () => {
    const { database } = stage.platform;
    const rowsOf = async (run: string) => (await database.query<{ pads: number; shifts: number }>('select (select count(*)::int from joint_pad where run = $1) as pads, (select count(*)::int from joint_shifts where run = $1) as shifts', [run])).rows[0];
    const released = (await stage.runs.releases(found.project)).find(({ state }) => state === 'released')!;
    const before = await fetchResults(stage.runs, released);
    await purgeFinishedPads(database);
    assert.deepEqual(await rowsOf(found.run.run), { pads: found.run.pads.total, shifts: 2 }, 'it still goes on');
    const { question: waiting } = await stage.runs.ask(found.run.run, { kind: 'histogram', column: 'debt', partner: 'default' }, { rho: 0.001 });
    await stage.partner.end(found.project);
    await purgeFinishedPads(database);
    assert.deepEqual(await rowsOf(found.run.run), { pads: 0, shifts: 0 });
    assert.deepEqual(await fetchResults(stage.runs, released), before);
    assert.equal(await codeOf(stage.runs.ask(found.run.run, { kind: 'histogram', column: 'debt', partner: 'default' }, { rho: 0.001 })), 'JOINT_PROJECT_STATE_CONFLICT');
    await work(waiting);
    assert.deepEqual((await stage.runs.release(waiting)).reason, 'JOINT_PROJECT_STATE_CONFLICT', 'what waited is given back, not computed without its pads');
  });
});
