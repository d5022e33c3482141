import { riseByNoise, stabilityNoise } from './noise-bias.ts';
import { badShareAt, type Scaling } from './points.ts';
import { stability, type CalibrationBin, type Discrimination } from './validation.ts';

/**
 * Validation from one noisy table: enterprises by band of the platform's points × band of the partner's own points ×
 * group (trained on, hold-out good, hold-out bad). Nobody's score leaves; what the table's noise does to each figure is said.
 */

/** Bands of the platform's points: band i holds sums from edge i−1 on and below edge i. */
export type Bands = { readonly edges: readonly number[]; /** What a sum in each band is on average. */ readonly means: readonly number[] };

/** A cell of the table; counts may be negative by noise. */
export type BandedCell = { readonly score: number; readonly trained: number; readonly good: number; readonly bad: number };

export type BandedValidation = Discrimination & {
  /** Half-widths of 95 % intervals: sampling and privacy noise together. */
  readonly aucMargin: number;
  readonly ksMargin: number;
  /** What privacy noise added to the greatest distance: taken off `ks`. 0 without noise. */
  readonly ksNoise: number;
  readonly calibration: readonly CalibrationBin[];
  /** Between those it was trained on and the hold-out, over ten groups; null where only the hold-out was looked at. */
  readonly stability: number | null;
  /** Half-width of its 95 % interval, and what privacy noise added to it: taken off. Null as `stability`. */
  readonly stabilityMargin: number | null;
  readonly stabilityNoise: number | null;
  /** Of the scorecard's releases and this one. */
  readonly privacy: { readonly epsilon: number; readonly delta: number };
};

const z95 = 1.959963984540054;
const groups = 10;

/**
 * Edges that cut the platform's points into bands of about equal size, from what is released already: each feature's
 * noisy counts by bin, taken as independent. Where they are not, bands are of less equal size; no figure gets wrong by it.
 * @param features whole points and counts, by bin
 * @param bands 2..256; fewer come back where many sums coincide
 */
export function bandsOf(features: readonly { readonly points: readonly number[]; readonly counts: readonly number[] }[], bands: number): Bands {
  let shares = new Map([[0, 1]]);
  for (const { points, counts } of features) {
    const usable = counts.map((count) => Math.max(count, 0));
    const all = usable.reduce((sum, count) => sum + count, 0);
    const next = new Map<number, number>();
    for (const [sum, share] of shares) {
      points.forEach((each, bin) => {
        const of = all === 0 ? 1 / points.length : (usable[bin] as number) / all;
        if (of > 0) next.set(sum + each, (next.get(sum + each) ?? 0) + share * of);
      });
    }
    shares = next;
  }
  const sums = [...shares].toSorted(([a], [b]) => a - b);
  const edges: number[] = [];
  const means: number[] = [];
  let [seen, held, weighted] = [0, 0, 0];
  const close = () => {
    means.push(weighted / held);
    [held, weighted] = [0, 0];
  };
  for (const [sum, share] of sums) {
    if (held > 0 && seen >= (edges.length + 1) / bands - 1e-12 && edges.length < bands - 1) {
      edges.push(sum);
      close();
    }
    [seen, held, weighted] = [seen + share, held + share, weighted + share * sum];
  }
  close();
  return { edges, means };
}

/**
 * @param cells in any order; cells with the same score are one
 * @param variance σ² of the noise in each count
 */
export function validateBands(cells: readonly BandedCell[], variance: number, scaling: Scaling, privacy: BandedValidation['privacy']): BandedValidation {
  const sorted = cells.toSorted((a, b) => a.score - b.score);
  const total = (of: (cell: BandedCell) => number) => sorted.reduce((sum, cell) => sum + of(cell), 0);
  const [goodAll, badAll] = [total(({ good }) => good), total(({ bad }) => bad)];
  if (!(goodAll > 0 && badAll > 0)) throw new RangeError('validation needs good ones and bad ones that noise does not drown');
  const roc = [{ score: -Infinity, good: 0, bad: 0 }, ...tied(sorted).map((cell, at, all) => ({
    score: cell.score,
    good: all.slice(0, at + 1).reduce((sum, { good }) => sum + good, 0) / goodAll,
    bad: all.slice(0, at + 1).reduce((sum, { bad }) => sum + bad, 0) / badAll,
  }))];
  const auc = roc.slice(1).reduce((area, point, at) => area + (point.good - (roc[at]?.good ?? 0)) * (point.bad + (roc[at]?.bad ?? 0)) / 2, 0);
  // what one enterprise more in a cell changes (delta method); a count is Poisson, its noise as it was drawn
  const aucVariance = roc.slice(1).reduce((sum, point, at) => {
    const before = roc[at] as { readonly good: number; readonly bad: number };
    const slopeGood = ((point.bad + before.bad) / 2 - auc) / goodAll;
    const slopeBad = (1 - (point.good + before.good) / 2 - auc) / badAll;
    const cellsHere = sorted.filter(({ score }) => score === point.score).length;
    return sum + slopeGood ** 2 * (Math.max(0, (point.good - before.good) * goodAll) + cellsHere * variance) + slopeBad ** 2 * (Math.max(0, (point.bad - before.bad) * badAll) + cellsHere * variance);
  }, 0);
  const apart = ({ good, bad }: { readonly good: number; readonly bad: number }) => Math.abs(bad - good);
  const widest = roc.reduce((best, point) => (apart(point) > apart(best) ? point : best));
  const cellsBelow = sorted.filter(({ score }) => score <= widest.score).length;
  const shareVariance = (share: number, all: number) => (Math.max(0, share * (1 - share)) * all + variance * (cellsBelow * (1 - share) ** 2 + (sorted.length - cellsBelow) * share ** 2)) / all ** 2;
  const parts = inGroups(sorted);
  const ksNoise = Math.min(apart(widest), riseByNoise(sorted.flatMap(({ good, bad }) => [good, bad]), variance, (counts) => greatestDistance(sorted, counts)));
  return {
    auc, aucMargin: z95 * Math.sqrt(aucVariance), roc,
    ks: apart(widest) - ksNoise, ksMargin: z95 * Math.sqrt(shareVariance(widest.good, goodAll) + shareVariance(widest.bad, badAll)), ksNoise,
    calibration: parts.map((part) => calibrationOf(part, scaling)), ...stabilityOf(parts, variance), privacy,
  };
}

/** KS of other counts in the same cells: for each cell its good and its bad. NaN where one kind has none. */
function greatestDistance(sorted: readonly BandedCell[], counts: readonly number[]): number {
  let [goodAll, badAll, good, bad, greatest] = [0, 0, 0, 0, 0];
  sorted.forEach((_, at) => [goodAll, badAll] = [goodAll + (counts[2 * at] as number), badAll + (counts[2 * at + 1] as number)]);
  if (!(goodAll > 0 && badAll > 0)) return Number.NaN;
  sorted.forEach(({ score }, at) => {
    [good, bad] = [good + (counts[2 * at] as number), bad + (counts[2 * at + 1] as number)];
    if (sorted[at + 1]?.score !== score) greatest = Math.max(greatest, Math.abs(bad / badAll - good / goodAll));
  });
  return greatest;
}

/** Of the hold-out against those it was trained on, less what the noise adds. */
function stabilityOf(parts: readonly (readonly BandedCell[])[], variance: number): Pick<BandedValidation, 'stability' | 'stabilityMargin' | 'stabilityNoise'> {
  const trained = parts.map((part) => ({ count: sumOf(part, (cell) => cell.trained), cells: part.length }));
  if (parts.every((part) => part.every((cell) => cell.trained === 0))) return { stability: null, stabilityMargin: null, stabilityNoise: null };
  const held = parts.map((part) => ({ count: heldOut(part), cells: 2 * part.length })); // good and bad: two noisy counts in each cell
  const told = stability(trained.map(({ count }) => count), held.map(({ count }) => count));
  const { rise, margin } = stabilityNoise(trained, held, variance);
  const taken = Math.min(told, rise);
  return { stability: told - taken, stabilityMargin: margin, stabilityNoise: taken };
}

function tied(sorted: readonly BandedCell[]): BandedCell[] {
  const one: BandedCell[] = [];
  for (const cell of sorted) {
    const last = one.at(-1);
    if (last?.score === cell.score) one[one.length - 1] = { score: cell.score, trained: last.trained + cell.trained, good: last.good + cell.good, bad: last.bad + cell.bad };
    else one.push(cell);
  }
  return one;
}

/** Neighbouring cells together, so that each group has about a tenth of the hold-out: single cells are mostly noise. */
function inGroups(sorted: readonly BandedCell[]): readonly (readonly BandedCell[])[] {
  const all = heldOut(sorted);
  const parts: BandedCell[][] = [[]];
  let seen = 0;
  for (const cell of sorted) {
    if (seen >= (parts.length / groups) * all && parts.length < groups) parts.push([]);
    parts.at(-1)?.push(cell);
    seen += cell.good + cell.bad;
  }
  return parts;
}

function calibrationOf(part: readonly BandedCell[], scaling: Scaling): CalibrationBin {
  const weight = ({ good, bad }: BandedCell) => Math.max(0, good + bad);
  const weights = sumOf(part, weight);
  const count = heldOut(part);
  const predicted = weights > 0 ? sumOf(part, (cell) => weight(cell) * badShareAt(cell.score, scaling)) / weights : badShareAt(part[0]?.score ?? 0, scaling);
  return { predicted, observed: count > 0 ? Math.min(1, Math.max(0, sumOf(part, ({ bad }) => bad) / count)) : 0, count };
}

function heldOut(cells: readonly BandedCell[]): number {
  return sumOf(cells, ({ good, bad }) => good + bad);
}

function sumOf(cells: readonly BandedCell[], of: (cell: BandedCell) => number): number {
  return cells.reduce((sum, cell) => sum + of(cell), 0);
}
