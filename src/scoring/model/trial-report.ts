/** How a model behaves on enterprises that are made up: no real value is touched. */
export type Trial = {
  readonly count: number;
  readonly seed: number;
  readonly scores: { readonly min: number; readonly max: number; readonly mean: number; readonly quantiles: readonly { readonly at: number; readonly score: number }[] };
  /** How many fell into each band, in the model's order. */
  readonly bands: readonly { readonly code: string; readonly count: number }[];
  /** How often each reason was the costliest, in the model's order. */
  readonly reasons: readonly { readonly code: string; readonly first: number }[];
};
