import { momentsOf, noiseNorm, oneShot, type OneShotFit } from './one-shot.ts';
import type { Table } from './tables.ts';
import { woeTable, type WoeTable } from './woe.ts';

/** Everything a fit looks at: tables, and how noisy they are. */
export type TableSource = {
  /** Names of all features, the partner's and the platform's. */
  readonly names: readonly string[];
  /** Feature × label (columns: good, bad). */
  readonly label: (f: number) => Table;
  /** Feature f × feature g, f < g. */
  readonly pair: (f: number, g: number) => Table;
  /** σ² of the privacy noise in every cell of the f × g table, or with f = g of the f × label table; 0: exact. */
  readonly variance: (f: number, g: number) => number;
};

export type FittedScorecard = {
  /** Of every feature, chosen or not. */
  readonly woes: readonly WoeTable[];
  /** Places of the features that were chosen, ascending. */
  readonly chosen: readonly number[];
  /** Weights of evidence of the chosen features, by bin. */
  readonly weights: readonly (readonly number[])[];
  /** Coefficients of the chosen features. */
  readonly fit: OneShotFit;
};

export type FitOptions = {
  /** Features whose information value is certainly (95 %) below this are left out; 0: none is. */
  readonly ivLeast?: number;
  /** Ridge in shares of n, besides what the noise asks for. */
  readonly ridgeShare?: number;
  /** Bins that may hold fewer enterprises (95 %) weigh nothing; 0: those that may be nothing but noise. */
  readonly binLeast?: number;
};

/** Ridge over noise: see docs/decisions/0191. */
const noiseFactor = 2;

/** Weights of evidence, a choice of features and one regression, from tables alone. */
export function fitScorecard(source: TableSource, { ivLeast = 0, ridgeShare = 1e-4, binLeast = 0 }: FitOptions = {}): FittedScorecard {
  const woes = source.names.map((_, f) => {
    const variance = source.variance(f, f);
    return woeTable(source.label(f), variance, Math.max(0.5, Math.sqrt(variance)), binLeast);
  });
  const chosen = woes.flatMap(({ iv, ivMargin }, f) => (iv + ivMargin < ivLeast ? [] : [f]));
  const at = (place: number) => chosen[place] as number;
  const weights = chosen.map((f) => (woes[f] as WoeTable).bins.map(({ woe }) => woe));
  const moments = momentsOf(weights, (f) => source.label(at(f)), (f, g) => source.pair(at(f), at(g)));
  const ridge = ridgeShare * moments.n + noiseFactor * noiseNorm(weights, (f, g) => source.variance(at(f), at(g)));
  return { woes, chosen, weights, fit: oneShot(moments, ridge) };
}

/** Log odds of being good: the higher the better. @param binsOf bin of each feature, chosen or not */
export function logOddsGood({ chosen, weights, fit }: FittedScorecard, binsOf: (f: number) => number): number {
  return -chosen.reduce((sum, f, place) => sum + (fit.coefficients[place] as number) * (weights[place]?.[binsOf(f)] as number), fit.intercept);
}
