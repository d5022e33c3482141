import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import fc from 'fast-check';
import { concat, toHex, type Bytes } from '../../src/audit/bytes.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import { decodeBundle, encodeBundle, isTileAddress, nodesOfTiles, parseTilePath, tileHashes, tilePath, widthAt, type TileReader } from '../../src/audit/tile.ts';
import { leafHash, rootAt, rootOver } from '../../src/audit/tree.ts';
import { naiveRoot } from './support/log.ts';

describe('tile', () => {
  it('names tiles as tlog-tiles does', () => {
    assert.equal(tilePath({ level: 0, index: 0, width: 256 }), 'tile/0/000');
    assert.equal(tilePath({ level: 1, index: 1_234_067, width: 256 }), 'tile/1/x001/x234/067');
    assert.equal(tilePath({ level: 'entries', index: 1000, width: 7 }), 'tile/entries/x001/000.p/7');
  });

  it('reads back every name it writes', () => {
    const address = fc.record({ level: fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 3 })), index: fc.nat({ max: 2 ** 20 }), width: fc.integer({ min: 1, max: 256 }) });
    fc.assert(fc.property(address, (tile) => assert.deepEqual(parseTilePath(tilePath(tile)), { ...tile })));
  });

  it('reads no other spelling', () => {
    for (const path of [
      '/tile/0/000', 'tile/0/0', 'tile/0/0000', 'tile/00/000', 'tile/7/000', 'tile/64/000', 'tile/-1/000', 'tile/0/x000/000', 'tile/0/001/000',
      'tile/0/000.p/0', 'tile/0/000.p/01', 'tile/0/000.p/256', 'tile/0/000.p/999', 'tile/0/000/', 'tile/0/000.p/', 'tile/entries/', 'tile/entries/000/../001',
      'tile/0/x999/x999/x999/x999/x999/999', 'tile/data/000', 'tile/0/000\n', '',
    ]) assert.equal(parseTilePath(path), undefined, path);
    assert.equal(isTileAddress({ level: 6, index: 0, width: 1 }), true);
    assert.equal(isTileAddress({ level: 6, index: 2 ** 53, width: 1 }), false);
  });

  it('knows the widths of the tlog-tiles example of 70,000 entries', () => {
    assert.deepEqual([widthAt(0, 272, 70_000), widthAt(0, 273, 70_000), widthAt(0, 274, 70_000)], [256, 112, 0]);
    assert.deepEqual([widthAt(1, 0, 70_000), widthAt(1, 1, 70_000), widthAt(2, 0, 70_000), widthAt(3, 0, 70_000)], [256, 17, 1, 0]);
    assert.deepEqual([widthAt(0, 0, 256), widthAt(1, 0, 256), widthAt('entries', 0, 256)], [256, 1, 256]);
  });

  it('reads back every bundle it writes, and nothing cut short or overfull', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (entries) => {
      const bundle = encodeBundle(entries);
      assert.deepEqual(decodeBundle(bundle)?.map(toHex), entries.map(toHex));
      if (entries.length > 0) assert.equal(decodeBundle(bundle.subarray(0, -1)), undefined);
    }));
    assert.equal(decodeBundle(encodeBundle(Array.from({ length: 257 }, () => Uint8Array.of(1)))), undefined);
    assert.throws(() => encodeBundle([new Uint8Array(65_536)]), RangeError);
    assert.deepEqual([...encodeBundle([Uint8Array.of(7), new Uint8Array(0)])], [0, 1, 7, 0, 0]);
  });

  it('refuses a tile of the wrong length', () => {
    assert.throws(() => tileHashes(new Uint8Array(63), 2), { code: 'AUDIT_PROOF_INVALID' });
  });

  it('gives the nodes of the tree, whatever tile they are in', async () => {
    const leaves = Array.from({ length: 700 }, (_, at) => hash('sha256', String(at), 'buffer'));
    const hashes: Bytes[][] = [await Promise.all(leaves.map((leaf) => leafHash(leaf, nodeSha256)))];
    hashes.push(await Promise.all([0, 1].map((tile) => rootOver(hashes[0]!.slice(tile * 256, (tile + 1) * 256), nodeSha256))));
    let reads = 0;
    const readTile: TileReader = async (level, index, width) => {
      reads += 1;
      return concat(...hashes[level]!.slice(index * 256, index * 256 + width));
    };
    for (const size of [1, 255, 256, 257, 512, 700]) {
      assert.equal(toHex(await rootAt(size, nodesOfTiles(size, readTile, nodeSha256), nodeSha256)), toHex(naiveRoot(leaves.slice(0, size))));
    }
    assert.ok(reads <= 8, 'each tile is read once');
  });
});
