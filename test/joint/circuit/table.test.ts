import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { VeilgateError, type ErrorCode } from '../../../src/errors.ts';
import { jointParameters as set } from '../../../src/he/joint-parameters.ts';
import { createPadEncryptor, type PadEncryptor } from '../../../src/he/pads.ts';
import { loadHe, type He } from '../../../src/he/runtime.ts';
import { createTableEvaluator, type TableEvaluator } from '../../../src/he/table-products.ts';
import { createWindowDecryptor, type WindowDecryptor } from '../../../src/he/window-decrypt.ts';
import { clearSums } from '../../../src/joint/circuit/clear.ts';
import { chunkRows, chunksFor, layoutOf, padPolynomial, shiftOf, windowStart, type Layout } from '../../../src/joint/circuit/layout.ts';
import { openTable, startTable, type ClearColumn } from '../../../src/joint/circuit/table.ts';
import { createExactRandom } from '../../../src/joint/noise/exact-random.ts';
import { keystream } from '../support/keystream.ts';

const silent = { numerator: 0n, denominator: 1n };
const refusedWith = (code: ErrorCode) => (error: unknown) => error instanceof VeilgateError && error.code === code;

describe('encrypted tables', () => {
  let he: He;
  let encryptor: PadEncryptor;
  let evaluator: TableEvaluator;
  let decryptor: WindowDecryptor;
  before(async () => {
    he = await loadHe();
    encryptor = createPadEncryptor(he, set, keystream('tables'));
    evaluator = createTableEvaluator(he, set, encryptor.publicKey);
    decryptor = createWindowDecryptor(he, set, encryptor.secretKey);
  });
  after(() => {
    encryptor.close();
    evaluator.close();
    decryptor.close();
  });

  const padsOf = (layout: Layout, pads: readonly number[]) => Array.from({ length: chunksFor(layout, pads.length) }, (_, chunk) => {
    const { from, to } = chunkRows(layout, chunk, pads.length);
    return encryptor.encrypt(padPolynomial(layout, pads.slice(from, to)));
  });

  const run = (layout: Layout, bins: readonly number[], pads: readonly number[], columns: readonly ClearColumn[], variance = silent, seed = 'noise') => {
    const shifts = Uint8Array.from(bins, (bin, row) => shiftOf(layout, bin, pads[row] as number));
    const table = startTable(evaluator, set, layout, shifts, columns, variance, createExactRandom(keystream(seed)));
    padsOf(layout, pads).forEach(table.add);
    return table.finish();
  };

  it('equal their clear twin exactly, for any rows, bins and bounded values', () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 2 ** 30 }), (bins, rows, seed) => {
      const layout = layoutOf(set.polyModulusDegree, bins);
      const random = createExactRandom(keystream(`case ${seed}`));
      const draw = (below: number) => Array.from({ length: rows }, () => Number(random.below(BigInt(below))));
      const partnerBins = draw(bins);
      const columns = [83, 3].map((span) => ({ values: Int32Array.from(draw(span), (value) => value - (span - 1) / 2), bound: (span - 1) / 2 }));
      const results = run(layout, partnerBins, draw(bins), columns);
      assert.deepEqual(results.map((result) => openTable(decryptor, set, layout, result)), columns.map(({ values }) => clearSums(values, partnerBins, bins)));
    }), { numRuns: 12 });
  });

  it('stay exact at the greatest bound the parameters allow, and refuse one beyond', () => {
    const layout = layoutOf(set.polyModulusDegree, 2);
    const rows = 1500;
    const bound = Math.floor(set.weightSumMax / rows);
    const bins = Array.from({ length: rows }, () => 0);
    const extreme = { values: new Int32Array(rows).fill(-bound), bound };
    const [result] = run(layout, bins, bins, [extreme]);
    assert.deepEqual(openTable(decryptor, set, layout, result as Uint8Array), [-bound * rows, 0]);
    assert.throws(() => run(layout, bins, bins, [{ ...extreme, bound: bound + 1 }]), refusedWith('JOINT_BOUND_EXCEEDED'));
    assert.throws(() => run(layout, bins, bins, [{ values: Int32Array.from(bins, () => 2), bound: 1 }]), refusedWith('JOINT_BOUND_EXCEEDED'), 'a value beyond the declared bound');
  });

  it('carry exactly the noise that was drawn', () => {
    const layout = layoutOf(set.polyModulusDegree, 3);
    const bins = Array.from({ length: 50 }, (_, row) => row % 3);
    const column = { values: new Int32Array(50).fill(1), bound: 1 };
    const runs = Array.from({ length: 60 }, (_, at) => openTable(decryptor, set, layout, run(layout, bins, bins, [column], { numerator: 400n, denominator: 1n }, `run ${at}`)[0] as Uint8Array));
    const errors = runs.flatMap((sums) => sums.map((sum, bin) => sum - (clearSums(column.values, bins, 3)[bin] as number)));
    const variance = errors.reduce((sum, error) => sum + error * error, 0) / errors.length;
    assert.ok(variance > 250 && variance < 600, `${variance}`);
  });

  it('work for a column of zeros, which SEAL alone would refuse to multiply', () => {
    const layout = layoutOf(set.polyModulusDegree, 2);
    const [result] = run(layout, [0, 1, 1], [1, 1, 0], [{ values: new Int32Array(3), bound: 1 }]);
    assert.deepEqual(openTable(decryptor, set, layout, result as Uint8Array), [0, 0]);
  });

  it('refuse shifts that are no bins, missing or surplus pads, and results of another size', () => {
    const layout = layoutOf(set.polyModulusDegree, 2);
    const column = { values: new Int32Array(3).fill(1), bound: 1 };
    const start = (shifts: Uint8Array) => startTable(evaluator, set, layout, shifts, [column], silent, createExactRandom());
    assert.throws(() => start(Uint8Array.of(0, 1, 2)), refusedWith('JOINT_INPUT_INVALID'));
    assert.throws(() => start(Uint8Array.of(0, 1)), refusedWith('JOINT_INPUT_INVALID'), 'a row without a shift');
    const table = start(Uint8Array.of(0, 1, 1));
    assert.throws(() => table.finish(), refusedWith('JOINT_INPUT_INVALID'));
    const [pad = new Uint8Array()] = padsOf(layout, [0, 1, 0]);
    table.add(pad);
    assert.throws(() => table.add(pad), refusedWith('JOINT_INPUT_INVALID'));
    table.abandon();
    assert.throws(() => openTable(decryptor, set, layout, new Uint8Array(100)), refusedWith('HE_CIPHERTEXT_REFUSED'));
  });

  it('refuse pads that are truncated, changed in their head, of another form or of other parameters', () => {
    const layout = layoutOf(set.polyModulusDegree, 2);
    const [pad = new Uint8Array()] = padsOf(layout, [0, 1, 0]);
    for (let at = 0; at < 113; at += 1) {
      const changed = pad.slice();
      changed[at] = (changed[at] as number) ^ 1;
      assert.throws(() => evaluator.load(changed), refusedWith('HE_CIPHERTEXT_REFUSED'), `byte ${at}`);
    }
    assert.throws(() => evaluator.load(pad.slice(0, -1)), refusedWith('HE_CIPHERTEXT_REFUSED'));
    assert.throws(() => evaluator.load(new Uint8Array(pad.length)), refusedWith('HE_CIPHERTEXT_REFUSED'));
    const beyond = pad.slice();
    beyond.fill(255, 113, 121);
    assert.throws(() => evaluator.load(beyond), refusedWith('HE_CIPHERTEXT_REFUSED'), 'a coefficient beyond its prime');
    assert.equal(windowStart(layout), 4092);
  });
});
