import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { costFor, costOf, epsilonOf, varianceFor, type NanoRho } from '../../../src/joint/noise/accountant.ts';
import { bernoulliExp, discreteGaussian, discreteLaplace, floorSqrt } from '../../../src/joint/noise/discrete-gaussian.ts';
import { createExactRandom } from '../../../src/joint/noise/exact-random.ts';
import { keystream } from '../support/keystream.ts';

const seeded = (seed: string) => createExactRandom(keystream(seed));

/** Pearson's statistic of observed counts against probabilities; cells below 5 expected are put together. */
function chiSquare(observed: readonly number[], probabilities: readonly number[], draws: number): { readonly statistic: number; readonly cells: number } {
  let statistic = 0;
  let cells = 0;
  let restObserved = draws;
  let restExpected = draws;
  observed.forEach((count, at) => {
    const expected = (probabilities[at] as number) * draws;
    if (expected < 5) return;
    statistic += (count - expected) ** 2 / expected;
    cells += 1;
    restObserved -= count;
    restExpected -= expected;
  });
  return restExpected < 5 ? { statistic, cells } : { statistic: statistic + (restObserved - restExpected) ** 2 / restExpected, cells: cells + 1 };
}

describe('random numbers below a bound', () => {
  it('are uniform for bounds that are no power of two', () => {
    const random = seeded('uniform');
    const counts = new Array<number>(7).fill(0);
    for (let draw = 0; draw < 70_000; draw += 1) {
      const at = Number(random.below(7n));
      counts[at] = (counts[at] ?? 0) + 1;
    }
    assert.ok(chiSquare(counts, counts.map(() => 1 / 7), 70_000).statistic < 30, counts.join());
  });

  it('reach every value and never the bound', () => {
    fc.assert(fc.property(fc.bigInt(1n, 1n << 200n), (bound) => {
      const drawn = createExactRandom().below(bound);
      return drawn >= 0n && drawn < bound;
    }));
    assert.equal(createExactRandom().below(1n), 0n);
    assert.throws(() => createExactRandom().below(0n), RangeError);
  });
});

describe('discrete Gaussian noise', () => {
  for (const [name, variance] of Object.entries({
    'σ² = 1/4': { numerator: 1n, denominator: 4n }, 'σ² = 2': { numerator: 2n, denominator: 1n }, 'σ² = 1000/7': { numerator: 1000n, denominator: 7n },
  })) {
    it(`has exactly the distribution it should, ${name}`, () => {
      const random = seeded(name);
      const draws = 40_000;
      const sigma2 = Number(variance.numerator) / Number(variance.denominator);
      const reach = Math.ceil(8 * Math.sqrt(sigma2)) + 2;
      const weights = Array.from({ length: 2 * reach + 1 }, (_, at) => Math.exp(-((at - reach) ** 2) / (2 * sigma2)));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const counts = new Array<number>(2 * reach + 1).fill(0);
      for (let draw = 0; draw < draws; draw += 1) {
        const at = Number(discreteGaussian(random, variance)) + reach;
        counts[at] = (counts[at] ?? 0) + 1;
      }
      const { statistic, cells } = chiSquare(counts, weights.map((weight) => weight / total), draws);
      // mean of the statistic is cells − 1; six of its standard deviations
      assert.ok(statistic < cells + 6 * Math.sqrt(2 * cells), `${statistic} over ${cells} cells`);
    });
  }

  it('tells a Gaussian from a Laplace of the same spread: the test above can fail', () => {
    const random = seeded('laplace');
    const draws = 40_000;
    const reach = 20;
    const weights = Array.from({ length: 2 * reach + 1 }, (_, at) => Math.exp(-((at - reach) ** 2) / 4));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const counts = new Array<number>(2 * reach + 1).fill(0);
    for (let draw = 0; draw < draws; draw += 1) {
      const at = Number(discreteLaplace(random, 1n)) + reach;
      counts[at] = (counts[at] ?? 0) + 1;
    }
    assert.ok(chiSquare(counts, weights.map((weight) => weight / total), draws).statistic > 1000);
  });

  it('adds nothing at variance 0 and refuses a negative one', () => {
    assert.equal(discreteGaussian(createExactRandom(), { numerator: 0n, denominator: 1n }), 0n);
    assert.throws(() => discreteGaussian(createExactRandom(), { numerator: -1n, denominator: 1n }), RangeError);
  });

  it('draws exp(−γ) with the right probability below and above 1', () => {
    const random = seeded('exp');
    for (const [numerator, denominator] of [[1n, 3n], [1n, 1n], [7n, 2n]] as const) {
      const draws = 30_000;
      let hits = 0;
      for (let draw = 0; draw < draws; draw += 1) hits += bernoulliExp(random, numerator, denominator) ? 1 : 0;
      const p = Math.exp(-Number(numerator) / Number(denominator));
      assert.ok(Math.abs(hits - draws * p) < 6 * Math.sqrt(draws * p * (1 - p)), `${hits / draws} for ${p}`);
    }
  });

  it('takes the root of any size exactly', () => {
    fc.assert(fc.property(fc.bigInt(0n, 1n << 300n), (n) => {
      const root = floorSqrt(n);
      return root * root <= n && (root + 1n) * (root + 1n) > n;
    }));
  });
});

describe('the accountant', () => {
  const one = { numerator: 1n, denominator: 1n };

  it('charges half the squared sensitivity over the variance, rounded up', () => {
    assert.equal(costOf(one, { numerator: 50n, denominator: 1n }), 10_000_000);
    assert.equal(costOf(one, { numerator: 3n, denominator: 1n }), 166_666_667);
    assert.throws(() => costOf(one, { numerator: 0n, denominator: 1n }), RangeError);
  });

  it('gives the variance that costs what was asked, never more', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 1_000_000_000 }), fc.bigInt(1n, 1_000_000n), (cost, sensitivity) => {
      const squared = { numerator: sensitivity, denominator: 3n };
      return costOf(squared, varianceFor(squared, cost as NanoRho)) <= cost;
    }));
  });

  it('promises no less privacy than the definition: δ of every ε it gives is within δ', () => {
    // δ(ε) of the (continuous) Gaussian mechanism with ρ = 1/2σ² is known exactly (Balle and Wang 2018); zCDP's bound must lie above it
    const phi = (x: number) => 0.5 * erfc(-x / Math.SQRT2);
    for (const rho of [0.001, 0.02, 0.1, 0.5]) {
      for (const delta of [1e-4, 1e-6, 1e-9]) {
        const epsilon = epsilonOf((rho * 1e9) as NanoRho, delta);
        const mu = Math.sqrt(2 * rho);
        const exact = phi(mu / 2 - epsilon / mu) - Math.exp(epsilon) * phi(-mu / 2 - epsilon / mu);
        assert.ok(exact <= delta, `ρ ${rho} δ ${delta}: ${exact}`);
        assert.ok(epsilon <= rho + 2 * Math.sqrt(rho * Math.log(1 / delta)) + 1e-8, 'no worse than the plain conversion of Bun and Steinke');
      }
    }
  });

  it('gives the most that still keeps (ε, δ)', () => {
    for (const epsilon of [0.1, 1, 3, 8]) {
      const cost = costFor(epsilon, 1e-6);
      assert.ok(epsilonOf(cost, 1e-6) <= epsilon);
      assert.ok(epsilonOf((cost + 1000) as NanoRho, 1e-6) > epsilon);
    }
  });

  it('costs nothing where nothing is released, and refuses a δ or ε that means nothing', () => {
    assert.equal(epsilonOf(0 as NanoRho, 1e-6), 0);
    assert.throws(() => epsilonOf(1 as NanoRho, 0), RangeError);
    assert.throws(() => costFor(0, 1e-6), RangeError);
    assert.throws(() => varianceFor(one, 0 as NanoRho), RangeError);
  });
});

/** Complementary error function, to about 1e-12 relative by its continued fraction and series. */
function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; n < 200; n += 1) {
      term *= -(x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 120; n > 0; n -= 1) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}
