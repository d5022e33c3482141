import type { Comparison, FieldType, Value, VerificationOutcome } from '../vocabulary.ts';
import { bandOf } from './bands.ts';
import { compareDecimals, decimalOfNumber, parseDecimal, unitsAt, type Decimal } from './decimal.ts';

/** Longer claims match nothing. In UTF-16 code units. */
export const claimLengthMax = 4096;

/**
 * Is what the caller was told true? A claim of another type, form or length than the value is a `mismatch`, never an
 * error: an error would tell the type. Of datasets with several rows the caller passes the latest.
 *
 * - `equal`: integers and decimals by amount; text after NFKC, trimming and case folding; booleans and dates as they are
 * - `within_percent`, `within_absolute`: `match` for the same amount, `within_tolerance` up to and including the bound;
 *   the percentage is of the stored value. Numbers only
 * - `same_band`: never tells more than the band, so an exact claim is `same_band` too. Numbers only
 *
 * @param type the field's type; without it, two texts that both are decimals with a point are compared as amounts
 */
export function compareClaim(value: Value, claimed: Value, comparison: Comparison, type?: FieldType): VerificationOutcome {
  if (value === null) return 'no_value';
  if (claimed === null || typeof claimed !== typeof value) return 'mismatch';
  if (typeof claimed === 'string' && claimed.length > claimLengthMax) return 'mismatch';
  switch (comparison.method) {
    case 'equal': return areEqual(value, claimed, type) ? 'match' : 'mismatch';
    case 'within_percent': return withinTolerance(value, claimed, (actual) => {
      const percent = decimalOfNumber(comparison.percent);
      return percent && { units: absolute(actual.units) * percent.units, scale: actual.scale + percent.scale + 2 };
    });
    case 'within_absolute': return withinTolerance(value, claimed, () => decimalOfNumber(comparison.amount));
    case 'same_band': return inSameBand(value, claimed, comparison.edges) ? 'same_band' : 'mismatch';
    default:
      comparison satisfies never;
      return 'mismatch';
  }
}

function areEqual(value: Value, claimed: Value, type: FieldType | undefined): boolean {
  if (typeof value !== 'string' || typeof claimed !== 'string') return value === claimed && !Number.isNaN(value);
  const amounts = type === 'decimal' || (type === undefined && value.includes('.') && claimed.includes('.'));
  const actual = amounts ? parseDecimal(value) : undefined;
  const told = amounts ? parseDecimal(claimed) : undefined;
  if (actual !== undefined && told !== undefined) return compareDecimals(actual, told) === 0;
  return folded(value) === folded(claimed);
}

/** Width, case and surrounding blanks are no difference: ＡＢＣ equals abc. */
function folded(text: string): string {
  // upper then lower maps what lower alone leaves apart (ß and ss, final sigma); folding can undo NFKC, so once more
  return text.normalize('NFKC').trim().toUpperCase().toLowerCase().normalize('NFKC');
}

function withinTolerance(value: Value, claimed: Value, toleranceOf: (actual: Decimal) => Decimal | undefined): VerificationOutcome {
  const actual = amountOf(value);
  const told = amountOf(claimed);
  const tolerance = actual && toleranceOf(actual);
  if (actual === undefined || told === undefined || tolerance === undefined) return 'mismatch';
  const scale = Math.max(actual.scale, told.scale);
  const difference = absolute(unitsAt(actual, scale) - unitsAt(told, scale));
  if (difference === 0n) return 'match';
  return compareDecimals({ units: difference, scale }, tolerance) <= 0 ? 'within_tolerance' : 'mismatch';
}

function inSameBand(value: Value, claimed: Value, edges: readonly number[]): boolean {
  if (amountOf(claimed) === undefined) return false;
  const actual = bandOf(value, edges);
  const told = bandOf(claimed, edges);
  return actual !== undefined && told !== undefined && actual.from === told.from && actual.to === told.to;
}

/** Integers beyond 2^53 have lost digits on the way here: they are no exact claim. */
function amountOf(value: Value): Decimal | undefined {
  if (typeof value === 'string') return parseDecimal(value);
  if (typeof value !== 'number' || Math.abs(value) > Number.MAX_SAFE_INTEGER) return undefined;
  return decimalOfNumber(value);
}

function absolute(units: bigint): bigint {
  return units < 0n ? -units : units;
}
