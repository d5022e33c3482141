import type { Disclosure, Value } from '../../vocabulary.ts';
import { bandOf } from '../bands.ts';
import { decimalOfNumber, formatDecimal, parseDecimal, unitsAt, type Decimal } from '../decimal.ts';

/** Amounts, ratios and dates made coarser. Each gives undefined for a value of another type: the caller hides it. */

/** The band of the policy the number falls into. */
export function band(value: Value, edges: readonly number[]): Disclosure | undefined {
  const found = bandOf(value, edges);
  return found && { from: found.from, kind: 'banded', to: found.to };
}

/**
 * The nearest multiple of `to`, halves away from zero. A step that is not coarser than the value's own grain (1 for
 * integers, the last digit for decimals) would show the value itself and is refused.
 */
export function round(value: Value, to: number): Disclosure | undefined {
  if (typeof value === 'number') return roundInteger(value, to);
  const step = decimalOfNumber(to);
  const exact = typeof value === 'string' ? parseDecimal(value) : undefined;
  if (exact === undefined || step === undefined) return undefined;
  const scale = Math.max(exact.scale, step.scale);
  const grain = 10n ** BigInt(scale - exact.scale);
  const stepUnits = unitsAt(step, scale);
  if (stepUnits <= grain) return undefined;
  return { kind: 'masked', value: formatDecimal(nearest({ units: unitsAt(exact, scale), scale }, stepUnits)) };
}

function roundInteger(value: number, to: number): Disclosure | undefined {
  if (!Number.isSafeInteger(value) || !Number.isSafeInteger(to) || to <= 1) return undefined;
  const size = Math.abs(value);
  const rest = size % to;
  const rounded = rest >= to - rest ? size - rest + to : size - rest;
  if (!Number.isSafeInteger(rounded)) return undefined;
  // no negative zero: it would tell the sign of what was rounded away
  return { kind: 'masked', value: rounded === 0 ? 0 : Math.sign(value) * rounded };
}

function nearest({ units, scale }: Decimal, step: bigint): Decimal {
  const size = units < 0n ? -units : units;
  const rounded = ((2n * size + step) / (2n * step)) * step;
  return { units: units < 0n ? -rounded : rounded, scale };
}

/**
 * Top and bottom coding: extremes become open bands, so that nobody is recognised by being the largest or smallest;
 * what lies between (bottom ≤ value < top) is shown as it is. For fields whose ordinary values are not secret.
 * @param edges bottom and top, the same array each time
 */
export function clamp(value: Value, edges: readonly [bottom: number, top: number]): Disclosure | undefined {
  const found = bandOf(value, edges);
  if (found === undefined) return undefined;
  return found.from === null || found.to === null ? { from: found.from, kind: 'banded', to: found.to } : { kind: 'masked', value };
}

const date = /^(\d{4})-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;

/** The year of a date, four digits as text. */
export function year(value: Value): Disclosure | undefined {
  const found = typeof value === 'string' ? date.exec(value)?.[1] : undefined;
  return found === undefined ? undefined : { kind: 'masked', value: found };
}
