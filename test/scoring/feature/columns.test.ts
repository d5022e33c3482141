import { strict as assert } from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { isVeilgateError } from '../../../src/errors.ts';
import { columnsOf, packedColumnsOf, columnStatus, storeColumn, type NewColumn } from '../../../src/scoring/feature/columns.ts';
import { parameterSets } from '../../../src/he/parameters.ts';
import { unpackColumn } from '../../../src/he/packed.ts';
import { ciphertextPrefixBytes, emptyCiphertext } from '../../../src/he/wire.ts';
import { acceptScoreKey, activeScoreKey, keyForStorage, scoreKeysInUse } from '../../../src/scoring/feature/keys.ts';
import { assignPositions, assignedSlots, bitmapOf, positionsOf, slotsPerBlock, within } from '../../../src/scoring/feature/positions.ts';
import { removeSubject } from '../../../src/scoring/feature/removal.ts';
import { finishRotation, removeRetiredColumns, waitingColumns, waitingCount } from '../../../src/scoring/feature/rotation.ts';
import type { FeatureId } from '../../../src/scoring/protocol.ts';
import type { Database } from '../../../src/store/database.ts';
import type { SubjectId, TimeMs } from '../../../src/vocabulary.ts';
import { sampleSubject } from '../../../scripts/sample/subjects.ts';
import { freshDatabase } from '../../support/database.ts';

const now = Date.parse('2026-11-20T08:00:00Z') as TimeMs;
const set = parameterSets['veilgate-score-1'];
const declaration = 'd'.repeat(64);
const roa = 'financials/roa' as FeatureId;
const debt = 'financials/debt' as FeatureId;
const subjects = Array.from({ length: 20 }, (_, n) => sampleSubject(n, 7));
const key = (id: string) => ({ keyId: id, custodian: 'custodian', parameters: 'veilgate-score-1', publicKey: new Uint8Array(Buffer.from(`key ${id}`)) });

/** Bytes of the form, which nobody ever encrypted. */
function randomCiphertext(): Uint8Array {
  const bytes = emptyCiphertext(set, 'column');
  randomBytes(bytes.length - ciphertextPrefixBytes).copy(bytes, ciphertextPrefixBytes);
  for (let word = ciphertextPrefixBytes; word < bytes.length; word += 8) bytes.fill(0, word + 5, word + 8); // below every prime
  return bytes;
}

function column(changes: Partial<NewColumn> = {}): NewColumn {
  const ciphertext = changes.ciphertext ?? randomCiphertext();
  return {
    feature: { id: roa, declaration }, key: 'k1', set, block: 0, revision: 1, digest: createHash('sha256').update(ciphertext).digest('hex'), filled: bitmapOf([0, 1]),
    envelope: 'e', department: 'finance_bureau', rekeyed: false, stale: false, ciphertext, ...changes,
  };
}

describe('places of enterprises', () => {
  let database: Database;
  before(async () => { database = await freshDatabase(); });
  const assign = (asked: readonly SubjectId[]) => database.transaction('assign', (tx) => assignPositions(tx, asked, now));

  it('are given at first sight, dense, in the order asked, and stay', async () => {
    const first = await assign([subjects[2], subjects[0], subjects[2], subjects[1]] as SubjectId[]);
    assert.deepEqual([...first].map(([subject, { block, slot }]) => [subjects.indexOf(subject), block, slot]).sort(), [[0, 0, 1], [1, 0, 2], [2, 0, 0]]);
    assert.deepEqual((await assign(subjects)).get(subjects[2] as SubjectId), { block: 0, slot: 0 });
    assert.equal((await positionsOf(database, [sampleSubject(99, 7)])).size, 0, 'asking alone gives none');
  });

  it('are given once each, and none is passed over, when many ask at once', async () => {
    const all = Array.from({ length: 600 }, (_, n) => sampleSubject(1000 + n, 7));
    const answers = await Promise.all(Array.from({ length: 8 }, (_, worker) => assign(all.filter((_, n) => n % 3 !== worker % 3))));
    const places = new Map<SubjectId, number>();
    for (const answer of answers) {
      for (const [subject, { block, slot }] of answer) {
        const place = block * slotsPerBlock + slot;
        assert.equal(places.get(subject) ?? place, place);
        places.set(subject, place);
      }
    }
    assert.deepEqual([...new Set(places.values())].sort((a, b) => a - b), Array.from({ length: 600 }, (_, n) => 20 + n));
  });
});

describe('encrypted columns in PostgreSQL', () => {
  let database: Database;
  const inTx = <T>(work: Parameters<Database['transaction']>[1]) => database.transaction('test', work) as Promise<T>;
  const store = (one: NewColumn) => inTx<string>((tx) => storeColumn(tx, one, now));
  const features = [{ id: roa, declaration }, { id: debt, declaration }];

  beforeEach(async () => {
    database = await freshDatabase();
    await inTx((tx) => acceptScoreKey(tx, key('k1'), now));
    await inTx((tx) => assignPositions(tx, subjects, now));
  });

  it('are stored once: the same again changes nothing, an older or another one of the same revision is refused', async () => {
    const first = column({ revision: 2 });
    assert.equal(await store(first), 'stored');
    assert.equal(await store(first), 'same');
    assert.equal(await store(column({ revision: 2 })), 'older');
    assert.equal(await store(column({ revision: 1 })), 'older');
    const [there] = await columnsOf(database, { key: 'k1', features, blocks: [0] });
    assert.deepEqual([there?.digest, there?.revision, Buffer.from(there?.filled ?? []).readUInt8(0)], [first.digest, 2, 3]);
    const later = column({ revision: 3 });
    assert.equal(await store(later), 'stored');
    assert.equal((await columnsOf(database, { key: 'k1', features, blocks: [0] }))[0]?.digest, later.digest);
  });

  it('are never used once their feature means something else', async () => {
    await store(column());
    assert.deepEqual(await columnsOf(database, { key: 'k1', features: [{ id: roa, declaration: 'e'.repeat(64) }], blocks: [0] }), []);
  });

  it('come back as their bytes in the order asked, many at once, in buffers of their own', async () => {
    const stored = Array.from({ length: 40 }, (_, block) => column({ block, }));
    for (const one of stored) await store(one);
    const digests = (await columnsOf(database, { key: 'k1', features, blocks: stored.map(({ block }) => block) })).toSorted((one, other) => other.block - one.block);
    const wanted = [...digests, ...digests.slice(0, 1)];
    const bytes = await packedColumnsOf(database, wanted.map(({ packedDigest }) => packedDigest));
    assert.equal(bytes.length, 41);
    bytes.forEach((one, at) => {
      assert.equal(createHash('sha256').update(one).digest('hex'), wanted[at]?.packedDigest);
      assert.equal(createHash('sha256').update(unpackColumn(set, one)).digest('hex'), wanted[at]?.digest, 'as it was signed');
      assert.deepEqual([one.byteOffset, one.buffer.byteLength], [0, one.length]);
    });
    assert.deepEqual(await packedColumnsOf(database, []), []);
  });

  it('that were replaced meanwhile are missed, not mixed up', async () => {
    await store(column());
    await assert.rejects(packedColumnsOf(database, ['0'.repeat(64)]), (error) => isVeilgateError(error, 'FEATURE_BLOCK_MISSING'));
    await assert.rejects(packedColumnsOf(database, ["'); drop table score_column; --"]), TypeError);
  });

  it('lose an enterprise in every column and under every key at once, for good', async () => {
    await inTx((tx) => acceptScoreKey(tx, key('k2'), now));
    for (const one of [column(), column({ feature: { id: debt, declaration }, department: 'other' }), column({ key: 'k2' }), column({ block: 1 })]) await store(one);
    const gone = subjects[1] as SubjectId;
    assert.equal(await inTx((tx) => removeSubject(tx, gone, ['tax/other' as FeatureId], now)), undefined, 'only a department that has a value of it may');
    assert.equal(await inTx((tx) => removeSubject(tx, subjects[5] as SubjectId, [roa], now)), undefined);
    const removal = await inTx<Awaited<ReturnType<typeof removeSubject>>>((tx) => removeSubject(tx, gone, [roa], now));
    assert.deepEqual([removal?.position, removal?.columns.length], [{ block: 0, slot: 1 }, 3]);
    for (const name of ['k1', 'k2']) {
      for (const { filled, stale } of await columnsOf(database, { key: name, features, blocks: [0] })) assert.deepEqual([filled[0], stale], [1, true]);
    }
    assert.equal((await columnsOf(database, { key: 'k1', features, blocks: [1] }))[0]?.filled[0], 3, 'another block is as it was');
    assert.deepEqual((await inTx<Map<number, Uint8Array>>((tx) => assignedSlots(tx, [0]))).get(0)?.slice(0, 3), new Uint8Array([0b11111101, 255, 15]));
    const again = await inTx<Map<SubjectId, { slot: number }>>((tx) => assignPositions(tx, [gone], now));
    assert.equal(again.get(gone)?.slot, 20, 'its slot is given to nobody, not even to itself');
  });

  it('never hold an enterprise that was taken out while they were stored', async () => {
    for (let revision = 1; revision <= 12; revision += 1) {
      const subject = subjects[revision] as SubjectId;
      const upload = inTx(async (tx) => {
        const assigned = (await assignedSlots(tx, [0])).get(0) as Uint8Array;
        await storeColumn(tx, column({ revision, filled: assigned }), now);
      });
      await Promise.all(revision % 2 === 0 ? [upload, remove(subject)] : [remove(subject), upload]);
      const { rows } = await database.query<{ filled: Buffer }>('select filled from score_column');
      const assigned = (await inTx<Map<number, Uint8Array>>((tx) => assignedSlots(tx, [0]))).get(0) as Uint8Array;
      assert.ok(rows.every(({ filled }) => within(filled, assigned)), `revision ${revision}`);
    }
    async function remove(subject: SubjectId) {
      await inTx((tx) => removeSubject(tx, subject, [roa], now));
    }
  });

  it('follow the custodian to its next key only when all are there, and the old ones go', async () => {
    await store(column());
    await store(column({ feature: { id: debt, declaration } }));
    assert.equal(await inTx((tx) => acceptScoreKey(tx, key('k2'), now)), 'pending');
    assert.equal(await inTx((tx) => acceptScoreKey(tx, key('k2'), now)), 'pending', 'stated again');
    await assert.rejects(inTx((tx) => acceptScoreKey(tx, key('k3'), now)), (error) => isVeilgateError(error, 'FEATURE_KEY_UNKNOWN'));
    await assert.rejects(inTx((tx) => acceptScoreKey(tx, { ...key('k2'), publicKey: new Uint8Array(3) }, now)), (error) => isVeilgateError(error, 'FEATURE_KEY_UNKNOWN'));
    await store(column({ key: 'k2' }));
    assert.deepEqual((await waitingColumns(database, [roa, debt], 10)).map(({ feature }) => feature), [debt]);
    assert.equal(await inTx((tx) => finishRotation(tx, now)), false);
    assert.equal((await activeScoreKey(database))?.keyId, 'k1');
    await store(column({ key: 'k2', feature: { id: debt, declaration } }));
    await store(column({ revision: 2 })); // the department refreshed one under the old key meanwhile
    assert.deepEqual(await waitingCount(database, [debt]), { own: 0, all: 1 });
    await store(column({ key: 'k2', revision: 2 }));
    assert.equal(await inTx((tx) => finishRotation(tx, now)), true);
    assert.deepEqual((await scoreKeysInUse(database)).map(({ keyId, state }) => [keyId, state]), [['k2', 'active']]);
    assert.equal(await removeRetiredColumns(database), 2);
    assert.equal(await removeRetiredColumns(database), 0, 'and nothing of the key in force');
    assert.equal((await columnStatus(database, { key: 'k2', features: [roa, debt], blocks: [0, 9], limit: 10 })).length, 2);
    await assert.rejects(inTx((tx) => keyForStorage(tx, 'k1')), (error) => isVeilgateError(error, 'FEATURE_KEY_UNKNOWN'));
  });
});
