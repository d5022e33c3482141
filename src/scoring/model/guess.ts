import { dot, gridOf, type FieldRange } from './range.ts';

/**
 * How much a released number gives away of one field: the number is exact, so that its low digits may tell what its
 * size does not (weights 1, 256, 256, …: the remainder is the first field; weights 4097, 4098, 4100, 4104, …: the
 * remainder is all of them). Counted as if every bin were equally likely and fields were independent:
 * how often does the best guess of the field's bin from the number hit, against the best guess without it?
 * (Bayes vulnerability; Smith 2009, "On the Foundations of Quantitative Information Flow".)
 */
export type GuessGain = { readonly field: FieldRange; /** 0: the number says nothing; 1: it always says the bin. */ readonly gain: number };

/** A field with more different contributions than this is guessed by parts of its range instead. */
const binsMax = 16;
const partsOfRange = 8;
/** Different numbers that are counted through; more is not judged (undefined). */
const numbersMax = 1 << 18;
/** Values of a field that is counted value by value. */
const valuesMax = 1 << 17;

/** A run of contributions `start, start + step, …`, each as likely as the others of its field. */
type Run = { readonly start: number; readonly step: number; readonly count: number };
type Contribution = { readonly field: FieldRange; readonly all: readonly Run[]; readonly bins: readonly (readonly Run[])[]; readonly values: number };

/** The field of which a number tells most; undefined when there are too many numbers to count through. */
export function largestGain(ranges: readonly FieldRange[]): GuessGain | undefined {
  const moving = ranges.filter(({ range }) => range > 0);
  const grid = gridOf(moving);
  const contributions = moving.map((field) => contributionOf(field, grid));
  const length = contributions.reduce((sum, { bins }) => sum + highest(bins), 0) + 1;
  if (length > numbersMax || contributions.some(({ values }) => values > valuesMax)) return undefined;
  let largest: GuessGain | undefined;
  leaveOneOut(contributions, Float64Array.of(1), (contribution, rest) => {
    const gain = gainOf(contribution, rest);
    if (largest === undefined || gain > largest.gain) largest = { field: contribution.field, gain };
  });
  return largest;
}

/** Calls `visit` with the distribution of the sum of all others, for each in turn; halves share their sums. */
function leaveOneOut(items: readonly Contribution[], outside: Float64Array, visit: (item: Contribution, rest: Float64Array) => void): void {
  const [only] = items;
  if (items.length <= 1) {
    if (only !== undefined) visit(only, outside);
    return;
  }
  const middle = items.length >> 1;
  const [left, right] = [items.slice(0, middle), items.slice(middle)];
  leaveOneOut(left, right.reduce((sum, { all, values }) => convolve(sum, all, values), outside), visit);
  leaveOneOut(right, left.reduce((sum, { all, values }) => convolve(sum, all, values), outside), visit);
}

function gainOf({ bins, values }: Contribution, rest: Float64Array): number {
  const prior = Math.max(...bins.map((bin) => sizeOf(bin) / values));
  if (prior === 1) return 0;
  const best = new Float64Array(rest.length + highest(bins));
  for (const bin of bins) {
    const likely = convolve(rest, bin, values, best.length);
    for (let at = 0; at < likely.length; at += 1) {
      const chance = likely[at] as number;
      if (chance > (best[at] as number)) best[at] = chance;
    }
  }
  let hits = 0;
  for (let at = 0; at < best.length; at += 1) hits += best[at] as number;
  return Math.min(1, Math.max(0, (hits - prior) / (1 - prior)));
}

/** The distribution of a sum of two, the second one uniform over runs of `values` values altogether. */
function convolve(distribution: Float64Array, runs: readonly Run[], values: number, length = distribution.length + highest([runs])): Float64Array {
  const sum = new Float64Array(length);
  for (const { start, step, count } of runs) {
    if (count === 1) {
      for (let at = 0; at < distribution.length; at += 1) sum[at + start] = (sum[at + start] as number) + (distribution[at] as number) / values;
      continue;
    }
    // sums along each residue; a window's content is the difference of two of them
    const until = Math.min(length - start, distribution.length + step * (count - 1));
    const sums = new Float64Array(until);
    sums.set(distribution.subarray(0, until));
    for (let at = step; at < until; at += 1) sums[at] = (sums[at] as number) + (sums[at - step] as number);
    const width = step * count;
    for (let at = 0; at < until; at += 1) {
      const inside = at < width ? (sums[at] as number) : (sums[at] as number) - (sums[at - width] as number);
      sum[at + start] = (sum[at + start] as number) + inside / values;
    }
  }
  return sum;
}

/** What a field adds, from its lowest on and in units of the grid, ordered into bins that somebody could guess. */
function contributionOf(field: FieldRange, grid: number): Contribution {
  const { shape, weights, low } = field;
  const runs = shape.stretches.map(({ first, last, count }) => runOf((dot(weights, first) - low) / grid, (dot(weights, last) - low) / grid, count)).flat();
  const singles = runs.reduce((sum, { count }) => sum + count, 0);
  // one more value: who has none, where that is a value of its own
  const missing = shape.missing === undefined ? [] : [{ start: (dot(weights, shape.missing) - low) / grid, step: 1, count: 1 }];
  const all = singles <= binsMax ? [...runs, ...missing] : runs;
  const values = all.reduce((sum, { count }) => sum + count, 0);
  if (singles <= binsMax) {
    const alike = new Map<number, Run>();
    const byValue = all.flatMap(({ start, step, count }) => Array.from({ length: count }, (_, turn) => start + turn * step));
    for (const value of byValue) alike.set(value, { start: value, step: 0, count: (alike.get(value)?.count ?? 0) + 1 });
    return { field, all, bins: [...alike.values()].map((run) => Array.from({ length: run.count }, () => ({ start: run.start, step: 1, count: 1 }))), values };
  }
  return { field, all, bins: partsOf(all, values), values };
}

/** Runs whose steps are whole; where the two ends do not allow that, value by value. */
function runOf(first: number, last: number, count: number): Run[] {
  if (count === 1) return [{ start: first, step: 1, count: 1 }];
  const step = (last - first) / (count - 1);
  if (step === 0) return Array.from({ length: Math.min(count, binsMax + 1) }, () => ({ start: first, step: 1, count: 1 }));
  if (Number.isInteger(step)) return [step > 0 ? { start: first, step, count } : { start: last, step: -step, count }];
  return Array.from({ length: Math.min(count, valuesMax) }, (_, turn) => ({ start: Math.round(first + turn * step), step: 1, count: 1 }));
}

/** Cuts runs, ordered by what they add, into parts with equally many values. */
function partsOf(runs: readonly Run[], values: number): Run[][] {
  const parts: Run[][] = Array.from({ length: partsOfRange }, () => []);
  let passed = 0;
  for (const run of runs.toSorted((one, other) => one.start - other.start)) {
    let taken = 0;
    while (taken < run.count) {
      const part = Math.min(partsOfRange - 1, Math.floor((passed * partsOfRange) / values));
      const until = part === partsOfRange - 1 ? values : Math.ceil(((part + 1) * values) / partsOfRange);
      const count = Math.min(run.count - taken, Math.max(1, until - passed));
      parts[part]?.push({ start: run.start + taken * run.step, step: run.step, count });
      taken += count;
      passed += count;
    }
  }
  return parts.filter((part) => part.length > 0);
}

const sizeOf = (runs: readonly Run[]) => runs.reduce((sum, { count }) => sum + count, 0);

function highest(bins: readonly (readonly Run[])[]): number {
  return bins.flat().reduce((most, { start, step, count }) => Math.max(most, start + step * (count - 1)), 0);
}
