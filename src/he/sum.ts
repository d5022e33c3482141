import { multiplyBy, reduce, type Arithmetic } from './arithmetic.ts';
import type { PackedColumn } from './packed.ts';

/**
 * Weighted sums of ciphertexts, on their coefficients. A BFV ciphertext times a small constant is every coefficient
 * times it, so Σ w·ct needs no library and no loading: equal to SEAL's multiplyPlain and add, to the bit. The
 * coefficients' low and high 32-bit words are summed apart and reduced once at the end, exactly: Σ|w| < 2^16 keeps
 * the low sums below 2^48 (doubles hold 2^53) and, with primes below 2^47, the high ones below 2^31.
 *
 * Every weight is multiplied in the same way, zero too: the time and the form of an answer tell nothing of the
 * weights, only of the number of columns.
 */
export type WordSums = { readonly low: Float64Array; readonly high: Int32Array };

/** Coefficients gone through at once: the words of 20 columns stay in the second-level cache for all outputs. */
const strip = 1024;

/** Sums to write to, kept: allocating and clearing fresh pages would cost as much as adding up. */
const kept: WordSums[] = [];

function clearedSums(count: number, length: number): WordSums[] {
  for (let at = 0; at < count; at++) {
    const sums = kept[at];
    if (sums?.low.length === length) {
      sums.low.fill(0);
      sums.high.fill(0);
    } else {
      kept[at] = { low: new Float64Array(length), high: new Int32Array(length) };
    }
  }
  return kept.slice(0, count);
}

/**
 * One pass over the columns for all outputs. The sums are valid until the next call.
 * @param outputs a weight per column each, integers with Σ|w| below 2^16
 */
export function weightedSums(columns: readonly PackedColumn[], outputs: readonly (readonly number[])[]): WordSums[] {
  const length = columns[0]?.low.length ?? 0;
  const sums = clearedSums(outputs.length, length);
  for (let from = 0; from < length; from += strip) {
    const to = Math.min(from + strip, length);
    outputs.forEach((weights, output) => {
      const sum = sums[output];
      for (let first = 0; sum !== undefined && first < columns.length; first += 4) addFour(sum, columns, weights, first, from, to);
    });
  }
  return sums;
}

/** Four columns at a time, so that sums are read and written a quarter as often. Beyond the last column: its words times 0. */
function addFour({ low, high }: WordSums, columns: readonly PackedColumn[], weights: readonly number[], first: number, from: number, to: number): void {
  const [a, b, c, d] = [0, 1, 2, 3].map((next) => columns[first + next] ?? columns[first]) as [PackedColumn, PackedColumn, PackedColumn, PackedColumn];
  const [lowA, lowB, lowC, lowD, highA, highB, highC, highD] = [a.low, b.low, c.low, d.low, a.high, b.high, c.high, d.high];
  const [u = 0, v = 0, w = 0, x = 0] = weights.slice(first, first + 4);
  for (let at = from; at < to; at++) {
    low[at]! += u * lowA[at]! + v * lowB[at]! + w * lowC[at]! + x * lowD[at]!;
    high[at] = (high[at]! + Math.imul(u, highA[at]!) + Math.imul(v, highB[at]!) + Math.imul(w, highC[at]!) + Math.imul(x, highD[at]!)) | 0;
  }
}

/** A sum of words modulo its prime, for |high·2^32 + low| < 2^63: the quotient from doubles is off by at most one. */
function reduceWords(low: number, high: number, prime: number, primeHigh: number, primeLow: number): number {
  const quotient = Math.floor((high * 2 ** 32 + low) / prime);
  const rest = (high - quotient * primeHigh) * 2 ** 32 + (low - quotient * primeLow);
  if (rest < 0) return rest + prime;
  return rest >= prime ? rest - prime : rest;
}

/** The sums modulo their primes, written over `low`: for each component the kept prime's coefficients, then the dropped one's. */
export function reducedSums(arithmetic: Arithmetic, { low, high }: WordSums): Float64Array {
  const { degree, kept: keptPrime, dropped } = arithmetic;
  for (const [polynomial, prime] of [keptPrime, dropped, keptPrime, dropped].entries()) {
    const primeHigh = Math.floor(prime / 2 ** 32);
    const primeLow = prime % 2 ** 32;
    for (let at = polynomial * degree; at < (polynomial + 1) * degree; at++) low[at] = reduceWords(low[at]!, high[at]!, prime, primeHigh, primeLow);
  }
  return low;
}

/**
 * sum + blinder, then the dropped prime divided away with rounding (modulus switching, as SEAL's
 * mod_switch_to_next does it, to the bit). Pairs of words, written to `target`.
 */
export function switchedSum(arithmetic: Arithmetic, sum: Float64Array, blinder: Float64Array, target: Uint32Array): void {
  const { degree, kept: keptPrime, dropped, byDroppedInverse } = arithmetic;
  const half = (dropped - 1) / 2;
  for (let component = 0; component < 2; component++) {
    for (let at = 0; at < degree; at++) {
      const inKept = 2 * component * degree + at;
      const inDropped = inKept + degree;
      const rest = reduce(sum[inDropped]! + blinder[inDropped]!, dropped);
      const centred = rest > half ? rest - dropped : rest;
      const value = multiplyBy(byDroppedInverse, reduce(sum[inKept]! + blinder[inKept]! - centred, keptPrime));
      const word = 2 * (component * degree + at);
      const upper = Math.floor(value / 2 ** 32);
      target[word] = value - upper * 2 ** 32;
      target[word + 1] = upper;
    }
  }
}
