import { strict as assert } from 'node:assert';
import { decodeJwt } from 'jose';
import { VeilgateError, isVeilgateError } from '../../src/errors.ts';
import { columnBuilder } from '../../src/scoring/feature/column-builder.ts';
import { readFrames, type Frame } from '../../src/scoring/feature/frame.ts';
import type { Feature, FeatureBlockClaims, FeatureId } from '../../src/scoring/protocol.ts';
import type { Connection, GatewayRequest } from '../../src/sdk/connection.ts';
import { refuseShrinking, uploadColumns, type UploadedBlock, type UploadMemory } from '../../src/sdk/feature-upload.ts';
import type { BlockStatus } from '../../src/sdk/features.ts';
import { generateSigningKey } from '../../src/sdk/keys.ts';
import type { FieldRef } from '../../src/vocabulary.ts';

const slots = 4096;
const features: Feature[] = Array.from({ length: 9 }, (_, n) => ({
  id: `tax/f${n}` as FeatureId, source: `tax.f${n}` as FieldRef, title: { en: 'x', zh: 'x' }, encoding: { kind: 'fixed_point', min: 0, max: 100_000, scale: 1 }, missing: 'absent', low: 0, high: n === 0 ? 65_000 : 100, declaration: `d${n}`,
}));
const key = { key: 'k1', custodian: 'c', parameters: 'veilgate-score-1', state: 'active', thumbprint: '' } as const;

/** What a gateway would store, in memory. */
async function world(fault: (upload: number) => VeilgateError | undefined = () => undefined) {
  const stored = new Map<string, BlockStatus & { readonly ciphertext: Uint8Array }>();
  const credentials = { party: 'tax_administration', signing: await generateSigningKey() };
  let uploads = 0;
  const framesOf = async (content: Uint8Array) => {
    const frames: Frame[] = [];
    for await (const frame of readFrames((async function* () { for (let at = 0; at < content.length; at += 1000) yield content.subarray(at, at + 1000); })(), (problem) => new Error(problem))) frames.push(frame);
    return frames;
  };
  const connection = {
    gateway: 'https://gateway.test', credentials,
    async call(request: GatewayRequest) {
      if (request.method === 'GET') return { blocks: [...stored.values()].map(({ ciphertext: _bytes, ...status }) => status), more: false };
      uploads += 1;
      const before = fault(uploads);
      if (before !== undefined) throw before;
      const frames = await framesOf(request.body?.content as Uint8Array);
      await new Promise((resolve) => setTimeout(resolve, 5));
      for (const { envelope, ciphertext } of frames) {
        const claims = decodeJwt(envelope) as unknown as FeatureBlockClaims;
        const name = `${claims.feature}:${claims.block}`;
        assert.ok((stored.get(name)?.revision ?? 0) < claims.revision, `${name} came twice`);
        stored.set(name, { feature: claims.feature, block: claims.block, revision: claims.revision, digest: claims.digest, declaration: claims.declaration, filled: Buffer.from(claims.filled, 'base64url').reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0), stale: false, rekeyed: false, ciphertext });
      }
      return { stored: frames.length, same: 0, rotated: false };
    },
  } as unknown as Connection;
  return { connection, stored, uploads: () => uploads };
}

function memory(): UploadMemory & { readonly known: Map<string, UploadedBlock> } {
  const known = new Map<string, UploadedBlock>();
  return { known, salt: new Uint8Array(32), get: (name, feature, block) => known.get(`${name} ${feature} ${block}`), put: async (blocks) => { for (const block of blocks) known.set(`${block.key} ${block.feature} ${block.block}`, block); } };
}

/** "Encrypts" to random bytes behind the values, each after another while. */
async function encrypt(values: Int32Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
  const bytes = new Uint8Array(values.byteLength + 8);
  bytes.set(new Uint8Array(values.buffer));
  crypto.getRandomValues(bytes.subarray(values.byteLength));
  return bytes;
}

function columnsOf(rows: number, value = (row: number, feature: number) => (row * 7 + feature) % 101) {
  const builder = columnBuilder(features, slots);
  for (let row = 0; row < rows; row += 1) builder.add(row + 1, row, features.map((_, at) => value(row, at)));
  return builder;
}

describe('uploading columns', () => {
  const rows = 9 * slots + 17;

  it('brings every column there exactly once, whatever the order in which they are encrypted', async () => {
    const { connection, stored, uploads } = await world();
    const columns = columnsOf(rows);
    const upload = await uploadColumns({ connection, dataset: 'tax', features, key, columns, encrypt, width: 4, memory: memory() });
    assert.deepEqual(upload, { stored: 90, unchanged: 0, values: rows * 9, rotated: false });
    assert.equal(stored.size, 90);
    assert.ok(uploads() <= 3);
    for (const { feature, block, ciphertext, filled } of stored.values()) {
      const column = columns.column(block, features.findIndex(({ id }) => id === feature));
      assert.equal(filled, Math.min(slots, rows - block * slots));
      assert.deepEqual(Buffer.from(ciphertext.subarray(0, slots * 4)), Buffer.from(column.values.buffer), feature);
    }
  });

  it('repeats what was not answered, and gives up what is refused', async () => {
    const gone = new VeilgateError('GATEWAY_UNAVAILABLE', 'The platform does not answer.');
    const flaky = await world((upload) => (upload === 1 || upload === 3 ? gone : undefined));
    await uploadColumns({ connection: flaky.connection, dataset: 'tax', features, key, columns: columnsOf(rows), encrypt, width: 3, memory: memory(), retryMs: [1, 1] });
    assert.equal(flaky.stored.size, 90);
    const refusing = await world((upload) => (upload === 2 ? new VeilgateError('FEATURE_SLOTS_UNASSIGNED', 'No.') : undefined));
    const remembered = memory();
    const again = { connection: refusing.connection, dataset: 'tax', features, key, columns: columnsOf(rows), encrypt, width: 3, memory: remembered };
    await assert.rejects(uploadColumns(again), (error) => isVeilgateError(error, 'FEATURE_SLOTS_UNASSIGNED'));
    assert.equal(remembered.known.size, refusing.stored.size, 'nothing is remembered that is not stored');
    const before = refusing.stored.size;
    assert.deepEqual(await uploadColumns(again), { stored: 90 - before, unchanged: before, values: (await total(refusing.stored)) - before * slots, rotated: false });
  });

  it('encrypts again what the platform does not have as remembered, and empties blocks that nobody is in any more', async () => {
    const { connection, stored } = await world();
    const remembered = memory();
    const options = { connection, dataset: 'tax', features, key, encrypt, width: 2, memory: remembered };
    await uploadColumns({ ...options, columns: columnsOf(slots + 5) });
    const [first] = stored;
    stored.set(first?.[0] as string, { ...(first?.[1] as BlockStatus & { ciphertext: Uint8Array }), digest: 'of another department\'s machine' });
    assert.equal((await uploadColumns({ ...options, columns: columnsOf(slots + 5) })).stored, 1);
    const fewer = await uploadColumns({ ...options, columns: columnsOf(slots) });
    assert.deepEqual([fewer.stored, fewer.unchanged, fewer.values], [9, 9, 0]);
    assert.ok([...stored.values()].filter(({ block }) => block === 1).every(({ filled }) => filled === 0));
  });

  it('holds integers beyond 16 bits', () => {
    assert.equal(columnsOf(3, () => 64_999).column(0, 0).values[2], 64_999);
  });

  it('does not take a file for whole that has less than half of what is stored', () => {
    const status = { feature: 'tax/f0', block: 0, revision: 1, digest: '', declaration: '', filled: 100, stale: false, rekeyed: false };
    refuseShrinking([status], features, columnsOf(50));
    assert.throws(() => refuseShrinking([status], features, columnsOf(49)), (error) => isVeilgateError(error, 'SOURCE_FILE_MALFORMED'));
  });
});

async function total(stored: ReadonlyMap<string, BlockStatus>): Promise<number> {
  return [...stored.values()].reduce((sum, { filled }) => sum + filled, 0);
}
