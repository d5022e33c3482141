import { VeilgateError } from '../../errors.ts';
import type { ParameterSet } from '../../he/parameters.ts';
import type { TableEvaluator, TableSum } from '../../he/table-products.ts';
import type { WindowDecryptor } from '../../he/window-decrypt.ts';
import { discreteGaussian, type Rational } from '../noise/discrete-gaussian.ts';
import type { ExactRandom } from '../noise/exact-random.ts';
import { chunkRows, clearPolynomial, sumsOf, windowStart, type Layout } from './layout.ts';

/** One of the platform's columns over the cohort: small integers, |value| at most `bound`, in the order of positions. */
export type ClearColumn = { readonly values: Int32Array; readonly bound: number };

/**
 * Sums of the platform's columns by the bins of one encrypted column of the partner (protocol B): Σ over rows of
 * x · [partner's bin = b]. Each column makes one result.
 */
export type TableRun = {
  /** The next chunk of the partner's pads, in order. */
  readonly add: (pad: Uint8Array) => void;
  /** After the last chunk: one result for each column. */
  readonly finish: () => Uint8Array<ArrayBuffer>[];
  /** Frees everything when the run ends early. */
  readonly abandon: () => void;
};

/**
 * @param shifts the partner's, in clear: one for each row, below the number of bins
 * @param variance σ² of the privacy noise in every sum
 * Errors: JOINT_INPUT_INVALID (shifts, chunks), JOINT_BOUND_EXCEEDED; HE_CIPHERTEXT_REFUSED.
 */
export function startTable(evaluator: TableEvaluator, set: ParameterSet, layout: Layout, shifts: Uint8Array, columns: readonly ClearColumn[], variance: Rational, random: ExactRandom): TableRun {
  const rows = shifts.length;
  if (shifts.some((shift) => shift >= layout.bins)) throw new VeilgateError('JOINT_INPUT_INVALID', 'A shift is one of the column\'s bins: make the shifts from the drawn bundle\'s pads.');
  for (const { values, bound } of columns) checkBound(set, values, bound, rows);
  const sums: TableSum[] = columns.map(() => ({ sum: undefined }));
  let chunk = 0;
  return {
    add(bytes) {
      const { from, to } = chunkRows(layout, chunk, rows);
      if (from >= rows) throw new VeilgateError('JOINT_INPUT_INVALID', 'More pads came than the column has rows for.');
      const pad = evaluator.load(bytes);
      try {
        columns.forEach(({ values }, column) => evaluator.multiplyAdd(sums[column] as TableSum, pad, clearPolynomial(layout, values.subarray(from, to), shifts.subarray(from, to))));
      } finally {
        evaluator.free(pad);
      }
      chunk += 1;
    },
    finish() {
      if (chunkRows(layout, chunk, rows).from < rows) throw new VeilgateError('JOINT_INPUT_INVALID', 'Pads are missing: send every chunk of the column.');
      return sums.map((sum) => evaluator.finish(sum, windowStart(layout), hidingAddend(set, layout, variance, random)).bytes);
    },
    abandon: () => sums.forEach((each) => {
      each.sum?.delete();
      each.sum = undefined;
    }),
  };
}

/**
 * What is added to the window: the two halves of each bin get a random r and noise − r, mod t. Either half alone is
 * uniform, so only their sum can be read, and that is the true sum plus noise.
 */
function hidingAddend(set: ParameterSet, layout: Layout, variance: Rational, random: ExactRandom): Float64Array {
  const modulus = BigInt(set.plainModulus);
  const addend = new Float64Array(layout.width);
  for (let bin = 0; bin < layout.bins; bin += 1) {
    const hiding = random.below(modulus);
    const noise = discreteGaussian(random, variance);
    addend[bin] = Number(hiding);
    addend[bin + layout.bins] = Number((((noise - hiding) % modulus) + modulus) % modulus);
  }
  return addend;
}

/** The noise bound of the parameter set rests on Σ|x|: it is held for the declared bound, whatever the values are. */
function checkBound(set: ParameterSet, values: Int32Array, bound: number, rows: number): void {
  if (values.length !== rows) throw new VeilgateError('JOINT_INPUT_INVALID', 'A shift is needed for every row of the cohort.');
  if (rows * bound > set.weightSumMax || values.some((value) => Math.abs(value) > bound)) {
    throw new VeilgateError('JOINT_BOUND_EXCEEDED', 'The column reaches further than this many rows allow: declare a smaller bound or fewer steps.', { bound_max: Math.floor(set.weightSumMax / rows) });
  }
}

/** The partner's side: the noisy sums by bin, as signed integers. */
export function openTable(decryptor: WindowDecryptor, set: ParameterSet, layout: Layout, result: Uint8Array): number[] {
  const window = decryptor.decrypt(result, windowStart(layout), layout.width);
  return sumsOf(layout, window).map((sum) => {
    const reduced = sum % set.plainModulus;
    return reduced > set.plainModulus / 2 ? reduced - set.plainModulus : reduced;
  });
}
