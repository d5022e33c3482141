import { strict as assert } from 'node:assert';
import { readHeKeys } from '../../src/custodian/he-keys.ts';
import { createSlotCoder } from '../../src/he/plaintext.ts';
import { loadHe } from '../../src/he/runtime.ts';
import { createDecryptor } from '../../src/he/decrypt.ts';
import { emptyCiphertext } from '../../src/he/wire.ts';
import { gatewaySide, openWorkshop, openedScores, post, set, signRequest, signTicket } from './support/workshop.ts';

/** Where the coefficients of c1 begin: behind the prefix and those of c0. */
const secondAt = 113 + 8 * set.polyModulusDegree;

describe('what no custodian can prevent', function () {
  this.timeout(60_000); // processes start and threads load SEAL, on a machine that may be busy
  it('a gateway together with an admitted bank reads the secret key out of one crafted block: told plainly', async () => {
    const workshop = await openWorkshop();
    const side = await gatewaySide(workshop);
    const he = await loadHe();
    const coder = createSlotCoder(he.context(set), set.slots);
    try {
      // zeros, masked, flooded and re-randomised like any result; then p/t on top of c1, which decrypts to the key itself
      const { ciphertext, masks } = side.evaluate([new Int32Array(4096)], [1]);
      const crafted = ciphertext.slice();
      const view = new DataView(crafted.buffer);
      const prime = set.coeffModulus[0]!;
      view.setBigUint64(secondAt, (view.getBigUint64(secondAt, true) + prime / BigInt(set.plainModulus)) % prime, true);
      const slots = Array.from({ length: set.slots }, (_, slot) => slot);
      const request = signRequest(workshop.bank, { score: { kind: 'many', count: set.slots } });
      const answer = await post(workshop.custodian.url, signTicket(workshop, { keyId: await workshop.keyId(), request, ciphertexts: [crafted], slots }), [crafted]);
      assert.equal(answer.status, 200, 'it looks like any other block');
      const values = await openedScores(workshop.bank, answer.text, request, masks, slots);
      const coefficients = coder.coefficients(Int32Array.from(values));
      const found = Array.from({ length: set.polyModulusDegree }, (_, at) => (coefficients[2 * at] === set.plainModulus - 1 ? -1 : coefficients[2 * at] ?? 0));
      assert.ok(found.every((coefficient) => coefficient === -1 || coefficient === 0 || coefficient === 1), 'ternary, as the key is');
      const bytes = emptyCiphertext(set, 'result');
      new DataView(bytes.buffer).setBigUint64(secondAt, prime / BigInt(set.plainModulus), true);
      const decryptor = createDecryptor(he, set, readHeKeys(workshop.config.keysFolder)[0]!.secretKey);
      assert.deepEqual(coder.coefficients(decryptor.decrypt(bytes)), coefficients, 'what the key itself gives');
      decryptor.close();
      const entries = (await workshop.custodian.database.query<{ record: string }>("select record from audit_entry where kind = 'custodian.opened'")).rows;
      assert.equal((JSON.parse(entries[0]?.record ?? '{}') as { slots: number }).slots, set.slots, 'its log shows what was opened, and for whom');
    } finally {
      coder.close();
      side.close();
      await workshop.close();
    }
  });
});
