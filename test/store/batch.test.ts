import { strict as assert } from 'node:assert';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { batcher } from '../../src/store/batch.ts';

const limits = { maxItems: 3, maxWaiting: 5, onFull: () => new Error('full') };

describe('store/batch', () => {
  it('gives each caller its own result, in batches of at most the maximum, one after the other', async () => {
    const batches: number[][] = [];
    let under = 0;
    const double = batcher<number, number>(async (items) => {
      assert.equal(++under, 1);
      batches.push([...items]);
      await delay(1);
      under -= 1;
      return items.map((item) => item * 2);
    }, limits);
    assert.deepEqual(await Promise.all([1, 2, 3, 4, 5].map(double)), [2, 4, 6, 8, 10]);
    assert.deepEqual(batches, [[1, 2, 3], [4, 5]]);
  });

  it('fails one caller alone for a result that is an error, and all for a throw', async () => {
    const odd = batcher<number, number>(async (items) => items.map((item) => (item % 2 === 0 ? new Error(`even ${item}`) : item)), limits);
    const results = await Promise.allSettled([1, 2, 3].map(odd));
    assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
    const broken = batcher<number, number>(async () => { throw new Error('broken'); }, limits);
    for (const { status } of await Promise.allSettled([1, 2].map(broken))) assert.equal(status, 'rejected');
  });

  it('refuses more callers than may wait, and recovers', async () => {
    const echo = batcher<number, number>(async (items) => items, limits);
    const results = await Promise.allSettled([1, 2, 3, 4, 5, 6].map(echo));
    assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
    assert.equal(await echo(7), 7);
  });

  it('starts a lone call at once, and keeps batches apart only after a busy one', async () => {
    const starts: number[] = [];
    const slow = batcher<number, number>(async (items) => {
      starts.push(items.length);
      return items;
    }, { ...limits, maxItems: 100, maxWaiting: 100, everyMs: 60 });
    const alone = slow(1);
    await turn();
    await turn();
    assert.deepEqual(starts, [1]);
    await alone;
    await Promise.all(Array.from({ length: 8 }, (_, n) => slow(n)));
    const first = slow(1);
    await delay(5);
    const second = slow(2);
    await Promise.all([first, second]);
    assert.deepEqual(starts, [1, 8, 2]);
  });
});
