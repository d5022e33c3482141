import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

/**
 * How state is kept so that reading the database gives nobody a usable code, token or session:
 * a row is found by the hash of its id, and its payload opens only with the id itself.
 */

const ivBytes = 12;
const tagBytes = 16;

/** SHA-256 of kind and id: the only form in which an id is stored. */
export function idHash(kind: string, id: string): Buffer {
  return createHash('sha256').update(`${kind}\n${id}`).digest();
}

/** The JSON, sealed under a key derived from the id (HKDF-SHA256). */
export function sealPayload(kind: string, id: string, payload: unknown): Buffer {
  return sealBytes(payloadKey(kind, id), Buffer.from(JSON.stringify(payload), 'utf8'));
}

/** Throws when the payload was not sealed for this kind and id. */
export function openPayload(kind: string, id: string, sealed: Buffer): unknown {
  return JSON.parse(openBytes(payloadKey(kind, id), sealed).toString('utf8'));
}

/** AES-256-GCM: iv ‖ ciphertext ‖ tag. @param boundTo what must be told again to open it */
export function sealBytes(key: Buffer, bytes: Uint8Array, boundTo = ''): Buffer {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(boundTo, 'utf8'));
  return Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when the bytes were not sealed under this key for this purpose. */
export function openBytes(key: Buffer, sealed: Buffer, boundTo = ''): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, ivBytes), { authTagLength: tagBytes }).setAAD(Buffer.from(boundTo, 'utf8'));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(ivBytes, sealed.length - tagBytes)), decipher.final()]);
}

function payloadKey(kind: string, id: string): Buffer {
  return Buffer.from(hkdfSync('sha256', id, '', `veilgate authorization ${kind}`, 32));
}
