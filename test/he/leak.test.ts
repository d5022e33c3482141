import { strict as assert } from 'node:assert';
import { createDecryptor } from '../../src/he/decrypt.ts';
import { createColumnEncryptor } from '../../src/he/encrypt.ts';
import { createEvaluator } from '../../src/he/evaluate.ts';
import { generateKeyPair } from '../../src/he/keygen.ts';
import { compiledSeal } from '../../src/he/pool-thread.ts';
import { loadHe } from '../../src/he/runtime.ts';
import { firstOf, set } from '../support/he.ts';

describe('memory of sealed scoring', function memory() {
  this.timeout(120_000);

  it('stays flat: 2,000 evaluations and decryptions leave the WebAssembly heap as it was', async () => {
    const he = await loadHe(await compiledSeal());
    const keys = generateKeyPair(he, set);
    const round = () => {
      const encryptor = createColumnEncryptor(he, set, keys.publicKey);
      const decryptor = createDecryptor(he, set, keys.secretKey);
      const evaluator = createEvaluator(he, set, keys.publicKey, { cacheBytesMax: 4 * 131_072, blindersMax: 2 });
      evaluator.load('a', encryptor.encrypt(Int32Array.of(7)));
      for (let each = 0; each < 100; each++) {
        const { ciphertext } = firstOf(evaluator.evaluate(['a'], [{ weights: [3], offset: 0 }]));
        decryptor.decrypt(ciphertext);
        assert.throws(() => decryptor.decrypt(ciphertext.slice(1)));
      }
      for (const each of [encryptor, decryptor, evaluator]) each.close();
    };
    for (let warm = 0; warm < 2; warm++) round();
    const before = he.heapBytes();
    assert.ok(before !== undefined && before < 64 * 2 ** 20);
    for (let rounds = 0; rounds < 20; rounds++) round();
    assert.equal(he.heapBytes(), before);
  });
});
