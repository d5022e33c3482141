import { strict as assert } from 'node:assert';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalBytes, canonicalJson } from '../src/canonical.ts';

describe('canonical JSON', () => {
  it('writes what the reference implementation of RFC 8785 writes', () => {
    fc.assert(fc.property(fc.jsonValue({ noUnicodeString: false, maxDepth: 5 }), (value) => {
      assert.equal(canonicalJson(value), canonicalize(value));
    }), { numRuns: 2000 });
  });

  it('writes the examples of RFC 8785', () => {
    const value = { numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0], string: '€$\u000f\nA\'B"\\\\"/', literals: [null, true, false] };
    assert.equal(canonicalJson(value), '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}');
    const sorted = { '€': 'Euro Sign', '\r': 'Carriage Return', '\ufb33': 'Hebrew Letter Dalet With Dagesh', 1: 'One', '😀': 'Emoji: Grinning Face', '\u0080': 'Control', ö: 'Latin Small Letter O With Diaeresis' };
    assert.deepEqual([...canonicalJson(sorted).matchAll(/:"([^"]*)"/g)].map(([, name]) => name), ['Carriage Return', 'One', 'Control', 'Latin Small Letter O With Diaeresis', 'Euro Sign', 'Emoji: Grinning Face', 'Hebrew Letter Dalet With Dagesh']);
  });

  it('writes the same of members that stand in order as of any others', () => {
    fc.assert(fc.property(fc.jsonValue({ noUnicodeString: false, maxDepth: 4 }), (value) => {
      const inOrder: unknown = JSON.parse(canonicalize(value) ?? 'null');
      assert.equal(canonicalJson(inOrder), canonicalize(value));
      assert.equal(canonicalJson({ a: inOrder, b: [inOrder, { z: value, y: inOrder }] }), canonicalize({ a: value, b: [value, { y: value, z: value }] }));
    }), { numRuns: 1000 });
    assert.equal(canonicalJson({ a: { toJSON: () => ({ c: 1, b: 2 }) } }), '{"a":{"b":2,"c":1}}');
    assert.equal(canonicalJson({ a: [undefined, { at: new Date(0) }], b: '\\ud800', c: '😀' }), '{"a":[null,{"at":"1970-01-01T00:00:00.000Z"}],"b":"\\\\ud800","c":"😀"}');
  });

  it('refuses what JSON cannot hold however deep it stands, in order or not', () => {
    for (const bad of [Number.NaN, '\ud800', { '\udfff': 1 }, () => 1, 1n]) {
      for (const holds of [{ a: 1, b: [bad] }, { b: { c: bad }, a: 1 }, [[{ a: { b: bad } }]]]) assert.throws(() => canonicalJson(holds), TypeError);
    }
  });

  it('refuses what JSON cannot hold, and leaves out what is undefined', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', { '\udfff': 1 }, undefined, () => 1, 1n]) assert.throws(() => canonicalJson(value), TypeError);
    assert.equal(canonicalJson({ b: undefined, a: 1 }), '{"a":1}');
    assert.deepEqual(canonicalBytes('é'), Uint8Array.of(34, 0xc3, 0xa9, 34));
  });
});
