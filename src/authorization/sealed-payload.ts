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

/** AES-256-GCM of the JSON under a key derived from the id (HKDF-SHA256): iv ‖ ciphertext ‖ tag. */
export function sealPayload(kind: string, id: string, payload: unknown): Buffer {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', payloadKey(kind, id), iv);
  return Buffer.concat([iv, cipher.update(JSON.stringify(payload), 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when the payload was not sealed for this kind and id. */
export function openPayload(kind: string, id: string, sealed: Buffer): unknown {
  const decipher = createDecipheriv('aes-256-gcm', payloadKey(kind, id), sealed.subarray(0, ivBytes), { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const text = Buffer.concat([decipher.update(sealed.subarray(ivBytes, sealed.length - tagBytes)), decipher.final()]);
  return JSON.parse(text.toString('utf8'));
}

function payloadKey(kind: string, id: string): Buffer {
  return Buffer.from(hkdfSync('sha256', id, '', `veilgate authorization ${kind}`, 32));
}
