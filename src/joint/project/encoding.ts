import type { Value } from '../../vocabulary.ts';
import type { ColumnEncoding } from './document.ts';

/** Bins of a column, the one without a value included; undefined for steps. */
export function binsOf(encoding: ColumnEncoding): number | undefined {
  if (encoding.kind === 'steps') return undefined;
  return 'edges' in encoding ? encoding.edges.length + 2 : encoding.codes.length + 1;
}

/** Most that one enterprise adds to a sum over the column: 1 for one of its bins, the number of steps otherwise. */
export function boundOf(encoding: ColumnEncoding): number {
  return encoding.kind === 'steps' ? encoding.steps : 1;
}

/**
 * The bin, from 0, or the step, from 0, of a value as a department stores it; decimals come as text. Never beyond the
 * declared bound, whatever the value is: what is no number of the column's kind counts as no value.
 */
export function encodeColumnValue(encoding: ColumnEncoding, value: Value | undefined): number {
  if (encoding.kind === 'steps') return stepOf(encoding, numberOf(value));
  if ('codes' in encoding) {
    const at = value === null || value === undefined ? -1 : encoding.codes.indexOf(String(value));
    return at < 0 ? encoding.codes.length : at;
  }
  const number = numberOf(value);
  if (number === undefined) return encoding.edges.length + 1;
  const above = encoding.edges.findIndex((edge) => number < edge);
  return above < 0 ? encoding.edges.length : above;
}

function stepOf({ min, max, steps }: Extract<ColumnEncoding, { readonly kind: 'steps' }>, number: number | undefined): number {
  if (number === undefined) return 0;
  const share = (Math.min(max, Math.max(min, number)) - min) / (max - min);
  return Math.min(steps, Math.max(0, Math.round(share * steps)));
}

function numberOf(value: Value | undefined): number | undefined {
  const number = typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Number(value) : NaN;
  return Number.isFinite(number) ? number : undefined;
}
