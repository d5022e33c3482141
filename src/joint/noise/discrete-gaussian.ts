import type { ExactRandom } from './exact-random.ts';

/** A positive rational number. */
export type Rational = { readonly numerator: bigint; readonly denominator: bigint };

/**
 * One draw from the discrete Gaussian N_Z(0, σ²): P(x) proportional to exp(−x² / 2σ²) over the integers, exactly, with
 * no floating point anywhere (which is how noise samplers have leaked before: Mironov 2012).
 * Source: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy" (2020), Algorithms 1 to 3.
 * Takes a number of draws that varies: the time a draw takes tells nothing once answers leave in batches of their own pace.
 * @param variance σ², at least 0 (0: no noise, for tests of what noise hides)
 */
export function discreteGaussian(random: ExactRandom, variance: Rational): bigint {
  const { numerator, denominator } = variance;
  if (numerator < 0n || denominator < 1n) throw new RangeError('a variance is a rational number of at least 0');
  if (numerator === 0n) return 0n;
  const t = floorSqrt(numerator / denominator) + 1n;
  for (;;) {
    const candidate = discreteLaplace(random, t);
    const size = candidate < 0n ? -candidate : candidate;
    // accepted with probability exp(−(|y| − σ²/t)² / 2σ²), brought to one fraction: (|y|·t·den − num)² / (2·num·den·t²)
    const distance = size * t * denominator - numerator;
    if (bernoulliExp(random, distance * distance, 2n * numerator * denominator * t * t)) return candidate;
  }
}

/** P(x) proportional to exp(−|x| / scale) over the integers. @param scale at least 1 */
export function discreteLaplace(random: ExactRandom, scale: bigint): bigint {
  for (;;) {
    const remainder = random.below(scale);
    if (!bernoulliExp(random, remainder, scale)) continue;
    let whole = 0n;
    while (bernoulliExp(random, 1n, 1n)) whole += 1n;
    const size = remainder + scale * whole;
    const negative = random.below(2n) === 1n;
    if (negative && size === 0n) continue; // zero must not come twice as often
    return negative ? -size : size;
  }
}

/** True with probability exp(−numerator/denominator). @param numerator at least 0 */
export function bernoulliExp(random: ExactRandom, numerator: bigint, denominator: bigint): boolean {
  let left = numerator;
  for (; left > denominator; left -= denominator) {
    if (!bernoulliExpBelowOne(random, 1n, 1n)) return false;
  }
  return bernoulliExpBelowOne(random, left, denominator);
}

/** The alternating series of exp(−γ) for γ in 0..1: how many draws of γ/1, γ/2, … succeed in a row, odd or even. */
function bernoulliExpBelowOne(random: ExactRandom, numerator: bigint, denominator: bigint): boolean {
  let k = 1n;
  while (random.bernoulli(numerator, denominator * k)) k += 1n;
  return k % 2n === 1n;
}

/** Greatest integer whose square is not above n. */
export function floorSqrt(n: bigint): bigint {
  if (n < 2n) return n;
  let root = 1n << (BigInt(n.toString(2).length + 1) / 2n);
  for (;;) {
    const next = (root + n / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}
