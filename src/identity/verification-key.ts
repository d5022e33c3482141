import cluster from 'node:cluster';
import { constants, createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { PublicJwk } from '../vocabulary.ts';
import { jwkThumbprint, vetPublicKey } from './vetting.ts';

/** A public key ready to check signatures with, and the only algorithms it may be used with. */
export type VerificationKey = {
  readonly kid: string;
  /** RFC 7638, SHA-256, base64url. */
  readonly thumbprint: string;
  /** Values of `alg` that go with this key; Ed25519 has an old and a new name (RFC 8037, RFC 9864). */
  readonly algorithms: readonly string[];
  /** Checks a signature, of whatever length. */
  readonly verify: (data: Uint8Array, signature: Uint8Array) => Promise<boolean>;
};

/** Where signatures are checked and made: in the asking thread, or in libuv's pool beside it. */
export type SignatureThread = 'own' | 'pool';

/**
 * One of several processes fills a processor by itself: there the pool would add the switching between threads, a
 * quarter of a query's CPU, and win nothing (docs/decisions/0161-signatures-in-the-own-thread.md).
 */
export const signatureThread: SignatureThread = cluster.isWorker ? 'own' : 'pool';

/**
 * Vets a signature key and imports it, which costs as much as a signature check: keep the result.
 * Errors: KEY_REFUSED.
 */
export function importVerificationKey(jwk: unknown): VerificationKey {
  const vetted = vetPublicKey(jwk, 'sig');
  const key = createPublicKey({ key: vetted as unknown as JsonWebKey, format: 'jwk' });
  return { kid: vetted.kid, thumbprint: jwkThumbprint(vetted), ...methodOf(vetted, key) };
}

/** RFC 7518 sections 3.4 and 3.5, RFC 8037 section 3.1. */
function methodOf(jwk: PublicJwk, key: KeyObject): Pick<VerificationKey, 'algorithms' | 'verify'> {
  if (jwk.kty === 'OKP') return { algorithms: ['EdDSA', 'Ed25519'], verify: signatureCheck(null, key) };
  if (jwk.kty === 'EC') return { algorithms: ['ES256'], verify: signatureCheck('sha256', { key, dsaEncoding: 'ieee-p1363' }) };
  return { algorithms: ['PS256'], verify: signatureCheck('sha256', { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }) };
}

type KeyAndMethod = Parameters<typeof verify>[2];

/** How one key checks signatures. */
export function signatureCheck(digest: 'sha256' | null, key: KeyAndMethod, thread: SignatureThread = signatureThread): VerificationKey['verify'] {
  if (thread === 'own') return async (data, signature) => verify(digest, data, key, signature);
  return (data, signature) =>
    new Promise((resolve, reject) => {
      verify(digest, data, key, signature, (error, valid) => (error === null ? resolve(valid) : reject(error)));
    });
}
