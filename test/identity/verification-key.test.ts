import { strict as assert } from 'node:assert';
import { generateKeyPairSync, sign } from 'node:crypto';
import { signatureCheck } from '../../src/identity/verification-key.ts';

describe('identity/verification-key', () => {
  it('says the same of a signature in its own thread and in the pool', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const data = Buffer.from('what was signed');
    const signature = sign(null, data, privateKey);
    const flipped = Buffer.from(signature);
    flipped[3] = (flipped[3] as number) ^ 1;
    for (const thread of ['own', 'pool'] as const) {
      const check = signatureCheck(null, publicKey, thread);
      assert.equal(await check(data, signature), true);
      for (const [given, wrong] of [[data, flipped], [Buffer.from('something else'), signature], [data, Buffer.alloc(0)], [data, signature.subarray(1)], [data, Buffer.concat([signature, signature])]] as const) {
        assert.equal(await check(given, wrong), false, `${thread} ${wrong.length}`);
      }
    }
  });
});
