import type { OneShotFit } from './one-shot.ts';

/** How log odds become points: `baseScore` at `baseOdds` good to one bad, `pointsToDouble` more for twice the odds. */
export type Scaling = { readonly baseScore: number; readonly baseOdds: number; readonly pointsToDouble: number };

export type ScorecardFeature = {
  readonly name: string;
  /** Whole points of each bin. */
  readonly points: readonly number[];
};

export type Scorecard = {
  readonly scaling: Scaling;
  /** Points everybody has. */
  readonly base: number;
  readonly features: readonly ScorecardFeature[];
  /** The most that rounding to whole points can move a score. */
  readonly roundingMax: number;
};

/**
 * Score = offset − factor × (log odds of being bad), in whole points: factor = PDO / ln 2, offset = base score − factor × ln(base odds)
 * (Siddiqi 2006). Each bin's points are rounded on their own, so a score is exact to half a point a feature.
 */
export function scorecardOf(names: readonly string[], weights: readonly ArrayLike<number>[], fit: OneShotFit, scaling: Scaling): Scorecard {
  const factor = scaling.pointsToDouble / Math.LN2;
  const offset = scaling.baseScore - factor * Math.log(scaling.baseOdds);
  return {
    scaling,
    base: Math.round(offset - factor * fit.intercept),
    features: names.map((name, f) => ({ name, points: Array.from(weights[f] ?? [], (woe) => Math.round(-factor * (fit.coefficients[f] as number) * woe) || 0) })),
    roundingMax: (names.length + 1) / 2,
  };
}

/** A score from the bins an enterprise falls into, one per feature. */
export function scoreOf(card: Scorecard, bins: ArrayLike<number>): number {
  return card.features.reduce((sum, { points }, f) => sum + (points[bins[f] as number] as number), card.base);
}

/** The share of bad that the scaling says belongs to a score. */
export function badShareAt(score: number, { baseScore, baseOdds, pointsToDouble }: Scaling): number {
  return 1 / (1 + baseOdds * 2 ** ((score - baseScore) / pointsToDouble));
}
