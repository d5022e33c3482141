import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Fault, identityCheckDigit, isDate, isIdentityNumber, readSubject, valueReader, type RejectReason } from '../../src/source/values.ts';
import type { Field, FieldRef, Value } from '../../src/vocabulary.ts';
import { subject } from './support/fixtures.ts';

function field(part: Partial<Field> & Pick<Field, 'type'>): Field {
  return { ref: 'd.f' as FieldRef, name: 'f', title: { en: 'f', zh: 'f' }, classification: { level: 1, kind: 'public' }, required: false, ...part };
}
function read(part: Partial<Field> & Pick<Field, 'type'>, raw: unknown, source: 'csv' | 'ndjson' = 'csv'): Value | RejectReason {
  const value = valueReader(field(part), source)(raw);
  return value instanceof Fault ? value.reason : value;
}

describe('values of records', () => {
  it('takes neither empty text nor null for a value, and misses one that is required', () => {
    for (const raw of ['', null, undefined]) {
      assert.equal(read({ type: 'text', maxLength: 5 }, raw), null);
      assert.equal(read({ type: 'text', maxLength: 5, required: true }, raw), 'missing');
    }
  });

  it('reads integers exactly or not at all', () => {
    const part = { type: 'integer', min: -5, max: 9_007_199_254_740_991 } as const;
    for (const [raw, value] of [['0', 0], ['-5', -5], ['9007199254740991', 9_007_199_254_740_991]] as const) assert.equal(read(part, raw), value);
    for (const raw of ['1.0', '1e3', '+1', ' 1', '1 ', '01', '-0', '0x10', '1,000', '１', 'NaN', '9007199254740993', "1'; drop table domain.tax; --"]) assert.equal(read(part, raw), 'type', raw);
    assert.equal(read(part, '-6'), 'range');
    assert.equal(read(part, 12, 'ndjson'), 12);
    assert.ok(Object.is(read(part, -0, 'ndjson'), 0));
    for (const raw of ['12', 1.5, 1e300, true, [1], {}, 9_007_199_254_740_992]) assert.equal(read(part, raw, 'ndjson'), 'type');
  });

  it('keeps a decimal digit for digit and pads it to its scale', () => {
    const part = { type: 'decimal', scale: 3, min: -1e12, max: 1e15 } as const;
    for (const [raw, value] of [['12.5', '12.500'], ['0', '0.000'], ['-0.000', '0.000'], ['-0.5', '-0.500'], ['999999999999999.999', '999999999999999.999']] as const) assert.equal(read(part, raw), value);
    assert.equal(read(part, '1.2345'), 'scale');
    assert.equal(read(part, '1000000000000000.001'), 'range');
    assert.equal(read(part, '-1000000000000.001'), 'range');
    for (const raw of ['.5', '5.', '1e3', '00.1', '1,5', 'Infinity', '--1']) assert.equal(read(part, raw), 'type', raw);
    assert.equal(read(part, 12.5, 'ndjson'), '12.500');
    assert.equal(read(part, '12.5', 'ndjson'), '12.500');
    assert.equal(read(part, 123456789012345.67, 'ndjson'), 'scale', 'a JSON number of more than 15 digits has lost some');
  });

  it('gives back every decimal that fits, as fast-check finds them', () => {
    fc.assert(fc.property(fc.bigInt(-(10n ** 15n), 10n ** 15n), fc.integer({ min: 1, max: 9 }), (whole, scale) => {
      const magnitude = (whole < 0n ? -whole : whole).toString().padStart(scale + 1, '0');
      const text = `${whole < 0n ? '-' : ''}${magnitude.slice(0, -scale)}.${magnitude.slice(-scale)}`;
      assert.equal(read({ type: 'decimal', scale, min: -1e15, max: 1e15 }, text), text);
    }));
  });

  it('knows the calendar', () => {
    for (const day of ['2024-02-29', '2000-02-29', '2026-12-31', '1800-01-01']) assert.ok(isDate(day), day);
    for (const day of ['2023-02-29', '1900-02-29', '2026-13-01', '2026-00-10', '2026-04-31', '2026-4-1', '26-04-01', '2026-04-01T00:00:00Z', '0000-01-01', '2026/04/01']) assert.equal(isDate(day), false, day);
  });

  it('holds text to its length in characters, its pattern and what UTF-8 can carry', () => {
    assert.equal(read({ type: 'text', maxLength: 3 }, '有限公'), '有限公');
    assert.equal(read({ type: 'text', maxLength: 3 }, '𠮷𠮷𠮷'), '𠮷𠮷𠮷');
    assert.equal(read({ type: 'text', maxLength: 3 }, '𠮷𠮷𠮷𠮷'), 'length');
    assert.equal(read({ type: 'text', maxLength: 3 }, 'abcd'), 'length');
    assert.equal(read({ type: 'text', maxLength: 9 }, 'a\0b'), 'text');
    assert.equal(read({ type: 'text', maxLength: 9 }, 'a\ud800b'), 'text');
    assert.equal(read({ type: 'text', maxLength: 9, pattern: '\\d|\\d\\d' }, '123'), 'pattern', 'the whole text must match');
    assert.equal(read({ type: 'text', maxLength: 9, pattern: '\\d+' }, '12\n'), 'pattern');
    assert.equal(read({ type: 'text', maxLength: 9 }, 12, 'ndjson'), 'type');
  });

  it('takes no code that is not in the list, also not what every object has', () => {
    const part = { type: 'code', codes: { a: 'A' } } as const;
    assert.equal(read(part, 'a'), 'a');
    for (const raw of ['A', 'b', 'constructor', '__proto__', 'toString']) assert.equal(read(part, raw), 'code');
  });

  it('reads booleans by their two words only', () => {
    assert.equal(read({ type: 'boolean' }, 'true'), true);
    assert.equal(read({ type: 'boolean' }, 'false'), false);
    for (const raw of ['TRUE', '1', 'yes']) assert.equal(read({ type: 'boolean' }, raw), 'type');
    assert.equal(read({ type: 'boolean' }, false, 'ndjson'), false);
    assert.equal(read({ type: 'boolean' }, 'false', 'ndjson'), 'type');
  });

  it('checks the digit of identity numbers and credit codes', () => {
    // the example of GB 11643
    assert.ok(isIdentityNumber('11010519491231002X'));
    assert.ok(isIdentityNumber('440524188001010014'));
    assert.equal(isIdentityNumber('110105194912310021'), false);
    assert.equal(isIdentityNumber('11010519491331002X'), false, 'no 13th month');
    assert.equal(isIdentityNumber('11010519491231002x'), false);
    const part = { type: 'text', maxLength: 18, check: 'identity_number' } as const;
    assert.equal(read(part, '11010519491231002X'), '11010519491231002X');
    assert.equal(read(part, '110105194912310021'), 'check_digit');
    assert.equal(read({ type: 'text', maxLength: 18, check: 'uscc' }, `${subject(1).slice(0, 17)}${subject(1).endsWith('0') ? '1' : '0'}`), 'check_digit');
    assert.equal(readSubject(subject(1)), subject(1));
    for (const raw of ['', null, 5, subject(1).toLowerCase(), ` ${subject(1)}`, `${subject(1)}'`]) assert.ok(readSubject(raw) instanceof Fault);
  });

  it('finds every identity number with one wrong digit', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 16 }), fc.integer({ min: 1, max: 9 }), (serial, at, by) => {
      const first17 = `99000019800101${String(serial).padStart(3, '0')}`;
      const number = first17 + identityCheckDigit(first17);
      const wrong = number.slice(0, at) + ((Number(number[at]) + by) % 10) + number.slice(at + 1);
      assert.ok(isIdentityNumber(number));
      assert.equal(isIdentityNumber(wrong), false);
    }));
  });
});
