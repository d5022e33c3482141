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
  const { ranges, residues } = expectedSizes(modulus);
  if (gStatistic(countRanges(values, cells, modulus), ranges, modulus) > gMax) return 'range';
  if (gStatistic(countResidues(values), residues, modulus) > gMax) return 'residue';
  const between = differences(values, modulus);
  const spread = gStatistic(countRanges(between, cells, modulus), ranges, modulus);
  between.fill(0);
  if (spread > gMax) return 'difference';
  if (crowds.some((crowd) => maximum(countRanges(values, crowd.cells, modulus)) > crowd.countMax)) return 'crowd';
  return repetition(values, modulus);
}

/** Values in each of `count` ranges of 0..modulus-1. */
function countRanges(values: Uint32Array, count: number, modulus: number): Uint32Array {
  const counts = new Uint32Array(count);
  for (let at = 0; at < values.length; at += 1) {
    const cell = Math.floor(((values[at] as number) * count) / modulus);
    counts[cell] = (counts[cell] as number) + 1;
  }
  return counts;
}

function countResidues(values: Uint32Array): Uint32Array {
  const counts = new Uint32Array(cells);
  for (let at = 0; at < values.length; at += 1) {
    const cell = (values[at] as number) % cells;
    counts[cell] = (counts[cell] as number) + 1;
  }
  return counts;
}

function maximum(counts: Uint32Array): number {
  let most = 0;
  for (let at = 0; at < counts.length; at += 1) if ((counts[at] as number) > most) most = counts[at] as number;
  return most;
}

type Sizes = { readonly ranges: readonly number[]; readonly residues: readonly number[] };
const sizesOf = new Map<number, Sizes>();

/** The same for every block of a modulus, and there are few. */
function expectedSizes(modulus: number): Sizes {
  const known = sizesOf.get(modulus);
  if (known !== undefined) return known;
  const sizes = { ranges: rangeSizes(modulus, cells), residues: residueSizes(modulus) };
  sizesOf.set(modulus, sizes);
  return sizes;
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

/** Of neighbours, each slot in one pair: catches one mask for many slots, and masks that count up. */
function differences(values: Uint32Array, modulus: number): Uint32Array {
  const found = new Uint32Array(values.length >> 1);
  for (let pair = 0; pair < found.length; pair += 1) found[pair] = ((values[2 * pair + 1] as number) - (values[2 * pair] as number) + modulus) % modulus;
  return found;
}

/** How often each value was seen in the block at hand: all zero between two. Sorting 4,096 values takes ten times as long. */
let seen = new Uint16Array();

function repetition(values: Uint32Array, modulus: number): 'repeats' | 'multiple' | undefined {
  if (seen.length !== modulus) seen = new Uint16Array(modulus);
  let repeats = 0;
  let longest = 0;
  for (let at = 0; at < values.length; at += 1) {
    const times = ++seen[values[at]!]!;
    if (times > 1) repeats += 1;
    if (times > longest) longest = times;
  }
  for (let at = 0; at < values.length; at += 1) seen[values[at]!] = 0;
  if (repeats > repeatsMax) return 'repeats';
  return longest > multipleMax ? 'multiple' : undefined;
}
