import assert from 'node:assert/strict';
import { appendMax, appendRecords } from '../../src/audit/append.ts';
import { toHex } from '../../src/audit/bytes.ts';
import { commitmentOf, recordHead, type AuditRecord } from '../../src/audit/entry.ts';
import { canonicalJson } from '../../src/canonical.ts';
import { openDatabase, type Database } from '../../src/store/database.ts';
import type { DatasetId, PartyId, PurposeCode } from '../../src/vocabulary.ts';
import { bank, officer, released, releases, startMs, subject, tamper, testLog } from './support/log.ts';

const countOf = async (database: Database) => (await database.query<{ count: number }>('select count(*) from audit_entry')).rows[0]!.count;

describe('append', () => {
  it('gives consecutive indices and stores what it commits to', async () => {
    const { append, database } = await testLog();
    const records: AuditRecord[] = [released(), { ...recordHead('policy.loaded', startMs, officer), policy: 'p', previous: null } as AuditRecord, released()];
    const first = await append(records);
    assert.deepEqual(first.map(({ index }) => index), [0, 1, 2]);
    assert.deepEqual((await append([released()])).map(({ index }) => index), [3]);
    for (const [at, { index, commitment, salt }] of first.entries()) {
      const row = (await database.query('select commitment, salt, record, kind, at, actor, subject, institution from audit_entry where index = $1', [index])).rows[0]!;
      assert.equal(toHex(commitment), toHex(await commitmentOf(records[at]!, salt)));
      assert.deepEqual([toHex(row.commitment), toHex(row.salt), row.record], [toHex(commitment), toHex(salt), canonicalJson(records[at])]);
      assert.deepEqual([row.kind, row.at.toISOString(), row.actor], [records[at]!.kind, records[at]!.at, records[at]!.actor]);
      assert.deepEqual([row.subject, row.institution], at === 1 ? [null, null] : [subject, bank]);
    }
  });

  it('keeps every character of a record', async () => {
    const { append, database } = await testLog();
    const awkward = ['a"b\\c', 'x\u001ey', '{},NULL', 'null', '', '\u0000\n\t', '名称 𠮷', "'; drop table audit_entry; --"];
    const records = awkward.map((text) => released({ purpose: text as PurposeCode, rows: [{ dataset: text as DatasetId, rows: 1 }] }));
    await append(records);
    const rows = (await database.query<{ record: string }>('select record from audit_entry order by index')).rows;
    assert.deepEqual(rows.map(({ record }) => JSON.parse(record)), records);
  });

  it('never repeats a salt', async () => {
    const { append } = await testLog();
    const entries = await append([...releases(50), ...releases(50)]);
    assert.equal(new Set(entries.map(({ salt }) => toHex(salt))).size, 100);
  });

  it('leaves no trace and no gap when its transaction fails', async () => {
    const { append, database } = await testLog();
    await append(releases(2));
    await assert.rejects(database.transaction('fails later', async (tx) => {
      await appendRecords(tx, releases(5));
      throw new Error('the caller failed');
    }), /the caller failed/);
    await assert.rejects(database.transaction('killed', async (tx) => {
      await appendRecords(tx, releases(5));
      await tx.query('select pg_terminate_backend(pg_backend_pid())');
    }), { code: 'STORE_UNAVAILABLE' });
    assert.equal(await countOf(database), 2);
    assert.deepEqual((await append(releases(1))).map(({ index }) => index), [2]);
  });

  it('gives no index twice and leaves none out when many nodes append at once', async () => {
    const { database } = await testLog();
    const nodes = Array.from({ length: 4 }, () => openDatabase({ url: database.url, maxConnections: 3 }));
    const given: number[] = [];
    await Promise.all(nodes.flatMap((node, at) => [1, 2, 3].map(async (writer) => {
      for (let round = 0; round < 8; round += 1) {
        await node.transaction('append', async (tx) => {
          const entries = await appendRecords(tx, releases(1 + ((at + writer + round) % 7)));
          if ((round + writer) % 5 === 0) throw new Error('rolled back');
          return entries;
        }).then((entries) => given.push(...entries.map(({ index }) => index)), (error: Error) => assert.equal(error.message, 'rolled back'));
      }
    })));
    await Promise.all(nodes.map((node) => node.close()));
    const sorted = given.toSorted((a, b) => a - b);
    assert.deepEqual(sorted, Array.from({ length: given.length }, (_, index) => index));
    assert.equal(await countOf(database), given.length);
  });

  it('shows no entry to others before all smaller ones are there', async () => {
    const { database, append } = await testLog();
    const order: string[] = [];
    let second: Promise<unknown> | undefined;
    await database.transaction('first', async (tx) => {
      await appendRecords(tx, releases(1));
      second = append(releases(1)).then(() => order.push('second'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(await countOf(database), 0, 'neither is visible while the first is open');
      order.push('first');
    });
    await second;
    assert.deepEqual(order, ['first', 'second']);
  });

  it('appends nothing for nothing, and refuses what does not fit', async () => {
    const { append, database } = await testLog();
    assert.deepEqual(await append([]), []);
    await assert.rejects(append(Array.from({ length: appendMax + 1 }, () => released())), { code: 'AUDIT_UNAVAILABLE' });
    await assert.rejects(append([released({ actor: 'x'.repeat(65_536) as PartyId })]), { code: 'AUDIT_UNAVAILABLE' });
    assert.equal(await countOf(database), 0);
  });

  it('fails closed when the sequencer is gone', async () => {
    const { append, database } = await testLog();
    await tamper(database, 'delete from audit_sequencer');
    await assert.rejects(append(releases(1)), { code: 'AUDIT_UNAVAILABLE' });
    assert.equal(await countOf(database), 0);
  });

  it('lets nobody change or remove entries, tiles and checkpoints by mistake', async () => {
    const { database, grow } = await testLog();
    await grow(3);
    for (const statement of [
      "update audit_entry set kind = 'other' where index = 1", "update audit_entry set record = '{}' where index = 1", 'update audit_entry set record = null, salt = null where index = 1',
      "update audit_entry set commitment = decode(repeat('00', 32), 'hex')", 'update audit_entry set index = 9 where index = 1', 'delete from audit_entry where index = 2', 'truncate audit_entry',
      "update audit_tile set hashes = decode(repeat('00', 96), 'hex')", 'update audit_tile set hashes = substring(hashes for 32)', 'delete from audit_tile', 'truncate audit_tile',
      "update audit_checkpoint set signed_note = ''", 'update audit_checkpoint set size = 2', 'update audit_checkpoint set published_at = null', 'delete from audit_checkpoint', 'truncate audit_checkpoint',
      'update audit_sequencer set next_index = 1', 'delete from audit_sequencer',
    ]) await assert.rejects(database.query(statement), { code: '23000' }, statement);
    assert.equal(await countOf(database), 3);
  });
});
