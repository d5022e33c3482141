import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { clearSums } from '../../../src/joint/circuit/clear.ts';
import { chunkRows, chunksFor, clearPolynomial, layoutOf, padPolynomial, shiftOf, sumsOf, windowStart } from '../../../src/joint/circuit/layout.ts';

/** Schoolbook product in Z[X]/(X^N + 1). */
function negacyclic(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  const degree = a.length;
  const product = new Array<number>(degree).fill(0);
  for (let i = 0; i < degree; i += 1) {
    if (a[i] === 0) continue;
    for (let j = 0; j < degree; j += 1) {
      const at = (i + j) % degree;
      product[at] = (product[at] as number) + (i + j < degree ? 1 : -1) * (a[i] as number) * (b[j] as number);
    }
  }
  return product;
}

const column = fc.tuple(fc.constantFrom(64, 128), fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 70 })).chain(([degree, bins, rows]) =>
  fc.tuple(
    fc.constant(degree), fc.constant(bins),
    fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 0, max: bins - 1 }), fc.integer({ min: 0, max: bins - 1 })), { minLength: rows, maxLength: rows }),
  ));

describe('the layout of the encrypted table circuit', () => {
  it('gives the sums by bin exactly, over any number of chunks', () => {
    fc.assert(fc.property(column, ([degree, bins, rows]) => {
      const layout = layoutOf(degree, bins);
      const window = new Array<number>(layout.width).fill(0);
      for (let chunk = 0; chunk < chunksFor(layout, rows.length); chunk += 1) {
        const { from, to } = chunkRows(layout, chunk, rows.length);
        const part = rows.slice(from, to);
        const clear = clearPolynomial(layout, part.map(([x]) => x), part.map(([, bin, pad]) => shiftOf(layout, bin, pad)));
        const product = negacyclic(clear, padPolynomial(layout, part.map(([, , pad]) => pad)));
        for (let at = 0; at < layout.width; at += 1) window[at] = (window[at] as number) + (product[windowStart(layout) + at] as number);
      }
      assert.deepEqual(sumsOf(layout, window), clearSums(rows.map(([x]) => x), rows.map(([, bin]) => bin), bins));
    }));
  });

  it('says nothing about the bin in the shift: every shift is as likely for every bin', () => {
    const layout = layoutOf(64, 5);
    for (let bin = 0; bin < 5; bin += 1) {
      assert.deepEqual(Array.from({ length: 5 }, (_, pad) => shiftOf(layout, bin, pad)).sort(), [0, 1, 2, 3, 4]);
    }
  });

  it('refuses a column of one bin and a row wider than a polynomial', () => {
    assert.throws(() => layoutOf(4096, 1), RangeError);
    assert.throws(() => layoutOf(64, 33), RangeError);
  });
});
