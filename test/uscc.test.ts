import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { isUscc, usccCheckDigit } from '../src/uscc.ts';

const alphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';
// published codes of public bodies and listed companies
const published = ['91330100799655058B', '9144030071526726XG', '914403001922038216', '91110000802100433B', '12100000400002259P', '12100000400000624D'];

const head = fc
  .tuple(
    fc.array(fc.constantFrom(...alphabet), { minLength: 2, maxLength: 2 }),
    fc.array(fc.constantFrom(...'0123456789'), { minLength: 6, maxLength: 6 }),
    fc.array(fc.constantFrom(...alphabet), { minLength: 9, maxLength: 9 }),
  )
  .map((parts) => parts.flat().join(''));

describe('uscc', () => {
  it('accepts published codes', () => {
    for (const code of published) assert.equal(isUscc(code), true, code);
  });

  it('refuses what is not written as the standard writes it', () => {
    const code = published[0] as string;
    for (const wrong of ['', code.toLowerCase(), ` ${code}`, `${code}\n`, code.slice(1), `${code}0`, code.replace('9', 'I'), `9133010X${code.slice(8)}`, '９1330100799655058B']) {
      assert.equal(isUscc(wrong), false, JSON.stringify(wrong));
    }
    for (const wrong of [null, undefined, 91330100799655, [code], { code }]) assert.equal(isUscc(wrong), false);
  });

  it('catches every single wrong character and every swap of neighbours', () => {
    fc.assert(fc.property(head, fc.nat(17), fc.constantFrom(...alphabet), (first17, at, other) => {
      const code = first17 + usccCheckDigit(first17);
      assert.equal(isUscc(code), true);
      const wrong = code.slice(0, at) + other + code.slice(at + 1);
      assert.equal(isUscc(wrong), wrong === code);
      const next = Math.min(at, 15) + 1;
      const swapped = code.slice(0, next - 1) + code.charAt(next) + code.charAt(next - 1) + code.slice(next + 1);
      assert.equal(isUscc(swapped), swapped === code);
    }));
  });

  it('has no check character for anything but 17 characters of the alphabet', () => {
    assert.equal(usccCheckDigit('9133010079965505'), undefined);
    assert.equal(usccCheckDigit('9133010079965505I'), undefined);
  });
});
