import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { differenceOf } from '../../../src/joint/cohort/difference.ts';
import { membersDigest } from '../../../src/joint/cohort/registry.ts';
import { pointsInChunk } from '../../../src/joint/cohort/run.ts';
import { openSecret, sealSecret } from '../../../src/joint/cohort/sealed-secret.ts';
import { createGate } from '../../../src/joint/threads/gate.ts';
import { subjects } from '../../support/joint.ts';

const secrets = { secrets: new Map([[1, new Uint8Array(32).fill(1)], [2, new Uint8Array(32).fill(2)]]), currentVersion: 2 };

describe('cohorts', () => {
  it('differ by who was added and who was removed, together', () => {
    const all = subjects(0, 30);
    assert.equal(differenceOf(all, all.toReversed()), 0);
    assert.equal(differenceOf(all.slice(1), all), 1);
    assert.equal(differenceOf(all.slice(0, 20), all.slice(10)), 20, 'equal in size, and yet');
    fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 29 })), fc.uniqueArray(fc.integer({ min: 0, max: 29 })), (a, b) => {
      const pick = (each: readonly number[]) => each.map((at) => all[at] as (typeof all)[number]);
      const apart = all.filter((_, at) => a.includes(at) !== b.includes(at)).length;
      assert.deepEqual([differenceOf(pick(a), pick(b)), differenceOf(pick(b), pick(a))], [apart, apart]);
    }));
  });

  it('are the same by their members, not by positions', () => {
    const all = subjects(0, 30);
    assert.equal(membersDigest(all), membersDigest(all.toReversed()));
    assert.notEqual(membersDigest(all), membersDigest(all.slice(1)));
  });
});

describe('a run of alignment', () => {
  it('keeps its secret under the platform\'s, for this run and no other', () => {
    const secret = crypto.getRandomValues(new Uint8Array(32));
    const sealed = sealSecret(secrets, 'run 1', secret);
    assert.deepEqual(openSecret(secrets, 'run 1', sealed), secret);
    assert.ok(!sealed.includes(Buffer.from(secret)));
    const damaged = { code: 'INTERNAL' };
    assert.throws(() => openSecret(secrets, 'run 2', sealed), damaged);
    assert.throws(() => openSecret(secrets, 'run 1', sealed.subarray(0, -1)), damaged);
    assert.throws(() => openSecret({ ...secrets, secrets: new Map() }, 'run 1', sealed), damaged);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] as number) ^ 1;
      assert.throws(() => openSecret(secrets, 'run 1', changed), damaged);
    }
  });

  it('is cut into chunks of 8,192, the last one shorter', () => {
    assert.deepEqual([0, 1, 2, -1].map((n) => pointsInChunk(10_000, n)), [8192, 1808, undefined, undefined]);
    assert.deepEqual([0, 1].map((n) => pointsInChunk(8192, n)), [8192, undefined]);
  });
});

describe('the gate before the threads', () => {
  it('lets few work, a few more wait in their order, and refuses the rest', async () => {
    const gate = createGate(2, 1);
    const order: string[] = [];
    const ends: (() => void)[] = [];
    const work = (name: string) => gate(() => new Promise<void>((resolve) => {
      order.push(name);
      ends.push(resolve);
    }));
    const [a, b, c] = [work('a'), work('b'), work('c')];
    await assert.rejects(work('d'), { code: 'REQUEST_OVERLOADED' });
    assert.deepEqual(order, ['a', 'b']);
    ends[0]?.();
    await a;
    await new Promise(setImmediate);
    assert.deepEqual(order, ['a', 'b', 'c']);
    ends.forEach((end) => end());
    await Promise.all([b, c]);
    await assert.rejects(gate(() => Promise.reject(new Error('failed'))), /failed/);
    await Promise.all([gate(() => Promise.resolve()), gate(() => Promise.resolve())]);
  });
});
