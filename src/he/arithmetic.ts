import type { ParameterSet } from './parameters.ts';
import { primesOf } from './wire.ts';

/**
 * Exact arithmetic modulo the primes of a set, in doubles: for what sealed scoring does with ciphertexts (small
 * constants times residues) several times as fast as going through SEAL's handles.
 * Every intermediate value is an integer below 2^53 in magnitude, or a sum whose exact value is; primes below 2^47.
 */
export type Arithmetic = {
  readonly degree: number;
  /** The data prime that results keep, and the one that is dropped from them. */
  readonly kept: number;
  readonly dropped: number;
  /** Times dropped^-1, mod kept. */
  readonly byDroppedInverse: Factor;
  readonly plain: number;
  /** ⌊q/t⌋ mod each prime, and q mod t: how SEAL scales a plaintext, round(q·m/t). */
  readonly scaleKept: Factor;
  readonly scaleDropped: Factor;
  readonly scaleRest: number;
};

const known = new Map<string, Arithmetic>();

export function arithmeticOf(set: ParameterSet): Arithmetic {
  const found = known.get(set.id);
  if (found !== undefined) return found;
  const [kept = 1, dropped = 1] = primesOf(set, 'column');
  const product = BigInt(kept) * BigInt(dropped);
  const plain = BigInt(set.plainModulus);
  const made: Arithmetic = {
    degree: set.polyModulusDegree,
    kept,
    dropped,
    byDroppedInverse: factor(Number(power(BigInt(dropped), BigInt(kept) - 2n, BigInt(kept))), kept),
    plain: set.plainModulus,
    scaleKept: factor(Number((product / plain) % BigInt(kept)), kept),
    scaleDropped: factor(Number((product / plain) % BigInt(dropped)), dropped),
    scaleRest: Number(product % plain),
  };
  known.set(set.id, made);
  return made;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let square = base % modulus, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % modulus) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus;
  }
  return result;
}

/** value mod prime, from 0, for |value| < 2^52. */
export function reduce(value: number, prime: number): number {
  const rest = value - Math.floor(value / prime) * prime;
  if (rest < 0) return rest + prime;
  return rest >= prime ? rest - prime : rest;
}

const limb = 2 ** 24;

/** A constant to multiply by modulo a prime, taken apart beforehand. */
export type Factor = {
  readonly prime: number;
  /** constant / prime, rounded. */
  readonly ratio: number;
  readonly high: number;
  readonly low: number;
  readonly primeHigh: number;
  readonly primeLow: number;
};

/** @param constant 0 ≤ constant < prime < 2^47 */
export function factor(constant: number, prime: number): Factor {
  return { prime, ratio: constant / prime, high: Math.floor(constant / limb), low: constant % limb, primeHigh: Math.floor(prime / limb), primeLow: prime % limb };
}

/**
 * value · constant mod prime for 0 ≤ value < 2^47. The quotient from doubles is off by at most one; the remainder is
 * worked out in limbs of 24 bits, where `upper` is exact because its true value is below 2^27.
 */
export function multiplyBy({ prime, ratio, high, low, primeHigh, primeLow }: Factor, value: number): number {
  const quotient = Math.floor(value * ratio);
  const valueHigh = Math.floor(value / limb), valueLow = value - valueHigh * limb;
  const quotientHigh = Math.floor(quotient / limb), quotientLow = quotient - quotientHigh * limb;
  const upper = (valueHigh * high - quotientHigh * primeHigh) * limb + (valueHigh * low + valueLow * high - quotientHigh * primeLow - quotientLow * primeHigh);
  const rest = upper * limb + (valueLow * low - quotientLow * primeLow);
  if (rest < 0) return rest + prime;
  return rest >= prime ? rest - prime : rest;
}

/**
 * round(q·m/t) of each coefficient m of a plaintext, modulo both primes: what SEAL adds to an encryption of zero
 * to encrypt m (multiply_add_plain_with_scaling_variant), to the bit.
 * @param words a plaintext's coefficients as pairs of 32-bit words
 */
export function scaledPlain(arithmetic: Arithmetic, words: Uint32Array): { readonly kept: Float64Array; readonly dropped: Float64Array } {
  const { degree, plain, scaleKept, scaleDropped, scaleRest } = arithmetic;
  const kept = new Float64Array(degree);
  const dropped = new Float64Array(degree);
  const half = (plain + 1) / 2;
  for (let at = 0; at < degree; at++) {
    const coefficient = words[2 * at] ?? 0;
    const carry = Math.floor((coefficient * scaleRest + half) / plain);
    kept[at] = reduce(multiplyBy(scaleKept, coefficient) + carry, arithmetic.kept);
    dropped[at] = reduce(multiplyBy(scaleDropped, coefficient) + carry, arithmetic.dropped);
  }
  return { kept, dropped };
}
