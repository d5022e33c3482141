import { cell, type Table } from './tables.ts';

/** One bin of a feature: how good its enterprises are, and how sure that is. */
export type WoeBin = {
  readonly good: number;
  readonly bad: number;
  /** Weight of evidence: ln of the bin's share of the good over its share of the bad. Above 0: better than average. */
  readonly woe: number;
  /** Half-width of the 95 % interval of `woe`: sampling and privacy noise together. */
  readonly margin: number;
  /** What the bin adds to the information value. */
  readonly iv: number;
  /** Too few enterprises to say anything: weight of evidence and information value are set to 0. */
  readonly small: boolean;
};

export type WoeTable = {
  readonly bins: readonly WoeBin[];
  /** Information value: Σ (share of good − share of bad) × woe; what privacy noise adds to it on average is taken off. */
  readonly iv: number;
  /** Half-width of the 95 % interval of `iv`. */
  readonly ivMargin: number;
};

/** Normal quantiles of 95 % intervals, two-sided and one-sided. */
const z95 = 1.959963984540054;
const z95Above = 1.6448536269514722;

/**
 * Weight of evidence and information value from a feature × label table (columns: good, bad).
 * Source: Siddiqi, Credit Risk Scorecards (2006); intervals by the delta method, with a bin's count as Poisson and
 * the noise as it was drawn.
 * @param noiseVariance σ² of the privacy noise in each cell; 0: exact counts
 * @param least counts below this are raised to it, so that noise or an empty bin makes no infinite weight
 * @param binLeast a bin that may hold fewer enterprises (95 %) is small; 0: only one that may be nothing but noise
 */
export function woeTable(table: Table, noiseVariance = 0, least = 0.5, binLeast = 0): WoeTable {
  if (table.columns !== 2) throw new RangeError('a label table has two columns: good and bad');
  const good = Array.from({ length: table.rows }, (_, bin) => Math.max(cell(table, bin, 0), least));
  const bad = Array.from({ length: table.rows }, (_, bin) => Math.max(cell(table, bin, 1), least));
  const goodAll = sum(good);
  const badAll = sum(bad);
  const bins = good.map((count, bin): WoeBin => {
    const badCount = bad[bin] as number;
    const goodShare = count / goodAll;
    const badShare = badCount / badAll;
    const woe = Math.log(goodShare / badShare);
    const variance = (count + noiseVariance) / count ** 2 + (badCount + noiseVariance) / badCount ** 2;
    const small = cell(table, bin, 0) + cell(table, bin, 1) - z95Above * Math.sqrt(2 * noiseVariance) < binLeast;
    return { good: count, bad: badCount, woe: small ? 0 : woe, margin: z95 * Math.sqrt(variance), iv: small ? 0 : (goodShare - badShare) * woe, small };
  });
  const told = bins.filter(({ small }) => !small);
  // to second order: half the curvature of (p − q) ln(p/q) times the variance of each share, whose total is noisy too
  const curve = (p: number, q: number, all: number) => (noiseVariance / all ** 2) * (1 - 2 * p + bins.length * p * p) * (1 / p + q / p ** 2) / 2;
  const bias = told.reduce((added, { good: g, bad: b }) => added + curve(g / goodAll, b / badAll, goodAll) + curve(b / badAll, g / goodAll, badAll), 0);
  const ivVariance = told.reduce((all, { good: g, bad: b, woe }) => {
    const ratio = g / goodAll / (b / badAll);
    const slopeGood = (woe + 1 - 1 / ratio) / goodAll;
    const slopeBad = (woe - 1 + ratio) / badAll;
    return all + slopeGood ** 2 * (g + noiseVariance) + slopeBad ** 2 * (b + noiseVariance);
  }, 0);
  return { bins, iv: Math.max(0, sum(bins.map(({ iv }) => iv)) - bias), ivMargin: z95 * Math.sqrt(ivVariance) };
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
