/**
 * Exact decimal numbers: units × 10^-scale. Decimal fields are strings because a double cannot hold "0.10";
 * comparing or rounding them through a double would decide wrongly at the edges.
 */
export type Decimal = { readonly units: bigint; readonly scale: number };

/** At most 40 digits before the point and 20 behind it. */
const decimalShape = /^(-?)(0|[1-9]\d{0,39})(?:\.(\d{1,20}))?$/;
const numberShape = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/;

/** @returns undefined for what is not a plain decimal number (no exponent, no sign but minus, no leading zeros) */
export function parseDecimal(text: string): Decimal | undefined {
  const match = decimalShape.exec(text);
  if (match === null) return undefined;
  const fraction = match[3] ?? '';
  return { units: BigInt(`${match[1]}${match[2]}${fraction}`), scale: fraction.length };
}

/** The number as its shortest decimal form says it (0.1 is one tenth); undefined for NaN and the infinities. */
export function decimalOfNumber(value: number): Decimal | undefined {
  const match = numberShape.exec(String(value));
  if (match === null) return undefined;
  const fraction = match[3] ?? '';
  const scale = fraction.length - Number(match[4] ?? '0');
  const units = BigInt(`${match[1]}${match[2]}${fraction}`);
  return scale < 0 ? { units: units * 10n ** BigInt(-scale), scale: 0 } : { units, scale };
}

/** The units of a decimal at another scale, which must not be smaller than its own. */
export function unitsAt(decimal: Decimal, scale: number): bigint {
  return decimal.units * 10n ** BigInt(scale - decimal.scale);
}

/** Negative, zero or positive as `left` is smaller than, equal to or greater than `right`. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  const scale = Math.max(left.scale, right.scale);
  const difference = unitsAt(left, scale) - unitsAt(right, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function formatDecimal({ units, scale }: Decimal): string {
  if (scale === 0) return units.toString();
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
