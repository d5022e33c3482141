import { VeilgateError } from '../../errors.ts';
import type { Value } from '../../vocabulary.ts';
import type { Feature, FeatureEncoding } from '../protocol.ts';
import { compareDecimals, decimalOf, readDecimal, scaledInteger, type Decimal } from './decimal.ts';

/** Why a value was refused; safe to show, because it says nothing about which value it was. */
export type EncodingFault = 'type' | 'range' | 'code' | 'missing';

/**
 * The integer of a value, `absent` when who has no value has no slot, or why it is refused. Numbers may come as
 * text, as CSV and decimal fields have them, and are taken exactly as written; booleans as JSON or as text.
 */
export type Encoder = (value: Value | undefined) => number | 'absent' | EncodingFault;

/** The encoder of one feature, made once for a whole column. Nothing is clipped: what does not fit is a fault. */
export function featureEncoder(feature: Pick<Feature, 'encoding' | 'missing'>): Encoder {
  const encode = presentEncoder(feature.encoding);
  const { missing } = feature;
  return (value) => (value === null || value === undefined || value === '' ? missing : encode(value));
}

/**
 * The integer a value becomes; `absent` when who has no value has no slot in this column.
 * Errors: FEATURE_VALUE_REFUSED with detail `{ feature, reason }`, never with the value.
 */
export function encodeValue(feature: Feature, value: Value | undefined): number | 'absent' {
  const encoded = featureEncoder(feature)(value);
  if (typeof encoded === 'number' || encoded === 'absent') return encoded;
  throw valueRefused(feature.id, encoded);
}

/** @param row number of the row in its file, when there is one */
export function valueRefused(feature: string, reason: EncodingFault, row?: number): VeilgateError {
  const where = row === undefined ? '' : ` in row ${row}`;
  return new VeilgateError('FEATURE_VALUE_REFUSED', `A value of ${feature}${where} ${faultWords[reason]}: correct it at its source, or ask for another range.`, {
    feature, reason, ...(row === undefined ? {} : { row }),
  });
}

/** Each fault as the end of a sentence about a value. */
export const faultWords: Readonly<Record<EncodingFault, string>> = {
  type: 'is not of the field\'s type',
  range: 'is outside the feature\'s declared range',
  code: 'is not in the field\'s code list',
  missing: 'is missing',
};

function presentEncoder(encoding: FeatureEncoding): (value: string | number | boolean) => number | EncodingFault {
  switch (encoding.kind) {
    case 'fixed_point': {
      const { scale } = encoding;
      const least = bound(encoding.min);
      const most = bound(encoding.max);
      return (value) => {
        const number = numberOf(value);
        if (number === undefined) return 'type';
        if (compareDecimals(number, least) < 0 || compareDecimals(number, most) > 0) return 'range';
        return scaledInteger(number, scale) ?? 'range';
      };
    }
    case 'indicator': {
      const atLeast = encoding.atLeast === undefined ? undefined : bound(encoding.atLeast);
      const below = encoding.below === undefined ? undefined : bound(encoding.below);
      return (value) => {
        const number = numberOf(value);
        if (number === undefined) return 'type';
        return (atLeast === undefined || compareDecimals(number, atLeast) >= 0) && (below === undefined || compareDecimals(number, below) < 0) ? 1 : 0;
      };
    }
    case 'code_indicator': {
      const codes = new Set(encoding.codes);
      const known = new Set(encoding.known);
      return (value) => {
        const code = typeof value === 'boolean' ? String(value) : value;
        if (typeof code !== 'string') return 'type';
        return codes.has(code) ? 1 : known.has(code) ? 0 : 'code';
      };
    }
    default:
      return encoding satisfies never;
  }
}

function numberOf(value: string | number | boolean): Decimal | undefined {
  if (typeof value === 'string') return readDecimal(value);
  return typeof value === 'number' ? decimalOf(value) : undefined;
}

/** A bound of a declaration: load.ts has seen that it is a finite number. */
function bound(value: number): Decimal {
  const decimal = decimalOf(value);
  if (decimal === undefined) throw new TypeError('a bound is not finite');
  return decimal;
}
