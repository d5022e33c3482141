import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { functionalsOf } from '../../../src/scoring/model/functional.ts';
import { judgeModel } from '../../../src/scoring/model/judge.ts';
import { judgeTogether } from '../../../src/scoring/model/together.ts';
import type { ModelRef } from '../../../src/scoring/protocol.ts';
import { feature, featureId, field, flags, model, numbers, rawOf, reason, settings, space } from './declared.ts';

/** Each attack first gets what it is after from raw scores alone; then the guards refuse it and say which feature. */
const rules = (verdict: { readonly findings: readonly { readonly rule: string }[] }) => [...new Set(verdict.findings.map(({ rule }) => rule))];
const records = (count: number, high: number) => fc.array(fc.integer({ min: 0, max: high }), { minLength: count, maxLength: count }).map((values) => Object.fromEntries(values.map((value, at) => [`f${at}`, value])));

describe('models that read single values', () => {
  it('a model of one feature gives it away and is refused', () => {
    const attack = model([7]);
    fc.assert(fc.property(records(1, 100), (record) => rawOf(attack, record) / 7 === record['f0']));
    const verdict = judgeModel(attack, numbers(1), settings);
    assert.deepEqual(rules(verdict), ['effective_features', 'dominant_share', 'guess_gain', 'remainder']);
    assert.equal(verdict.findings.find(({ rule }) => rule === 'dominant_share')?.feature, featureId('f0'));
  });

  it('a model that one feature dominates gives it away but for a little and is refused', () => {
    const attack = model([90, 1, 1, 1, 1, 1, 1, 1, 1]);
    fc.assert(fc.property(records(9, 10), (record) => Math.floor(rawOf(attack, record) / 90) === record['f0']));
    const verdict = judgeModel(attack, numbers(9, 10), settings);
    assert.ok(rules(verdict).includes('dominant_share'));
    const found = verdict.findings.find(({ rule }) => rule === 'dominant_share');
    assert.equal(found?.feature, featureId('f0'));
    assert.equal(found?.found, 0.918);
    assert.match(found?.problem ?? '', /made\.f0 makes up 91\.8 % of the score; at most 35 % is allowed/);
  });

  it('superincreasing weights give away every feature and are refused', () => {
    const attack = model([1, 11, 121, 1331]);
    fc.assert(fc.property(records(4, 10), (record) => [0, 1, 2, 3].every((at) => Math.floor(rawOf(attack, record) / 11 ** at) % 11 === record[`f${at}`])));
    assert.ok(rules(judgeModel(attack, numbers(4, 10), settings)).includes('dominant_share'));
  });

  it('nearly equal weights whose remainders differ give away every flag, and are refused though no share is large', () => {
    const attack = model(Array.from({ length: 12 }, (_, at) => 4095 + 2 ** at));
    const ones = (bits: number) => bits.toString(2).replaceAll('0', '').length;
    fc.assert(fc.property(records(12, 1), (record) => {
      const raw = rawOf(attack, record);
      const count = Array.from({ length: 13 }, (_, at) => at).find((at) => raw - 4095 * at >= 0 && raw - 4095 * at < 4096 && ones(raw - 4095 * at) === at) ?? 0;
      return Array.from({ length: 12 }, (_, at) => ((raw - 4095 * count) >> at) & 1).every((bit, at) => bit === record[`f${at}`]);
    }));
    const unguarded = judgeModel(attack, flags(12), { ...settings, guessGainMax: 1 });
    assert.equal(unguarded.ok, true, 'effective number, share and steps alone let it pass');
    const verdict = judgeModel(attack, flags(12), settings);
    assert.deepEqual(rules(verdict), ['guess_gain']);
    assert.equal(verdict.findings[0]?.found, 1);
  });

  it('a feature hidden in the last digits is given away by the remainder, and the model is refused though its share is tiny', () => {
    const attack = model([1, ...Array.from({ length: 9 }, () => 101)]);
    fc.assert(fc.property(records(10, 40), (record) => rawOf(attack, record) % 101 === record['f0']));
    const verdict = judgeModel(attack, numbers(10, 40), settings);
    assert.deepEqual(rules(verdict), ['guess_gain', 'remainder'], 'effective number, share and steps alone would let it pass');
    assert.deepEqual(verdict.findings.map(({ feature: id }) => id), [featureId('f0'), featureId('f0')]);
    assert.equal(verdict.findings[1]?.found, 41, 'all values are told apart');
  });

  it('bins of one field posing as many features are one piece of information and are refused', () => {
    const edges = [0, 10, 20, 30, 40, 50, 60, 70, 80];
    const bins = edges.map((edge, at) => feature(`f${at}`, 'turnover', { kind: 'indicator', atLeast: edge, below: edge + 10 }));
    const world = space([field('turnover', 'integer', { min: 0, max: 89 })], bins);
    const attack = model(edges.map((_, at) => at + 1));
    for (const [at] of edges.entries()) assert.equal(rawOf(attack, { [`f${at}`]: 1 }), at + 1, 'the score is the number of the bin');
    const verdict = judgeModel(attack, world, settings);
    assert.equal(verdict.findings.find(({ rule }) => rule === 'effective_features')?.found, 1);
    assert.ok(rules(verdict).includes('dominant_share'));
  });

  it('a field all of whose bins weigh the same adds nothing and hides nobody', () => {
    const sizes = ['micro', 'small', 'large'];
    const fields = Array.from({ length: 6 }, (_, at) => field(`size${at}`, 'code', { codes: { micro: 'm', small: 's', large: 'l' } }));
    const world = space(
      [...fields, field('secret', 'boolean')],
      [...fields.flatMap(({ name }) => sizes.map((code) => feature(`${name}_${code}`, name, { kind: 'code_indicator', codes: [code], known: sizes }, 0))), feature('secret', 'secret', { kind: 'code_indicator', codes: ['true'], known: ['true', 'false'] })],
    );
    const padding = Object.fromEntries(fields.flatMap(({ name }) => sizes.map((code) => [`${name}_${code}`, 100])));
    const attack = model({ ...padding, secret: 100 });
    assert.equal(rawOf(attack, { ...Object.fromEntries(fields.map(({ name }) => [`${name}_small`, 1])), secret: 1 }) - 600, 100);
    assert.ok(rules(judgeModel(attack, world, settings)).includes('dominant_share'), 'a value nobody has does not count as movement');
  });
});

describe('reason groups that isolate', () => {
  const even = Array.from({ length: 10 }, () => 10);

  it('a group of one feature gives it away and is refused, however good the score', () => {
    const attack = model(even, { reasons: [reason('R1', ['f0'])] });
    assert.equal(judgeModel(model(even), numbers(10), settings).ok, true);
    const verdict = judgeModel(attack, numbers(10), settings);
    assert.deepEqual(verdict.findings.filter(({ part }) => part === 'R1').map(({ rule }) => rule), ['effective_features', 'dominant_share', 'guess_gain']);
  });

  it('groups that leave one feature over give it away by subtraction and are refused', () => {
    const attack = model(even, { reasons: [reason('R1', ['f0', 'f1', 'f2', 'f3', 'f4']), reason('R2', ['f5', 'f6', 'f7', 'f8'])] });
    fc.assert(fc.property(records(10, 100), (record) => {
      const opened = [attack, ...attack.reasons.map(({ features }) => ({ terms: attack.terms.filter(({ feature: id }) => features.includes(id)), offset: 0 }))].map((each) => rawOf(each, record)) as [number, number, number];
      return (opened[0] - opened[1] - opened[2]) / 10 === record['f9'];
    }));
    const verdict = judgeModel(attack, numbers(10), settings);
    assert.deepEqual([...new Set(verdict.findings.map(({ part }) => part))], ['rest', 'score']);
    assert.match(verdict.findings[1]?.problem ?? '', /the score without its reason groups/);
  });
});

describe('models that read single values together', () => {
  const functionals = (...weights: readonly (readonly number[])[]) => weights.flatMap((each, at) => functionalsOf(model(each, { ref: `attack@${at + 1}` as ModelRef })));
  const even = [12, 11, 13, 12, 14, 11, 12, 13, 10, 12];

  it('a new version with one weight changed isolates that feature and is refused beside the old one', () => {
    const changed = even.with(3, 13);
    fc.assert(fc.property(records(10, 100), (record) => rawOf(model(changed), record) - rawOf(model(even), record) === record['f3']));
    for (const each of [even, changed]) assert.equal(judgeModel(model(each), numbers(10), settings).ok, true, 'each alone is harmless');
    const verdict = judgeTogether(functionals(even, changed), numbers(10), settings);
    assert.equal(verdict.ok, false);
    assert.equal(verdict.findings[0]?.rule, 'combination');
    assert.equal(verdict.findings[0]?.feature, featureId('f3'));
    assert.deepEqual(verdict.findings[0]?.models, ['attack@1', 'attack@2']);
    assert.equal(verdict.findings[0]?.found, 1);
  });

  it('three models of which no two isolate anything isolate a feature together and are refused', () => {
    const [one, two] = [[9, 5, 8, 3, 7, 6, 4, 8, 5, 9], [4, 9, 3, 8, 5, 9, 7, 3, 8, 6]];
    const three = one.map((weight, at) => weight + (two[at] as number)).with(6, 12);
    const opened = (weights: readonly number[], record: Readonly<Record<string, number>>) => rawOf(model(weights), record);
    fc.assert(fc.property(records(10, 100), (record) => opened(three, record) - opened(one, record) - opened(two, record) === record['f6']));
    const world = numbers(10);
    for (const pair of [[one, two], [one, three], [two, three]]) assert.equal(judgeTogether(functionals(...pair), world, settings).ok, true, 'no two of them');
    const verdict = judgeTogether(functionals(one, two, three), world, settings);
    assert.deepEqual(verdict.findings.map(({ rule, feature: id, found }) => [rule, id, found]), [['combination', featureId('f6'), 1]]);
  });

  it('two harmless models whose difference hides a feature in its last digits are refused', () => {
    const one = [150, 140, 145, 155, 149, 151, 148, 152, 147, 153];
    const two = one.map((weight, at) => weight + (at === 0 ? 1 : at < 6 ? 101 : 0));
    fc.assert(fc.property(records(10, 30), (record) => (rawOf(model(two), record) - rawOf(model(one), record)) % 101 === record['f0']));
    const world = numbers(10, 30);
    for (const each of [one, two]) assert.equal(judgeModel(model(each), world, settings).ok, true, 'each alone is harmless');
    const verdict = judgeTogether(functionals(one, two), world, { ...settings, guessGainMax: 1 });
    assert.deepEqual(verdict.findings.map(({ rule, feature: id, found }) => [rule, id, found]), [['remainder', featureId('f0'), 31]], 'shares alone let it pass');
  });

  it('more functions than an institution may have of one enterprise are refused; the same one counts once', () => {
    const few = { ...settings, functionalsMax: 2 };
    const three = functionals(even, [...even].map((weight, at) => weight + (at % 2 === 0 ? 5 : -5)), even.map((weight, at) => weight + (at < 5 ? 4 : -4)));
    assert.equal(judgeTogether(three, numbers(10), settings).ok, true);
    assert.deepEqual(rules(judgeTogether(three, numbers(10), few)), ['functionals']);
    const doubled = functionals(even, even.map((weight) => weight * 2), even.map((weight) => -weight));
    assert.equal(new Set(doubled.map(({ id }) => id)).size, 1);
    assert.equal(judgeTogether(doubled, numbers(10), { ...settings, functionalsMax: 1 }).ok, true);
  });

  it('a function over a feature that is no longer declared is refused', () => {
    assert.deepEqual(rules(judgeTogether(functionals(even), numbers(9), settings)), ['feature_unknown']);
    assert.deepEqual(rules(judgeModel(model(even), numbers(9), settings)), ['feature_unknown']);
  });
});
