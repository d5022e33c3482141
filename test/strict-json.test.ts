import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { VeilgateError, type ErrorCode } from '../src/errors.ts';
import { parseStrictJson, parseStrictJsonBytes } from '../src/strict-json.ts';

function faultOf(parse: () => unknown): VeilgateError {
  try {
    parse();
  } catch (error) {
    assert(error instanceof VeilgateError, `not a VeilgateError: ${String(error)}`);
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was refused' });
}

function refuses(text: string, code: ErrorCode, limits = {}): VeilgateError {
  const fault = faultOf(() => parseStrictJson(text, limits));
  assert.equal(fault.code, code, text);
  return fault;
}

/** Texts close to JSON: mostly its own tokens, in any order. */
const nearlyJson = fc.array(fc.constantFrom('{', '}', '[', ']', ':', ',', '"', '\\', 'a', '"a"', '"b"', '1', '-', '0', '.', 'e', '+', 'true', 'null', 'fals', '\\u0041', '\\ud83d', '\ude00', ' ', '\n', '\u0000', '\u00a0', '\ufeff', 'é'), { maxLength: 14 }).map((parts) => parts.join(''));

describe('strict-json', () => {
  it('gives what JSON.parse gives for every JSON value, however it is laid out', () => {
    fc.assert(fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom(undefined, 1, '\t', '\r\n '), (text, blanks) => {
      const laidOut = JSON.stringify(JSON.parse(text), null, blanks);
      let parsed: unknown;
      try {
        parsed = parseStrictJson(laidOut);
      } catch (error) {
        assert.equal((error as VeilgateError).code, 'JSON_FORBIDDEN_KEY');
        assert(/__proto__|constructor|prototype/.test(laidOut));
        return;
      }
      assert.deepEqual(parsed, JSON.parse(laidOut));
    }), { numRuns: 500 });
  });

  it('accepts no text that JSON.parse refuses, and refuses only what it names', () => {
    fc.assert(fc.property(nearlyJson, (text) => {
      let expected: { value: unknown } | undefined;
      try {
        expected = { value: JSON.parse(text) };
      } catch { /* not JSON */ }
      try {
        const value = parseStrictJson(text);
        assert(expected !== undefined, `accepted ${JSON.stringify(text)}`);
        assert.deepEqual(value, expected.value);
      } catch (error) {
        assert(error instanceof VeilgateError, String(error));
        if (expected === undefined) assert.notEqual(error.code, 'INTERNAL');
        else assert(error.code === 'JSON_DUPLICATE_KEY' || !text.isWellFormed() || /\\ud83d/.test(text), `refused ${JSON.stringify(text)}: ${error.message}`);
      }
    }), { numRuns: 5000 });
  });

  it('keeps numbers exactly as JSON.parse reads them', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
      const text = JSON.stringify(n);
      assert.equal(parseStrictJson(text), JSON.parse(text));
    }));
    assert(Object.is(parseStrictJson('-0'), -0));
    for (const bad of ['01', '+1', '1.', '.5', '1e', '0x10', 'NaN', '-', '1_0', '--1']) refuses(bad, 'JSON_MALFORMED');
    refuses('1e999', 'JSON_MALFORMED');
  });

  it('refuses a repeated key wherever it stands and however it is spelt', () => {
    refuses('{"a":1,"a":1}', 'JSON_DUPLICATE_KEY');
    refuses('{"a":1,"\\u0061":2}', 'JSON_DUPLICATE_KEY');
    refuses('[{"b":{"a":null,"c":{},"a":[]}}]', 'JSON_DUPLICATE_KEY');
    refuses('{"":1,"":2}', 'JSON_DUPLICATE_KEY');
    assert.deepEqual(parseStrictJson('{"toString":1,"a":{"a":1},"b":{"a":1}}'), { toString: 1, a: { a: 1 }, b: { a: 1 } });
  });

  it('finds a repeated key among any keys', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 6 }), { minLength: 1, maxLength: 20 }), fc.nat(), fc.nat(), (keys, which, where) => {
      fc.pre(!keys.some((key) => ['__proto__', 'constructor', 'prototype'].includes(key)));
      const repeated = keys[which % keys.length] as string;
      const spoilt = keys.toSpliced(where % (keys.length + 1), 0, repeated);
      const text = (list: string[]) => `{${list.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`;
      assert.deepEqual(Object.keys(parseStrictJson(text(keys)) as object).sort(), [...keys].sort());
      refuses(text(spoilt), 'JSON_DUPLICATE_KEY');
    }));
  });

  it('refuses keys that reach prototypes, also escaped', () => {
    for (const key of ['__proto__', 'constructor', 'prototype', '\\u005f_proto__', 'constr\\u0075ctor']) {
      refuses(`{"${key}":{"polluted":true}}`, 'JSON_FORBIDDEN_KEY');
      refuses(`[{"a":{"${key}":1}}]`, 'JSON_FORBIDDEN_KEY');
    }
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    assert.equal(parseStrictJson('"__proto__"'), '__proto__');
  });

  it('stops at the depth limit, without running out of stack', () => {
    assert.doesNotThrow(() => parseStrictJson('['.repeat(16) + ']'.repeat(16)));
    refuses('['.repeat(17) + ']'.repeat(17), 'JSON_TOO_DEEP');
    refuses('{"a":'.repeat(17) + '1' + '}'.repeat(17), 'JSON_TOO_DEEP');
    refuses('['.repeat(500_000), 'JSON_TOO_DEEP', { maxDepth: 1_000_000 });
    assert.deepEqual(parseStrictJson('[[],[],[[]]]', { maxDepth: 3 }), [[], [], [[]]]);
  });

  it('refuses a text longer than the limit before reading it', () => {
    assert.equal(parseStrictJson('"aaaa"', { maxLength: 6 }), 'aaaa');
    refuses('"aaaaa"', 'REQUEST_TOO_LARGE', { maxLength: 6 });
    assert.equal(faultOf(() => parseStrictJsonBytes(new Uint8Array(19), { maxLength: 6 })).code, 'REQUEST_TOO_LARGE');
  });

  it('refuses half a surrogate pair in values and keys, raw or escaped', () => {
    for (const bad of ['"\\ud83d"', '"\\ude00\\ud83d"', '"\ud83d"', '"a\ude00"', '{"\\ud83d":1}']) refuses(bad, 'JSON_MALFORMED');
    assert.equal(parseStrictJson('"\\ud83d\\ude00"'), '😀');
    assert.equal(parseStrictJson('"\ud83d\\ude00"'), '😀');
  });

  it('refuses control characters and unknown escapes in strings', () => {
    for (let unit = 0; unit < 0x20; unit += 1) refuses(`"${String.fromCharCode(unit)}"`, 'JSON_MALFORMED');
    for (const bad of ['"\\x41"', '"\\u12"', '"\\u12g4"', '"\\U0041"', '"\\"', "'a'"]) refuses(bad, 'JSON_MALFORMED');
    assert.equal(parseStrictJson('"\u007f\u2028"'), '\u007f\u2028');
  });

  it('refuses bytes that are not UTF-8, and a byte order mark', () => {
    assert.deepEqual(parseStrictJsonBytes(new TextEncoder().encode('{"名":"é"}')), { 名: 'é' });
    for (const bytes of [[0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0xef, 0xbb, 0xbf, 0x31]]) {
      assert.equal(faultOf(() => parseStrictJsonBytes(Uint8Array.from(bytes))).code, 'JSON_MALFORMED');
    }
  });

  it('says where the fault is and never repeats a value or a telling key', () => {
    const fault = refuses('{"query":{"read":[{"claimed":"13800138000","x":1,"x":2}]}}', 'JSON_DUPLICATE_KEY');
    assert.deepEqual(fault.detail, { position: 49, pointer: '/query/read/0/x' });
    const telling = refuses('{"91110000MA0000000X":{"王小明":tru}}', 'JSON_MALFORMED');
    assert.deepEqual(telling.detail, { position: 29, pointer: '/*/*' });
    assert(!JSON.stringify([fault, fault.message, telling.message]).match(/138|911/));
  });

  it('reads in linear time what is built to be slow', () => {
    const long = 200_000;
    const started = performance.now();
    parseStrictJson(`{${Array.from({ length: long / 10 }, (_, n) => `"k${n}":${n}`).join(',')}}`);
    parseStrictJson(`"${'\\u0041'.repeat(long / 10)}"`);
    parseStrictJson(`"${'\\n'.repeat(long)}"`);
    refuses(`-${'1'.repeat(long)}.`, 'JSON_MALFORMED');
    refuses(`"${'a'.repeat(long)}`, 'JSON_MALFORMED');
    assert(performance.now() - started < 2000, 'took more than two seconds');
  });
});
