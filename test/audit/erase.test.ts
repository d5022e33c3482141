import assert from 'node:assert/strict';
import { databaseLogReader } from '../../src/audit/database-reader.ts';
import { eraseEntries, type Erasure } from '../../src/audit/erase.ts';
import { verifyLogProof } from '../../src/audit/proof.ts';
import { auditReader } from '../../src/audit/read.ts';
import { verifyLog } from '../../src/audit/verify.ts';
import type { SubjectId } from '../../src/vocabulary.ts';
import { officer, released, releases, startMs, subject, testLog, type TestLog } from './support/log.ts';

const other = '91110000600007390Y' as SubjectId;
const erase = (log: TestLog, of: Erasure['of']) =>
  log.database.transaction('erase', (tx) => eraseEntries(tx, { of, basis: 'subject_request', actor: officer, atMs: startMs }));

describe('erase', () => {
  it('removes every trace of an enterprise\'s records and keeps the log valid', async () => {
    const log = await testLog();
    await log.append([released({ subject: other }), ...releases(2), released({ subject: other }), ...releases(1)]);
    await log.publish();
    const before = await auditReader(log.database).proof(3);
    const { erased, logged } = await erase(log, { subject: other });
    assert.deepEqual([erased, logged.map(({ index }) => index)], [[0, 3], [5]]);
    await log.publish();

    const { rows } = await log.database.query<{ whole: string }>('select audit_entry::text as whole from audit_entry');
    assert.ok(rows.every(({ whole }) => !whole.includes(other)), 'no column holds the enterprise any more');
    const reader = auditReader(log.database);
    const { record, salt, kind, institution, commitment } = await reader.entry(3);
    assert.deepEqual([record, salt, kind, institution], [null, null, 'query.released', 'bank-a']);
    assert.deepEqual(await reader.list({ subject: other, limit: 10 }), []);
    assert.deepEqual((await reader.entry(5)).record, { v: 1, kind: 'entry.erased', at: '2026-01-02T03:04:05.678Z', actor: officer, basis: 'subject_request', entries: [0, 3] });

    const report = await verifyLog(databaseLogReader(log.database), { trust: log.trust });
    assert.ok(report.kind === 'sound');
    assert.deepEqual(report.records, { verified: 4, erased: 2, notShown: 0 });
    const proven = { index: 3, commitment: new Uint8Array(commitment) };
    await verifyLogProof(before, proven, log.trust);
    await verifyLogProof(await reader.proof(3), proven, log.trust);
  });

  it('erases single entries, each once, and never the record of an erasure', async () => {
    const log = await testLog();
    await log.append(releases(4));
    assert.deepEqual((await erase(log, { entries: [2, 1, 2, 99] })).erased, [1, 2]);
    assert.deepEqual((await erase(log, { entries: [1, 3, 4] })).erased, [3], 'entry 4 says that 1 and 2 were erased');
    await assert.rejects(erase(log, { entries: [1, 4] }), { code: 'AUDIT_ENTRY_NOT_FOUND' });
    await assert.rejects(erase(log, { subject: other }), { code: 'AUDIT_ENTRY_NOT_FOUND' });
    await assert.rejects(erase(log, { entries: [0.5] }), { code: 'AUDIT_RANGE_INVALID' });
    assert.equal((await auditReader(log.database).list({ limit: 10, subject })).length, 1);
  });

  it('names more erased entries than fit into one record in several', async () => {
    const log = await testLog();
    await log.append(releases(900));
    await log.append(releases(900));
    const { erased, logged } = await erase(log, { subject });
    assert.deepEqual([erased.length, logged.length], [1800, 2]);
    await log.publish();
    const report = await verifyLog(databaseLogReader(log.database), { trust: log.trust });
    assert.ok(report.kind === 'sound' && report.records.erased === 1800);
  });

  it('erases nothing when its transaction fails', async () => {
    const log = await testLog();
    await log.append(releases(2));
    await assert.rejects(log.database.transaction('fails', async (tx) => {
      await eraseEntries(tx, { of: { subject }, basis: 'subject_request', actor: officer, atMs: startMs });
      throw new Error('later');
    }), /later/);
    assert.notEqual((await auditReader(log.database).entry(0)).record, null);
  });
});
