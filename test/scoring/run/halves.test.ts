import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { isVeilgateError } from '../../../src/errors.ts';
import type { CustodianHalf, GatewayHalf, ModelRef } from '../../../src/scoring/protocol.ts';
import { askedSubjects } from '../../../src/scoring/run/asked-subjects.ts';
import { packWords, unpackWords } from '../../../src/scoring/words.ts';
import { combineHalves, type HalvesExpectation } from '../../../src/scoring/run/halves.ts';
import type { SubjectId } from '../../../src/vocabulary.ts';

const t = 1_032_193;
const model = 'sme@1' as ModelRef;
const [a, b, c] = ['91350211M000100Y43', '91370202MA00QJTFYT', '91440300708461136T'] as unknown as [SubjectId, SubjectId, SubjectId];

const naming = (released: readonly { place: number; subject: SubjectId }[]) => ({ places: packWords(released.map(({ place }) => place), t), subjects: released.map(({ subject }) => subject).join('') });

/** Halves of `values[output][place]`, with random masks. */
function halvesOf(values: readonly (readonly number[])[], released: readonly { place: number; subject: SubjectId }[], random: () => number = () => Math.floor(Math.random() * t)): { custodian: CustodianHalf; gateway: GatewayHalf } {
  const masks = values.map((row) => row.map(random));
  return {
    custodian: { v: 2, ticket: 'ticket-1', masked: values.map((row, output) => packWords(row.map((value, place) => (value + (masks[output]?.[place] ?? 0)) % t), t)) },
    gateway: { v: 2, ticket: 'ticket-1', model, modulus: t, ...naming(released), masks: masks.map((row) => packWords(released.map(({ place }) => row[place] ?? 0), t)) },
  };
}

const expected: HalvesExpectation = { model, modulus: t, outputs: 2, subjects: askedSubjects([a, b]) };
const good = () => halvesOf([[5, t - 7, 9], [1, 2, 3]], [{ place: 0, subject: a }, { place: 2, subject: b }]);
const refuses = (custodian: unknown, gateway: unknown, what: string, expectation = expected) =>
  assert.throws(() => combineHalves(custodian, gateway, expectation), (error) => isVeilgateError(error, 'SCORE_UNREADABLE'), what);

describe('halves of a score', () => {
  it('give back what was masked, for the released enterprises alone', () => {
    const { custodian, gateway } = good();
    const { subjects, values } = combineHalves(custodian, gateway, expected);
    assert.deepEqual(subjects, [a, b]);
    assert.deepEqual(values.map((row) => [...row]), [[5, 9], [1, 3]]);
  });

  it('may name places and enterprises in any order', () => {
    const { custodian, gateway } = halvesOf([[5, 6, 7], [1, 2, 3]], [{ place: 2, subject: b }, { place: 0, subject: a }]);
    const { subjects, values } = combineHalves(custodian, gateway, expected);
    assert.deepEqual([subjects, ...values.map((row) => [...row])], [[b, a], [7, 5], [3, 1]]);
  });

  it('give back any values under any masks', () => {
    const word = fc.integer({ min: 0, max: t - 1 });
    fc.assert(fc.property(fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 3 }), (rows) => {
      let at = 0;
      const masks = rows.flat();
      const { custodian, gateway } = halvesOf([rows.map(([value]) => value)], rows.map((_, place) => ({ place, subject: [a, b, c][place] as SubjectId })), () => masks[at++] ?? 0);
      const { values } = combineHalves(custodian, gateway, { model, modulus: t, outputs: 1, subjects: askedSubjects([a, b, c]) });
      assert.deepEqual([...values[0] as Uint32Array], rows.map(([value]) => value));
    }));
  });

  it('are refused together when either was changed in any member', () => {
    const { custodian, gateway } = good();
    combineHalves(custodian, gateway, expected);
    const changed: readonly (readonly [string, unknown, unknown])[] = [
      ['another ticket', { ...custodian, ticket: 'ticket-2' }, gateway],
      ['another ticket of the gateway', custodian, { ...gateway, ticket: 'ticket-2' }],
      ['another version', { ...custodian, v: 1 }, gateway],
      ['an unknown member', { ...custodian, noise: 3 }, gateway],
      ['an unknown member of the gateway', custodian, { ...gateway, bands: [] }],
      ['too few outputs', { ...custodian, masked: custodian.masked.slice(1) }, gateway],
      ['too many masks', custodian, { ...gateway, masks: [...gateway.masks, gateway.masks[0]] }],
      ['a shorter output', { ...custodian, masked: [custodian.masked[0], packWords([1, 2], t)] }, gateway],
      ['a longer mask', custodian, { ...gateway, masks: [gateway.masks[0], packWords([1, 2, 3], t)] }],
      ['another model', custodian, { ...gateway, model: 'sme@2' }],
      ['another modulus', custodian, { ...gateway, modulus: t + 2 }],
      ['a value beyond the modulus', { ...custodian, masked: [packWords([t, 0, 0], t), custodian.masked[1]] }, gateway],
      ['a mask beyond the modulus', custodian, { ...gateway, masks: [packWords([t, 0], t), gateway.masks[1]] }],
      ['an enterprise nobody asked for', custodian, { ...gateway, ...naming([{ place: 0, subject: a }, { place: 2, subject: c }]) }],
      ['an enterprise twice', custodian, { ...gateway, ...naming([{ place: 0, subject: a }, { place: 2, subject: a }]) }],
      ['a place twice', custodian, { ...gateway, ...naming([{ place: 0, subject: a }, { place: 0, subject: b }]) }],
      ['a place beyond the ticket', custodian, { ...gateway, ...naming([{ place: 0, subject: a }, { place: 3, subject: b }]) }],
      ['places that are no words', custodian, { ...gateway, places: [0, 2] }],
      ['a place less', custodian, { ...gateway, places: packWords([0], t) }],
      ['half a code', custodian, { ...gateway, subjects: gateway.subjects.slice(0, -9) }],
      ['codes in a list', custodian, { ...gateway, subjects: [a, b] }],
      ['nothing released', custodian, { ...gateway, places: '', subjects: '', masks: ['', ''] }],
      ['padding', { ...custodian, masked: [`${custodian.masked[0]}=`, custodian.masked[1]] }, gateway],
      ['nothing at all', null, gateway],
      ['a list', custodian, [gateway]],
    ];
    for (const [what, one, other] of changed) refuses(one, other, what);
    refuses(custodian, gateway, 'another model was asked for', { ...expected, model: 'sme@2' as ModelRef });
    refuses(custodian, gateway, 'another enterprise was asked for', { ...expected, subjects: askedSubjects([c]) });
  });

  it('say which of the released enterprises dispute which fields, or are refused', () => {
    const { custodian, gateway } = good();
    const one = { at: 0, fields: ['tax.invoiced_cents'] };
    const both = [one, { at: 1, fields: ['tax.invoiced_cents', 'tax.vat_paid_cents'] }];
    const marked = combineHalves(custodian, { ...gateway, disputed: both }, expected).disputed;
    assert.deepEqual([...marked], [[a, both[0]?.fields], [b, both[1]?.fields]]);
    assert.equal(combineHalves(custodian, gateway, expected).disputed.size, 0);
    const wrong = {
      'an empty list': [], 'no list': one, 'nobody of the half': [{ ...one, at: 2 }], 'no whole number': [{ ...one, at: 0.5 }], 'a negative one': [{ ...one, at: -1 }], 'no number': [{ fields: one.fields }],
      'the same twice': [one, one], 'another order': both.toReversed(), 'no field': [{ ...one, fields: [] }], 'a field that is none': [{ ...one, fields: ['<b>.x'] }], 'fields as a text': [{ ...one, fields: 'tax.x' }],
      'more than belongs there': [{ ...one, value: 1 }], 'a text': ['tax.x'],
    };
    for (const [what, disputed] of Object.entries(wrong)) refuses(custodian, { ...gateway, disputed }, what);
  });

  it('have one spelling for one value', () => {
    fc.assert(fc.property(fc.uint32Array({ maxLength: 20, max: t - 1 }), (words) => {
      assert.deepEqual(unpackWords(packWords(words, t), words.length, t), words);
    }));
    const text = packWords([1, 0x12345], t);
    assert.equal(text, 'AQBQNBI', '20 bits each, the lowest first');
    assert.equal(unpackWords('AQBQNBJ', 2, t), undefined, 'bits of the last digit that are set');
    assert.deepEqual([packWords([1], t), unpackWords('AQAQ', 1, t)], ['AQAA', undefined], 'bits of the last byte that are set');
    for (const other of ['*', '+', '=', 'é', '\u0100']) assert.equal(unpackWords(`AQA${other}`, 1, t), undefined, other);
    assert.equal(unpackWords(undefined, 1, t), undefined);
  });
});
