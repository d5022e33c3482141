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

  it('refuses what JSON cannot hold, and leaves out what is undefined', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', { '\udfff': 1 }, undefined, () => 1, 1n]) assert.throws(() => canonicalJson(value), TypeError);
    assert.equal(canonicalJson({ b: undefined, a: 1 }), '{"a":1}');
    assert.deepEqual(canonicalBytes('é'), Uint8Array.of(34, 0xc3, 0xa9, 34));
  });
});
