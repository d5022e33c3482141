import { strict as assert } from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createColumnEncryptor } from '../../../src/he/encrypt.ts';
import { packedBytesOf, unpackColumn } from '../../../src/he/packed.ts';
import { columnsOf, packedColumnsOf } from '../../../src/scoring/feature/columns.ts';
import { acceptScoreKey } from '../../../src/scoring/feature/keys.ts';
import { bitmapOf } from '../../../src/scoring/feature/positions.ts';
import type { FeatureId } from '../../../src/scoring/protocol.ts';
import type { TimeMs } from '../../../src/vocabulary.ts';
import { freshDatabase } from '../../support/database.ts';
import { firstDifference, randomColumns, set, testHe } from '../../support/he.ts';

describe('columns that were stored before they were packed', () => {
  it('are packed by the schema, bit for bit', async () => {
    const { he, keys } = await testHe();
    const encryptor = createColumnEncryptor(he, set, keys.publicKey);
    const ciphertexts = randomColumns(3, 1000).map((column) => encryptor.encrypt(column));
    encryptor.close();
    const database = await freshDatabase();
    await database.transaction('key', (tx) => acceptScoreKey(tx, { keyId: 'k1', custodian: 'custodian', parameters: set.id, publicKey: randomBytes(9) }, 0 as TimeMs));
    await database.query('alter table score_column rename column packed to ciphertext');
    await database.query('alter table score_column drop column packed_digest');
    await database.query('create index score_column_digest on score_column (digest)');
    const declaration = 'd'.repeat(64);
    for (const [block, ciphertext] of ciphertexts.entries()) {
      await database.query(
        `insert into score_column (key_id, feature, block, revision, declaration, digest, filled, stale, envelope, department, rekeyed, ciphertext, loaded_at)
         values ('k1', 'tax/one', $1, 1, $2, $3, $4, false, 'e', 'tax', false, $5, now())`,
        [block, declaration, createHash('sha256').update(ciphertext).digest('hex'), Buffer.from(bitmapOf([0])), Buffer.from(ciphertext)],
      );
    }
    const apply = (name: string) => database.query(readFileSync(new URL(`../../../src/store/schema/${name}-scoring-feature.sql`, import.meta.url), 'utf8'));
    await apply('074');
    const { rows } = await database.query<{ length: number }>('select octet_length(ciphertext) as length from score_column');
    assert.deepEqual(rows.map(({ length }) => length), ciphertexts.map(() => packedBytesOf(set)), 'nothing is left for the slow statement of 075');
    await apply('075');
    await apply('074'); // on a database that has 075 already
    const columns = await columnsOf(database, { key: 'k1', features: [{ id: 'tax/one' as FeatureId, declaration }], blocks: [0, 1, 2] });
    const packed = await packedColumnsOf(database, columns.map(({ packedDigest }) => packedDigest));
    assert.equal(columns.length, 3);
    columns.forEach(({ block }, at) => assert.equal(firstDifference(unpackColumn(set, packed[at] as Uint8Array), ciphertexts[block] as Uint8Array), -1));
  });
});
