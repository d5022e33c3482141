import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { createFf1, ff1LengthMax } from '../../src/disclosure/ff1.ts';
import longVectors from './ff1-long.json' with { type: 'json' };

type Vector = { readonly radix: number; readonly key: string; readonly tweak: string; readonly plaintext: string; readonly ciphertext: string };
const nistFile = path.resolve(import.meta.dirname, '../vectors/ff1/nist_ff1_samples.json');
const nist = (JSON.parse(readFileSync(nistFile, 'utf8')) as { tests: (Vector & { sample: number })[] }).tests;
const lowerCase = '0123456789abcdefghijklmnopqrstuvwxyz';
const key = Buffer.from('2b7e151628aed2a6abf7158809cf4f3c2b7e151628aed2a6abf7158809cf4f3c', 'hex');

function checkVector(vector: Vector, alphabet: string): void {
  const cipher = createFf1(Buffer.from(vector.key, 'hex'), alphabet.slice(0, vector.radix));
  const tweak = Buffer.from(vector.tweak, 'hex');
  assert.equal(cipher.encrypt(vector.plaintext, tweak), vector.ciphertext);
  assert.equal(cipher.decrypt(vector.ciphertext, tweak), vector.plaintext);
}

describe('FF1', () => {
  it('has all nine samples of NIST to pass', () => assert.equal(nist.length, 9));
  for (const vector of nist) {
    it(`gives NIST's sample ${vector.sample} and takes it back`, () => checkVector(vector, lowerCase));
  }
  for (const vector of longVectors.tests) {
    it(`agrees with another implementation on ${vector.plaintext.length} characters of radix ${vector.radix}`, () => checkVector(vector, longVectors.alphabet));
  }

  it('takes back what it made, for every alphabet, length, tweak and key size', () => {
    const letters = Array.from({ length: 128 }, (_, at) => String.fromCharCode(0x4e00 + at)).join('');
    const cases = fc.record({
      radix: fc.integer({ min: 2, max: 128 }), digits: fc.array(fc.nat(), { minLength: 20, maxLength: 80 }),
      tweak: fc.uint8Array({ maxLength: 40 }), keyBytes: fc.constantFrom(16, 24, 32),
    });
    fc.assert(fc.property(cases, ({ radix, digits, tweak, keyBytes }) => {
      const alphabet = letters.slice(0, radix);
      const cipher = createFf1(key.subarray(0, keyBytes), alphabet);
      const text = digits.map((digit) => alphabet.charAt(digit % radix)).join('');
      const encrypted = cipher.encrypt(text, tweak);
      assert.equal(encrypted?.length, text.length);
      assert.equal(cipher.decrypt(encrypted, tweak), text);
    }), { numRuns: 200 });
  });

  it('maps different texts to different texts', () => {
    const cipher = createFf1(key, '0123456789');
    const made = new Set(Array.from({ length: 5000 }, (_, at) => cipher.encrypt(String(at).padStart(6, '0'))));
    assert.equal(made.size, 5000);
  });

  it('gives unrelated texts under another tweak', () => {
    const cipher = createFf1(key, '0123456789');
    assert.notEqual(cipher.encrypt('123456789012', Buffer.from('a')), cipher.encrypt('123456789012', Buffer.from('b')));
  });

  it('refuses domains below the standard\'s million', () => {
    assert.equal(createFf1(key, '0123456789').encrypt('12345'), undefined);
    assert.notEqual(createFf1(key, '0123456789').encrypt('123456'), undefined);
    assert.equal(createFf1(key, '01').encrypt('1010101010101010101'), undefined);
    assert.notEqual(createFf1(key, '01').encrypt('10101010101010101010'), undefined);
  });

  it('refuses characters outside the alphabet and lengths beyond the maximum', () => {
    const cipher = createFf1(key, '0123456789');
    assert.equal(cipher.encrypt('12345678X'), undefined);
    assert.equal(cipher.decrypt('12345678X'), undefined);
    assert.equal(cipher.encrypt('1'.repeat(ff1LengthMax + 1)), undefined);
    assert.equal(cipher.encrypt('123456', new Uint8Array(257)), undefined);
  });

  it('is not made with an alphabet that repeats a character', () => {
    assert.throws(() => createFf1(key, '0012'), RangeError);
    assert.throws(() => createFf1(key, '0'), RangeError);
  });
});
