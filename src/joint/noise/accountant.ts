/**
 * Zero-concentrated differential privacy (Bun and Steinke 2016): what a release costs is ρ, costs of releases add up,
 * and what people are told is the (ε, δ) that a sum of ρ guarantees. Costs are kept as whole billionths, always
 * rounded against whoever spends, so that no sum of rounding errors ever promises too much.
 */
import type { Brand } from '../../vocabulary.ts';
import type { Rational } from './discrete-gaussian.ts';

/** ρ in billionths, a whole number. */
export type NanoRho = Brand<number, 'NanoRho'>;

export const nanoRhoPerRho = 1_000_000_000;

/**
 * Cost of one release with discrete Gaussian noise: ρ = Δ² / 2σ² (Canonne, Kamath, Steinke 2020, Theorem 14), rounded up.
 * @param sensitivitySquared Δ²: the most that adding or removing one enterprise changes the release, squared and summed over its cells
 */
export function costOf(sensitivitySquared: Rational, variance: Rational): NanoRho {
  if (variance.numerator <= 0n) throw new RangeError('a release without noise has no cost that could be paid');
  const numerator = sensitivitySquared.numerator * variance.denominator * BigInt(nanoRhoPerRho);
  const denominator = 2n * variance.numerator * sensitivitySquared.denominator;
  return Number((numerator + denominator - 1n) / denominator) as NanoRho;
}

/** σ² that makes a release of the given Δ² cost at most ρ: Δ² / 2ρ. */
export function varianceFor(sensitivitySquared: Rational, cost: NanoRho): Rational {
  if (cost < 1) throw new RangeError('a release needs a budget');
  return { numerator: sensitivitySquared.numerator * BigInt(nanoRhoPerRho), denominator: 2n * BigInt(cost) * sensitivitySquared.denominator };
}

/**
 * ε such that ρ-zCDP implies (ε, δ)-differential privacy: the least over α > 1 of
 * αρ + ln(1/(αδ))/(α−1) + ln(1 − 1/α) (Canonne, Kamath, Steinke 2020, Proposition 12), rounded up in the ninth decimal.
 * @param delta 0 < δ < 1
 */
export function epsilonOf(cost: NanoRho, delta: number): number {
  if (!(delta > 0 && delta < 1)) throw new RangeError('δ lies between 0 and 1');
  const rho = cost / nanoRhoPerRho;
  if (rho === 0) return 0;
  const at = (alpha: number) => alpha * rho - Math.log(alpha * delta) / (alpha - 1) + Math.log1p(-1 / alpha);
  // convex in ln(α − 1): golden section on the logarithm
  let low = Math.log(1e-6);
  let high = Math.log(1e9);
  const golden = (Math.sqrt(5) - 1) / 2;
  for (let step = 0; step < 200; step += 1) {
    const left = high - golden * (high - low);
    const right = low + golden * (high - low);
    if (at(1 + Math.exp(left)) < at(1 + Math.exp(right))) high = right;
    else low = left;
  }
  // any α gives a valid ε, so a search that stopped short promises less, never too much
  const epsilon = Math.max(0, at(1 + Math.exp((low + high) / 2)));
  return Math.ceil(epsilon * 1e9) / 1e9;
}

/** The most ρ, in whole billionths, that still guarantees (ε, δ). */
export function costFor(epsilon: number, delta: number): NanoRho {
  if (!(epsilon > 0)) throw new RangeError('ε is above 0');
  let low = 0;
  let high = Math.ceil(epsilon * nanoRhoPerRho); // ρ > ε is never within ε
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (epsilonOf(middle as NanoRho, delta) <= epsilon) low = middle;
    else high = middle;
  }
  return low as NanoRho;
}
