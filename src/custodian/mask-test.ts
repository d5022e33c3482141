/**
 * Whether the values of a decrypted block look uniform modulo t, as those of a masked block are. The custodian tests
 * all slots before it answers, so that it notices a gateway that forgot the mask, or masked a part.
 *
 * Each test refuses a truly uniform block with probability below 2^-68 (bounds at each constant; test/custodian/
 * mask-test.test.ts works them out again), all together below 2^-65: one refusal is proof, not bad luck.
 *
 * It guards against faults and against what can be seen. It cannot see: masks that the gateway knows or uses twice,
 * a generator that is no good but looks so, fewer than about fifty unmasked slots, unmasked values that are
 * themselves spread over all of 0..t-1. docs/decisions/0113-mask-test.md.
 */

export type MaskFault = 'range' | 'residue' | 'difference' | 'crowd' | 'repeats' | 'multiple';

const cells = 64;
/**
 * The G statistic 2 Σ o·ln(o/e) over k cells exceeds 2x with probability at most e^-x · (e·x/(k-1))^(k-1), for every
 * number of draws (Agrawal 2020, "Finite-sample concentration of the multinomial in relative entropy"): 2^-68 for k = 64.
 */
export const gMax = 348.5;
/** Chernoff's bound for a binomial count, times the number of cells: 2^-68. Cells of 16,129 and of 252 values for t = 1,032,193. */
export const crowds: readonly { readonly cells: number; readonly countMax: number }[] = [{ cells: 64, countMax: 161 }, { cells: 4096, countMax: 25 }];
/** Slots whose value stood in an earlier slot: at most a sum of Bernoulli trials with i/t, mean 8.1 of 4,096 slots; Chernoff: 2^-68. */
export const repeatsMax = 49;
/** One value in so many slots: at most t · C(4096, 9) · t^-9 < 2^-70 for nine. */
export const multipleMax = 8;

/**
 * @param values all slots of a block, 0..modulus-1
 * @returns the first test that fails; undefined when the block looks masked
 */
export function maskFault(values: Uint32Array, modulus: number): MaskFault | undefined {
  const faults: readonly (readonly [MaskFault, boolean])[] = [
    ['range', gStatistic(countBy(values, cells, (value) => Math.floor((value * cells) / modulus)), rangeSizes(modulus, cells), modulus) > gMax],
    ['residue', gStatistic(countBy(values, cells, (value) => value % cells), residueSizes(modulus), modulus) > gMax],
    ['difference', differenceStatistic(values, modulus) > gMax],
    ['crowd', crowds.some((crowd) => Math.max(...countBy(values, crowd.cells, (value) => Math.floor((value * crowd.cells) / modulus))) > crowd.countMax)],
    ...repetition(values),
  ];
  return faults.find(([, failed]) => failed)?.[0];
}

function countBy(values: Uint32Array, count: number, cellOf: (value: number) => number): Uint32Array {
  const counts = new Uint32Array(count);
  for (const value of values) {
    const cell = cellOf(value);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  return counts;
}

/** Values of 0..modulus-1 that fall into each range. */
function rangeSizes(modulus: number, count: number): number[] {
  const start = (cell: number) => Math.ceil((cell * modulus) / count);
  return Array.from({ length: count }, (_, cell) => start(cell + 1) - start(cell));
}

/** Values of 0..modulus-1 that leave each residue. */
function residueSizes(modulus: number): number[] {
  return Array.from({ length: cells }, (_, residue) => Math.ceil((modulus - residue) / cells));
}

/** Twice the number of draws times the relative entropy of what was counted to what a uniform draw gives. */
export function gStatistic(counts: Uint32Array, sizes: readonly number[], modulus: number): number {
  const draws = counts.reduce((sum, count) => sum + count, 0);
  let sum = 0;
  counts.forEach((count, cell) => {
    if (count > 0) sum += count * Math.log((count * modulus) / (draws * (sizes[cell] ?? 0)));
  });
  return 2 * sum;
}

/** Neighbours, each slot in one pair: catches one mask for many slots, and masks that count up. */
function differenceStatistic(values: Uint32Array, modulus: number): number {
  const differences = Uint32Array.from({ length: values.length >> 1 }, (_, pair) => ((values[2 * pair + 1] ?? 0) - (values[2 * pair] ?? 0) + modulus) % modulus);
  const counts = countBy(differences, cells, (value) => Math.floor((value * cells) / modulus));
  differences.fill(0);
  return gStatistic(counts, rangeSizes(modulus, cells), modulus);
}

function repetition(values: Uint32Array): readonly (readonly [MaskFault, boolean])[] {
  const sorted = values.slice().sort();
  let repeats = 0;
  let run = 1;
  let longest = 1;
  for (let at = 1; at < sorted.length; at += 1) {
    run = sorted[at] === sorted[at - 1] ? run + 1 : 1;
    if (run > 1) repeats += 1;
    longest = Math.max(longest, run);
  }
  sorted.fill(0);
  return [['repeats', repeats > repeatsMax], ['multiple', longest > multipleMax]];
}
