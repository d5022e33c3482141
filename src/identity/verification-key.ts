import { importJWK, type CryptoKey, type JWK } from 'jose';
import { VeilgateError } from '../errors.ts';
import type { PublicJwk } from '../vocabulary.ts';
import { jwkThumbprint, vetPublicKey } from './vetting.ts';

/** A public key ready to check signatures with, and the only algorithms it may be used with. */
export type VerificationKey = {
  readonly kid: string;
  /** RFC 7638, SHA-256, base64url. */
  readonly thumbprint: string;
  /** Values of `alg` that go with this key; Ed25519 has an old and a new name (RFC 8037, RFC 9864). */
  readonly algorithms: readonly string[];
  readonly signatureBytes: number;
  readonly key: CryptoKey;
};

/**
 * Vets a signature key and imports it. Importing costs more than checking a signature: keep the result.
 * Errors: KEY_REFUSED.
 */
export async function importVerificationKey(jwk: unknown): Promise<VerificationKey> {
  const vetted = vetPublicKey(jwk, 'sig');
  const [algorithms, signatureBytes] = signatureShape(vetted);
  const key = await importJWK(vetted as JWK, algorithms[0]);
  if (key instanceof Uint8Array) throw new VeilgateError('KEY_REFUSED', 'The key is symmetric: register the public half of a key pair.', { reason: 'private_member' });
  return { kid: vetted.kid, thumbprint: jwkThumbprint(vetted), algorithms, signatureBytes, key };
}

function signatureShape(jwk: PublicJwk): readonly [algorithms: readonly string[], signatureBytes: number] {
  if (jwk.kty === 'OKP') return [['EdDSA', 'Ed25519'], 64];
  if (jwk.kty === 'EC') return [['ES256'], 64];
  return [['PS256'], Buffer.from(jwk['n'] as string, 'base64url').length];
}
