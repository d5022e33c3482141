import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { findJob } from '../../src/scoring/job/job.ts';
import { until } from '../support/until.ts';
import { progressOf } from '../jobs/support/progress.ts';
import { isAlive, signal } from './support/platform.ts';
import { startScoringPlatform, type ScoringPlatform } from './support/scoring-platform.ts';

const blocks = 48;

describe('a job that scores many, while its processes are killed', () => {
  let stage: ScoringPlatform;
  before(async function () {
    this.timeout(90_000);
    stage = await startScoringPlatform(blocks);
  });
  after(() => stage?.close());

  /** Every score once and exact, every grant spent once for each job, one record in the log for each part. */
  async function checkAccounts(job: string, jobs: number): Promise<void> {
    const { database } = stage.platform;
    assert.equal((await findJob(database, job))?.state, 'done');
    assert.deepEqual((await progressOf(database, job)).parts, { pending: 0, released: blocks, empty: 0, failed: 0, stopped: 0 });
    assert.deepEqual(await stage.open(job), stage.expected);
    const { rows } = await database.query(
      `select (select array_agg(distinct uses_total) from consent_grant where purpose = 'pre_loan_review' and uses_max = 2) as uses,
              (select count(*) from audit_entry where kind = 'scores.released') as records,
              (select count(distinct record::jsonb ->> 'part') from audit_entry where kind = 'scores.released' and record::jsonb ->> 'job' = $1) as parts,
              (select count(*) from score_release) as histories, (select count(masks) from scoring_job_part) as masks`, [job]);
    assert.deepEqual(rows, [{ uses: [jobs], records: jobs * blocks, parts: blocks, histories: jobs * stage.expected.size, masks: 0 }]);
  }
  const released = async (job: string) => (await progressOf(stage.platform.database, job).catch(() => undefined))?.parts.released ?? 0;
  const ended = (job: string) => until('the job ends', async () => (await findJob(stage.platform.database, job).catch(() => undefined))?.finishedMs != null, 60_000);

  it('loses and doubles nothing when workers are killed: others go on', async function () {
    this.timeout(120_000);
    const first = await stage.startWorker();
    const second = await stage.startWorker();
    const job = await stage.begin();
    await until('some parts are released', async () => (await released(job)) >= 2, 60_000);
    const gone = once(first, 'exit');
    first.kill('SIGKILL');
    await gone;
    await ended(job);
    await checkAccounts(job, 1);
    const stopped = once(second, 'exit');
    second.kill('SIGTERM');
    assert.deepEqual(await stopped, [0, null], 'a worker that is asked to stop does so in order');
  });

  it('loses and doubles nothing when the custodian is killed, and then PostgreSQL', async function () {
    this.timeout(120_000);
    const worker = await stage.startWorker();
    const job = await stage.begin();
    await until('some parts are released', async () => (await released(job)) >= 2, 60_000);
    const custodian = stage.custodian.pid()!;
    signal(custodian, 'SIGKILL');
    await until('another custodian runs', () => ![undefined, custodian].includes(stage.custodian.pid()), 30_000);
    const before = await released(job);
    await until('parts are released again', async () => (await released(job)) > before || (await released(job)) === blocks, 60_000);
    const server = stage.platform.databasePid();
    signal(server, 'SIGKILL');
    await until('the server has ended', () => !isAlive(server));
    await stage.platform.startDatabase();
    await ended(job);
    await checkAccounts(job, 2);
    assert.equal(worker.exitCode, null, 'the worker itself went on');
  });
});
