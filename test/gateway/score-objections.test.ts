import { strict as assert } from 'node:assert';
import { Writable } from 'node:stream';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/gateway/log.ts';
import { startWorker, type RunningWorker } from '../../src/gateway/worker/worker.ts';
import { platformKeys } from '../../src/sdk/bank.ts';
import type { Connection } from '../../src/sdk/connection.ts';
import { auditorClient } from '../../src/sdk/auditor.ts';
import { departmentClient } from '../../src/sdk/department.ts';
import { proveEntry } from '../../src/sdk/entry-proof.ts';
import { noticesClient, objectionsClient, type NoticeView } from '../../src/sdk/objections.ts';
import { checkScoreJobPart, scoreLines } from '../../src/sdk/score-job-results.ts';
import { askedSubjects, digestList, openScoreJobPart, scoreJobsClient } from '../../src/sdk/score-jobs.ts';
import type { ScoresClient } from '../../src/sdk/scores.ts';
import { scoredFields, scoringBank, startScoreWorld, subjectOf, type ScoreWorld } from '../support/scoring.ts';
import { until } from '../support/until.ts';

const [field = '', otherField = ''] = scoredFields;
const [disputing, content] = [subjectOf(0), subjectOf(1)];
const list = [{ subject: disputing }, { subject: content }];

describe('objections to a field behind scores', () => {
  let world: ScoreWorld;
  let worker: RunningWorker | undefined;
  let connection: Connection;
  let otherBank: ScoresClient;
  let grant: string;
  let otherGrant: string;
  let objections: ReturnType<typeof objectionsClient>;
  const as = async (party: string, scope: string) => objectionsClient(await world.platform.connect(party, scope));

  before(async function () {
    this.timeout(120_000);
    world = await startScoreWorld({ enterprises: 2 });
    const { platform } = world;
    grant = await world.grant(0);
    otherBank = await scoringBank(platform, 'bank-b');
    otherGrant = await world.grant(0, 'bank-b');
    await world.grant(1);
    connection = await platform.connect('bank-a', 'query');
    assert.ok(platform.custodian);
    const log = createLog({ level: 'error', stream: new Writable({ write: (_chunk, _encoding, done) => done() }) });
    worker = await startWorker({ ...platform.config, workerMetricsPort: 0 }, platform.database.url, platform.custodian, log, systemClock);
    const { rows: [party] } = await platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [disputing]);
    objections = await as(party?.id ?? '', 'grants');
  });
  after(async () => {
    await worker?.stop();
    await world.platform.close();
  });

  /** The list, scored, opened and held against its receipt. */
  async function scoreList() {
    const client = scoreJobsClient(connection);
    const ask = { model: world.model.ref, purpose: 'pre_loan_review' };
    const { request, job: opened } = await client.open(ask, await digestList(list));
    const { job } = await client.submit(opened, list);
    const done = await until('the job ends', async () => {
      const progress = await client.progress(job);
      return progress.finished_at === null ? undefined : progress;
    });
    assert.deepEqual([done.state, done.scored], ['done', 2]);
    const part = await client.part(job, 0);
    await checkScoreJobPart(part, request, (await platformKeys(world.platform.gateway.gatewayUrl)) as Parameters<typeof checkScoreJobPart>[2], connection);
    const scores = await openScoreJobPart(part, { request, job, model: ask.model, subjects: askedSubjects(list.map(({ subject }) => subject)) }, await world.bank.openable(ask.model), connection);
    return { part, scores };
  }

  it('mark the score of that enterprise in a list, sealed like the score, while the department has them', async () => {
    const plain = await scoreList();
    assert.deepEqual(plain.scores.map(({ disputed }) => disputed), [undefined, undefined]);
    const { id } = await objections.submit({ about: 'record', field, fault: 'wrong', text: 'It is not.' });
    const elsewhere = await objections.submit({ about: 'record', field: 'registry.name', fault: 'wrong', text: 'No model works on it.' });
    assert.deepEqual((await scoreList()).scores.map(({ disputed }) => disputed), [undefined, undefined], 'not before it is accepted');
    const officer = await as('officer-compliance', 'compliance');
    await officer.take(id, 'accept');
    await officer.take(elsewhere.id, 'accept');
    const marked = await scoreList();
    assert.deepEqual(marked.scores.map(({ subject, disputed }) => [subject, disputed]), [[disputing, [field]], [content, undefined]]);
    assert.deepEqual(scoreLines(marked.scores).trimEnd().split('\n').map((line) => line.split(',').at(-1)), [field, '']);
    assert.ok(!JSON.stringify(marked.part).includes(field), 'who disputes what is for the bank alone');
    assert.deepEqual([marked.part.sealed.gateway.length, marked.part.sealed.custodian.length], [plain.part.sealed.gateway.length, plain.part.sealed.custodian.length], 'and their sizes do not tell');
    await history();
    await (await as('finance_bureau', 'records')).take(id, 'reject', 'The statements say so.');
    assert.deepEqual((await scoreList()).scores.map(({ disputed }) => disputed), [undefined, undefined]);
    await objections.take(elsewhere.id, 'close');
  });

  /** The mark is in the history of that enterprise alone: list, single entry, export, proof. */
  async function history() {
    const enterpriseOf = async (subject: string) => {
      const { rows: [party] } = await world.platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [subject]);
      return world.platform.connect(party?.id ?? '', 'grants');
    };
    const marks = async (reader: Connection) => (await auditorClient(reader).accesses({ limit: 50 })).accesses.filter(({ kind }) => kind === 'scores.released').map(({ disputed }) => disputed);
    const own = await enterpriseOf(disputing);
    assert.deepEqual(await marks(own), [[field], undefined, undefined]);
    const elsewhere = [await enterpriseOf(content), connection, await world.platform.connect('officer-auditor', 'audit')];
    for (const reader of elsewhere) assert.deepEqual(await marks(reader), [undefined, undefined, undefined]);
    const [entry] = (await auditorClient(own).accesses({ limit: 50 })).accesses.filter(({ kind }) => kind === 'scores.released');
    assert.ok(entry);
    assert.deepEqual(await auditorClient(own).entry(entry.index), entry);
    assert.ok(!JSON.stringify(entry.record).includes(field), 'the record of all of them says nothing of one');
    for (const reader of elsewhere) assert.equal((await auditorClient(reader).entry(entry.index)).disputed, undefined);
    assert.equal((await until('a checkpoint counts the entry', () => proveEntry(own, entry).catch(() => undefined))).proof.entry, entry, 'with the mark beside it');
    const exported = await (await own.send({ method: 'GET', path: '/v1/export?format=csv&part=accesses' })).text();
    assert.equal(exported.split('\r\n').filter((line) => line.includes(`["${field}"]`) || line.includes(`[""${field}""]`)).length, 1);
  }

  it('end in a notice to everybody who was given a score the corrected field is behind, by grant, alone or in lists', async () => {
    await world.bank.score(world.ask(0));
    const { rows } = await world.platform.database.query<{ index: number }>("select index from audit_entry where kind in ('score.released', 'scores.released') order by index desc");
    const entries = rows.map(({ index }) => index);
    assert.equal(entries.length, 5);
    await otherBank.score(world.ask(0));
    const notices = async (party: string): Promise<readonly NoticeView[]> => (await noticesClient(await world.platform.connect(party, 'query')).notices()).notices;
    const { id } = await correct(field);
    const [notice, ...more] = await notices('bank-a');
    assert.deepEqual([more.length, notice?.grant, notice?.field, notice?.dispositions, notice?.received, notice?.entries], [0, grant, field, ['score'], 5, entries]);
    assert.deepEqual((await notices('bank-b')).map((each) => [each.grant, each.received]), [[otherGrant, 1]]);
    assert.deepEqual((await objections.read(id)).notified?.map(({ institution, received }) => [institution, received]), [['bank-a', 5], ['bank-b', 1]]);
    assert.equal((await world.entries('notice.issued')).length, 2);

    await world.platform.database.query("update scoring_model set state = 'retired', retired_by = 'officer-compliance', retired_ms = 1, retirement = 'replaced'");
    await correct(otherField);
    assert.deepEqual((await notices('bank-a')).map((each) => each.field).toSorted(), [field, otherField].toSorted(), 'of a retired model too');
    await correct('financials.statement_date');
    assert.equal((await notices('bank-a')).length, 2, 'a field that no model works on was told to nobody');
  });

  async function correct(what: string) {
    const submitted = await objections.submit({ about: 'record', field: what, fault: 'wrong', text: 'It is not.' });
    await (await as('officer-compliance', 'compliance')).take(submitted.id, 'accept');
    const records = await world.platform.connect('finance_bureau', 'records');
    await departmentClient(records).correct('financials', { subject: disputing, statement_date: '2026-06-30', ...Object.fromEntries(scoredFields.map((each) => [each.slice(each.indexOf('.') + 1), '0.5'])) });
    await objectionsClient(records).take(submitted.id, 'correct', 'Corrected.');
    return submitted;
  }
});
