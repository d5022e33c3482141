import { SignJWT } from 'jose';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import type { ClearColumn, ColumnBuilder } from '../scoring/feature/column-builder.ts';
import type { Feature, FeatureBlockClaims } from '../scoring/protocol.ts';
import type { Frame } from '../scoring/feature/frame.ts';
import type { Connection } from './connection.ts';
import { blockName, featuresClient, sha256Hex, type BlockStatus, type ScoreKeyInfo } from './features.ts';

/** What was uploaded of one column of one block, kept by the department beside its file. */
export type UploadedBlock = {
  readonly feature: string; readonly block: number; readonly key: string; readonly revision: number;
  /** Digest of the ciphertext that was stored. */
  readonly digest: string;
  /** Salted digest of what was encrypted: says later whether anything changed. Stays at the department. */
  readonly source: string;
};

/** Where a department remembers what it uploaded, to go on after an interruption and to refresh only what changed. */
export type UploadMemory = {
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly get: (key: string, feature: string, block: number) => UploadedBlock | undefined;
  readonly put: (blocks: readonly UploadedBlock[]) => Promise<void>;
};

export type UploadOptions = {
  readonly connection: Connection;
  readonly dataset: string;
  /** In the order of the builder. */
  readonly features: readonly Feature[];
  readonly key: ScoreKeyInfo;
  readonly columns: ColumnBuilder;
  /** Encrypts a column under the key; up to `width` are asked for at once. */
  readonly encrypt: (values: Int32Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;
  readonly width: number;
  readonly memory: UploadMemory;
  readonly onProgress?: (done: number, all: number) => void;
  /** Waits between attempts when the platform does not answer, in ms. */
  readonly retryMs?: readonly number[];
};

export type Upload = { /** Columns of blocks that were encrypted and stored. */ readonly stored: number; /** Unchanged since they were stored. */ readonly unchanged: number; /** Values in what was stored. */ readonly values: number; readonly rotated: boolean };

/** Columns of one request: 6 MB. */
const framesAtOnce = 48;
const envelopeLifetimeS = 3600;
const defaultRetryMs = [500, 2000, 8000];

type Task = { readonly feature: Feature; readonly at: number; readonly block: number; readonly revision: number; readonly column: ClearColumn; readonly source: string };
type Sealed = { readonly frame: Frame; readonly uploaded: UploadedBlock; readonly values: number };

/**
 * Encrypts, signs and uploads every column that changed since it was stored, while the one before is on its way; holds
 * at most two requests. The file is the whole truth: stored blocks without an enterprise in it are emptied.
 * What was uploaded before an interruption is not encrypted again. Errors: FEATURE_*, HE_*, those of the connection.
 */
export async function uploadColumns(options: UploadOptions): Promise<Upload> {
  const { connection, dataset, features, key, columns, memory, width, onProgress } = options;
  const client = featuresClient(connection);
  const stored = new Map((await client.status(dataset, key.key)).map((block) => [blockName(block), block]));
  const tasks = tasksOf(options, stored);
  const all = [...new Set([...columns.blocks(), ...emptied(stored, features)])].length * features.length;
  let done = 0;
  let unchanged = 0;
  let values = 0;
  let count = 0;
  let rotated = false;
  let sending: Promise<void> = Promise.resolve();
  let failure: unknown;
  let batch: Sealed[] = [];
  const send = async (sealed: readonly Sealed[]) => {
    const frames = sealed.map(({ frame }) => frame);
    const outcome = await withRetries(() => client.upload(dataset, frames), options.retryMs ?? defaultRetryMs);
    if (outcome.stored + outcome.same !== frames.length) throw new VeilgateError('INTERNAL', 'The platform stored fewer blocks than it was sent: report this.');
    await memory.put(sealed.map(({ uploaded }) => uploaded));
    rotated ||= outcome.rotated;
    count += sealed.length;
    values += sealed.reduce((sum, one) => sum + one.values, 0);
    done += sealed.length;
    onProgress?.(done, all);
  };
  let turn: Promise<void> = Promise.resolve();
  const flush = () => {
    turn = turn.then(async () => {
      await sending; // one request at a time, the next being encrypted meanwhile
      if (failure !== undefined) throw failure;
      const full = batch;
      batch = [];
      if (full.length > 0) sending = send(full).catch((error: unknown) => { failure = error; });
    });
    return turn;
  };
  const next = async (): Promise<void> => {
    for (let task = await tasks.next(); !task.done && failure === undefined; task = await tasks.next()) {
      if (task.value === 'unchanged') {
        unchanged += 1;
        done += 1;
        onProgress?.(done, all);
        continue;
      }
      const sealed = await seal(options, task.value);
      batch.push(sealed); // `batch` may be another one than before the wait
      if (batch.length >= framesAtOnce) await flush();
    }
  };
  await Promise.all(Array.from({ length: width }, next));
  await flush();
  await flush();
  return { stored: count, unchanged, values, rotated };
}

/** Stored blocks of these features that are not empty. */
function emptied(stored: ReadonlyMap<string, BlockStatus>, features: readonly Feature[]): number[] {
  const ids: ReadonlySet<string> = new Set(features.map(({ id }) => id));
  return [...stored.values()].filter(({ feature, filled, stale }) => ids.has(feature) && (filled > 0 || stale)).map(({ block }) => block);
}

async function* tasksOf({ features, columns, memory, key }: UploadOptions, stored: ReadonlyMap<string, BlockStatus>): AsyncGenerator<Task | 'unchanged'> {
  const blocks = [...new Set([...columns.blocks(), ...emptied(stored, features)])].sort((a, b) => a - b);
  for (const block of blocks) {
    for (const [at, feature] of features.entries()) {
      const column = columns.column(block, at);
      const source = await sourceDigest(memory.salt, feature, column);
      const there = stored.get(blockName({ feature: feature.id, block }));
      const remembered = memory.get(key.key, feature.id, block);
      const same = there !== undefined && remembered !== undefined && remembered.source === source && remembered.digest === there.digest && !there.stale;
      yield same ? 'unchanged' : { feature, at, block, revision: (there?.revision ?? 0) + 1, column, source };
    }
  }
}

async function sourceDigest(salt: Uint8Array, feature: Feature, { values, filled }: ClearColumn): Promise<string> {
  const declaration = new TextEncoder().encode(feature.declaration);
  const bytes = new Uint8Array(salt.length + declaration.length + filled.length + values.byteLength);
  bytes.set(salt);
  bytes.set(declaration, salt.length);
  bytes.set(filled, salt.length + declaration.length);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), salt.length + declaration.length + filled.length);
  return sha256Hex(bytes);
}

async function seal({ connection, key, encrypt }: UploadOptions, { feature, block, revision, column, source }: Task): Promise<Sealed> {
  const filled = toBase64url(column.filled);
  const values = column.filled.reduce((sum, byte) => sum + bitsOf(byte), 0);
  const ciphertext = await encrypt(column.values);
  const digest = await sha256Hex(ciphertext);
  const { signing, party } = connection.credentials;
  const claims: Omit<FeatureBlockClaims, 'iss' | 'aud' | 'iat' | 'exp'> = { jti: digest, feature: feature.id, declaration: feature.declaration, key: key.key, parameters: key.parameters, block, revision, filled, digest };
  const envelope = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', typ: 'feature-block+jwt', kid: signing.publicJwk.kid })
    .setIssuer(party)
    .setAudience(connection.gateway)
    .setIssuedAt()
    .setExpirationTime(`${envelopeLifetimeS}s`)
    .sign(signing.privateKey);
  return { frame: { envelope, ciphertext }, uploaded: { feature: feature.id, block, key: key.key, revision, digest, source }, values };
}

/** Sending the same blocks again changes nothing: an answer that got lost does no harm. */
async function withRetries<T>(attempt: () => Promise<T>, waitsMs: readonly number[]): Promise<T> {
  for (const waitMs of waitsMs) {
    try {
      return await attempt();
    } catch (error) {
      if (!isVeilgateError(error) || !['GATEWAY_UNAVAILABLE', 'STORE_UNAVAILABLE', 'REQUEST_OVERLOADED', 'REQUEST_RATE_LIMITED'].includes(error.code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
  return attempt();
}

/** Refuses a file that would empty most of what is stored, unless the caller says that it is meant. Errors: SOURCE_FILE_MALFORMED. */
export function refuseShrinking(stored: readonly BlockStatus[], features: readonly Feature[], columns: Pick<ColumnBuilder, 'filledOf'>): void {
  for (const [at, { id }] of features.entries()) {
    const before = stored.filter(({ feature }) => feature === id).reduce((sum, { filled }) => sum + filled, 0);
    if (columns.filledOf(at) * 2 < before) {
      throw new VeilgateError('SOURCE_FILE_MALFORMED', `The file has less than half as many enterprises for ${id} as are stored. A file holds all of them, or those missing lose their values; say so if it is meant.`, { feature: id });
    }
  }
}

function toBase64url(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function bitsOf(byte: number): number {
  let count = 0;
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1;
  return count;
}
