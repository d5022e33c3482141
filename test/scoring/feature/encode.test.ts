import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { isVeilgateError } from '../../../src/errors.ts';
import { compareDecimals, decimalOf, readDecimal, scaledInteger } from '../../../src/scoring/feature/decimal.ts';
import { encodeValue, featureEncoder, valueRefused } from '../../../src/scoring/feature/encode.ts';
import type { Feature, FeatureEncoding, FeatureId } from '../../../src/scoring/protocol.ts';
import type { FieldRef } from '../../../src/vocabulary.ts';

const feature = (encoding: FeatureEncoding, missing: Feature['missing'] = 'absent'): Feature => ({
  id: 'tax/one' as FeatureId, source: 'tax.one' as FieldRef, title: { en: 'One', zh: '一' }, encoding, missing, low: 0, high: 1, declaration: '',
});
const fixed = (min: number, max: number, scale: number) => feature({ kind: 'fixed_point', min, max, scale });

describe('encoding of features', () => {
  it('takes decimals exactly as they are written', () => {
    assert.equal(encodeValue(fixed(0, 100, 100), '12.50'), 1250);
    assert.equal(encodeValue(fixed(0, 100, 100), '0.29'), 29); // 0.29 * 100 is 28.999999999999996 as a double
    assert.equal(encodeValue(fixed(0, 100, 100), 1.005), 101); // 1.005 is one and five thousandths, not a little less
    assert.equal(encodeValue(fixed(0, 100, 10), '0.05'), 1);
    assert.equal(encodeValue(fixed(-1, 1, 10), '-0.05'), -1, 'halves go away from zero on both sides');
    assert.equal(encodeValue(fixed(0, 1, 100), '0.450397309'), 45);
  });

  it('equals arithmetic on fractions, whatever the number of digits', () => {
    fc.assert(fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), fc.integer({ min: 0, max: 13 }), fc.integer({ min: 1, max: 65_535 }), (units, digits, scale) => {
      const negative = units < 0n;
      const text = `${negative ? '-' : ''}${plain(negative ? -units : units, digits)}`;
      const decimal = readDecimal(text);
      assert.ok(decimal !== undefined, text);
      const twice = 2n * (negative ? -units : units) * BigInt(scale) + 10n ** BigInt(digits);
      const rounded = Number(twice / (2n * 10n ** BigInt(digits)));
      assert.equal(scaledInteger(decimal, scale), Number.isSafeInteger(rounded) ? (negative ? -rounded : rounded) + 0 : undefined);
    }), { numRuns: 500 });
    fc.assert(fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 1000 }), (units, digits, scale) => {
      const exact = BigInt(Math.abs(units)) * BigInt(scale);
      const rounded = Number((2n * exact + 10n ** BigInt(digits)) / (2n * 10n ** BigInt(digits)));
      assert.equal(scaledInteger({ units, digits }, scale), (units < 0 ? -rounded : rounded) + 0);
    }), { numRuns: 500 });
  });

  it('compares exactly where doubles would not', () => {
    assert.ok(compareDecimals(must('0.1'), must('0.10000000000000000001')) < 0);
    assert.ok(compareDecimals(must('9007199254740993'), must('9007199254740992')) > 0);
    assert.equal(compareDecimals(must('1.50'), decimalOf(1.5) ?? must('0')), 0);
    assert.deepEqual(decimalOf(1e-7), { units: 1, digits: 7 });
    assert.equal(compareDecimals(decimalOf(1e21) ?? must('0'), must('1000000000000000000000')), 0);
  });

  it('refuses what is outside the declared range and clips nothing', () => {
    const encode = featureEncoder(fixed(0.25, 1, 100));
    assert.equal(encode('0.25'), 25);
    assert.equal(encode('1'), 100);
    assert.equal(encode('0.249999999'), 'range', 'it would round to 25, and is outside all the same');
    assert.equal(encode('1.000000001'), 'range');
    assert.equal(encode('-0.5'), 'range');
    for (const value of ['abc', '1e2', '+1', ' 1', '1 ', '01', '.5', '1.', '', '0x1', 'NaN', '1'.repeat(41), true, Number.NaN]) {
      assert.notEqual(typeof encode(value), 'number', String(value));
    }
  });

  it('says 1 inside a bin and 0 outside: the lower edge belongs to it, the upper one does not', () => {
    const encode = featureEncoder(feature({ kind: 'indicator', atLeast: 1, below: 4 }));
    assert.deepEqual(['0.999', 1, '1', '3.999', 4, '4.0'].map(encode), [0, 1, 1, 1, 0, 0]);
    assert.deepEqual([-5, 0].map(featureEncoder(feature({ kind: 'indicator', below: 0 }))), [1, 0]);
  });

  it('refuses a code that the field does not have, so that a misspelling is no silent 0', () => {
    const encode = featureEncoder(feature({ kind: 'code_indicator', codes: ['A'], known: ['A', 'B'] }));
    assert.deepEqual(['A', 'B', 'a', 1].map(encode), [1, 0, 'code', 'type']);
    const yes = featureEncoder(feature({ kind: 'code_indicator', codes: ['true'], known: ['true', 'false'] }));
    assert.deepEqual([true, false, 'true', 'false', 'yes'].map(yes), [1, 0, 1, 0, 'code']);
  });

  it('takes null for what the feature declares as missing', () => {
    assert.equal(encodeValue(feature({ kind: 'indicator', below: 1 }, 0), null), 0);
    assert.equal(encodeValue(feature({ kind: 'fixed_point', min: 0, max: 1, scale: 1 }, -1), undefined), -1);
    assert.equal(encodeValue(fixed(0, 1, 1), ''), 'absent');
  });

  it('names row and feature in a refusal and never the value', () => {
    const error = valueRefused('tax/one', 'range', 17);
    assert.ok(isVeilgateError(error, 'FEATURE_VALUE_REFUSED'));
    assert.deepEqual(error.detail, { feature: 'tax/one', reason: 'range', row: 17 });
    assert.throws(() => encodeValue(fixed(0, 1, 1), '86420975'), (thrown) => isVeilgateError(thrown, 'FEATURE_VALUE_REFUSED') && !`${thrown.message} ${JSON.stringify(thrown.detail)}`.includes('86420975'));
  });
});

function must(text: string) {
  const decimal = readDecimal(text);
  assert.ok(decimal !== undefined, text);
  return decimal;
}

function plain(units: bigint, digits: number): string {
  const text = units.toString().padStart(digits + 1, '0');
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
