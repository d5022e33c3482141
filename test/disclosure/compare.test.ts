import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Comparison, Value } from '../../src/vocabulary.ts';
import { claimLengthMax, compareClaim } from '../../src/disclosure/compare.ts';

const equal: Comparison = { method: 'equal' };
const tolerance = (percent: number): Comparison => ({ method: 'within_percent', percent });
const distance = (amount: number): Comparison => ({ method: 'within_absolute', amount });
const bands = (...edges: number[]): Comparison => ({ method: 'same_band', edges });
const all: readonly Comparison[] = [equal, tolerance(50), distance(1e12), bands(0, 1000)];

describe('comparison for equality', () => {
  it('is exact for integers', () => {
    assert.equal(compareClaim(1_234_567, 1_234_567, equal), 'match');
    assert.equal(compareClaim(1_234_567, 1_234_568, equal), 'mismatch');
    assert.equal(compareClaim(9_007_199_254_740_991, 9_007_199_254_740_990, equal), 'mismatch');
    assert.equal(compareClaim(0, -0, equal), 'match');
  });
  it('compares decimals by amount, digit for digit', () => {
    assert.equal(compareClaim('12.50', '12.5', equal), 'match');
    assert.equal(compareClaim('12.50', '12.500000', equal, 'decimal'), 'match');
    assert.equal(compareClaim('12.00', '12', equal, 'decimal'), 'match');
    assert.equal(compareClaim('12.50', '12.51', equal), 'mismatch');
    // the same double, different amounts
    assert.equal(compareClaim('9007199254740993.01', '9007199254740993.02', equal), 'mismatch');
  });
  it('does not take text for an amount', () => {
    assert.equal(compareClaim('007', '7', equal), 'mismatch');
    assert.equal(compareClaim('2020.10', '2020.1', equal, 'text'), 'mismatch');
    assert.equal(compareClaim('12', '12.0', equal, 'code'), 'mismatch');
  });
  it('passes over width, case and surrounding blanks of text', () => {
    assert.equal(compareClaim('ABC有限公司', ' ａｂｃ有限公司　', equal), 'match');
    assert.equal(compareClaim('Straße', 'STRASSE', equal), 'match');
    assert.equal(compareClaim('e\u0301', '\u00e9', equal), 'match');
    assert.equal(compareClaim('杭州甲', '杭州乙', equal), 'mismatch');
    assert.equal(compareClaim('2019-03-31', '2019-03-31', equal, 'date'), 'match');
  });
  it('compares booleans as they are', () => {
    assert.equal(compareClaim(true, true, equal), 'match');
    assert.equal(compareClaim(false, true, equal), 'mismatch');
  });
});

describe('comparison within a tolerance', () => {
  it('includes the bound, to the last digit', () => {
    assert.equal(compareClaim(100_000, 100_000, tolerance(5)), 'match');
    assert.equal(compareClaim(100_000, 105_000, tolerance(5)), 'within_tolerance');
    assert.equal(compareClaim(100_000, 95_000, tolerance(5)), 'within_tolerance');
    assert.equal(compareClaim(100_000, 105_001, tolerance(5)), 'mismatch');
    assert.equal(compareClaim(-100_000, -95_000, tolerance(5)), 'within_tolerance');
    assert.equal(compareClaim(1000, 1001, tolerance(0.1)), 'within_tolerance');
    assert.equal(compareClaim('1000.00', '1001.01', tolerance(0.1)), 'mismatch');
    assert.equal(compareClaim('0.10', '0.30', distance(0.2)), 'within_tolerance'); // 0.1 + 0.2 exceeds 0.3 in doubles
    assert.equal(compareClaim(10, 15, distance(5)), 'within_tolerance');
    assert.equal(compareClaim(10, 16, distance(5)), 'mismatch');
  });
  it('takes the percentage of the stored value, so that of zero only zero is right', () => {
    assert.equal(compareClaim(0, 0, tolerance(50)), 'match');
    assert.equal(compareClaim(0, 1, tolerance(50)), 'mismatch');
    assert.equal(compareClaim(100, 149, tolerance(49)), 'within_tolerance');
    assert.equal(compareClaim(149, 100, tolerance(32)), 'mismatch');
  });
  it('agrees with integer arithmetic', () => {
    fc.assert(fc.property(fc.integer(), fc.integer(), fc.integer({ min: 1, max: 50 }), (value, claimed, percent) => {
      const within = 100n * BigInt(Math.abs(value - claimed)) <= BigInt(percent) * BigInt(Math.abs(value));
      const expected = value === claimed ? 'match' : within ? 'within_tolerance' : 'mismatch';
      assert.equal(compareClaim(value, claimed, tolerance(percent)), expected);
      assert.equal(compareClaim(`${value}.00`, `${claimed}.0`, tolerance(percent)), expected);
    }));
  });
});

describe('comparison of bands', () => {
  it('never says more than the band', () => {
    assert.equal(compareClaim(500, 500, bands(0, 1000)), 'same_band');
    assert.equal(compareClaim(500, 999, bands(0, 1000)), 'same_band');
    assert.equal(compareClaim(500, 1000, bands(0, 1000)), 'mismatch');
    assert.equal(compareClaim(-5, -500, bands(0, 1000)), 'same_band');
    assert.equal(compareClaim('999.99', '0.00', bands(0, 1000)), 'same_band');
    assert.equal(compareClaim(5, 5, bands(2, 1)), 'mismatch');
  });
});

describe('every comparison', () => {
  it('says no_value where there is none, whatever is claimed', () => {
    for (const comparison of all) for (const claimed of [null, 0, '', true]) assert.equal(compareClaim(null, claimed, comparison), 'no_value');
  });
  it('says mismatch, never an error, to a claim of another type or form', () => {
    const values: Value[] = [500, '12.50', 'abc', true, '2019-03-31'];
    const claims = [null, 'x', '5e2', Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, '1'.repeat(claimLengthMax + 1), {}, [], undefined] as Value[];
    for (const comparison of all) {
      for (const value of values) {
        for (const claimed of claims) assert.equal(compareClaim(value, claimed, comparison), 'mismatch');
        for (const claimed of values) if (typeof claimed !== typeof value) assert.equal(compareClaim(value, claimed, comparison), 'mismatch');
      }
    }
    assert.equal(compareClaim('abc', 'abc', tolerance(5)), 'mismatch');
    assert.equal(compareClaim(true, true, distance(5)), 'mismatch');
    assert.equal(compareClaim('abc', 'abc', bands(0)), 'mismatch');
    assert.equal(compareClaim(9007199254740991, 2 ** 60, bands(0)), 'mismatch'); // a number that has lost digits
    const long = 'x'.repeat(claimLengthMax + 1);
    assert.equal(compareClaim(long, long, equal), 'mismatch');
    assert.equal(compareClaim(long.slice(1), long.slice(1), equal), 'match');
    assert.equal(compareClaim(5, 5, { method: 'of_a_newer_policy' } as unknown as Comparison), 'mismatch'); // a policy of another version
  });
  it('never throws', () => {
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.integer(), fc.boolean(), fc.constant(null), fc.stringMatching(/^-?\d{1,45}(\.\d{0,25})?$/));
    fc.assert(fc.property(value, value, fc.constantFrom(...all), (actual, claimed, comparison) => {
      assert.match(compareClaim(actual, claimed, comparison), /^(match|within_tolerance|same_band|mismatch|no_value)$/);
    }));
  });
});
