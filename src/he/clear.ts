import { VeilgateError } from '../errors.ts';
import type { ParameterSet } from './parameters.ts';

/** The declared range of a column's integers, inclusive. */
export type Bounds = { readonly low: number; readonly high: number };

/**
 * The clear twin of the evaluator: offset + Σ weights[j] × columns[j], slot by slot, over columns of one length.
 * Exactly what sealed scoring gives while the sums stay within ±(t − 1)/2.
 */
export function clearWeightedSum(columns: readonly Int32Array[], weights: readonly number[], offset: number): Int32Array {
  const length = columns[0]?.length ?? 0;
  return Int32Array.from({ length }, (_, slot) => columns.reduce((sum, column, at) => sum + (column[slot] ?? 0) * (weights[at] ?? 0), offset));
}

/** The least and the greatest sum that columns within their bounds can have. */
export function rangeOfSum(weights: readonly number[], bounds: readonly Bounds[], offset: number): Bounds {
  let low = offset;
  let high = offset;
  for (const [at, weight] of weights.entries()) {
    const column = bounds[at] ?? { low: -Infinity, high: Infinity };
    low += weight === 0 ? 0 : Math.min(weight * column.low, weight * column.high);
    high += weight === 0 ? 0 : Math.max(weight * column.low, weight * column.high);
  }
  return { low, high };
}

/**
 * Slots are integers mod t: a sum beyond ±(t − 1)/2 would come out as another number.
 * @throws VeilgateError HE_EVALUATION_FAILED
 */
export function assertFits(set: ParameterSet, weights: readonly number[], bounds: readonly Bounds[], offset: number): void {
  const { low, high } = rangeOfSum(weights, bounds, offset);
  const limit = (set.plainModulus - 1) / 2;
  if (!(low >= -limit && high <= limit)) {
    throw new VeilgateError('HE_EVALUATION_FAILED', 'The raw score could leave the range the parameter set can hold: scale the weights or the offset down.', { rawMax: limit });
  }
}

/** A slot mod t as the signed integer it stands for. */
export function centred(set: ParameterSet, value: number): number {
  return value > (set.plainModulus - 1) / 2 ? value - set.plainModulus : value;
}
