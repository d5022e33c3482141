import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { clearWeightedSum } from '../../../src/he/clear.ts';
import { parameterSets } from '../../../src/he/parameters.ts';
import { openScore } from '../../../src/scoring/model/open.ts';
import { rawRangeOf, reasonRangesOf } from '../../../src/scoring/model/openable.ts';
import { outputsOf } from '../../../src/scoring/run/outputs.ts';
import type { SubjectId } from '../../../src/vocabulary.ts';
import { model, numbers, reason } from './declared.ts';

const { plainModulus: modulus } = parameterSets['veilgate-score-1'];
const text = { en: 'band', zh: '段' };
const card = model([3, -2, 4, 1, -5, 2], {
  offset: -40, scale: 10, reasons: [reason('R1', ['f0', 'f1', 'f2']), reason('R2', ['f3', 'f4', 'f5'])],
  bands: [{ from: null, code: 'low', text }, { from: 0, code: 'middle', text }, { from: 20.5, code: 'high', text }],
});
const world = numbers(6);
const openable = { model: card, reasonRanges: reasonRangesOf(card, world) };
const subjects = (count: number) => Array.from({ length: count }, (_, at) => `S${at}` as SubjectId);
const residue = (value: number) => ((value % modulus) + modulus) % modulus;

/** What the bank has after taking the masks off, out of the clear twin. */
function unmasked(records: readonly (readonly number[])[]) {
  const { outputs } = outputsOf(card);
  const columns = card.terms.map((_, at) => Int32Array.from(records, (record) => record[at] as number));
  return { modulus, subjects: subjects(records.length), values: outputs.map(({ weights, offset }) => Uint32Array.from(clearWeightedSum(columns, weights, offset), residue)) };
}

describe('opening a score', () => {
  it('gives the very integer of the clear twin, below zero too, and the score by the model\'s scale', () => {
    fc.assert(fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 20 }), (records) => {
      const opened = openScore(openable, unmasked(records));
      for (const [at, { raw, score, subject }] of opened.entries()) {
        const [a, b, c, d, e, f] = records[at] as [number, number, number, number, number, number];
        assert.equal(raw, -40 + 3 * a - 2 * b + 4 * c + d - 5 * e + 2 * f);
        assert.equal(score, raw / 10);
        assert.equal(subject, `S${at}`);
      }
    }));
  });

  it('finds the band a score falls into: each begins with its own edge', () => {
    const of = (raw: number) => openScore({ ...openable, model: { ...card, reasons: [] }, reasonRanges: [] }, { modulus, subjects: subjects(1), values: [Uint32Array.of(residue(raw))] })[0]?.band;
    assert.deepEqual([-300, -1, 0, 204, 205, 900].map(of), ['low', 'low', 'middle', 'middle', 'high', 'high']);
  });

  it('names the groups whose points fall furthest below their maximum, the costliest first, and none that are full', () => {
    const of = (record: readonly number[]) => openScore(openable, unmasked([record]))[0]?.reasons;
    assert.deepEqual(of([100, 0, 100, 0, 100, 0]), ['R2']);
    assert.deepEqual(of([0, 100, 0, 100, 0, 100]), ['R1']);
    assert.deepEqual(of([100, 0, 99, 100, 50, 100]), ['R2', 'R1']);
    assert.deepEqual(of([100, 0, 100, 100, 0, 100]), []);
  });

  it('refuses values that do not belong to the model', () => {
    const { values } = unmasked([[1, 2, 3, 4, 5, 6]]);
    const refused = (change: object) => assert.throws(() => openScore(openable, { modulus, subjects: subjects(1), values, ...change }), { code: 'SCORE_UNREADABLE' });
    refused({ values: values.slice(1) });
    refused({ subjects: subjects(2) });
    refused({ values: values.with(1, Uint32Array.of(701)) });
    const rawRange = rawRangeOf(card, world);
    const scored = (raw: number) => openScore({ ...openable, rawRange }, { modulus, subjects: subjects(1), values: values.with(0, Uint32Array.of(residue(raw))) })[0]?.raw;
    for (const raw of [rawRange.low, rawRange.high]) assert.equal(scored(raw), raw);
    for (const raw of [rawRange.low - 1, rawRange.high + 1]) assert.throws(() => scored(raw), { code: 'SCORE_UNREADABLE' });
    refused({ values: values.with(2, Uint32Array.of(residue(-501))) });
    assert.throws(() => openScore({ ...openable, reasonRanges: [] }, { modulus, subjects: subjects(1), values }), { code: 'SCORE_UNREADABLE' });
  });
});
