import type { Feature, FeatureId } from '../protocol.ts';
import { greatestCommonDivisor, type Terms } from './functional.ts';
import { allPoints, certainPoints, fieldShapes, type FeatureSpace, type FieldShape } from './space.ts';

/** How far one field moves a released number. All whole numbers. */
export type FieldRange = {
  readonly shape: FieldShape;
  /** Weights in the order of the shape's features. */
  readonly weights: readonly number[];
  readonly low: number;
  readonly high: number;
  /** high − low. */
  readonly range: number;
  /** The same among enterprises that have a value: nobody can make a field look important with a value nobody has. */
  readonly certainRange: number;
};

/** The range of every field of a linear function. Errors: none; features that are not declared are left out. */
export function fieldRanges(terms: Terms, space: FeatureSpace): FieldRange[] {
  const weightOf = new Map(terms.map(({ feature, weight }) => [feature, weight]));
  return fieldShapes(weightOf.keys(), space).map((shape) => fieldRange(shape, shape.features.map((feature) => weightOf.get(feature) ?? 0)));
}

export function fieldRange(shape: FieldShape, weights: readonly number[]): FieldRange {
  const sums = allPoints(shape).map((point) => dot(weights, point));
  const certain = certainPoints(shape).map((point) => dot(weights, point));
  const [low, high] = [Math.min(...sums), Math.max(...sums)];
  return { shape, weights, low, high, range: high - low, certainRange: certain.length === 0 ? 0 : Math.max(...certain) - Math.min(...certain) };
}

export function dot(weights: readonly number[], point: readonly number[]): number {
  return weights.reduce((sum, weight, at) => sum + weight * (point[at] as number), 0);
}

/** Between which values the whole lies, offset left out. */
export function bounds(ranges: readonly FieldRange[]): { readonly low: number; readonly high: number } {
  return { low: ranges.reduce((sum, { low }) => sum + low, 0), high: ranges.reduce((sum, { high }) => sum + high, 0) };
}

/** How many different numbers can come out at most: all lie on one grid. */
export function stepsOf(ranges: readonly FieldRange[]): number {
  const { low, high } = bounds(ranges);
  return high === low ? 1 : (high - low) / gridOf(ranges) + 1;
}

/** Distance between neighbouring numbers that can come out. */
export function gridOf(ranges: readonly FieldRange[]): number {
  let grid = 0;
  for (const { shape, weights } of ranges) {
    const origin = dot(weights, allPoints(shape)[0] ?? []);
    for (const point of allPoints(shape)) grid = greatestCommonDivisor(grid, dot(weights, point) - origin);
    for (const { first, last, count } of shape.stretches) {
      if (count > 1) for (const [at, weight] of weights.entries()) if (first[at] !== last[at]) grid = greatestCommonDivisor(grid, weight);
    }
  }
  return grid === 0 ? 1 : grid;
}

/** The field that moves a number most, with its share of all movement at worst: its own range at most, all others' at least. */
export function dominantField(ranges: readonly FieldRange[]): { readonly dominant: FieldRange; readonly part: bigint; readonly whole: bigint } | undefined {
  const certain = ranges.reduce((sum, { certainRange }) => sum + certainRange, 0);
  let worst: { readonly dominant: FieldRange; readonly part: bigint; readonly whole: bigint } | undefined;
  for (const each of ranges) {
    if (each.range === 0) continue;
    const found = { dominant: each, part: BigInt(each.range), whole: BigInt(certain - each.certainRange + each.range) };
    if (worst === undefined || found.part * worst.whole > worst.part * found.whole) worst = found;
  }
  return worst;
}

/** (Σr)²/Σr² as numerator and denominator; the smaller of that over values that enterprises have and that over all. */
export function effectiveNumber(ranges: readonly FieldRange[]): { readonly squareOfSum: bigint; readonly sumOfSquares: bigint } {
  const over = (values: readonly number[]) => ({
    squareOfSum: BigInt(values.reduce((sum, value) => sum + value, 0)) ** 2n,
    sumOfSquares: values.reduce((sum, value) => sum + BigInt(value) ** 2n, 0n),
  });
  const certain = over(ranges.map(({ certainRange }) => certainRange));
  const all = over(ranges.map(({ range }) => range));
  if (certain.sumOfSquares === 0n) return certain;
  return certain.squareOfSum * all.sumOfSquares < all.squareOfSum * certain.sumOfSquares ? certain : all;
}

/** The feature of a field that pulls hardest: names the field in a refusal. */
export function heaviestFeature({ shape, weights }: FieldRange, features: ReadonlyMap<FeatureId, Feature>): FeatureId {
  const pull = (at: number) => {
    const feature = features.get(shape.features[at] as FeatureId);
    return Math.abs(weights[at] ?? 0) * ((feature?.high ?? 0) - (feature?.low ?? 0));
  };
  return shape.features.reduce((heaviest, feature, at) => (pull(at) > pull(shape.features.indexOf(heaviest)) ? feature : heaviest));
}
