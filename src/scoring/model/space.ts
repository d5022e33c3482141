import type { Field, FieldRef } from '../../vocabulary.ts';
import type { Feature, FeatureEncoding, FeatureId } from '../protocol.ts';

/** What models are judged against: the declared features, and the catalogue's fields they are made from. */
export type FeatureSpace = {
  readonly features: ReadonlyMap<FeatureId, Feature>;
  readonly fields: ReadonlyMap<FieldRef, Field>;
};

/**
 * One field with those of its features that are looked at: indicators of one field are one piece of information.
 * A point is what the features become together for some value of the field; the integers stand in the order of `features`.
 */
export type FieldShape = {
  readonly field: FieldRef;
  readonly features: readonly FeatureId[];
  /** For every stretch of values between two edges its first and its last point; every code one point. Impossible values have none. */
  readonly stretches: readonly Stretch[];
  /** What an enterprise without a value becomes; undefined when it is not scored at all. */
  readonly missing: readonly number[] | undefined;
};

/** `count` values from `first` to `last` in even steps. */
export type Stretch = { readonly first: readonly number[]; readonly last: readonly number[]; readonly count: number };

/** Points of all possible values, missing left out: what the range of a field is at least. */
export const certainPoints = (shape: FieldShape): readonly (readonly number[])[] => shape.stretches.flatMap(({ first, last }) => [first, last]);
/** The same with missing: what the range of a field is at most. */
export const allPoints = (shape: FieldShape): readonly (readonly number[])[] => [...certainPoints(shape), ...(shape.missing === undefined ? [] : [shape.missing])];

/** The fields of some declared features, in the order of their names. Features that are not declared are left out: ask for them first. */
export function fieldShapes(ids: Iterable<FeatureId>, space: FeatureSpace): FieldShape[] {
  const byField = new Map<FieldRef, Feature[]>();
  for (const id of new Set(ids)) {
    const feature = space.features.get(id);
    if (feature !== undefined) byField.set(feature.source, [...(byField.get(feature.source) ?? []), feature]);
  }
  return [...byField].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([field, features]) => shapeOf(field, features, space.fields.get(field)));
}

function shapeOf(field: FieldRef, features: readonly Feature[], declared: Field | undefined): FieldShape {
  const byCode = features.every(({ encoding }) => encoding.kind === 'code_indicator');
  const absent = features.some(({ missing }) => missing === 'absent');
  return {
    field,
    features: features.map(({ id }) => id),
    stretches: byCode ? codeStretches(features) : numberStretches(features, declared),
    missing: absent ? undefined : features.map(({ missing }) => missing as number),
  };
}

/** Codes that no feature tells apart stand for each other. */
function codeStretches(features: readonly Feature[]): Stretch[] {
  const known = features.flatMap(({ encoding }) => (encoding.kind === 'code_indicator' ? encoding.known : []));
  const points = [...new Set(known)].map((code) => features.map(({ encoding }) => (encoding.kind === 'code_indicator' && encoding.codes.includes(code) ? 1 : 0)));
  return [...new Map(points.map((point) => [point.join(), point])).values()].map((point) => ({ first: point, last: point, count: 1 }));
}

/** Numbers between two edges of indicators are alike to all of them; fixed-point features grow evenly in between. */
function numberStretches(features: readonly Feature[], declared: Field | undefined): Stretch[] {
  const step = declared?.type === 'decimal' ? 10 ** -(declared.scale ?? 0) : declared?.type === 'integer' ? 1 : 1e-9;
  let low = declared?.min ?? -Infinity;
  let high = declared?.max ?? Infinity;
  for (const { encoding } of features) {
    if (encoding.kind !== 'fixed_point') continue;
    low = Math.max(low, encoding.min);
    high = Math.min(high, encoding.max);
  }
  const edges = [...new Set(features.flatMap(({ encoding }) => (encoding.kind === 'indicator' ? [encoding.atLeast, encoding.below] : [])))]
    .filter((edge) => edge !== undefined).filter((edge) => edge > low && edge <= high).toSorted((one, other) => one - other);
  const scale = Math.max(0, ...features.map(({ encoding }) => (encoding.kind === 'fixed_point' ? encoding.scale : 0)));
  const starts = [low, ...edges];
  return starts.flatMap((start, at): Stretch[] => {
    // values are multiples of the step: the last one below an edge stands one step before it
    const from = start === -Infinity ? start : Math.ceil(start / step - 1e-9) * step;
    const next = starts[at + 1];
    const to = next === undefined ? high : (Math.ceil(next / step - 1e-9) - 1) * step;
    if (from > to + step * 1e-9) return [];
    const point = (value: number) => features.map(({ encoding }) => (encoding.kind === 'fixed_point' ? Math.round(value * encoding.scale) : holds(encoding, start)));
    return [{ first: point(from), last: point(to), count: scale === 0 ? 1 : Math.max(1, Math.round((to - from) * scale) + 1) }];
  });
}

/** Whether an indicator holds on the stretch that begins at `start`: edges are compared with edges, nothing is rounded. */
function holds(encoding: Exclude<FeatureEncoding, { kind: 'fixed_point' }>, start: number): number {
  return encoding.kind === 'indicator' && start >= (encoding.atLeast ?? -Infinity) && (encoding.below === undefined || start < encoding.below) ? 1 : 0;
}
