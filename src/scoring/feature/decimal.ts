/**
 * A decimal number exactly as it was written: units / 10^digits. Both are kept as plain numbers while they fit,
 * because a province has millions of values; BigInt takes over where a product would not.
 */
export type Decimal = { readonly units: bigint | number; readonly digits: number };

/** Digits of a number that may be written out; more is refused. */
const digitsMax = 40;
const zero = 48;
const nine = 57;
const minus = 45;
const point = 46;

/** @returns undefined for what is not a plain decimal number: no exponent, no sign but minus, no leading zeros, no blanks */
export function readDecimal(text: string): Decimal | undefined {
  const start = text.charCodeAt(0) === minus ? 1 : 0;
  const length = text.length;
  if (length === start || length > digitsMax) return undefined;
  let units = 0;
  let pointAt = -1;
  for (let at = start; at < length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === point && pointAt < 0 && at > start && at < length - 1) pointAt = at;
    else if (code < zero || code > nine) return undefined;
    else units = units * 10 + (code - zero);
  }
  const wholeLength = (pointAt < 0 ? length : pointAt) - start;
  if (wholeLength > 1 && text.charCodeAt(start) === zero) return undefined;
  const digits = pointAt < 0 ? 0 : length - pointAt - 1;
  if (units <= Number.MAX_SAFE_INTEGER) return { units: start === 1 ? -units : units, digits };
  return { units: BigInt(text.replace('.', '')), digits };
}

/** A number as its shortest decimal form says it (0.1 is one tenth); undefined for what is not finite. */
export function decimalOf(value: number): Decimal | undefined {
  if (Number.isSafeInteger(value)) return { units: value, digits: 0 };
  if (!Number.isFinite(value)) return undefined;
  const [mantissa = '', exponent = '0'] = String(value).split('e');
  const written = readDecimal(mantissa);
  if (written === undefined) return undefined;
  const digits = written.digits - Number(exponent);
  return digits >= 0 ? { units: written.units, digits } : { units: BigInt(written.units) * 10n ** BigInt(-digits), digits: 0 };
}

/** Negative, zero or positive as `left` is smaller than, equal to or greater than `right`. Exact. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  const digits = Math.max(left.digits, right.digits);
  const a = shifted(left, digits - left.digits);
  const b = shifted(right, digits - right.digits);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** value × scale to the nearest integer, halves away from zero. Exact; undefined beyond ±2^53. */
export function scaledInteger(value: Decimal, scale: number): number | undefined {
  const { units, digits } = value;
  if (typeof units === 'number' && digits <= 15) {
    const product = units * scale;
    if (Number.isSafeInteger(product) && Math.abs(product) < Number.MAX_SAFE_INTEGER / 4) {
      const divisor = tenTo[digits] as number;
      const rest = product % divisor;
      const whole = (product - rest) / divisor;
      return 2 * Math.abs(rest) >= divisor ? whole + Math.sign(rest) : whole + 0;
    }
  }
  const product = BigInt(units) * BigInt(scale);
  const divisor = 10n ** BigInt(digits);
  const magnitude = product < 0n ? -product : product;
  const rounded = (2n * magnitude + divisor) / (2n * divisor);
  const signed = Number(product < 0n ? -rounded : rounded);
  return Number.isSafeInteger(signed) ? signed + 0 : undefined;
}

const tenTo = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

/** units × 10^by, a number as long as it is exact. */
function shifted({ units }: Decimal, by: number): bigint | number {
  if (typeof units === 'number' && by <= 15) {
    const product = units * (tenTo[by] as number);
    if (Number.isSafeInteger(product)) return product;
  }
  return BigInt(units) * 10n ** BigInt(by);
}
