import type { Field, FieldRef } from '../../vocabulary.ts';
import type { Feature, FeatureId } from '../protocol.ts';

/** What models are judged against: the declared features, and the catalogue's fields they are made from. */
export type FeatureSpace = {
  readonly features: ReadonlyMap<FeatureId, Feature>;
  readonly fields: ReadonlyMap<FieldRef, Field>;
};
