import assert from 'node:assert/strict';
import { toHex, type Bytes } from '../../src/audit/bytes.ts';
import { openCheckpoint } from '../../src/audit/checkpoint.ts';
import { recordHead, type AuditRecord } from '../../src/audit/entry.ts';
import { verifyLogProof } from '../../src/audit/proof.ts';
import { auditReader, historyMax, listMax, type AuditReader } from '../../src/audit/read.ts';
import { decodeBundle } from '../../src/audit/tile.ts';
import { leafHash, verifyConsistency, verifyInclusion } from '../../src/audit/tree.ts';
import type { InstitutionId, PolicyVersion, SubjectId, TimeMs } from '../../src/vocabulary.ts';
import { bank, naiveRoot, officer, refused, released, releases, startMs, subject, testLog, type TestLog } from './support/log.ts';

describe('read', () => {
  let log: TestLog;
  let reader: AuditReader;
  let leaves: Bytes[];

  before(async () => {
    log = await testLog();
    reader = auditReader(log.database);
    await log.grow(200);
    await log.grow(400);
    await log.append(releases(5)); // appended, not yet counted by a checkpoint
    leaves = (await log.database.query<{ commitment: Buffer }>('select commitment from audit_entry order by index')).rows.map(({ commitment }) => new Uint8Array(commitment));
  });

  it('proves every entry in every tree that holds it', async () => {
    for (const size of [1, 2, 200, 255, 256, 257, 600]) {
      const root = naiveRoot(leaves.slice(0, size));
      for (const index of [0, Math.floor(size / 2), size - 1]) {
        await verifyInclusion({ index, size, root, leafHash: await leafHash(leaves[index]!), proof: await reader.inclusionProof(index, size) });
      }
    }
  });

  it('proves that each tree begins with each smaller one', async () => {
    for (const [from, to] of [[1, 1], [1, 600], [200, 600], [256, 512], [255, 257], [599, 600], [600, 600]] as const) {
      await verifyConsistency({ from, to, fromRoot: naiveRoot(leaves.slice(0, from)), toRoot: naiveRoot(leaves.slice(0, to)), proof: await reader.consistencyProof(from, to) });
    }
  });

  it('gives a proof that is complete in itself, and only of what a checkpoint counts', async () => {
    const proof = await reader.proof(317);
    const checkpoint = await verifyLogProof(proof, { index: 317, commitment: leaves[317]! }, log.trust);
    assert.equal(checkpoint.size, 600);
    const wrong = { code: 'AUDIT_PROOF_INVALID' };
    await assert.rejects(verifyLogProof(proof, { index: 317, commitment: leaves[318]! }, log.trust), wrong);
    await assert.rejects(verifyLogProof(proof, { index: 318, commitment: leaves[318]! }, log.trust), wrong);
    for (const altered of [
      proof.replace('tlog-proof@v1', 'tlog-proof@v2'), proof.replace('index 317', 'index 0317'), proof.replace('index 317\n', ''), proof.replace('\n\n', '\n'), '', 'x'.repeat(300_000),
      proof.replace('index 317\n', `index 317\n${'A'.repeat(43)}=\n`), proof.replace('index 317\n', 'index 317\nAAAA\n'), proof.replace('index 317\n', `index 317\n${`${'A'.repeat(43)}=\n`.repeat(65)}`),
    ]) await assert.rejects(verifyLogProof(altered, { index: 317, commitment: leaves[317]! }, log.trust), wrong);
    const withExtra = proof.replace('index', 'extra AAAA\nindex');
    await verifyLogProof(withExtra, { index: 317, commitment: leaves[317]! }, log.trust);
    await assert.rejects(verifyLogProof(proof.replace('\n600\n', '\n601\n'), { index: 317, commitment: leaves[317]! }, log.trust), { code: 'AUDIT_CHECKPOINT_INVALID' });
    await assert.rejects(reader.proof(600), { code: 'AUDIT_ENTRY_NOT_FOUND' });
    await assert.rejects(reader.proof(-1), { code: 'AUDIT_RANGE_INVALID' });
  });

  it('serves tiles at every width they ever had, and no more', async () => {
    const full = await reader.tile(0, 1, 256);
    assert.equal(full.length, 8192);
    assert.equal(toHex(await reader.tile(0, 1, 7)), toHex(full.subarray(0, 7 * 32)));
    assert.equal(toHex(await reader.tile(1, 0, 2)), toHex(new Uint8Array([...naiveRoot(leaves.slice(0, 256)), ...naiveRoot(leaves.slice(256, 512))])));
    assert.equal((await reader.tile(0, 2, 88)).length, 88 * 32);
    for (const [level, index, width] of [[0, 2, 89], [0, 3, 1], [1, 0, 3], [1, 1, 1], [2, 0, 1], [0, 2 ** 40, 1]] as const) {
      await assert.rejects(reader.tile(level, index, width), { code: 'AUDIT_ENTRY_NOT_FOUND' }, `${level}/${index}.p/${width}`);
    }
    for (const [level, index, width] of [[7, 0, 1], [-1, 0, 1], [0.5, 0, 1], [0, -1, 1], [0, 0, 0], [0, 0, 257], [0, Number.NaN, 1], [0, 2 ** 53, 1]] as const) {
      await assert.rejects(reader.tile(level, index, width), { code: 'AUDIT_RANGE_INVALID' }, `${level}/${index}.p/${width}`);
    }
  });

  it('serves bundles of the commitments that checkpoints count', async () => {
    assert.deepEqual(decodeBundle(await reader.entries(0, 256)), leaves.slice(0, 256));
    assert.deepEqual(decodeBundle(await reader.entries(2, 88)), leaves.slice(512, 600));
    await assert.rejects(reader.entries(2, 89), { code: 'AUDIT_ENTRY_NOT_FOUND' });
    await assert.rejects(reader.entries(0, 0), { code: 'AUDIT_RANGE_INVALID' });
  });

  it('refuses ranges the log does not have', async () => {
    const invalid = { code: 'AUDIT_RANGE_INVALID' };
    for (const [index, size] of [[0, 0], [5, 5], [0, 601], [-1, 600], [0.5, 600], [0, -1], [0, Number.NaN]] as const) await assert.rejects(reader.inclusionProof(index, size), invalid);
    for (const [from, to] of [[0, 600], [2, 1], [1, 601], [-1, 5], [1.5, 5], [1, Number.NaN]] as const) await assert.rejects(reader.consistencyProof(from, to), invalid);
  });

  it('serves the history of checkpoints in pages', async () => {
    const notes = await reader.history(0);
    assert.deepEqual(await Promise.all(notes.map(async (note) => (await openCheckpoint(note, log.trust)).size)), [200, 600]);
    assert.equal((await reader.history(200)).length, 1);
    assert.deepEqual(await reader.history(600), []);
    assert.ok(historyMax >= 100);
    await assert.rejects(reader.history(Number.NaN), { code: 'AUDIT_RANGE_INVALID' });
  });

  it('shows an entry with its record', async () => {
    const { record, salt, index, kind, at, actor, institution } = await reader.entry(603);
    assert.deepEqual([index, kind, at, actor, institution, salt?.length], [603, 'query.released', '2026-01-02T03:04:05.678Z', bank, bank, 32]);
    assert.ok(record?.kind === 'query.released' && record.subject === subject);
    for (const missing of [605, -1, 0.5, Number.NaN, 2 ** 53]) await assert.rejects(reader.entry(missing), { code: 'AUDIT_ENTRY_NOT_FOUND' });
  });

  it('shows records of bundles beyond the last checkpoint, as far as there are any', async () => {
    assert.equal((await reader.records(2, 256)).length, 93);
    assert.deepEqual(await reader.records(3, 256), []);
    await assert.rejects(reader.records(-1, 256), { code: 'AUDIT_RANGE_INVALID' });
  });

  it('lists entries by what they are about, newest first, page by page', async () => {
    const { append, database } = await testLog();
    const list = auditReader(database).list;
    const [otherSubject, otherBank] = ['91110000600007390Y' as SubjectId, 'bank-b' as InstitutionId];
    const at = (minutes: number) => new Date(startMs + minutes * 60_000).toISOString();
    const records: AuditRecord[] = [
      released({ at: at(0) }), refused({ at: at(1) }), released({ at: at(2), subject: otherSubject }), released({ at: at(3), institution: otherBank }),
      { ...recordHead('policy.loaded', startMs, officer), at: at(4), policy: 'p' as PolicyVersion, previous: null }, released({ at: at(5) }),
    ];
    await append(records);
    const indices = async (filter: Partial<Parameters<typeof list>[0]>) => (await list({ limit: 10, ...filter })).map(({ index }) => index);
    assert.deepEqual(await indices({}), [5, 4, 3, 2, 1, 0]);
    assert.deepEqual(await indices({ subject }), [5, 3, 1, 0]);
    assert.deepEqual(await indices({ institution: otherBank }), [3]);
    assert.deepEqual(await indices({ subject, institution: bank, kinds: ['query.released'] }), [5, 0]);
    assert.deepEqual(await indices({ fromMs: (startMs + 60_000) as TimeMs, untilMs: (startMs + 180_000) as TimeMs }), [2, 1]);
    assert.deepEqual(await indices({ subject, limit: 2 }), [5, 3]);
    assert.deepEqual(await indices({ subject, limit: 2, beforeIndex: 3 }), [1, 0]);
    for (const limit of [0, -1, 1.5, listMax + 1]) await assert.rejects(list({ limit }), { code: 'AUDIT_RANGE_INVALID' });
    await assert.rejects(list({ limit: 1, beforeIndex: Number.NaN }), { code: 'AUDIT_RANGE_INVALID' });
  });
});
