import type { ParameterSet } from './parameters.ts';
import { primesOf } from './wire.ts';

/**
 * Exact arithmetic modulo the primes of a set, in doubles: about ten times as fast as going through SEAL's handles
 * for what sealed scoring does with ciphertexts (small constants times residues), and far faster than BigInt.
 * Every intermediate value is an integer below 2^53 in magnitude, or a sum whose exact value is; primes below 2^47.
 */
export type Arithmetic = {
  readonly degree: number;
  /** The data prime that results keep, and the one that is dropped from them. */
  readonly kept: number;
  readonly dropped: number;
  /** dropped^-1 mod kept. */
  readonly droppedInverse: number;
  readonly plain: number;
  /** ⌊q/t⌋ mod each prime, and q mod t: how SEAL scales a plaintext, round(q·m/t). */
  readonly scaleKept: number;
  readonly scaleDropped: number;
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
    droppedInverse: Number(power(BigInt(dropped), BigInt(kept) - 2n, BigInt(kept))),
    plain: set.plainModulus,
    scaleKept: Number((product / plain) % BigInt(kept)),
    scaleDropped: Number((product / plain) % BigInt(dropped)),
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

/**
 * a·b mod prime for 0 ≤ a, b < prime < 2^47. The quotient from doubles is off by at most one; the remainder is
 * worked out in limbs of 24 bits, where `upper` is exact because its true value is below 2^27.
 */
export function multiply(a: number, b: number, prime: number): number {
  const quotient = Math.floor((a * b) / prime);
  const aHigh = Math.floor(a / limb), aLow = a - aHigh * limb;
  const bHigh = Math.floor(b / limb), bLow = b - bHigh * limb;
  const qHigh = Math.floor(quotient / limb), qLow = quotient - qHigh * limb;
  const pHigh = Math.floor(prime / limb), pLow = prime - pHigh * limb;
  const upper = (aHigh * bHigh - qHigh * pHigh) * limb + (aHigh * bLow + aLow * bHigh - qHigh * pLow - qLow * pHigh);
  const rest = upper * limb + (aLow * bLow - qLow * pLow);
  if (rest < 0) return rest + prime;
  return rest >= prime ? rest - prime : rest;
}

/**
 * round(q·m/t) of each coefficient m of a plaintext, modulo both primes: what SEAL adds to an encryption of zero
 * to encrypt m (multiply_add_plain_with_scaling_variant), to the bit.
 * @param words a plaintext's coefficients as pairs of 32-bit words
 */
export function scaledPlain(arithmetic: Arithmetic, words: Uint32Array): { readonly kept: Float64Array; readonly dropped: Float64Array } {
  const { degree, plain, scaleRest } = arithmetic;
  const kept = new Float64Array(degree);
  const dropped = new Float64Array(degree);
  const half = (plain + 1) / 2;
  for (let at = 0; at < degree; at++) {
    const coefficient = words[2 * at] ?? 0;
    const carry = Math.floor((coefficient * scaleRest + half) / plain);
    kept[at] = reduce(multiply(coefficient, arithmetic.scaleKept, arithmetic.kept) + carry, arithmetic.kept);
    dropped[at] = reduce(multiply(coefficient, arithmetic.scaleDropped, arithmetic.dropped) + carry, arithmetic.dropped);
  }
  return { kept, dropped };
}
