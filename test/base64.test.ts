import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { provideBase64 } from '../src/base64.ts';

type Provided = { fromBase64: (text: unknown, options?: object) => Uint8Array; readonly prototype: { toBase64: (options?: object) => string } };

describe('base64 where the engine has none', () => {
  const empty = { prototype: {} } as Provided;
  provideBase64(empty);
  const encode = (bytes: Uint8Array, options?: object) => empty.prototype.toBase64.call(bytes, options);

  it('writes what Buffer writes, of a view too, with padding unless it is not wanted', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(9), (bytes, start) => {
      const view = bytes.subarray(Math.min(start, bytes.length));
      const padded = Buffer.from(view).toString('base64');
      assert.equal(encode(view), padded);
      assert.equal(encode(view, { omitPadding: true }), padded.replaceAll('=', ''));
      assert.equal(encode(view, { alphabet: 'base64url' }), padded.replaceAll('+', '-').replaceAll('/', '_'));
      assert.equal(encode(view, { alphabet: 'base64url', omitPadding: true }), Buffer.from(view).toString('base64url'));
    }));
  });

  it('reads what it wrote, and refuses exactly what atob refuses', () => {
    const outcome = (read: () => Uint8Array) => {
      try {
        return Buffer.from(read()).toString('hex');
      } catch {
        return 'refused';
      }
    };
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'ABgw09+/=-_ \n*é'), maxLength: 14 }), (text) => {
      assert.equal(outcome(() => empty.fromBase64(text)), outcome(() => Buffer.from(atob(text), 'latin1')));
    }), { numRuns: 5000 });
    fc.assert(fc.property(fc.uint8Array(), (bytes) => {
      assert.deepEqual(empty.fromBase64(encode(bytes, { alphabet: 'base64url', omitPadding: true }), { alphabet: 'base64url' }), new Uint8Array(bytes));
    }));
    for (const [text, options] of [['+/+/', { alphabet: 'base64url' }], ['-_-_', undefined], ['AA', { alphabet: 'base32' }], ['AA==', { lastChunkHandling: 'strict' }], [7, undefined]] as const) {
      assert.throws(() => empty.fromBase64(text, options));
    }
  });

  it('leaves alone what is there', () => {
    const there = { fromBase64: () => new Uint8Array(), prototype: { toBase64: () => '' } };
    const before = { ...there, prototype: { ...there.prototype } };
    provideBase64(there);
    assert.deepEqual(there, before);
  });
});
