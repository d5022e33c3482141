import { strict as assert } from 'node:assert';
import { runJobTask } from '../../src/gateway/use-cases/score-job-part.ts';
import { findJob } from '../../src/scoring/job/job.ts';
import { readProgress, readReport } from '../../src/scoring/job/progress.ts';
import type { SubjectId } from '../../src/vocabulary.ts';
import { makeWorld, scoreOf, subjectOf, type World } from './support/world.ts';

/** Does every task until none is left. */
async function runAll(world: World): Promise<void> {
  for (let tasks = await world.takeTasks(); tasks.length > 0; tasks = await world.takeTasks()) {
    for (const task of tasks) await runJobTask(world.desk, task);
  }
}

describe('a job that scores many', () => {
  it('gives the bank the score of each enterprise that granted it, in parts, and spends each grant once', async () => {
    const world = await makeWorld();
    const subjects = Array.from({ length: 5000 }, (_, n) => subjectOf(n));
    await world.place(subjects);
    await world.grant(subjects);
    const job = await world.begun(subjects.map((subject) => ({ subject })));
    await runAll(world);
    assert.equal((await findJob(world.database, job))?.state, 'done');
    assert.deepEqual(await readProgress(world.database, job), { planned: 1, parts: { pending: 0, released: 2, empty: 0, failed: 0, stopped: 0 }, scored: 5000, unscored: 0 });
    const scores = new Map([...await world.openPart(job, 0), ...await world.openPart(job, 1)]);
    assert.equal(scores.size, 5000);
    subjects.forEach((subject, at) => assert.equal(scores.get(subject), scoreOf(Math.floor(at / 4096), at % 4096)));
    const { rows: [uses] } = await world.database.query('select min(uses_total) as least, max(uses_total) as most from consent_grant');
    assert.deepEqual(uses, { least: 1, most: 1 });
  });
});
