import { strict as assert } from 'node:assert';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Writable } from 'node:stream';
import { verifyReceipt } from '../../src/audit/receipt.ts';
import { run } from '../../src/cli/run.ts';
import { systemClock } from '../../src/clock.ts';
import { isVeilgateError, type ErrorCode } from '../../src/errors.ts';
import { createLog } from '../../src/gateway/log.ts';
import { startWorker, type RunningWorker } from '../../src/gateway/worker/worker.ts';
import { applyForAdmission } from '../../src/sdk/application.ts';
import { platformKeys, sha256Hex } from '../../src/sdk/bank.ts';
import type { Connection } from '../../src/sdk/connection.ts';
import { enterpriseClient } from '../../src/sdk/enterprise.ts';
import { generateCredentialsFile, readCredentials } from '../../src/sdk/keys.ts';
import { askedSubjects, digestList, openScoreJobPart, scoreJobPartDigest, scoreJobsClient, type ScoreJob, type ScoreJobsClient } from '../../src/sdk/score-jobs.ts';
import type { InstitutionId } from '../../src/vocabulary.ts';
import { redirectUri } from '../support/gateway.ts';
import { featureValues, rawOf, startScoreWorld, subjectOf, type ScoreWorld } from '../support/scoring.ts';

const refuses = (code: ErrorCode) => (error: unknown) => isVeilgateError(error, code);
const enterprises = 6;
const granted = [0, 1, 2, 3];

describe('score jobs', () => {
  let world: ScoreWorld;
  let worker: RunningWorker | undefined;
  let workerLog = '';
  let connection: Connection;
  let client: ScoreJobsClient;
  const list = [...Array.from({ length: enterprises }, (_, n) => ({ subject: subjectOf(n) })), { subject: subjectOf(500) }];

  const finished = async (job: string): Promise<ScoreJob> => {
    for (;;) {
      const progress = await client.progress(job);
      if (progress.finished_at !== null) return progress;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  const file = (name: string) => path.join(world.platform.folder, name);

  /** A bank whose keys are in a file, as the command line wants them. */
  async function admitCliBank(): Promise<void> {
    const { platform } = world;
    const credentials = await generateCredentialsFile('bank-cli', { encryption: true });
    writeFileSync(file('bank-cli.json'), JSON.stringify(credentials), { mode: 0o600 });
    chmodSync(file('bank-cli.json'), 0o600);
    await applyForAdmission(platform.gateway.gatewayUrl, await readCredentials(credentials), { name: { en: 'CLI', zh: '命令行' }, institution_class: 'commercial_bank', redirect_uris: [redirectUri], country: 'CN' });
    await platform.compliance.assess('bank-cli', { level: 4, passed: true, valid_until: new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10), findings_digest: 'a'.repeat(64) });
    await platform.registrar.approve('bank-cli', {});
    await platform.custodian!.admit(await readCredentials(credentials));
  }

  before(async function () {
    this.timeout(120_000);
    world = await startScoreWorld({ enterprises });
    const { platform } = world;
    await admitCliBank();
    for (const n of granted) {
      await world.grant(n);
      await world.grant(n, 'bank-cli');
    }
    connection = await platform.connect('bank-a', 'query');
    client = scoreJobsClient(connection);
    const log = createLog({ level: 'debug', stream: new Writable({ write: (chunk: Buffer, _encoding, done) => { workerLog += chunk.toString('utf8'); done(); } }) });
    worker = await startWorker({ ...platform.config, workerMetricsPort: 0 }, platform.database.url, platform.custodian!, log, systemClock);
  });
  after(async () => {
    await worker?.stop();
    await world.platform.close();
  });

  it('give each enterprise\'s score as the model gives it on clear values; receipts prove it; the others are reported', async () => {
    const { platform, model, bank } = world;
    const ask = { model: model.ref, purpose: 'pre_loan_review' };
    const digested = await digestList(list);
    const { request, job: opened } = await client.open(ask, digested);
    assert.deepEqual({ state: opened.state, list: opened.list }, { state: 'open', list: { count: 7, received: 0, chunks: 1, next: 0 } });
    const { job } = await client.submit(opened, list);
    const { state, scored, unscored, parts } = await finished(job);
    assert.deepEqual({ state, scored, unscored, parts }, { state: 'done', scored: 4, unscored: 3, parts: { total: 1, pending: 0, released: 1, empty: 0, failed: 0, stopped: 0 } });
    assert.deepEqual(await client.parts(job), [0]);
    const part = await client.part(job, 0);
    const asked = { request, job, model: model.ref, subjects: askedSubjects(list.map(({ subject }) => subject)) };
    const openable = await bank.openable(model.ref);
    const scores = await openScoreJobPart(part, asked, openable, connection);
    assert.deepEqual(scores.map(({ subject, raw }) => [subject, raw]), granted.map((n) => [subjectOf(n), rawOf(model, featureValues(n))]));
    await verifyReceipt(part.receipt, {
      keys: (await platformKeys(platform.gateway.gatewayUrl)) as Parameters<typeof verifyReceipt>[1]['keys'], issuer: platform.gateway.gatewayUrl, institution: 'bank-a' as InstitutionId, clock: systemClock,
      record: part.entry.record, request: await sha256Hex(request), answer: await scoreJobPartDigest(part),
    });
    const unscoredList = [];
    for await (const one of client.unscored(job)) unscoredList.push(one);
    assert.deepEqual(unscoredList, [4, 5, 500].map((n) => ({ subject: subjectOf(n), reason: 'CONSENT_REQUIRED' })));
    assert.doesNotMatch(JSON.stringify(part.entry.record), /9135/, 'the log names no enterprise');

    for (const wrong of [{ ...asked, subjects: askedSubjects([subjectOf(0)]) }, { ...asked, request: `${request}x` }, { ...asked, job: 'A'.repeat(22) }]) {
      await assert.rejects(openScoreJobPart(part, wrong, openable, connection), refuses('SCORE_UNREADABLE'));
    }
    await assert.rejects(openScoreJobPart({ ...part, subjects_salt: 'B'.repeat(43) }, asked, openable, connection), refuses('SCORE_UNREADABLE'));
    await assert.rejects(openScoreJobPart({ ...part, policy: 'c'.repeat(64) }, asked, openable, connection), refuses('SCORE_UNREADABLE'));

    const run2 = await client.repeat(job, ask, digested);
    assert.equal(run2.job.repeats, job);
    assert.equal((await finished(run2.job.job)).scored, 4);
    const { rows } = await platform.database.query('select distinct uses_total from consent_grant where institution = $1', ['bank-a']);
    assert.deepEqual(rows, [{ uses_total: 2 }]);
  });

  it('stand in each enterprise\'s access history', async () => {
    const { rows } = await world.platform.database.query<{ entry: number; kind: string }>('select s.entry, e.kind from score_release s join audit_entry e on e.index = s.entry where s.subject = $1', [subjectOf(0)]);
    assert.deepEqual(rows.map(({ kind }) => kind), ['scores.released', 'scores.released']);
    const { rows: [party] } = await world.platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [subjectOf(0)]);
    const told = JSON.stringify(await enterpriseClient(await world.platform.connect(party?.id ?? '', 'grants')).accesses());
    for (const { entry } of rows) assert.match(told, new RegExp(`"index":${entry}\\b`));
    assert.match(told, /scores\.released/);
  });

  it('tell how far they are cheaply: an unchanged answer is not sent again', async () => {
    const [job] = await client.list();
    const first = await connection.send({ method: 'GET', path: `/v1/score-jobs/${job!.job}` });
    assert.match(first.headers.get('etag') ?? '', /^"[0-9a-f]{32}"$/);
    assert.equal(first.headers.get('retry-after'), null, 'a finished job changes no more');
    const { rows: [{ id } = { id: '' }] } = await world.platform.database.query<{ id: string }>('select id from scoring_job limit 1');
    assert.equal(id.length, 22);
  });

  it('are cancelled on request, and their parts are not there', async () => {
    const { job } = await client.open({ model: world.model.ref, purpose: 'pre_loan_review' }, await digestList(list));
    const cancelled = await client.cancel(job.job);
    assert.equal(cancelled.state, 'cancelled');
    assert.equal(cancelled.scored, 0);
    await assert.rejects(client.part(job.job, 0), refuses('SCORE_PART_NOT_THERE'));
    await assert.rejects(client.submit(job, list), refuses('SCORE_JOB_STATE_CONFLICT'));
  });

  it('answer alike for a job that is not there and another bank\'s', async () => {
    await world.platform.bank('bank-b');
    const other = scoreJobsClient(await world.platform.connect('bank-b', 'query'));
    const [job] = await client.list();
    const told = async (ask: Promise<unknown>) => ask.then(() => assert.fail(), (error: { code: string; message: string }) => [error.code, error.message]);
    assert.deepEqual(await told(other.progress(job!.job)), await told(other.progress('A'.repeat(22))));
    assert.deepEqual(await told(other.part(job!.job, 0)), await told(other.part('A'.repeat(22), 0)));
    assert.deepEqual(await told(other.cancel(job!.job)), await told(other.cancel('A'.repeat(22))));
    assert.deepEqual(await other.list(), []);
  });

  it('are refused when the list was altered on the way, or a line is not canonical', async () => {
    const { job } = await client.open({ model: world.model.ref, purpose: 'pre_loan_review' }, await digestList(list));
    await assert.rejects(client.submit(job, list.toReversed()), refuses('SCORE_LIST_MISMATCH'));
    await assert.rejects(connection.call({ method: 'PUT', path: `/v1/score-jobs/${job.job}/list/0`, body: { type: 'application/x-ndjson', content: '{"subject": "x"}\n' } }), (error) => isVeilgateError(error, 'SCORE_LIST_MISMATCH') || isVeilgateError(error, 'SCORE_LIST_INVALID'));
    await client.cancel(job.job);
  });

  it('are forgotten with their list on request, once none of them is under way', async () => {
    const ask = { model: world.model.ref, purpose: 'pre_loan_review' };
    const digested = await digestList(list);
    const { job } = await client.open(ask, digested);
    await assert.rejects(client.forget(job.job), refuses('SCORE_JOB_STATE_CONFLICT'));
    await assert.rejects(client.forget('A'.repeat(22)), refuses('SCORE_JOB_NOT_FOUND'));
    await client.submit(job, list);
    await finished(job.job);
    const again = await client.repeat(job.job, ask, digested);
    await finished(again.job.job);
    await client.forget(again.job.job);
    for (const gone of [job.job, again.job.job]) await assert.rejects(client.progress(gone), refuses('SCORE_JOB_NOT_FOUND'));
    const { rows } = await world.platform.database.query("select from scoring_job j full join scoring_job_part p on p.job = j.id where coalesce(j.id, p.job) = any($1::text[])", [[job.job, again.job.job]]);
    assert.deepEqual(rows, []);
  });

  it('count each enterprise as a query of the day, and open for no more than the quota has left', async () => {
    const counted = async () => (await world.platform.database.query<{ queries: number }>("select coalesce(sum(queries), 0)::integer as queries from institution_usage where institution = 'bank-a'")).rows[0]!.queries;
    const ask = { model: world.model.ref, purpose: 'pre_loan_review' };
    const before = await counted();
    const { job } = await client.open(ask, await digestList(list));
    assert.equal(await counted(), before + list.length);
    await client.cancel(job.job);
    const allow = (queries: number | null) => world.platform.database.query("update institution set queries_per_day = $1 where id = 'bank-a'", [queries]);
    await allow(before + 2 * list.length - 1);
    await assert.rejects(client.open(ask, await digestList(list)), (error) => isVeilgateError(error, 'REQUEST_QUOTA_EXCEEDED') && Number(error.detail?.['retryAfterSeconds']) > 0);
    assert.equal(await counted(), before + list.length, 'what was refused is not counted');
    await allow(before + 2 * list.length);
    await client.cancel((await client.open(ask, await digestList(list))).job.job);
    await allow(null);
  });

  it('run from the command line into a CSV file, go on after an interruption, and are repeated', async () => {
    const { platform, model } = world;
    writeFileSync(file('list.csv'), `subject,grant\r\n${list.map(({ subject }) => `${subject},`).join('\r\n')}\r\n`);
    const veilgate = async (...line: string[]) => {
      const written = { out: '', err: '' };
      const code = await run([...line, '--gateway', platform.gateway.gatewayUrl, '--credentials', file('bank-cli.json')], { stdout: { write: (text) => { written.out += text; } }, stderr: { write: (text) => { written.err += text; } }, env: {} });
      return { code, ...written };
    };
    const many = ['score', 'many', file('list.csv'), '--model', model.ref, '--purpose', 'pre_loan_review', '--out'];
    const first = await veilgate(...many, file('scores.csv'));
    assert.deepEqual([first.code, first.err], [0, '']);
    const scores = readFileSync(file('scores.csv'), 'utf8');
    assert.deepEqual(scores.split('\n').slice(1, -1).map((line) => line.split(',').slice(0, 2)), granted.map((n) => [subjectOf(n), String(rawOf(model, featureValues(n)) / model.scale)]));
    assert.deepEqual(readFileSync(file('scores.csv.unscored.csv'), 'utf8').split('\n').slice(1, -1), [4, 5, 500].map((n) => `${subjectOf(n)},CONSENT_REQUIRED`));

    // as if it had been killed while it wrote the first part
    const state = JSON.parse(readFileSync(file('scores.csv.job.json'), 'utf8')) as { job: string; part: number; bytes: number };
    rmSync(file('scores.csv.job.json'));
    writeFileSync(file('scores.csv.job.json'), JSON.stringify({ ...state, part: -1, bytes: 'subject,score,band,reasons,disputed\n'.length }), { mode: 0o600 });
    writeFileSync(file('scores.csv'), scores.slice(0, 60));
    assert.equal((await veilgate(...many, file('scores.csv'))).code, 0);
    assert.equal(readFileSync(file('scores.csv'), 'utf8'), scores);

    // what stands by the name of the results or the report is somebody's, and a link leads anywhere
    writeFileSync(file('kept.csv'), 'kept');
    writeFileSync(file('mine.csv.unscored.csv'), 'kept');
    symlinkSync(file('kept.csv'), file('linked.csv.unscored.csv'));
    for (const out of ['mine.csv', 'linked.csv']) {
      assert.match((await veilgate(...many, file(out))).err, /CONFIG_INVALID/);
      assert.equal(existsSync(file(out)), false, 'and no job was made');
    }
    const jobs = async () => ((JSON.parse((await veilgate('score', 'jobs', '--json')).out) as { jobs: ScoreJob[] }).jobs.length);
    const before = await jobs();
    assert.match((await veilgate(...many, file('kept.csv'))).err, /CONFIG_INVALID.*there already/);
    assert.equal(await jobs(), before, 'nor here');
    assert.equal(existsSync(file('kept.csv.unscored.csv')), false);
    await veilgate(...many.map((word) => (word === 'pre_loan_review' ? 'no_purpose' : word)), file('kept-none.csv'));
    assert.deepEqual(readdirSync(world.platform.folder).filter((name) => name.startsWith('kept-none')), [], 'a job that was not made leaves no files');
    assert.deepEqual([readFileSync(file('kept.csv'), 'utf8'), readFileSync(file('mine.csv.unscored.csv'), 'utf8')], ['kept', 'kept']);

    const again = await veilgate(...many, file('again.csv'), '--repeat', file('scores.csv'));
    assert.deepEqual([again.code, again.err], [0, '']);
    assert.equal(readFileSync(file('again.csv'), 'utf8'), scores);
    const shown = JSON.parse((await veilgate('score', 'job', state.job, '--json')).out) as ScoreJob;
    assert.equal(shown.scored, 4);
    assert.match((await veilgate('score', 'jobs')).out, new RegExp(state.job));
    assert.deepEqual(await veilgate('score', 'forget', 'A'.repeat(22)).then(({ code, err }) => [code === 0, /SCORE_JOB_NOT_FOUND/.test(err)]), [false, true]);
    assert.equal((JSON.parse((await veilgate('score', 'cancel', state.job, '--json')).out) as ScoreJob).state, 'done', 'a finished job stays finished');
    writeFileSync(file('bad.csv'), 'subject\n91350000000000000X\n');
    assert.match((await veilgate('score', 'many', file('bad.csv'), '--model', model.ref, '--purpose', 'pre_loan_review', '--out', file('x.csv'))).err, /CONFIG_INVALID/);
  });

  it('are measured at the worker: its tasks and their steps, and no names', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${worker?.metricsPort}/metrics`)).text();
    assert.match(metrics, /veilgate_task_seconds_count\{task="part",outcome="done"\} [1-9]/);
    for (const step of ['plan', 'lookup', 'evaluate', 'custodian', 'release']) assert.match(metrics, new RegExp(`veilgate_score_step_seconds_count\\{step="${step}"\\} [1-9]`));
    assert.doesNotMatch(metrics, /9135|bank-|sme/);
  });

  it('leave no enterprise in the log of the worker', () => {
    assert.match(workerLog, /score_worker.started/);
    assert.doesNotMatch(workerLog, /9135|failed/);
  });
});
