import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import fc from 'fast-check';
import { checkpointSigner, openCheckpoint, type OpenedCheckpoint } from '../../src/audit/checkpoint.ts';
import { databaseLogReader } from '../../src/audit/database-reader.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import { auditReader } from '../../src/audit/read.ts';
import { verifyLog, type LogFault, type LogReader, type VerifyOptions } from '../../src/audit/verify.ts';
import { canonicalJson } from '../../src/canonical.ts';
import { eraseEntries } from '../../src/audit/erase.ts';
import { newKey } from './support/keys.ts';
import { naiveRoot, officer, origin, released, releases, startMs, testLog, type TestLog } from './support/log.ts';
import { tampered } from './support/sandbox.ts';

/** Sizes of the checkpoints of the log below; 600 entries, of which 30 and 31 are erased by entry 500. */
const sizes = [10, 300, 500, 520, 600];

describe('verify', () => {
  let log: TestLog;
  let remembered: OpenedCheckpoint;

  before(async () => {
    log = await testLog();
    await log.grow(10);
    await log.grow(290);
    await log.grow(200);
    await log.database.transaction('erase', (tx) => eraseEntries(tx, { of: { entries: [30, 31] }, basis: 'subject_request', actor: officer, atMs: startMs }));
    await log.grow(19);
    remembered = await openCheckpoint(await auditReader(log.database).checkpoint(), log.trust);
    await log.grow(80);
    assert.deepEqual((await log.database.query('select size from audit_checkpoint order by size')).rows.map(({ size }) => size), sizes);
  });

  const check = (reader: LogReader, options: Partial<VerifyOptions> = {}) => verifyLog(reader, { trust: log.trust, sha256: nodeSha256, ...options });
  /** What the verifier says after an attack; undefined when it finds nothing. */
  const faultAfter = (statements: readonly string[], options: Partial<VerifyOptions> = {}, change: (reader: LogReader) => LogReader = (reader) => reader) =>
    tampered(log.database, statements, async (database) => {
      const report = await check(change(databaseLogReader(database)), options);
      return report.kind === 'unsound' ? report.fault : undefined;
    });
  const assertFault = (fault: LogFault | undefined, kind: LogFault['kind'], index: number | null, until: number | null = index === null ? null : index + 1) =>
    assert.deepEqual(fault && { kind: fault.kind, index: fault.index, until: fault.until }, { kind, index, until });

  it('finds an untouched log sound, and tells how far it is', async () => {
    const seen: number[] = [];
    const report = await check(databaseLogReader(log.database), { remembered, onProgress: ({ verified, size }) => seen.push(verified, size) });
    assert.ok(report.kind === 'sound');
    assert.equal(report.checkpoint.size, 600);
    assert.deepEqual(report.records, { verified: 598, erased: 2, notShown: 0 });
    assert.deepEqual(seen, [256, 600, 512, 600, 600, 600]);
  });

  it('comes to the same verdict with WebCrypto, without records and without history', async () => {
    const { checkpoint, tile, entries } = databaseLogReader(log.database);
    const report = await verifyLog({ checkpoint, tile, entries }, { trust: log.trust });
    assert.ok(report.kind === 'sound');
    assert.deepEqual(report.records, { verified: 0, erased: 0, notShown: 600 });
  });

  it('finds an empty log sound, and one with a made-up root not', async () => {
    const empty = await testLog();
    await empty.publish();
    assert.equal((await verifyLog(databaseLogReader(empty.database), { trust: empty.trust })).kind, 'sound');
    const lie = await empty.signer.sign({ size: 0, root: new Uint8Array(32) });
    const report = await verifyLog({ ...databaseLogReader(empty.database), checkpoint: async () => lie }, { trust: empty.trust });
    assert.ok(report.kind === 'unsound' && report.fault.kind === 'root_differs');
  });

  describe('names the first entry that is wrong', () => {
    const flip = (column: string, at: number) => `set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 1)`;

    it('when a record is changed', async () => {
      assertFault(await faultAfter(["update audit_entry set record = replace(record, 'AAAA', 'AAAB') where index in (137, 450)"]), 'record_differs', 137);
    });
    it('when a salt is changed', async () => {
      assertFault(await faultAfter([`update audit_entry set salt = ${flip('salt', 31)} where index = 5`]), 'record_differs', 5);
    });
    it('when a commitment is changed', async () => {
      assertFault(await faultAfter([`update audit_entry set commitment = ${flip('commitment', 0)} where index = 300`]), 'entry_differs', 300);
    });
    it('when the facts it is listed under are changed', async () => {
      for (const facts of ["institution = 'bank-b'", "kind = 'query.refused'", "subject = '91350211M000100Y44'", "actor = 'nobody'", "at = at + interval '1 ms'"]) {
        assertFault(await faultAfter([`update audit_entry set ${facts} where index in (200, 201)`]), 'facts_differ', 200);
      }
    });
    it('when a leaf of the tree is changed', async () => {
      assertFault(await faultAfter([`update audit_tile set hashes = ${flip('hashes', 32 * 20 + 7)} where level = 0 and index = 1`]), 'entry_differs', 276);
    });
    it('when a hash higher up is changed, as closely as it can be told', async () => {
      assertFault(await faultAfter([`update audit_tile set hashes = ${flip('hashes', 32)} where level = 1`]), 'tile_differs', 500, 512);
    });
    it('when entries change places', async () => {
      const swap = 'update audit_entry set index = -1 where index = 40; update audit_entry set index = 40 where index = 41; update audit_entry set index = 41 where index = -1';
      const free = 'alter table audit_entry drop constraint audit_entry_index_check';
      assertFault(await faultAfter([free, swap]), 'entry_differs', 40);
    });
    it('when entries are cut off at the end', async () => {
      assertFault(await faultAfter(['delete from audit_entry where index >= 590']), 'entry_missing', 590);
      assertFault(await faultAfter(['delete from audit_entry where index >= 300']), 'entry_missing', 300);
    });
    it('when an entry is taken out of the middle', async () => {
      assertFault(await faultAfter(['delete from audit_entry where index = 77']), 'entry_missing', 77);
      assertFault(await faultAfter(['delete from audit_entry where index = 77; update audit_entry set index = index - 1 where index > 77']), 'entry_differs', 77);
    });
    it('when a record is removed without saying so', async () => {
      assertFault(await faultAfter(['update audit_entry set record = null, salt = null, subject = null where index in (250, 499)']), 'record_missing', 250);
    });
    it('when tiles are gone or of another width', async () => {
      assertFault(await faultAfter(['delete from audit_tile where level = 0 and index = 2']), 'tile_missing', 512, 600);
      assertFault(await faultAfter(['delete from audit_tile where level = 1']), 'tile_missing', 0, 256);
      const wide = (at: number) => (reader: LogReader): LogReader => ({
        ...reader, tile: async (level, index, width) => Buffer.concat([await reader.tile(level, index, width), Buffer.alloc(level === at ? 32 : 0)]),
      });
      assertFault(await faultAfter([], {}, wide(0)), 'tile_differs', 0, 256);
      assertFault(await faultAfter([], {}, wide(1)), 'tile_differs', 0, 256);
      const more = (reader: LogReader): LogReader => ({ ...reader, entries: async (index, width) => Buffer.concat([await reader.entries(index, width), ...(index === 2 ? [Buffer.from([0, 1, 9])] : [])]) });
      assertFault(await faultAfter([], {}, more), 'entry_malformed', 600);
      const again = (reader: LogReader): LogReader => ({ ...reader, entries: async (index, width) => (index === 2 ? Buffer.concat([await reader.entries(2, width), Buffer.from([0, 32]), Buffer.alloc(32)]) : reader.entries(index, width)) });
      assertFault(await faultAfter([], {}, again), 'tile_differs', 512, 600);
    });
    it('when bundles cannot be read, or hold something else', async () => {
      const entries = (bytes: Uint8Array) => (reader: LogReader): LogReader => ({ ...reader, entries: async () => bytes });
      assertFault(await faultAfter([], {}, entries(Uint8Array.of(0, 9, 1))), 'entry_malformed', 0, 256);
      assertFault(await faultAfter([], {}, entries(Uint8Array.of(0, 1, 1))), 'entry_malformed', 0);
    });
    it('when an entry holds no audit record, or one that can be read in two ways', async () => {
      const raw = await testLog();
      await raw.append(releases(2));
      const [text] = (await raw.database.query<{ record: string }>('select record from audit_entry where index = 1')).rows.map(({ record }) => record);
      const salt = Buffer.alloc(32, 7);
      for (const record of ['{"kind":"query.released"}', 'no JSON', '[]', 'null', text!.replace('{', '{ '), text!.replace('{', '{"actor":"nobody",'), text!.replace('"v":1', '"v":2'), text!.replace('2026-', '20x6-')]) {
        const commitment = hash('sha256', Buffer.concat([salt, Buffer.from(record)]), 'buffer');
        const leaves = (await raw.database.query<{ commitment: Buffer }>('select commitment from audit_entry where index < 2 order by index')).rows.map((row) => row.commitment);
        const reader: LogReader = {
          checkpoint: async () => raw.signer.sign({ size: 3, root: naiveRoot([...leaves, commitment]) }),
          tile: async () => Buffer.concat([...leaves, commitment].map((leaf) => naiveRoot([leaf]))),
          entries: async () => Buffer.concat([...leaves, commitment].map((leaf) => Buffer.concat([Buffer.of(0, 32), leaf]))),
          records: async () => [undefined, undefined, { record, salt }],
        };
        const report = await verifyLog(reader, { trust: raw.trust });
        assertFault(report.kind === 'unsound' ? report.fault : undefined, 'record_malformed', 2);
      }
    });

    /** Replaces record, salt and commitment of an entry so that they fit one another. */
    const rewrite = (index: number): string => {
      const text = canonicalJson(released({ answer: 'f'.repeat(64) }));
      return `update audit_entry set record = '${text}', salt = sha256('new'), commitment = sha256(sha256('new') || convert_to('${text}', 'UTF8')) where index = ${index}`;
    };
    const rewriteLeaf = (index: number) => `update audit_tile set hashes = overlay(hashes placing (select sha256('\\x00'::bytea || commitment) from audit_entry where index = ${index}) from ${(index % 256) * 32 + 1})
      where level = 0 and index = ${Math.floor(index / 256)}`;

    it('when record, salt and commitment are replaced together', async () => {
      assertFault(await faultAfter([rewrite(350)]), 'entry_differs', 350);
    });
    it('when the leaf is replaced as well, between the signed checkpoints around it', async () => {
      assertFault(await faultAfter([rewrite(505), rewriteLeaf(505)]), 'tile_differs', 500, 512);
      assertFault(await faultAfter([rewrite(515), rewriteLeaf(515)]), 'root_differs', 500, 520);
      assertFault(await faultAfter([rewrite(599), rewriteLeaf(599)]), 'root_differs', 520, 600);
    });
    it('when the history is gone too, since the checkpoint that was remembered', async () => {
      const noHistory = ({ history, ...reader }: LogReader): LogReader => (history === undefined ? reader : reader);
      assertFault(await faultAfter([rewrite(350), rewriteLeaf(350)], {}, noHistory), 'tile_differs', 256, 512);
      assertFault(await faultAfter([rewrite(599), rewriteLeaf(599)], { remembered }, noHistory), 'root_differs', 520, 600);
      assertFault(await faultAfter([rewrite(513), rewriteLeaf(513)], { remembered }, noHistory), 'forked', 0, 520);
    });
  });

  it('notices any single changed byte, and where it is', async () => {
    const honest = databaseLogReader(log.database);
    const stored: LogReader = { ...honest };
    const places = fc.record({ what: fc.constantFrom('entry', 'tile', 'record', 'salt'), index: fc.integer({ min: 0, max: 599 }), at: fc.nat({ max: 31 }), bit: fc.nat({ max: 7 }) });
    await fc.assert(fc.asyncProperty(places, async ({ what, index, at, bit }) => {
      const flipped = (bytes: Uint8Array, offset: number) => {
        const copy = Uint8Array.from(bytes);
        copy[offset]! ^= 1 << bit;
        return copy;
      };
      const [bundle, place] = [Math.floor(index / 256), index % 256];
      if ((what === 'record' || what === 'salt') && (index === 30 || index === 31)) return;
      const reader: LogReader = {
        ...stored,
        entries: async (n, width) => (what === 'entry' && n === bundle ? flipped(await stored.entries(n, width), place * 34 + 2 + at) : stored.entries(n, width)),
        tile: async (level, n, width) => (what === 'tile' && level === 0 && n === bundle ? flipped(await stored.tile(level, n, width), place * 32 + at) : stored.tile(level, n, width)),
        records: async (n, width) => {
          const records = [...await stored.records!(n, width)];
          const shown = records[place];
          if (n !== bundle || !shown) return records;
          if (what === 'salt') records[place] = { ...shown, salt: flipped(shown.salt, at) };
          if (what === 'record') records[place] = { ...shown, record: new TextDecoder().decode(flipped(new TextEncoder().encode(shown.record), at)) };
          return records;
        },
      };
      const report = await check(reader);
      assertFault(report.kind === 'unsound' ? report.fault : undefined, what === 'entry' || what === 'tile' ? 'entry_differs' : 'record_differs', index);
    }), { numRuns: 40 });
  });

  it('refuses a checkpoint by another key, of another log, or altered', async () => {
    const stranger = await checkpointSigner(origin, newKey());
    const forged = await stranger.sign({ size: 600, root: remembered.root });
    const withCheckpoint = (note: string) => (reader: LogReader): LogReader => ({ ...reader, checkpoint: async () => note });
    assertFault(await faultAfter([], {}, withCheckpoint(forged)), 'checkpoint_invalid', null);
    assertFault(await faultAfter([], {}, withCheckpoint(remembered.note.replace('\n520\n', '\n521\n'))), 'checkpoint_invalid', null);
    assertFault(await faultAfter([], {}, withCheckpoint('')), 'checkpoint_invalid', null);
    assertFault(await faultAfter([], { trust: { ...log.trust, origin: 'other.example/log' } }), 'checkpoint_invalid', null);
    assertFault(await faultAfter([`update audit_checkpoint set signed_note = replace(signed_note, E'\\n300\\n', E'\\n301\\n') where size = 300`]), 'checkpoint_invalid', null);
    assertFault(await faultAfter([], {}, (reader) => ({ ...reader, history: async (after) => (await reader.history!(after)).toReversed() })), 'checkpoint_invalid', null);
  });

  it('notices a log that was rolled back behind a remembered checkpoint', async () => {
    const { rows } = await log.database.query<{ signed_note: string }>('select signed_note from audit_checkpoint where size = 500');
    assertFault(await faultAfter([], { remembered }, (reader) => ({ ...reader, checkpoint: async () => rows[0]!.signed_note })), 'rolled_back', 500, 520);
  });

  it('notices a log that its own key holder wrote anew', async () => {
    const other = await testLog();
    await other.append(releases(600));
    await other.publish({ signer: log.signer });
    const report = await check(databaseLogReader(other.database), { remembered });
    assertFault(report.kind === 'unsound' ? report.fault : undefined, 'forked', 0, 520);
    assert.equal((await check(databaseLogReader(other.database))).kind, 'sound', 'only who remembers can tell');
  });

  it('takes an erasure of this very moment for what it is', async () => {
    const racing = await testLog();
    await racing.grow(300);
    await racing.database.transaction('erase', (tx) => eraseEntries(tx, { of: { entries: [7] }, basis: 'authority_order', actor: officer, atMs: startMs }));
    const report = await verifyLog(databaseLogReader(racing.database), { trust: racing.trust });
    assert.ok(report.kind === 'sound' && report.records.erased === 1);
  });

  it('reads only a few bundles ahead, so that memory stays flat', async () => {
    const width = 256;
    const leaves = Array.from({ length: 40 * width }, (_, at) => hash('sha256', String(at), 'buffer'));
    const hashes = leaves.map((leaf) => hash('sha256', Buffer.concat([Buffer.of(0), leaf]), 'buffer'));
    const above = Buffer.concat(Array.from({ length: 40 }, (_, at) => naiveRoot(leaves.slice(at * width, (at + 1) * width))));
    const signed = await log.signer.sign({ size: leaves.length, root: naiveRoot(leaves) });
    let [underWay, most, done] = [0, 0, 0];
    const reader: LogReader = {
      checkpoint: async () => signed,
      async entries(index) {
        underWay += 1;
        most = Math.max(most, index - done + 1);
        await new Promise(setImmediate);
        return Buffer.concat(leaves.slice(index * width, (index + 1) * width).flatMap((leaf) => [Buffer.of(0, 32), leaf]));
      },
      tile: async (level, index) => (level === 0 ? Buffer.concat(hashes.slice(index * width, (index + 1) * width)) : above),
    };
    const report = await verifyLog(reader, { trust: log.trust, sha256: nodeSha256, onProgress: ({ verified }) => { done = verified / width; } });
    assert.deepEqual([report.kind, underWay], ['sound', 40]);
    assert.ok(most <= 5, `${most} bundles at once`);
  });

  it('says nothing about a log it cannot read', async () => {
    const broken = new Error('the line is cut');
    const reader = databaseLogReader(log.database);
    for (const part of ['checkpoint', 'tile', 'entries', 'records', 'history'] as const) {
      await assert.rejects(check({ ...reader, [part]: () => Promise.reject(broken) }), broken);
    }
  });
});
