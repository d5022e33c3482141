import { strict as assert } from 'node:assert';
import { createColumnEncryptor } from '../../src/he/encrypt.ts';
import { checkPacked, packColumn, packedBytesOf, unpackColumn, viewPacked } from '../../src/he/packed.ts';
import { firstDifference, randomColumns, set, testHe } from '../support/he.ts';

describe('packed columns', () => {
  let column: Uint8Array;
  before(async () => {
    const { he, keys } = await testHe();
    const encryptor = createColumnEncryptor(he, set, keys.publicKey);
    column = encryptor.encrypt(randomColumns(1, 1000)[0] as Int32Array);
    encryptor.close();
  });
  const refused = { name: 'VeilgateError', code: 'HE_CIPHERTEXT_REFUSED' };
  const check = (packed: Uint8Array) => checkPacked(set, viewPacked(set, packed.slice().buffer, 0));

  it('are three quarters of what came, and become it again to the bit', () => {
    const packed = packColumn(set, column);
    assert.deepEqual([packed.length, packedBytesOf(set), set.columnBytes], [98_304, 98_304, 131_185]);
    checkPacked(set, viewPacked(set, packed.buffer, 0));
    assert.equal(firstDifference(unpackColumn(set, packed), column), -1);
  });

  it('are the low words first, then the high ones, little-endian', () => {
    const bytes = column.slice();
    bytes.set([1, 2, 3, 4, 5, 6], 113 + 8 * 4096); // the first coefficient modulo the other prime
    const packed = packColumn(set, bytes);
    assert.deepEqual([...packed.subarray(4 * 4096, 4 * 4096 + 4)], [1, 2, 3, 4]);
    assert.deepEqual([...packed.subarray(4 * 16_384 + 2 * 4096, 4 * 16_384 + 2 * 4096 + 2)], [5, 6]);
  });

  it('are made of checked columns only', () => {
    for (const bytes of [column.slice(1), column.slice().fill(0xff, 113, 121), column.slice().fill(1, 0, 1), column.slice().fill(1, 118, 121)]) assert.throws(() => packColumn(set, bytes), refused);
  });

  it('are refused with a coefficient that is its prime, and without a second component', () => {
    set.coeffModulus.slice(0, 2).forEach((prime, at) => {
      const packed = packColumn(set, column);
      const { low, high } = viewPacked(set, packed.buffer, 0);
      const place = (2 + at) * set.polyModulusDegree + 4095;
      [low[place], high[place]] = [Number(prime & 0xffff_ffffn), Number(prime >> 32n)];
      assert.throws(() => check(packed), refused);
      low[place] = Number(prime & 0xffff_ffffn) - 1;
      check(packed);
    });
    const bare = packColumn(set, column);
    bare.fill(0, 2 * 16_384, 4 * 16_384).fill(0, 5 * 16_384);
    assert.throws(() => check(bare), refused);
    assert.throws(() => unpackColumn(set, bare.slice(1)), refused);
  });
});
