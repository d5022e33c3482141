import { clearWeightedSum } from '../../he/clear.ts';
import type { FeatureId, Model } from '../protocol.ts';
import { outputsOf } from '../run/outputs.ts';
import { bandOf, reasonsOf } from './open.ts';
import { reasonRangesOf } from './openable.ts';
import { fieldShapes, type FeatureSpace } from './space.ts';
import type { Trial } from './trial-report.ts';

export const trialMax = 100_000;
const quantiles = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/**
 * Scores `count` made-up enterprises by the clear twin. Values are uniform within what the features declare, fields are
 * independent, bins of one field agree; the same seed gives the same enterprises.
 */
export function tryModel(model: Model, space: FeatureSpace, { count, seed }: { readonly count: number; readonly seed: number }): Trial {
  const columns = syntheticColumns(model, space, count, seed);
  const { features, outputs } = outputsOf(model);
  const [raws = new Int32Array(), ...groups] = outputs.map(({ weights, offset }) => clearWeightedSum(features.map((feature) => columns.get(feature) as Int32Array), weights, offset));
  const scores = Float64Array.from(raws, (raw) => raw / model.scale).toSorted();
  const ranges = reasonRangesOf(model, space);
  const firsts = new Map<string, number>();
  const bands = new Map<string, number>();
  for (const [at, raw] of raws.entries()) {
    const band = bandOf(model, raw / model.scale);
    bands.set(band, (bands.get(band) ?? 0) + 1);
    const [first] = reasonsOf(model, ranges, groups.map((group) => group[at] as number));
    if (first !== undefined) firsts.set(first, (firsts.get(first) ?? 0) + 1);
  }
  return {
    count, seed,
    scores: {
      min: scores[0] ?? 0, max: scores.at(-1) ?? 0, mean: scores.reduce((sum, score) => sum + score, 0) / count,
      quantiles: quantiles.map((at) => ({ at, score: scores[Math.min(count - 1, Math.floor(at * count))] ?? 0 })),
    },
    bands: model.bands.map(({ code }) => ({ code, count: bands.get(code) ?? 0 })),
    reasons: model.reasons.map(({ code }) => ({ code, first: firsts.get(code) ?? 0 })),
  };
}

/** One column of encoded integers for each feature of the model. */
function syntheticColumns({ terms }: Model, space: FeatureSpace, count: number, seed: number): ReadonlyMap<FeatureId, Int32Array> {
  const random = generator(seed);
  const columns = new Map<FeatureId, Int32Array>(terms.map(({ feature }) => [feature, new Int32Array(count)]));
  for (const { features, stretches } of fieldShapes(columns.keys(), space)) {
    const values = stretches.reduce((sum, { count: of }) => sum + of, 0);
    for (let slot = 0; slot < count; slot += 1) {
      let turn = Math.floor(random() * values);
      const stretch = stretches.find(({ count: of }) => (turn < of ? true : ((turn -= of), false)));
      for (const [at, feature] of features.entries()) {
        const [first, last] = [stretch?.first[at] ?? 0, stretch?.last[at] ?? 0];
        (columns.get(feature) as Int32Array)[slot] = stretch === undefined || stretch.count === 1 ? first : Math.round(first + ((last - first) * turn) / (stretch.count - 1));
      }
    }
  }
  return columns;
}

/** mulberry32: repeatable, and random enough for made-up enterprises. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

