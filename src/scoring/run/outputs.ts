import type { FeatureId, Model } from '../protocol.ts';

/** What is computed for a model: one linear function for the score, then one for each reason group. */
export type ModelOutputs = {
  /** Columns in the order of the weights. */
  readonly features: readonly FeatureId[];
  readonly outputs: readonly { readonly weights: readonly number[]; readonly offset: number }[];
};

/** The functions of a model over its features; a reason group has the model's weights on its own features and no offset. */
export function outputsOf(model: Model): ModelOutputs {
  const score = { weights: model.terms.map(({ weight }) => weight), offset: model.offset };
  const groups = model.reasons.map(({ features }) => {
    const members: ReadonlySet<FeatureId> = new Set(features);
    return { weights: model.terms.map(({ feature, weight }) => (members.has(feature) ? weight : 0)), offset: 0 };
  });
  return { features: model.terms.map(({ feature }) => feature), outputs: [score, ...groups] };
}

/** One byte string of `filled` for all columns: an enterprise can be scored where each of them holds it. */
export function isFilled(filled: Uint8Array, slot: number): boolean {
  return (((filled[slot >> 3] ?? 0) >> (slot & 7)) & 1) === 1;
}

/** Slots that each of these columns holds; none when one is missing. */
export function filledByAll(columns: readonly ({ readonly filled: Uint8Array } | undefined)[]): Uint8Array {
  const [first, ...others] = columns;
  if (first === undefined || others.includes(undefined)) return new Uint8Array();
  const together = first.filled.slice();
  for (const column of others) together.forEach((bits, at) => { together[at] = bits & (column?.filled[at] ?? 0); });
  return together;
}
