import assert from 'node:assert/strict';
import { toHex } from '../../src/audit/bytes.ts';
import { checkpointSigner, openCheckpoint } from '../../src/audit/checkpoint.ts';
import { databaseLogReader } from '../../src/audit/database-reader.ts';
import type { Integration } from '../../src/audit/integrate.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import { verifierKey } from '../../src/audit/note.ts';
import { publisher, startPublisher } from '../../src/audit/publish.ts';
import { auditReader } from '../../src/audit/read.ts';
import { verifyLog } from '../../src/audit/verify.ts';
import { openDatabase, type Database } from '../../src/store/database.ts';
import { until } from '../support/until.ts';
import { newKey } from './support/keys.ts';
import { naiveRoot, origin, releases, tamper, testLog } from './support/log.ts';

const commitments = async (database: Database) =>
  (await database.query<{ commitment: Buffer }>('select commitment from audit_entry order by index')).rows.map(({ commitment }) => commitment);

/** Entries without records, as many as a test of large trees needs. */
const fill = (count: number) => `
  insert into audit_entry (index, commitment, salt, record, kind, at, actor)
  select next_index + n, sha256(int8send(next_index + n)), sha256('salt'), '{}', 'filler', now(), 'nobody' from audit_sequencer, generate_series(0, ${count - 1}) as n;
  update audit_sequencer set next_index = next_index + ${count}`;

describe('publish', () => {
  it('signs an empty log first, so that there is always a checkpoint', async () => {
    const { publish, trust, database } = await testLog();
    await assert.rejects(auditReader(database).checkpoint(), { code: 'AUDIT_ENTRY_NOT_FOUND' });
    assert.equal((await publish()).kind, 'extended');
    const { size, root } = await openCheckpoint(await auditReader(database).checkpoint(), trust);
    assert.deepEqual([size, toHex(root)], [0, toHex(naiveRoot([]))]);
    assert.equal((await publish()).kind, 'unchanged');
  });

  it('gives the recursive root after every step, across tile borders', async () => {
    const { grow, database, trust } = await testLog();
    const reader = auditReader(database);
    for (const count of [1, 1, 253, 1, 1, 255, 300]) {
      await grow(count);
      const { size, root } = await openCheckpoint(await reader.checkpoint(), trust);
      const leaves = await commitments(database);
      assert.deepEqual([size, toHex(root)], [leaves.length, toHex(naiveRoot(leaves))]);
    }
  });

  it('takes a long backlog in parts, three levels of tiles high', async () => {
    const { publish, database, trust } = await testLog();
    await database.query(fill(100));
    assert.equal((await publish()).kind, 'extended');
    await database.query(fill(70_000));
    const first = await publish();
    assert.ok(first.kind === 'extended' && first.head.size === 2_148 && first.behind === 67_952);
    let last: Integration = first;
    while (last.kind === 'extended' && last.behind > 0) last = await publish();
    assert.ok(last.kind === 'extended' && last.head.size === 70_100);
    const levels = (await database.query('select level, count(*), sum(octet_length(hashes) / 32) as hashes from audit_tile group by level order by level')).rows;
    assert.deepEqual(levels.map(({ level, count, hashes }) => [level, count, Number(hashes)]), [[0, 274, 70_100], [1, 2, 273], [2, 1, 1]]);
    const { records, ...reader } = databaseLogReader(database);
    const report = await verifyLog(reader, { trust, sha256: nodeSha256 });
    assert.ok(records !== undefined && report.kind === 'sound' && report.checkpoint.size === 70_100);
    assert.equal(toHex(report.checkpoint.root), toHex(naiveRoot(await commitments(database))));
  });

  it('publishes nothing, and loses nothing, when it is interrupted at any point', async () => {
    const { append, publish, database, signer, trust } = await testLog();
    await append(releases(300));
    const dying = { ...signer, sign: () => Promise.reject(new Error('power cut')) };
    await assert.rejects(publish({ signer: dying }), /power cut/);
    assert.equal((await database.query('select from audit_tile')).rowCount, 0);
    assert.equal((await database.query('select from audit_checkpoint')).rowCount, 0);
    const killed = { ...signer, sign: async () => {
      await database.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state = 'idle in transaction'");
      return signer.sign({ size: 300, root: new Uint8Array(32) });
    } };
    await assert.rejects(publish({ signer: killed }), { code: 'STORE_UNAVAILABLE' });
    assert.equal((await database.query('select from audit_checkpoint')).rowCount, 0);
    assert.equal((await publish()).kind, 'extended');
    assert.equal((await verifyLog(databaseLogReader(database), { trust })).kind, 'sound');
  });

  it('lets one node at a time work, and any node go on', async () => {
    const { append, signer, clock, database, trust } = await testLog();
    const nodes = Array.from({ length: 4 }, () => openDatabase({ url: database.url, maxConnections: 2 }));
    const publishers = nodes.map((node) => publisher({ database: node, signer, clock }));
    const kinds = new Set<string>();
    for (let round = 0; round < 10; round += 1) {
      await append(releases(40));
      for (const { kind } of await Promise.all(publishers.map(({ publishNow }) => publishNow()))) kinds.add(kind);
    }
    await Promise.all(nodes.map((node) => node.close()));
    assert.ok(kinds.has('extended') && kinds.has('busy'));
    const report = await verifyLog(databaseLogReader(database), { trust });
    assert.ok(report.kind === 'sound' && report.checkpoint.size === 400);
  });

  it('signs no log that contradicts its last checkpoint', async () => {
    for (const damage of [
      "update audit_tile set hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) where level = 0 and index = 0",
      'update audit_tile set hashes = substring(hashes for 32) where level = 0 and index = 0',
      'delete from audit_tile where level = 0',
      'update audit_checkpoint set root = sha256(root) where size = 20',
      'delete from audit_entry where index >= 10; update audit_sequencer set next_index = 10',
      'update audit_sequencer set next_index = next_index + 1',
    ]) {
      const { append, publish, grow, database } = await testLog();
      await grow(20);
      await append(releases(5));
      await tamper(database, damage);
      await assert.rejects(publish(), { code: 'AUDIT_LOG_INCONSISTENT' }, damage);
      assert.equal((await database.query('select from audit_checkpoint where size > 20')).rowCount, 0);
      await database.close();
    }
  });

  it('signs no database that fell behind what this process has seen', async () => {
    const { append, database, signer, clock } = await testLog();
    const { publishNow } = publisher({ database, signer, clock });
    await append(releases(5));
    await publishNow();
    await append(releases(5));
    await publishNow();
    // a backup of the moment before is restored, and life goes on
    await tamper(database, 'delete from audit_checkpoint where size = 10', 'delete from audit_entry where index >= 5', 'update audit_sequencer set next_index = 5', 'update audit_tile set hashes = substring(hashes for 160)');
    await append(releases(7));
    await assert.rejects(publishNow(), { code: 'AUDIT_LOG_INCONSISTENT' });
  });

  it('publishes on its own until it is stopped, and goes on after an error', async () => {
    const { append, database, signer, clock, trust } = await testLog();
    const errors: unknown[] = [];
    let failures = 2;
    const unsteady = { ...signer, sign: (tree: Parameters<typeof signer.sign>[0]) => (failures-- > 0 ? Promise.reject(new Error('no')) : signer.sign(tree)) };
    const stop = startPublisher({ database, signer: unsteady, clock, intervalMs: 5, onError: (error) => errors.push(error) });
    await append(releases(3));
    const size = async () => (await database.query<{ size: number }>('select coalesce(max(size), -1) as size from audit_checkpoint')).rows[0]!.size;
    await until('the entries are published', async () => await size() === 3);
    await stop();
    assert.equal(errors.length, 2);
    await append(releases(1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await size(), 3, 'a stopped publisher publishes nothing');
    await openCheckpoint(await auditReader(database).checkpoint(), trust);
  });

  it('goes on at once while there is a backlog', async () => {
    const { database, signer, clock } = await testLog();
    await database.query(fill(5000));
    const stop = startPublisher({ database, signer, clock, intervalMs: 3_600_000, onError: () => {} });
    await until('all entries are published', async () => (await database.query('select from audit_checkpoint where size = 5000')).rowCount === 1);
    await stop();
    assert.equal((await database.query('select from audit_checkpoint')).rowCount, 3, 'each part has its checkpoint');
  });

  it('refuses a list of witnesses that would count one twice', async () => {
    const { database, signer, clock } = await testLog();
    const { key } = await checkpointSigner('witness.example', newKey());
    const [one, twin, other] = await Promise.all([verifierKey('w1.example', 4, key.publicKey), verifierKey('w2.example', 4, key.publicKey), verifierKey(origin, 4, signer.key.publicKey)]);
    const witness = (witnessKey: typeof one) => ({ url: 'http://127.0.0.1:1', key: witnessKey });
    for (const options of [{ witnesses: [witness(one), witness(twin)] }, { witnesses: [witness(other)] }, { witnesses: [witness(key)] }, { witnesses: [witness(one)], witnessesMin: 2 }]) {
      assert.throws(() => publisher({ database, signer, clock, ...options }), { code: 'CONFIG_INVALID' });
    }
  });
});
