import { createHmac, timingSafeEqual } from 'node:crypto';
import { VeilgateError } from '../errors.ts';
import type { TimeMs } from '../vocabulary.ts';
import { decodeBase64url } from './base64url.ts';

/**
 * Nonces of RFC 9449 section 9 without any memory: each says which minute it was given in and carries a MAC of that,
 * so every node with the same secret accepts every other's.
 */
export type DpopNonces = {
  /** The nonce to hand out now; the same for all callers during one minute. */
  readonly current: (nowMs: TimeMs) => string;
  /** True for a nonce given out in the last five minutes, here or on another node. */
  readonly accepts: (nonce: unknown, nowMs: TimeMs) => boolean;
};

const bucketMs = 60_000;
const bucketsAccepted = 5;
const macBytes = 16;
const nonceLength = 27;
const secretBytesMin = 32;

/** @param secret at least 32 random bytes, the same on all nodes. Errors: CONFIG_INSECURE. */
export function dpopNonces(secret: Uint8Array): DpopNonces {
  if (secret.length < secretBytesMin) throw new VeilgateError('CONFIG_INSECURE', `The DPoP nonce secret needs at least ${secretBytesMin} bytes: make a new one.`);
  const made = new Map<number, Buffer>();

  const nonceOf = (bucket: number): Buffer => {
    const known = made.get(bucket);
    if (known !== undefined) return known;
    const nonce = Buffer.alloc(4 + macBytes);
    nonce.writeUInt32BE(bucket);
    createHmac('sha256', secret).update('veilgate gateway dpop nonce\0').update(nonce.subarray(0, 4)).digest().copy(nonce, 4, 0, macBytes);
    if (made.size > bucketsAccepted + 2) made.clear();
    made.set(bucket, nonce);
    return nonce;
  };

  let latest = { bucket: -1, text: '' };
  return {
    current(nowMs) {
      const bucket = Math.floor(nowMs / bucketMs);
      if (latest.bucket !== bucket) latest = { bucket, text: nonceOf(bucket).toString('base64url') };
      return latest.text;
    },
    accepts(nonce, nowMs) {
      if (typeof nonce !== 'string' || nonce.length !== nonceLength) return false;
      const bytes = decodeBase64url(nonce);
      if (bytes === undefined) return false;
      const bucket = bytes.readUInt32BE();
      const now = Math.floor(nowMs / bucketMs);
      // one ahead: another node's clock may be
      if (bucket > now + 1 || bucket < now - bucketsAccepted) return false;
      return timingSafeEqual(bytes, nonceOf(bucket));
    },
  };
}
