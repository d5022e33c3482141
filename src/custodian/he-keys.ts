import { hash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { isoTime, type Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import { generateKeyPair } from '../he/keygen.ts';
import { parameterSetOf, parameterSets, type ParameterSet } from '../he/parameters.ts';
import type { He } from '../he/runtime.ts';
import { checkPublicKeyBytes, checkSecretKeyBytes } from '../he/wire.ts';
import { decodeBase64url } from '../identity/base64url.ts';
import { createSecretFile, openSecretFolder, readSecretFile } from '../identity/key-files.ts';
import { parseStrictJson } from '../strict-json.ts';

/** A homomorphic key pair of the custodian: one file of its key folder. The secret half never leaves this process. */
export type HeKey = {
  /** Date and the beginning of the public key's digest: a name never comes to mean another key. */
  readonly id: string;
  readonly set: ParameterSet;
  /** RFC 3339, UTC. */
  readonly created: string;
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
  /** SHA-256 of the public key's bytes, lower-case hex. */
  readonly digest: string;
};

const fileLengthMax = 1_048_576;
const fileForm = /^he-([0-9]{8}-[0-9a-f]{16})\.json$/;
const keysMax = 20;

/**
 * All key pairs of the folder, newest first: new columns are encrypted under the first.
 * Errors: CONFIG_INSECURE when others can read the folder or a file, CONFIG_INVALID, HE_KEY_REFUSED.
 */
export function readHeKeys(folder: string): readonly HeKey[] {
  openSecretFolder(folder);
  const ids = readdirSync(folder).flatMap((name) => fileForm.exec(name)?.[1] ?? []);
  if (ids.length > keysMax) throw new VeilgateError('CONFIG_INVALID', `There are more than ${keysMax} homomorphic keys: retire those that no column is encrypted under any more.`);
  return ids.map((id) => readHeKey(folder, id)).sort((one, other) => (one.created < other.created ? 1 : -1));
}

/** Makes a key pair; it is the one for new columns from the next start or SIGHUP of the custodian on. Errors: CONFIG_INVALID, CONFIG_INSECURE. */
export function makeHeKey(folder: string, he: He, clock: Clock, set: ParameterSet = parameterSets['veilgate-score-1']): HeKey {
  openSecretFolder(folder);
  const created = isoTime(clock.nowMs());
  const { publicKey, secretKey } = generateKeyPair(he, set);
  const id = `${created.slice(0, 10).replaceAll('-', '')}-${digestOf(publicKey).slice(0, 16)}`;
  const text = JSON.stringify({ v: 1, id, parameters: set.id, created, public_key: base64url(publicKey), secret_key: base64url(secretKey) });
  createSecretFile(folder, fileName(id), `${text}\n`, fileLengthMax);
  return readHeKey(folder, id);
}

/** Destroys a key pair: whatever is still encrypted under it can never be opened again. Errors: CONFIG_INVALID. */
export function destroyHeKey(folder: string, id: string): HeKey {
  const keys = readHeKeys(folder);
  const at = keys.findIndex((key) => key.id === id);
  const key = keys[at];
  if (key === undefined || at === 0) throw new VeilgateError('CONFIG_INVALID', 'Only an older key can be retired: give its id, and make a new one first if it is the newest.');
  rmSync(path.join(folder, fileName(id)));
  return key;
}

/** Nothing of the file is repeated in an error. */
function readHeKey(folder: string, id: string): HeKey {
  const text = readSecretFile(folder, fileName(id), fileLengthMax);
  const broken = () => new VeilgateError('CONFIG_INVALID', 'A file of a homomorphic key does not hold what it must: restore it from your backup.', { file: fileName(id) });
  let stored: Readonly<Record<string, unknown>>;
  try {
    stored = parseStrictJson(text ?? '', { maxLength: fileLengthMax }) as Readonly<Record<string, unknown>>;
  } catch {
    throw broken();
  }
  const { v, id: named, parameters, created } = stored ?? {};
  const set = typeof parameters === 'string' ? parameterSetOf(parameters) : undefined;
  const publicKey = bytesOf(stored?.['public_key']);
  const secretKey = bytesOf(stored?.['secret_key']);
  if (v !== 1 || named !== id || set === undefined || typeof created !== 'string' || Number.isNaN(Date.parse(created)) || publicKey === undefined || secretKey === undefined) throw broken();
  checkPublicKeyBytes(set, publicKey);
  checkSecretKeyBytes(set, secretKey);
  const digest = digestOf(publicKey);
  if (!id.endsWith(`-${digest.slice(0, 16)}`)) throw broken();
  return { id, set, created, publicKey, secretKey, digest };
}

function fileName(id: string): string {
  return `he-${id}.json`;
}

function digestOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

function bytesOf(text: unknown): Uint8Array | undefined {
  const bytes = typeof text === 'string' ? decodeBase64url(text) : undefined;
  return bytes === undefined ? undefined : new Uint8Array(bytes); // SEAL takes no Buffer
}
