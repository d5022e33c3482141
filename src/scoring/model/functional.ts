import type { Model, ModelRef } from '../protocol.ts';

/** A linear function of an enterprise's features that somebody gets, without its offset. */
export type Functional = {
  /** SHA-256, lower-case hex, of the primitive vector: multiples of one function have one id. */
  readonly id: string;
  /** Ascending by feature, no zero weight, greatest common divisor 1, first weight positive. */
  readonly terms: Model['terms'];
  /** Where it came from, for refusals. */
  readonly model?: ModelRef;
};

/** What one use of the model tells: its score, then each reason group; equal functions once. */
export function functionalsOf(_model: Model): readonly Functional[] {
  return [];
}
