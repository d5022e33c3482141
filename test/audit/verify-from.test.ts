import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { openCheckpoint, checkpointSigner, type CheckpointSigner, type LogTrust, type OpenedCheckpoint } from '../../src/audit/checkpoint.ts';
import { databaseLogReader } from '../../src/audit/database-reader.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import { encodeBundle, tileWidth, widthAt } from '../../src/audit/tile.ts';
import { rootOver, rootAt, type NodeReader } from '../../src/audit/tree.ts';
import { verifyLog, type LogReader } from '../../src/audit/verify.ts';
import { newKey } from './support/keys.ts';
import { origin, releases, testLog, type TestLog } from './support/log.ts';
import { tampered } from './support/sandbox.ts';

describe('a verification that goes on from an earlier one', () => {
  describe('on the platform\'s own log', () => {
    let log: TestLog;
    let remembered: OpenedCheckpoint;
    before(async () => {
      log = await testLog();
      await log.grow(700);
      remembered = await openCheckpoint(await databaseLogReader(log.database).checkpoint(), log.trust);
      await log.grow(500);
    });
    const check = (reader: LogReader, from: number, before: OpenedCheckpoint | undefined = remembered) =>
      verifyLog(reader, { trust: log.trust, sha256: nodeSha256, from, ...(before === undefined ? {} : { remembered: before }) });

    it('reads the entries that came since, and their bundle', async () => {
      const read: number[] = [];
      const reader = databaseLogReader(log.database);
      const report = await check({ ...reader, entries: (index, width) => { read.push(index); return reader.entries(index, width); } }, 700);
      assert.ok(report.kind === 'sound');
      assert.deepEqual([report.checkpoint.size, report.records.verified, read], [1200, 1200 - 512, [2, 3, 4]]);
    });
    it('reads everything when nothing, or less, was remembered', async () => {
      const report = await verifyLog(databaseLogReader(log.database), { trust: log.trust, sha256: nodeSha256, from: 700 });
      assert.ok(report.kind === 'sound' && report.records.verified === 1200);
      const further = await check(databaseLogReader(log.database), 1200);
      assert.ok(further.kind === 'sound' && further.records.verified === 1200 - 512, 'what the remembered checkpoint does not count is read');
    });
    it('finds what is wrong among them, and that what came before is another log', async () => {
      const faultAfter = (statement: string) => tampered(log.database, [statement], async (database) => {
        const report = await check(databaseLogReader(database), 700);
        return report.kind === 'unsound' ? [report.fault.kind, report.fault.index] : undefined;
      });
      assert.deepEqual(await faultAfter("update audit_entry set record = replace(record, 'AAAA', 'AAAB') where index = 900"), ['record_differs', 900]);
      assert.deepEqual(await faultAfter('update audit_tile set hashes = set_byte(hashes, 5, get_byte(hashes, 5) # 1) where level = 1'), ['forked', 0]);
      assert.deepEqual(await faultAfter('delete from audit_tile where level = 1'), ['tile_missing', 0]);
      assert.equal(await faultAfter("update audit_entry set record = replace(record, 'AAAA', 'AAAB') where index = 3"), undefined, 'what was verified before is not read again');
      const other = await testLog();
      for (let part = 0; part < 3; part += 1) await other.append(releases(400));
      await other.publish({ signer: log.signer });
      const report = await check(databaseLogReader(other.database), 700);
      assert.ok(report.kind === 'unsound' && report.fault.kind === 'forked');
    });
  });

  describe('on a log of three levels of tiles', () => {
    const size = 66_500;
    let levels: Uint8Array<ArrayBuffer>[][];
    let leaves: Uint8Array<ArrayBuffer>[];
    let signer: CheckpointSigner;
    let trust: LogTrust;
    before(async () => {
      signer = await checkpointSigner(origin, newKey());
      trust = { origin, logKeys: [signer.key] };
      const sha = (data: Uint8Array) => new Uint8Array(hash('sha256', data, 'buffer'));
      leaves = Array.from({ length: size }, (_, at) => sha(Buffer.from(String(at))));
      levels = [leaves.map((leaf) => sha(Buffer.concat([Buffer.of(0), leaf])))];
      for (let below = levels[0]!; below.length >= tileWidth; below = levels.at(-1)!) {
        levels.push(await Promise.all(Array.from({ length: Math.floor(below.length / tileWidth) }, (_, at) => rootOver(below.slice(at * tileWidth, (at + 1) * tileWidth), nodeSha256))));
      }
    });
    const node: NodeReader = async (level, index) => rootOver(levels[0]!.slice(index * 2 ** level, (index + 1) * 2 ** level), nodeSha256);
    const signedAt = async (count: number) => openCheckpoint(await signer.sign({ size: count, root: await rootAt(count, node, nodeSha256) }), trust);
    const slice = (hashes: readonly Uint8Array[], index: number) => hashes.slice(index * tileWidth, (index + 1) * tileWidth);

    it('takes over complete tiles and half-filled ones alike', async () => {
      const newest = await signedAt(size);
      const reader: LogReader = {
        checkpoint: async () => newest.note,
        tile: async (level, index, width) => { assert.equal(width, widthAt(level, index, size)); return Buffer.concat(slice(levels[level] ?? [], index)); },
        entries: async (index) => encodeBundle(slice(leaves, index)),
      };
      for (const from of [65_536, 65_535, 65_900, 66_304, 40_000]) {
        const report = await verifyLog(reader, { trust, sha256: nodeSha256, from, remembered: await signedAt(from) });
        assert.ok(report.kind === 'sound', String(from));
        assert.equal(report.records.notShown, size - Math.floor(from / tileWidth) * tileWidth);
      }
      const lie = await signer.sign({ size: 65_900, root: new Uint8Array(32) });
      const report = await verifyLog(reader, { trust, sha256: nodeSha256, from: 65_900, remembered: await openCheckpoint(lie, trust) });
      assert.ok(report.kind === 'unsound' && report.fault.kind === 'forked');
    });
  });
});
