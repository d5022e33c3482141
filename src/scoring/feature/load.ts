import type { Catalogue } from '../../vocabulary.ts';
import type { Feature, FeatureId } from '../protocol.ts';

/** Reads features/*.yaml of a policy pack. Errors: POLICY_BROKEN with every problem and its place. */
export function loadFeatures(_folder: string, _catalogue: Catalogue): ReadonlyMap<FeatureId, Feature> {
  return new Map();
}
