import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Value } from '../../../src/vocabulary.ts';
import { band, clamp, round, year } from '../../../src/disclosure/treatments/numbers.ts';
import { generalise } from '../../../src/disclosure/treatments/codes.ts';

const notNumbers: readonly Value[] = ['', 'abc', '1e3', '01', '+1', ' 1', '1.', '.5', '1,000', true, null, Number.NaN, Number.POSITIVE_INFINITY];

describe('band', () => {
  const edges = [0, 1000, 5000];
  it('puts a value equal to an edge above it, and leaves the ends open', () => {
    assert.deepEqual(band(-1, edges), { kind: 'banded', from: null, to: 0 });
    assert.deepEqual(band(0, edges), { kind: 'banded', from: 0, to: 1000 });
    assert.deepEqual(band(999, edges), { kind: 'banded', from: 0, to: 1000 });
    assert.deepEqual(band(1000, edges), { kind: 'banded', from: 1000, to: 5000 });
    assert.deepEqual(band(5000, edges), { kind: 'banded', from: 5000, to: null });
    assert.deepEqual(band(9_007_199_254_740_991, edges), { kind: 'banded', from: 5000, to: null });
  });
  it('is exact for decimals where doubles are not', () => {
    // both texts are the same double as the edge
    assert.deepEqual(band('0.0999999999999999999', [0.1]), { kind: 'banded', from: null, to: 0.1 });
    assert.deepEqual(band('0.1000000000000000000', [0.1]), { kind: 'banded', from: 0.1, to: null });
    assert.deepEqual(band('-0.05', [-0.1, 0, 1e21]), { kind: 'banded', from: -0.1, to: 0 });
  });
  it('shows nothing of what is no number', () => {
    for (const value of notNumbers) assert.equal(band(value, edges), undefined);
  });
  it('shows nothing for edges that are none', () => {
    for (const wrong of [[], [1, 1], [2, 1], [Number.NaN], [1, Number.POSITIVE_INFINITY]]) assert.equal(band(5, wrong), undefined);
  });
});

describe('round', () => {
  it('gives the nearest multiple, halves away from zero', () => {
    assert.deepEqual(round(1499, 1000), { kind: 'masked', value: 1000 });
    assert.deepEqual(round(1500, 1000), { kind: 'masked', value: 2000 });
    assert.deepEqual(round(-1500, 1000), { kind: 'masked', value: -2000 });
    assert.deepEqual(round('12.50', 5), { kind: 'masked', value: '15.00' });
    assert.deepEqual(round('-12.50', 5), { kind: 'masked', value: '-15.00' });
    assert.deepEqual(round('12.4999', 0.1), { kind: 'masked', value: '12.5000' });
    assert.deepEqual(round('0.04', 0.25), { kind: 'masked', value: '0.00' });
  });
  it('does not tell the sign of what it rounds to zero', () => {
    assert.ok(Object.is((round(-3, 1000) as { value: number }).value, 0));
    assert.deepEqual(round('-3.00', 1000), { kind: 'masked', value: '0.00' });
  });
  it('always gives a multiple no further than half a step', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), fc.integer({ min: 2, max: 1e9 }), (value, to) => {
      const shown = round(value, to);
      if (shown === undefined) return;
      assert.ok(shown.kind === 'masked' && typeof shown.value === 'number');
      assert.equal(Math.abs(shown.value % to), 0);
      assert.ok(Math.abs(shown.value - value) * 2 <= to);
    }));
  });
  it('refuses a step that would show the value itself', () => {
    for (const to of [1, 0.5, 0, -10, Number.NaN]) assert.equal(round(1234, to), undefined);
    for (const to of [0.01, 0.001, 0, -1, Number.NaN, Number.POSITIVE_INFINITY]) assert.equal(round('12.34', to), undefined);
    assert.equal(round(Number.MAX_SAFE_INTEGER, 6e15), undefined);
  });
  it('shows nothing of what is no number', () => {
    for (const value of [...notNumbers, 1.5, 2 ** 60]) assert.equal(round(value, 10), undefined);
  });
});

describe('clamp', () => {
  it('turns extremes into open bands and leaves the rest', () => {
    assert.deepEqual(clamp(9, [10, 100]), { kind: 'banded', from: null, to: 10 });
    assert.deepEqual(clamp(10, [10, 100]), { kind: 'masked', value: 10 });
    assert.deepEqual(clamp('99.99', [10, 100]), { kind: 'masked', value: '99.99' });
    assert.deepEqual(clamp(100, [10, 100]), { kind: 'banded', from: 100, to: null });
  });
  it('shows nothing of what is no number, and nothing between bounds that are none', () => {
    for (const value of notNumbers) assert.equal(clamp(value, [10, 100]), undefined);
    assert.equal(clamp(50, [100, 10]), undefined);
  });
});

describe('year', () => {
  it('shows the year of a date and nothing of anything else', () => {
    assert.deepEqual(year('2019-03-31'), { kind: 'masked', value: '2019' });
    for (const value of ['2019', '2019-13-01', '2019-3-1', '2019-03-31T00:00:00Z', '', 2019, true]) assert.equal(year(value), undefined);
  });
});

describe('generalise', () => {
  it('shows words of the policy only', () => {
    const groups = { A: 'primary', 7: 'seven', true: 'yes' };
    assert.equal(generalise('A', groups, 'other'), 'primary');
    assert.equal(generalise(7, groups, 'other'), 'seven');
    assert.equal(generalise(true, groups, 'other'), 'yes');
    for (const value of ['B', 'toString', '__proto__', 'constructor', '']) assert.equal(generalise(value, groups, 'other'), 'other');
  });
});
