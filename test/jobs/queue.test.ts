import { strict as assert } from 'node:assert';
import { once, EventEmitter } from 'node:events';
import { openQueue, prepareQueue, startWork, type ScoreTask, type Task } from '../../src/jobs/queue.ts';
import { freshDatabase } from '../support/database.ts';

const task = (n: number): ScoreTask => ({ kind: 'part', job: 'job', n });
const numberOf = (given: Task) => ('n' in given ? given.n : -1);

describe('the queue of tasks', () => {
  it('is made once, however many nodes start at the same time', async () => {
    const database = await freshDatabase();
    await Promise.all([prepareQueue(database), prepareQueue(database), prepareQueue(database)]);
    const { rows } = await database.query("select name from job_queue.queue where name = 'score'");
    assert.equal(rows.length, 1);
  });

  it('hands each task to one worker, and none whose transaction failed', async () => {
    const database = await freshDatabase();
    await prepareQueue(database);
    const queue = openQueue(database);
    await database.transaction('test', (tx) => queue.add(tx, [task(0), task(1), task(2), task(3)]));
    await assert.rejects(database.transaction('test', async (tx) => {
      await queue.add(tx, [task(99)]);
      throw new Error('changed my mind');
    }));
    const done: number[] = [];
    const workers = await Promise.all([1, 2].map(() => startWork({ database, concurrency: 1, idlePollMs: 20, run: async (given) => { done.push(numberOf(given)); }, onError: assert.fail })));
    while (done.length < 4) await new Promise((resolve) => setTimeout(resolve, 10));
    await Promise.all(workers.map(({ stop }) => stop()));
    assert.deepEqual(done.toSorted(), [0, 1, 2, 3]);
  });

  it('tries a task that failed again, and keeps nothing of what went wrong', async () => {
    const database = await freshDatabase();
    await prepareQueue(database);
    await database.transaction('test', (tx) => openQueue(database).add(tx, [task(7)]));
    const happened = new EventEmitter();
    let tries = 0;
    const work = await startWork({
      database, concurrency: 1, idlePollMs: 50, onError: () => happened.emit('failed'),
      async run() {
        tries += 1;
        if (tries === 1) throw new Error('91310000MA1FL0AB12 owes 17');
        happened.emit('done');
      },
    });
    await once(happened, 'failed');
    const { rows: [row] } = await database.query<{ text: string }>('select j::text as text from job_queue.job j');
    assert.doesNotMatch(row?.text ?? '', /owes|9131/);
    await once(happened, 'done');
    await work.stop();
    assert.equal(tries, 2);
  });

  it('is asked by idle workers in turn: one question at a time, but many tasks are taken at once', async () => {
    const database = await freshDatabase();
    await prepareQueue(database);
    let questions = 0;
    const counting: typeof database = { ...database, query: (...given: Parameters<typeof database.query>) => {
      if (/\bfor update\b[\s\S]*\bskip locked\b/i.test(String(given[0]))) questions += 1;
      return database.query(...given);
    } };
    let running = 0;
    const { promise: allRun, resolve } = Promise.withResolvers<void>();
    const work = await startWork({
      database: counting, concurrency: 5, idlePollMs: 200, onError: assert.fail,
      async run() {
        running += 1;
        if (running === 5) resolve();
        await allRun;
      },
    });
    await new Promise((pause) => setTimeout(pause, 400));
    questions = 0;
    await new Promise((pause) => setTimeout(pause, 2000));
    assert.ok(questions >= 2 && questions <= 11, `${questions} questions in ten times the pause`);
    await database.transaction('test', (tx) => openQueue(database).add(tx, [1, 2, 3, 4, 5].map(task)));
    await allRun;
    await work.stop();
  });

  it('lets a worker that stops finish what it has begun', async () => {
    const database = await freshDatabase();
    await prepareQueue(database);
    await database.transaction('test', (tx) => openQueue(database).add(tx, [task(1), task(2)]));
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: release, resolve: end } = Promise.withResolvers<void>();
    const done: number[] = [];
    const work = await startWork({ database, concurrency: 1, idlePollMs: 20, onError: assert.fail, run: async (given) => { begin(); await release; done.push(numberOf(given)); } });
    await begun;
    const stopped = work.stop();
    end();
    await stopped;
    assert.equal(done.length, 1);
    const { rows } = await database.query('select state from job_queue.job order by state desc');
    assert.deepEqual(rows.map(({ state }) => state), ['completed', 'created']);
  });
});
