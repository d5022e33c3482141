import { hash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { createBlinderSource, type BlinderSource } from './blind.ts';
import { evaluateColumns } from './evaluate.ts';
import { checkPacked, viewPacked, type PackedColumn } from './packed.ts';
import { parameterSetOf, type ParameterSet } from './parameters.ts';
import type { PoolWork, ThreadData, ThreadReply } from './pool-words.ts';
import { webRandomBytes } from './random.ts';
import { loadHe } from './runtime.ts';
import { checkCiphertextBytes } from './wire.ts';

/**
 * A disposable thread of the evaluation pool: started by pool-thread.ts, ended whenever it misbehaves. Columns lie
 * in memory shared with the pool and are read where they are; SEAL only makes blinders here. Foreign bytes are loaded
 * into SEAL only in threads that do nothing else.
 */
const { compiled, blindersMax } = workerData as ThreadData;
const he = await loadHe(compiled);
const port = parentPort;
if (port === null) throw new Error('started as a thread of the evaluation pool only');

/** Blinders by key: a key in use and the one it replaces. */
const sources = new Map<string, BlinderSource>();
const keysMax = 2;
/** Shared memory of the columns, by place in the pool's cache. */
const places = new Map<number, SharedArrayBuffer>();
let latest: BlinderSource | undefined;
/** How long nothing may come before blinders are made ahead: within a burst they would only delay the next task. */
const idleMs = 10;
let idle: NodeJS.Timeout | undefined;
let received = 0;

port.on('message', (work: PoolWork) => {
  try {
    reply(work);
  } catch (thrown) {
    const code = isVeilgateError(thrown) ? thrown.code : 'HE_EVALUATION_FAILED';
    post({ failed: code, message: isVeilgateError(thrown) ? thrown.message : '', heapBytes: he.heapBytes() ?? 0 });
  }
  fillInIdleTime();
});

function reply(work: PoolWork): void {
  const set = parameterSetOf(work.set);
  if (set === undefined) throw new Error('unknown parameter set');
  switch (work.kind) {
    case 'check':
      loadForeign(set, work.bytes);
      return post({ results: [], heapBytes: he.heapBytes() ?? 0 });
    case 'prepare':
      latest = sourceOf(set, work.keyId, work.publicKey);
      return post({ results: [], heapBytes: he.heapBytes() ?? 0 });
    case 'evaluate': {
      latest = sourceOf(set, work.keyId, work.publicKey);
      const columns = work.columns.map(({ place, memory, digest }) => {
        if (memory !== undefined) places.set(place, memory);
        const shared = places.get(place);
        if (shared === undefined) throw new Error('a column without memory');
        const column = viewPacked(set, shared, 0);
        if (digest !== undefined) checkStored(set, column, new Uint8Array(shared), digest);
        return column;
      });
      const results = evaluateColumns(set, columns, work.outputs, latest.take, work.bounds);
      return post({ results, heapBytes: he.heapBytes() ?? 0 }, results.flatMap(({ ciphertext, masks }) => [ciphertext.buffer, masks.buffer]));
    }
    default:
      work satisfies never;
  }
}

/** A bit that turned over in the database would give a wrong score and no fault: the digest was made of the bytes whose signature was checked. */
function checkStored(set: ParameterSet, column: PackedColumn, bytes: Uint8Array, digest: string): void {
  checkPacked(set, column);
  if (hash('sha256', bytes, 'hex') !== digest) {
    throw new VeilgateError('HE_CIPHERTEXT_REFUSED', 'A stored column is not the one its digest names: load it again.');
  }
}

function post(answer: ThreadReply, transfer: readonly ArrayBuffer[] = []): void {
  port?.postMessage(answer, transfer);
}

function sourceOf(set: ParameterSet, keyId: string, publicKey: Uint8Array): BlinderSource {
  const name = `${set.id} ${keyId}`;
  const known = sources.get(name);
  if (known !== undefined) return known;
  // first: a key that is refused takes no other's place, the present one's least of all
  const made = createBlinderSource(he, set, publicKey.slice(), blindersMax, webRandomBytes);
  const [oldest] = sources.keys();
  if (sources.size >= keysMax && oldest !== undefined) {
    sources.get(oldest)?.close();
    sources.delete(oldest);
  }
  sources.set(name, made);
  return made;
}

function loadForeign(set: ParameterSet, bytes: Uint8Array): void {
  checkCiphertextBytes(set, bytes, 'column');
  const { seal, context } = he.context(set);
  using ciphertext = new seal.Ciphertext();
  ciphertext.loadFromArray(context, bytes);
  if (ciphertext.isTransparent()) throw new Error('transparent');
}

/** One blinder at a time, so that the next message waits for one at most; a message ends it until the next pause. */
function fillInIdleTime(): void {
  const seen = ++received;
  const fill = () => {
    if (seen === received && latest?.prepare() === true) setImmediate(fill);
  };
  clearTimeout(idle);
  idle = setTimeout(fill, idleMs);
}
