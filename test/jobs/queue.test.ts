import { strict as assert } from 'node:assert';
import { openQueue, prepareQueue, startWork, type Task } from '../../src/jobs/queue.ts';
import { freshDatabase } from '../support/database.ts';
describe('x', () => { it('y', async () => {
  const database = await freshDatabase();
  console.time('prep'); await prepareQueue(database); console.timeEnd('prep');
  console.time('prep2'); await prepareQueue(database); console.timeEnd('prep2');
  const q = openQueue(database);
  const done: Task[] = [];
  const w = await startWork({ database, concurrency: 2, run: async (t) => { done.push(t); }, onError: (e) => console.log(e) });
  console.time('add');
  await database.transaction('t', (tx) => q.add(tx, Array.from({length: 20}, (_, n) => ({ kind: 'part', job: 'a', n }))));
  console.timeEnd('add');
  while (done.length < 20) await new Promise((r) => setTimeout(r, 10));
  console.timeEnd('add');
  console.log(done.map(t => t.n).join());
  await w.stop();
  assert.ok(true);
}); });
