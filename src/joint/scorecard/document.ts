import type { ColumnEncoding } from '../project/document.ts';
import type { BandedValidation } from './banded.ts';
import type { FittedScorecard } from './fit.ts';
import type { Scaling, Scorecard } from './points.ts';
import type { ScorecardReport } from './report.ts';
import type { WoeTable } from './woe.ts';

export const scorecardFormat = 'veilgate-scorecard-1';

/** One bin of a feature: how good its enterprises are, and the whole points it gives (null: the feature was not chosen). */
export type ScorecardBinJson = WoeTable['bins'][number] & { readonly label: string; readonly points: number | null };

export type ScorecardFeatureJson = {
  readonly name: string;
  /** `partner`: its own column, known by its bins. `platform`: a field of the catalogue, as `encoding` cuts it. */
  readonly side: 'partner' | 'platform';
  readonly source: string | null;
  readonly encoding: ColumnEncoding | null;
  readonly iv: number;
  readonly iv_margin: number;
  /** Of the log odds of being bad, times the weight of evidence; null where the feature was not chosen. */
  readonly coefficient: number | null;
  readonly bins: readonly ScorecardBinJson[];
};

/** A scorecard as a partner keeps it: everything a report, an export or a validation needs. Holds noisy counts only. */
export type ScorecardJson = {
  readonly format: typeof scorecardFormat;
  readonly title: { readonly en: string; readonly zh: string };
  readonly partner: string;
  readonly project: string;
  readonly cohort: string;
  readonly run: string;
  /** Digests of the released questions it was made from. */
  readonly questions: readonly string[];
  /** What all of these cost, and what it comes to. */
  readonly cost_rho: number;
  readonly privacy: { readonly epsilon: number; readonly delta: number };
  readonly label: string;
  readonly scaling: Scaling;
  readonly intercept: number;
  /** Points everybody has, and the most that rounding to whole points can move a score. */
  readonly base: number;
  readonly rounding_max: number;
  /** The partner's own first. */
  readonly features: readonly ScorecardFeatureJson[];
  readonly validation: BandedValidation | null;
};

export type ScorecardFacts = Pick<ScorecardJson, 'title' | 'partner' | 'project' | 'cohort' | 'run' | 'questions' | 'cost_rho' | 'privacy' | 'label'>;
export type FeatureFacts = Pick<ScorecardFeatureJson, 'name' | 'side' | 'source' | 'encoding'> & { readonly labels: readonly string[] };

/** @param features in the order of the fit */
export function scorecardToJson(facts: ScorecardFacts, features: readonly FeatureFacts[], fitted: FittedScorecard, card: Scorecard): ScorecardJson {
  return {
    format: scorecardFormat, ...facts, scaling: card.scaling, intercept: fitted.fit.intercept, base: card.base, rounding_max: card.roundingMax,
    features: features.map(({ labels, ...feature }, f) => {
      const place = fitted.chosen.indexOf(f);
      const { bins, iv, ivMargin } = fitted.woes[f] as WoeTable;
      return {
        ...feature, iv, iv_margin: ivMargin, coefficient: fitted.fit.coefficients[place] ?? null,
        bins: bins.map((bin, at) => ({ ...bin, label: labels[at] ?? `bin ${at}`, points: card.features[place]?.points[at] ?? null })),
      };
    }),
    validation: null,
  };
}

/** What the report shows of it. @param facts lines under the title */
export function reportOf(json: ScorecardJson, facts: ScorecardReport['facts'] = []): ScorecardReport {
  const { validation, features } = json;
  return {
    title: json.title.en, facts, privacy: validation?.privacy ?? json.privacy,
    scorecard: { scaling: json.scaling, base: json.base, roundingMax: json.rounding_max, features: chosenOf(json).map(({ name, bins }) => ({ name, points: pointsOf({ bins }) })) },
    features: features.map(({ name, side, bins, iv, iv_margin: ivMargin, coefficient }) => ({
      name, own: side === 'partner', selected: coefficient !== null, binLabels: bins.map(({ label }) => label), woe: { bins, iv, ivMargin },
    })),
    ...(validation === null ? {} : { validation }),
  };
}

/** Whether a value that was read is a scorecard: its points and counts are what everything else is worked out from. */
export function isScorecard(value: unknown): value is ScorecardJson {
  const { format, title, features, base, scaling, privacy, cost_rho: cost } = value as Partial<ScorecardJson>;
  const numbers = [base, cost, scaling?.baseScore, scaling?.baseOdds, scaling?.pointsToDouble, privacy?.epsilon, privacy?.delta];
  return format === scorecardFormat && typeof title?.en === 'string' && numbers.every(Number.isFinite) && Array.isArray(features) && features.every(isFeature);
}

function isFeature({ name, side, bins, coefficient, iv }: Partial<ScorecardFeatureJson>): boolean {
  const chosen = typeof coefficient === 'number';
  return typeof name === 'string' && (side === 'partner' || side === 'platform') && Number.isFinite(iv) && (chosen || coefficient === null) && Array.isArray(bins)
    && bins.every((bin) => [bin.good, bin.bad, bin.woe, bin.margin, bin.iv].every(Number.isFinite) && typeof bin.label === 'string'
      && (chosen ? Number.isSafeInteger(bin.points) : bin.points === null));
}

/** Features that give points. */
export function chosenOf({ features }: Pick<ScorecardJson, 'features'>): readonly ScorecardFeatureJson[] {
  return features.filter(({ coefficient }) => coefficient !== null);
}

/** Points of a chosen feature by bin. */
export function pointsOf({ bins }: Pick<ScorecardFeatureJson, 'bins'>): number[] {
  return bins.map(({ points }) => points ?? 0);
}
