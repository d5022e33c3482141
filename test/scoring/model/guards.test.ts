import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { disjointParts, functionalsOf } from '../../../src/scoring/model/functional.ts';
import { largestGain } from '../../../src/scoring/model/guess.ts';
import { bounds, dominantField, effectiveNumber, fieldRanges, stepsOf } from '../../../src/scoring/model/range.ts';
import { largestRemainder } from '../../../src/scoring/model/remainder.ts';
import { maximise } from '../../../src/scoring/model/simplex.ts';
import { fieldShapes, type FeatureSpace } from '../../../src/scoring/model/space.ts';
import { judgeTogether } from '../../../src/scoring/model/together.ts';
import type { Model, ModelRef } from '../../../src/scoring/protocol.ts';
import { feature, featureId, field, model, numbers, reason, settings, space } from './declared.ts';

const weight = fc.integer({ min: -30, max: 30 });

/** Two bins and a number of one field, a code field, and a number. */
const mixed = space(
  [field('a', 'decimal', { scale: 2, min: 0, max: 10 }), field('b', 'code', { codes: { x: 'x', y: 'y', z: 'z' } }), field('c', 'integer', { min: -3, max: 3 })],
  [
    feature('a_low', 'a', { kind: 'indicator', below: 2.5 }, 0), feature('a_high', 'a', { kind: 'indicator', atLeast: 7 }, 0), feature('a', 'a', { kind: 'fixed_point', min: 0, max: 10, scale: 10 }, 5),
    feature('b_x', 'b', { kind: 'code_indicator', codes: ['x'], known: ['x', 'y', 'z'] }, 0), feature('b_yz', 'b', { kind: 'code_indicator', codes: ['y', 'z'], known: ['x', 'y', 'z'] }, 0),
    feature('c', 'c', { kind: 'fixed_point', min: -3, max: 3, scale: 1 }),
  ],
);
/** Every value of the fields above, encoded by hand. */
const valuesOfA = Array.from({ length: 101 }, (_, tenth) => ({ a_low: tenth < 25 ? 1 : 0, a_high: tenth >= 70 ? 1 : 0, a: tenth }));
const weighted = (weights: Readonly<Record<string, number>>, values: Readonly<Record<string, number>>) => Object.entries(values).reduce((sum, [name, value]) => sum + (weights[name] ?? 0) * value, 0);

describe('ranges of a model', () => {
  it('are those of the fields, over all values they can have, missing apart', () => {
    fc.assert(fc.property(fc.record({ a_low: weight, a_high: weight, a: weight, b_x: weight, b_yz: weight, c: weight }), (weights) => {
      const ranges = new Map(fieldRanges(model(weights).terms, mixed).map((range) => [String(range.shape.field), range]));
      const sums = valuesOfA.map((values) => weighted(weights, values));
      if (weights.a_low !== 0 || weights.a_high !== 0 || weights.a !== 0) {
        assert.equal(ranges.get('made.a')?.certainRange, Math.max(...sums) - Math.min(...sums));
        const all = [...sums, 5 * weights.a];
        assert.deepEqual([ranges.get('made.a')?.low, ranges.get('made.a')?.high], [Math.min(...all), Math.max(...all)]);
      }
      if (weights.b_x !== 0 || weights.b_yz !== 0) {
        assert.equal(ranges.get('made.b')?.certainRange, Math.abs(weights.b_x - weights.b_yz), 'every code is one of the two');
        assert.equal(ranges.get('made.b')?.range, Math.max(0, weights.b_x, weights.b_yz) - Math.min(0, weights.b_x, weights.b_yz));
      }
    }));
  });

  it('have as many points as there are values that differ to the features', () => {
    const [a, b] = fieldShapes([featureId('a_low'), featureId('a_high'), featureId('b_x')], mixed);
    assert.deepEqual(a?.stretches.map(({ first }) => first), [[1, 0], [0, 0], [0, 1]]);
    assert.deepEqual(b?.stretches.map(({ first }) => first), [[1], [0]]);
    const bins = space([field('n', 'integer', { min: 0, max: 9 })], [feature('few', 'n', { kind: 'indicator', below: 10 }, 0), feature('none', 'n', { kind: 'indicator', atLeast: 10 }, 0)]);
    assert.deepEqual(fieldShapes([featureId('few'), featureId('none')], bins)[0]?.stretches.map(({ first }) => first), [[1, 0]], 'a bin nobody can be in is no point');
  });

  it('count effective fields and the dominant share exactly', () => {
    const ranges = fieldRanges(model([3, 4, 5]).terms, numbers(3, 10));
    assert.deepEqual(effectiveNumber(ranges), { squareOfSum: 120n ** 2n, sumOfSquares: 900n + 1600n + 2500n });
    const worst = dominantField(ranges);
    assert.deepEqual([worst?.dominant.shape.field, worst?.part, worst?.whole], ['made.f2', 50n, 120n]);
    assert.deepEqual(bounds(ranges), { low: 0, high: 120 });
    assert.equal(stepsOf(ranges), 121);
    assert.equal(stepsOf(fieldRanges(model([6, 9]).terms, numbers(2, 10))), 51);
  });
});

describe('what a number gives away', () => {
  /** By going through all records. */
  function gainByCounting(weights: readonly number[], high: number): number {
    const records = weights.reduce<number[][]>((all) => all.flatMap((record) => Array.from({ length: high + 1 }, (_, value) => [...record, value])), [[]]);
    const gains = weights.map((own, at) => {
      if (own === 0) return 0;
      const seen = new Map<number, Map<number, number>>();
      for (const record of records) {
        const raw = record.reduce((sum, value, index) => sum + value * (weights[index] as number), 0);
        const counts = seen.get(raw) ?? new Map<number, number>();
        counts.set(record[at] as number, (counts.get(record[at] as number) ?? 0) + 1);
        seen.set(raw, counts);
      }
      const hits = [...seen.values()].reduce((sum, counts) => sum + Math.max(...counts.values()), 0) / records.length;
      const prior = 1 / (high + 1);
      return (hits - prior) / (1 - prior);
    });
    return Math.max(...gains);
  }

  it('is counted as going through all records counts it', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: -12, max: 12 }).filter((each) => each !== 0), { minLength: 2, maxLength: 5 }), fc.integer({ min: 1, max: 4 }), (weights, high) => {
      const found = largestGain(fieldRanges(model(weights).terms, numbers(weights.length, high)))?.gain ?? 0;
      assert.ok(Math.abs(found - gainByCounting(weights, high)) < 1e-9, `${found} ${gainByCounting(weights, high)}`);
    }), { numRuns: 60 });
  });

  it('is found in parts of a range where a field has many values', () => {
    const alone = largestGain(fieldRanges(model([1, 1000]).terms, numbers(2, 200)));
    assert.ok((alone?.gain ?? 0) > 0.99);
    const hidden = largestGain(fieldRanges(model([5, 5, 5, 5, 5, 5, 5, 5, 5, 5]).terms, numbers(10, 200)));
    assert.ok((hidden?.gain ?? 1) < 0.2, String(hidden?.gain));
  });

  it('is nothing by remainders when all weights share their divisor, and all when one does not', () => {
    const classes = (...weights: readonly (readonly number[])[]) => largestRemainder(weights.map((each) => ({ terms: model(each).terms })), numbers(4, 10))?.classes;
    assert.equal(classes([6, 6, 6, 6]), 1);
    assert.equal(classes([6, 6, 6, 9]), 2, 'odd or even');
    assert.equal(classes([60, 60, 60, 1]), 11);
    assert.equal(classes([6, 6, 10, 15]), 3, 'by 6, 10 and 15 no remainder but that by 3');
    assert.equal(classes([1, 1, 1, 0], [0, 0, 0, 1]), 11, 'a function of its own');
    assert.equal(classes([2, 3, 5, 7], [3, 5, 2, 1]), 1);
  });
});

describe('the span of several functions', () => {
  const functional = (weights: readonly number[], name: number) => functionalsOf(model(weights, { ref: `m@${name}` as ModelRef }))[0] as ReturnType<typeof functionalsOf>[number];

  /** Largest share at the extreme points of the span's unit ball: those with d − 1 coordinates zero; one feature for each field. */
  function shareByEnumeration(vectors: readonly (readonly number[])[], ranges: readonly number[]): number {
    const share = (vector: readonly number[]) => { const sizes = vector.map((entry, at) => Math.abs(entry) * (ranges[at] as number)); const sum = sizes.reduce((all, size) => all + size, 0); return sum < 1e-9 ? 0 : Math.max(...sizes) / sum; };
    const combine = (factors: readonly number[]) => (vectors[0] as readonly number[]).map((_, at) => factors.reduce((sum, factor, index) => sum + factor * (vectors[index]?.[at] as number), 0));
    const places = ranges.map((_, at) => at);
    if (vectors.length === 2) return Math.max(...places.map((at) => share(combine([vectors[1]?.[at] as number, -(vectors[0]?.[at] as number)]))));
    return Math.max(...places.flatMap((one) => places.filter((other) => other > one).map((other) => {
      const [x, y] = [one, other].map((at) => vectors.map((vector) => vector[at] as number)) as [number[], number[]];
      const cross = [0, 1, 2].map((at) => (x[(at + 1) % 3] as number) * (y[(at + 2) % 3] as number) - (x[(at + 2) % 3] as number) * (y[(at + 1) % 3] as number));
      return share(combine(cross));
    })));
  }

  it('is searched as completely as by going through all its extreme points', () => {
    const vectors = fc.integer({ min: 2, max: 3 }).chain((count) => fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 7, maxLength: 7 }), { minLength: count, maxLength: count }));
    fc.assert(fc.property(vectors, fc.integer({ min: 200, max: 900 }), (weights, limit) => {
      const share = shareByEnumeration(weights, Array.from({ length: 7 }, () => 100));
      fc.pre(new Set(weights.map((each, at) => functional(each, at + 1).id)).size === weights.length && share > 0 && Math.abs(share - limit / 1000) > 0.001);
      const verdict = judgeTogether(weights.map((each, at) => functional(each, at + 1)), numbers(7), { ...settings, guessGainMax: 1, dominantShareMax: limit / 1000 }, { digits: false });
      assert.equal(verdict.findings.some(({ rule }) => rule === 'combination'), share > limit / 1000, `${share}`);
    }), { numRuns: 150 });
  });

  it('treats bins of one field as one, however they are combined', () => {
    const names = ['p', 'q', 'r', 's', 't', 'u'];
    const world: FeatureSpace = space(
      names.map((name) => field(name, 'integer', { min: 0, max: 2 })),
      names.flatMap((name) => [0, 1, 2].map((value) => feature(`${name}${value}`, name, { kind: 'indicator', atLeast: value, below: value + 1 }, 0))),
    );
    const points = (low: number, middle: number, high: number) => Object.fromEntries(names.flatMap((name) => [[`${name}0`, low], [`${name}1`, middle], [`${name}2`, high]]));
    const of = (weights: Readonly<Record<string, number>>, version: number) => functionalsOf(model(weights, { ref: `bins@${version}` as ModelRef }));
    const harmless = judgeTogether([...of(points(1, 2, 4), 1), ...of(points(4, 3, 1), 2)], world, { ...settings, guessGainMax: 1 }, { digits: false });
    assert.deepEqual(harmless.findings, []);
    const changed = { ...points(1, 2, 4), q0: 9, q1: 3, q2: 5 };
    const verdict = judgeTogether([...of(points(1, 2, 4), 1), ...of(changed, 2)], world, settings);
    assert.deepEqual(verdict.findings.map(({ rule, feature: id, found }) => [rule, id, found])[0], ['combination', featureId('q0'), 1]);
  });

  it('parts reason groups that have nothing in common, and finds equal functions under any name', () => {
    const card: Model = model([2, 4, 6, 8, 3, 5], { reasons: [reason('R1', ['f0', 'f1']), reason('R2', ['f2', 'f3'])] });
    assert.deepEqual(disjointParts(card).map(({ name, terms }) => [name, terms.length]), [['R1', 2], ['R2', 2], ['rest', 2]]);
    const [score, first] = functionalsOf(card);
    assert.equal(first?.id, functionalsOf(model([-1, -2]))[0]?.id, 'a multiple tells nothing else');
    assert.notEqual(score?.id, first?.id);
    assert.equal(functionalsOf(model([1, 2], { reasons: [reason('R1', ['f0', 'f1'])] })).length, 1, 'a group of everything is the score');
  });
});

describe('a linear programme', () => {
  it('finds the largest value, and says when there is none', () => {
    assert.ok(Math.abs((maximise([3, 5], [[1, 0], [0, 2], [3, 2]], [4, 12, 18]) ?? 0) - 36) < 1e-9);
    assert.equal(maximise([1, 1], [[1, -1]], [1]), undefined);
    assert.equal(maximise([1], [[1]], [5], 0), undefined, 'not ended in time');
  });
});
