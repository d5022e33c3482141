import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { VeilgateError } from '../../errors.ts';

/** Secrets of 32 bytes by version; the current one seals. */
export type MaskSecrets = { readonly secrets: ReadonlyMap<number, Uint8Array>; readonly currentVersion: number };

/** What masks are tied to. */
export function maskPlace(part: { readonly job: string; readonly n: number }, ticket: string): string {
  return `${part.job} ${part.n} ${ticket}`;
}

const algorithm = 'aes-256-gcm';
const versionBytes = 4;
const nonceBytes = 12;
const tagBytes = 16;
const wordBytes = 4;

/**
 * Seals the masks of a part for the time until its release: whoever reads the database, and the custodian's half in
 * it, has nothing without the platform's mask secret. Version ‖ nonce ‖ ciphertext ‖ tag.
 * @param place what they belong to (maskPlace); opening with another fails
 */
export function sealMasks({ secrets, currentVersion }: MaskSecrets, place: string, masks: readonly Uint32Array[]): Buffer {
  const header = Buffer.alloc(versionBytes + nonceBytes);
  header.writeUInt32LE(currentVersion);
  randomBytes(nonceBytes).copy(header, versionBytes);
  const cipher = createCipheriv(algorithm, secretOf(secrets, currentVersion), header.subarray(versionBytes));
  cipher.setAAD(Buffer.from(place, 'utf8'));
  const parts = masks.map((words) => cipher.update(new Uint8Array(words.buffer, words.byteOffset, words.byteLength)));
  return Buffer.concat([header, ...parts, cipher.final(), cipher.getAuthTag()]);
}

/** @param length words of each output. Errors: INTERNAL when it was altered, moved or cut. */
export function openMasks({ secrets }: MaskSecrets, place: string, sealed: Uint8Array, length: number): Uint32Array[] {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const end = bytes.length - tagBytes;
  const outputBytes = length * wordBytes;
  if (end <= versionBytes + nonceBytes || (end - versionBytes - nonceBytes) % outputBytes !== 0) throw damaged();
  const decipher = createDecipheriv(algorithm, secretOf(secrets, bytes.readUInt32LE()), bytes.subarray(versionBytes, versionBytes + nonceBytes));
  decipher.setAAD(Buffer.from(place, 'utf8'));
  decipher.setAuthTag(bytes.subarray(end));
  let plain: Buffer;
  try {
    plain = Buffer.concat([decipher.update(bytes.subarray(versionBytes + nonceBytes, end)), decipher.final()]);
  } catch {
    throw damaged();
  }
  return Array.from({ length: plain.length / outputBytes }, (_, at) => {
    const words = new Uint32Array(length);
    new Uint8Array(words.buffer).set(plain.subarray(at * outputBytes, (at + 1) * outputBytes));
    return words;
  });
}

function secretOf(secrets: MaskSecrets['secrets'], version: number): Uint8Array {
  const secret = secrets.get(version);
  if (secret === undefined) throw damaged();
  return secret;
}

function damaged(): VeilgateError {
  return new VeilgateError('INTERNAL', 'What was kept for the release of a part of a score job is damaged: tell the platform\'s operator.');
}
