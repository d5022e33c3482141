import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { binsOf, boundOf, encodeColumnValue } from '../../../src/joint/project/encoding.ts';
import type { ColumnEncoding } from '../../../src/joint/project/document.ts';

const edges: ColumnEncoding = { kind: 'bins', edges: [0, 10, 20.5] };
const codes: ColumnEncoding = { kind: 'bins', codes: ['A', 'B'] };
const steps: ColumnEncoding = { kind: 'steps', min: -5, max: 15, steps: 10 };
const values = (encoding: ColumnEncoding, ...given: readonly unknown[]) => given.map((value) => encodeColumnValue(encoding, value as never));

describe('the encoding of a column', () => {
  it('puts numbers into bins by their edges, decimals as text included, and who has no value into the last', () => {
    assert.deepEqual(values(edges, -1, 0, 9.99, '10.00', 20, '20.5', 1e9), [0, 1, 1, 2, 2, 3, 3]);
    assert.deepEqual(values(edges, null, undefined, '', 'x', true, Infinity), [4, 4, 4, 4, 4, 4]);
    assert.equal(binsOf(edges), 5);
  });

  it('gives each code its bin, and everything else the last', () => {
    assert.deepEqual(values(codes, 'A', 'B', 'C', null, undefined, 7), [0, 1, 2, 2, 2, 2]);
    assert.deepEqual(values({ kind: 'bins', codes: ['true'] }, true, 'true', false), [0, 0, 1]);
    assert.equal(binsOf(codes), 3);
  });

  it('cuts a range into equal steps, values beyond at the ends', () => {
    assert.deepEqual(values(steps, -5, -3, 0, '5', 15, 99, -99, null), [0, 1, 3, 5, 10, 10, 0, 0]);
    assert.equal(binsOf(steps), undefined);
  });

  it('never leaves the declared bound, whatever is stored: one bin, or at most all steps', () => {
    const anything = fc.oneof(fc.double(), fc.string(), fc.boolean(), fc.constant(null), fc.integer());
    fc.assert(fc.property(anything, (value) => {
      for (const encoding of [edges, codes, steps]) {
        const encoded = encodeColumnValue(encoding, value);
        assert.ok(Number.isInteger(encoded) && encoded >= 0 && encoded <= (binsOf(encoding) ?? boundOf(encoding) + 1) - 1);
      }
    }));
    assert.deepEqual([edges, codes, steps].map(boundOf), [1, 1, 10]);
  });
});
