import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { BoundedCache } from '../../src/identity/bounded-cache.ts';

describe('identity/bounded-cache', () => {
  it('never holds more than it may, nor anything but what was last set', () => {
    const step = fc.record({ key: fc.integer({ min: 0, max: 9 }).map(String), kind: fc.constantFrom('get', 'set', 'delete') });
    fc.assert(fc.property(fc.integer({ min: 2, max: 8 }), fc.array(step, { maxLength: 60 }), (maxEntries, steps) => {
      const cache = new BoundedCache<number>(maxEntries);
      const last = new Map<string, number>();
      steps.forEach(({ key, kind }, at) => {
        if (kind === 'set') {
          cache.set(key, at);
          last.set(key, at);
        } else if (kind === 'delete') {
          cache.delete(key);
          last.delete(key);
        }
        const found = cache.get(key);
        if (kind === 'set') assert.equal(found, at);
        if (found !== undefined) assert.equal(found, last.get(key));
        assert.ok(cache.size <= maxEntries);
      });
    }));
  });

  it('keeps what is asked for while others come and go, and forgets what is not', () => {
    const cache = new BoundedCache<string>(10);
    cache.set('asked for', 'a');
    cache.set('not asked for', 'n');
    for (let n = 0; n < 1000; n += 1) {
      cache.set(`other ${n}`, 'o');
      assert.equal(cache.get('asked for'), 'a');
    }
    assert.equal(cache.get('not asked for'), undefined);
    assert.equal(cache.get('other 999'), 'o');
  });
});
