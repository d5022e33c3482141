import type { Model } from '../protocol.ts';
import { outputsOf } from '../run/outputs.ts';
import type { OpenableModel } from './open.ts';
import { bounds, fieldRanges } from './range.ts';
import type { FeatureSpace } from './space.ts';

/** Between which raw values each reason group lies, by the features' declared ranges. */
export function reasonRangesOf(model: Model, space: FeatureSpace): OpenableModel['reasonRanges'] {
  const { features, outputs } = outputsOf(model);
  return outputs.slice(1).map(({ weights }) => bounds(fieldRanges(features.map((feature, at) => ({ feature, weight: weights[at] as number })).filter(({ weight }) => weight !== 0), space)));
}

/** Between which raw values the score lies. */
export function rawRangeOf(model: Model, space: FeatureSpace): { readonly low: number; readonly high: number } {
  const { low, high } = bounds(fieldRanges(model.terms, space));
  return { low: low + model.offset, high: high + model.offset };
}
