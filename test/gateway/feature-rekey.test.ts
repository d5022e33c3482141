import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { fixedClock } from '../../src/clock.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { composeFeatures } from '../../src/gateway/features.ts';
import type { FeatureServices } from '../../src/gateway/resources/features.ts';
import { refreshScoreKey, rekeyColumns } from '../../src/gateway/use-cases/feature-rekey.ts';
import { createDecryptor } from '../../src/he/decrypt.ts';
import { createColumnEncryptor } from '../../src/he/encrypt.ts';
import { createEvaluator } from '../../src/he/evaluate.ts';
import { generateKeyPair, type KeyPair } from '../../src/he/keygen.ts';
import { unpackColumn } from '../../src/he/packed.ts';
import type { He } from '../../src/he/runtime.ts';
import { checkCiphertextBytes } from '../../src/he/wire.ts';
import { columnsOf, packedColumnsOf, storeColumn } from '../../src/scoring/feature/columns.ts';
import { activeScoreKey } from '../../src/scoring/feature/keys.ts';
import { assignPositions, bitmapOf } from '../../src/scoring/feature/positions.ts';
import { removeSubject } from '../../src/scoring/feature/removal.ts';
import type { FeatureId } from '../../src/scoring/protocol.ts';
import type { Database } from '../../src/store/database.ts';
import type { DatasetId, PartyId } from '../../src/vocabulary.ts';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { freshDatabase } from '../support/database.ts';
import { firstDifference, opened, set, testHe } from '../support/he.ts';

const clock = fixedClock('2026-11-20T08:00:00Z');
const declaration = 'd'.repeat(64);
const features = ['tax/a', 'tax/b', 'tax/c'] as FeatureId[];
const values = (at: number) => Int32Array.from({ length: set.slots }, (_, slot) => ((slot * 31 + at * 7) % 201) - 100);

describe('taking columns to the custodian\'s next key', () => {
  let he: He;
  let old: KeyPair;
  let fresh: KeyPair;
  let database: Database;
  /** All the custodian ever decrypted. */
  let seen: Uint32Array[] = [];
  let stated: 'old' | 'fresh' = 'old';
  let services: FeatureServices;
  let onReencrypt: () => Promise<unknown> = async () => {};

  before(async () => {
    ({ he, keys: old } = await testHe());
    fresh = generateKeyPair(he, set);
    database = await freshDatabase();
    services = composeFeatures(() => new Map(), {
      pool: () => ({ check: async (_set: unknown, bytes: Uint8Array) => checkCiphertextBytes(set, bytes) }) as never,
      custodian: () => ({
        publicKey: async () => ({ keyId: stated, parameters: set.id, publicKey: (stated === 'old' ? old : fresh).publicKey }),
        async reencrypt({ ciphertext }: { ciphertext: Uint8Array }) {
          await onReencrypt();
          const decryptor = createDecryptor(he, set, old.secretKey);
          const encryptor = createColumnEncryptor(he, set, fresh.publicKey);
          const masked = decryptor.decrypt(ciphertext);
          seen.push(masked);
          try {
            return encryptor.encrypt(Int32Array.from(masked, (value) => (value > (set.plainModulus - 1) / 2 ? value - set.plainModulus : value)));
          } finally {
            decryptor.close();
            encryptor.close();
          }
        },
      }) as never,
    }, 'custodian-1');
    assert.equal(await refreshScoreKey(database, clock, services.custodianKey), 'active');
    await database.transaction('places', (tx) => assignPositions(tx, [0, 1, 2].map((n) => sampleSubject(n, 5)), clock.nowMs()));
    const encryptor = createColumnEncryptor(he, set, old.publicKey);
    for (const [at, id] of features.entries()) {
      const ciphertext = encryptor.encrypt(values(at));
      await database.transaction('column', (tx) => storeColumn(tx, {
        feature: { id, declaration }, key: 'old', set, block: 0, revision: 4, digest: createHash('sha256').update(ciphertext).digest('hex'), filled: bitmapOf([0, 1, 2]), envelope: `envelope ${id}`,
        department: 'tax_administration', rekeyed: false, stale: false, ciphertext,
      }, clock.nowMs()));
    }
    encryptor.close();
  });

  const rekey = (limit = 64) => rekeyColumns({ database, clock, rekeyer: services.rekeyer }, 'tax_administration' as PartyId, 'tax' as DatasetId, features, limit);

  it('does nothing while no other key is stated', async () => {
    await assert.rejects(rekey(), (error) => isVeilgateError(error, 'FEATURE_KEY_UNKNOWN'));
    assert.equal(await refreshScoreKey(database, clock, services.custodianKey), 'active');
  });

  it('waits for every column, keeps scores on the old key until then, and loses nothing when it breaks off', async () => {
    stated = 'fresh';
    assert.equal(await refreshScoreKey(database, clock, services.custodianKey), 'pending');
    assert.deepEqual(await rekey(1), { rekeyed: 1, waiting: 2, waitingOfAll: 2, rotated: false });
    onReencrypt = async () => { throw new Error('the custodian went away'); };
    await assert.rejects(rekey());
    onReencrypt = async () => {};
    assert.equal((await activeScoreKey(database))?.keyId, 'old');
    assert.equal((await columnsOf(database, { key: 'old', features: features.map((id) => ({ id, declaration })), blocks: [0] })).length, 3);
  });

  it('an enterprise taken out meanwhile stays out under the new key', async () => {
    onReencrypt = async () => {
      onReencrypt = async () => {};
      await database.transaction('removal', (tx) => removeSubject(tx, sampleSubject(1, 5), features, clock.nowMs()));
    };
    assert.deepEqual(await rekey(), { rekeyed: 2, waiting: 0, waitingOfAll: 0, rotated: true });
    const columns = await columnsOf(database, { key: 'fresh', features: features.map((id) => ({ id, declaration })), blocks: [0] });
    assert.deepEqual(columns.map(({ filled, stale, revision }) => [filled[0], stale, revision]), [[5, true, 4], [5, true, 4], [5, true, 4]]);
  });

  it('keeps every value, makes the new key the active one and removes the old ciphertexts', async () => {
    assert.equal((await activeScoreKey(database))?.keyId, 'fresh');
    assert.deepEqual((await database.query("select 1 from score_column where key_id = 'old'")).rows, []);
    const columns = await columnsOf(database, { key: 'fresh', features: features.map((id) => ({ id, declaration })), blocks: [0] });
    const decryptor = createDecryptor(he, set, fresh.secretKey);
    const evaluator = createEvaluator(he, set, fresh.publicKey, { cacheBytesMax: 0 });
    for (const { feature, digest, packedDigest } of columns) {
      const [packed] = await packedColumnsOf(database, [packedDigest]);
      const bytes = unpackColumn(set, packed as Uint8Array);
      assert.equal(createHash('sha256').update(bytes).digest('hex'), digest);
      const { ciphertext, masks } = evaluator.remask(bytes);
      assert.equal(firstDifference(opened(decryptor.decrypt(ciphertext), masks), values(features.indexOf(feature))), -1, feature);
    }
    evaluator.close();
    decryptor.close();
  });

  it('shows the custodian uniform values only', () => {
    assert.equal(seen.length, 3);
    for (const [at, masked] of seen.entries()) {
      const clear = values(at);
      // 16 bins of 256: a chi-square beyond 60 with 15 degrees of freedom comes once in ten million
      const bins = new Array<number>(16).fill(0);
      for (const value of masked) bins[Math.floor((value * 16) / set.plainModulus)] = (bins[Math.floor((value * 16) / set.plainModulus)] ?? 0) + 1;
      const chiSquare = bins.reduce((sum, count) => sum + (count - set.slots / 16) ** 2 / (set.slots / 16), 0);
      assert.ok(chiSquare < 60, String(chiSquare));
      assert.ok(masked.reduce((same, value, slot) => same + Number(value === ((clear[slot] ?? 0) + set.plainModulus) % set.plainModulus), 0) < 4);
    }
  });

  it('is in the log, without values', async () => {
    const { rows } = await database.query<{ record: string }>("select record from audit_entry where kind = 'features.rekeyed' order by index");
    const records = rows.map(({ record }) => JSON.parse(record) as { from: string; to: string; count: number });
    assert.deepEqual(records.map(({ from, to, count }) => [from, to, count]), [['old', 'fresh', 1], ['old', 'fresh', 2]]);
  });
});
