import { strict as assert } from 'node:assert';
import { costFor, varianceFor } from '../../../src/joint/noise/accountant.ts';
import { discreteGaussian, type Rational } from '../../../src/joint/noise/discrete-gaussian.ts';
import { createExactRandom } from '../../../src/joint/noise/exact-random.ts';
import { keystream } from '../support/keystream.ts';

/**
 * A distinguisher's game: two data sets that differ in one enterprise, one noisy count, any threshold. Whoever wins
 * more than (ε, δ) allows has found privacy that is not there.
 */
describe('the stated privacy, tried out', () => {
  const epsilon = 1;
  const delta = 0.01; // large, so that a violation shows in a hundred thousand draws
  const draws = 60_000;
  const stated = varianceFor({ numerator: 1n, denominator: 1n }, costFor(epsilon, delta));

  /** The most that any threshold test exceeds e^ε · P' + δ by, less six standard deviations of the estimate. */
  function excess(variance: Rational): number {
    const random = createExactRandom(keystream(`privacy ${variance.numerator}`));
    const noisy = (count: number) => Array.from({ length: draws }, () => count + Number(discreteGaussian(random, variance))).sort((a, b) => a - b);
    const [without, having] = [noisy(100), noisy(101)];
    let most = -1;
    for (let threshold = 90; threshold < 112; threshold += 1) {
      const share = (sorted: readonly number[]) => sorted.filter((value) => value >= threshold).length / draws;
      const [p, q] = [share(having), share(without)];
      most = Math.max(most, p - Math.exp(epsilon) * q - delta - 6 * Math.sqrt(p / draws + (Math.exp(2 * epsilon) * q) / draws));
    }
    return most;
  }

  it('lets nobody tell neighbouring data sets apart better than (ε, δ)', () => {
    assert.ok(excess(stated) <= 0, `${excess(stated)}`);
  });

  it('would not hold with half the noise: the game can be lost', () => {
    assert.ok(excess({ numerator: stated.numerator, denominator: stated.denominator * 4n }) > 0);
  });

  it('is not worn down by asking again: ten thousand fresh answers average the noise away, which is why one question has one answer', () => {
    const random = createExactRandom(keystream('average'));
    const fresh = Array.from({ length: 10_000 }, () => 101 + Number(discreteGaussian(random, stated)));
    const mean = fresh.reduce((sum, answer) => sum + answer, 0) / fresh.length;
    assert.equal(Math.round(mean), 101, 'the attack works on fresh noise');
  });
});
