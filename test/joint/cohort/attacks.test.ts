import { strict as assert } from 'node:assert';
import { clearSums } from '../../../src/joint/circuit/clear.ts';
import { createAlignment, match } from '../../../src/joint/cohort/alignment.ts';
import { differenceOf } from '../../../src/joint/cohort/difference.ts';
import { costFor, varianceFor, type NanoRho } from '../../../src/joint/noise/accountant.ts';
import { discreteGaussian } from '../../../src/joint/noise/discrete-gaussian.ts';
import { createExactRandom } from '../../../src/joint/noise/exact-random.ts';
import { loadGroup, type Group } from '../../../src/joint/cohort/group.ts';
import type { SubjectId } from '../../../src/vocabulary.ts';
import { subjects } from '../../support/joint.ts';
import { keystream } from '../support/keystream.ts';

/** Each attack first wins where the rule is missing. That the platform holds the rules: test/gateway/joint-cohorts.test.ts. */
describe('attacks on cohorts', () => {
  let group: Group;
  before(async () => { group = await loadGroup(); });

  /** Exact sums, as if there were no noise: what the cohort rules protect when the budget is generous. */
  const sum = (members: readonly SubjectId[], value: (code: SubjectId) => number) => clearSums(Int32Array.from(members, value), new Uint8Array(members.length), 2)[0];

  it('two cohorts that differ by one member tell its value; rule: by nobody or by k, added and removed together', () => {
    const [victim, ...rest] = subjects(0, 101) as [SubjectId, ...SubjectId[]];
    const value = (code: SubjectId) => (code === victim ? 17 : 3);
    assert.equal((sum([victim, ...rest], value) ?? 0) - (sum(rest, value) ?? 0), 17, 'the attack works');
    assert.equal(differenceOf([victim, ...rest], rest), 1);
    // exchanging members instead of removing them keeps the size and works too: a rule on sizes alone would miss it
    const known = subjects(200, 201)[0] as SubjectId;
    assert.equal((sum([victim, ...rest], value) ?? 0) - (sum([known, ...rest], value) ?? 0) + 3, 17);
    assert.equal(differenceOf([victim, ...rest], [known, ...rest]), 2);
  });

  it('k − 1 members whose values the partner knows tell the last one\'s from exact sums, whatever k is; rule: noise, and no codes of the partner\'s choosing', () => {
    const [victim, ...sybils] = subjects(0, 100) as [SubjectId, ...SubjectId[]];
    const value = (code: SubjectId) => (code === victim ? 17 : sybils.indexOf(code) % 21);
    const known = sum(sybils, value) ?? 0;
    assert.equal((sum([victim, ...sybils], value) ?? 0) - known, 17, 'the attack works: k members are no protection where k − 1 are the partner\'s');
    // a column of 20 steps, a fifth of a project's ε = 4 at δ = 1e-6
    const variance = varianceFor({ numerator: 20n ** 2n, denominator: 1n }, Math.floor(costFor(4, 1e-6) / 5) as NanoRho);
    const random = createExactRandom(keystream('sybils'));
    const guesses = Array.from({ length: 2000 }, () => (sum([victim, ...sybils], value) ?? 0) + Number(discreteGaussian(random, variance)) - known);
    const hits = guesses.filter((guess) => guess === 17).length / guesses.length;
    const chance = 1 / 21; // of guessing one of the column's steps without having asked
    assert.ok(hits < chance, `${hits}: what is left of the value is less than a guess in the dark tells`);
  });

  it('codes that are tried one after another tell who is in a register; rule: only who consented to this partner can be met', () => {
    const run = createAlignment(group, 'run');
    const [partner, platform] = [group.randomScalar(), group.randomScalar()];
    const met = (cohort: readonly SubjectId[], guesses: readonly SubjectId[]) =>
      match(run.blindAgain(platform, run.blind(partner, guesses)), run.blindAgain(partner, run.blind(platform, cohort))).filter((position) => position !== undefined).length;
    const register = subjects(0, 60);
    assert.equal(met(register, subjects(40, 80)), 20, 'the attack works on all enterprises of a register');
    assert.equal(met(register.slice(0, 10), subjects(40, 80)), 0);
  });

  it('points of the partner\'s choice (the cohort\'s own, those of another run) come back as points that meet nothing', () => {
    const secret = group.randomScalar();
    const [partner, platform] = [group.randomScalar(), group.randomScalar()];
    const [run, other] = [createAlignment(group, 'run'), createAlignment(group, 'other run')];
    const cohort = run.blind(platform, subjects(0, 20));
    const known = run.blindAgain(partner, cohort);
    assert.ok(match(run.blindAgain(platform, run.blind(partner, subjects(0, 20))), known).every((position) => position !== undefined), 'honest points meet');
    for (const chosen of [cohort, run.blindAgain(partner, cohort), other.blind(partner, subjects(0, 20))]) {
      assert.ok(match(run.blindAgain(platform, chosen), known).every((position) => position === undefined));
    }
    // the same secret in two runs would make them comparable, were it not for the run in every hash
    assert.ok(match(run.blind(secret, subjects(0, 20)), other.blind(secret, subjects(0, 20))).every((position) => position === undefined));
  });
});
