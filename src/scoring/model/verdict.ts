import type { FeatureId, ModelRef } from '../protocol.ts';

/** Which rule a model breaks, and how far. Safe to show: speaks of the model alone, never of data. */
export type ModelFinding = {
  readonly rule:
    | 'feature_unknown' | 'raw_range' | 'weight_sum' | 'steps' | 'constant'
    | 'effective_features' | 'dominant_share' | 'guess_gain' | 'remainder' | 'functionals' | 'combination';
  /** `score`, a reason's code, `rest` (the score without its reason groups), or the combination that was looked at. */
  readonly part: string;
  /** The feature that would be told, or that is the cause. */
  readonly feature?: FeatureId;
  /** Present when several models together break the rule. */
  readonly models?: readonly ModelRef[];
  /** What was found and what is allowed, in the unit of the rule. */
  readonly found: number;
  readonly allowed: number;
  /** One sentence that says what to change. */
  readonly problem: string;
};

export type ModelVerdict = { readonly ok: boolean; readonly findings: readonly ModelFinding[] };

/** A share as people read it. */
export function shareIn(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
