import { CompactEncrypt, importJWK, type CryptoKey, type JWK } from 'jose';
import { epochSeconds } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { PublicJwk, TimeMs } from '../vocabulary.ts';
import { contentEncryption, keyAgreements, paddedLength, paddingByte, sealedBytesMax, sealedContentType, sealedType, type KeyAgreement, type SealedContent } from './sealed-form.ts';

/** What ties a sealed answer to its place: the opener checks all of it. */
export type SealContext = {
  /** URL of the gateway. */
  readonly issuer: string;
  /** Party id of the recipient. */
  readonly audience: string;
  /** Id of the answer; unique for each. */
  readonly jti: string;
  readonly issuedAtMs: TimeMs;
};

/**
 * Seals original values for one recipient: JWE compact (RFC 7516), padded so that its length tells a size class and
 * nothing else, not compressed.
 * @param recipientJwk the recipient's registered encryption key (P-256 or X25519); `alg` chooses ECDH-ES+A256KW (also
 * when absent) or ECDH-ES
 * @param data what to seal, as JSON; at most 4 MiB with its envelope
 * Errors: DISCLOSURE_KEY_MISSING, DISCLOSURE_UNSEALABLE. Neither holds anything of the data.
 */
export async function sealFor(recipientJwk: PublicJwk | undefined, data: Readonly<Record<string, unknown>>, context: SealContext): Promise<string> {
  if (recipientJwk === undefined) throw keyMissing();
  const plaintext = paddedContent(data, context);
  const alg = agreementOf(recipientJwk);
  const header = { alg, enc: contentEncryption, kid: recipientJwk.kid, typ: sealedType, cty: sealedContentType };
  try {
    return await new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(await importedKey(recipientJwk, alg));
  } catch {
    // an off-curve or low-order point, or a registry that let something else through
    throw keyUnusable();
  } finally {
    plaintext.fill(0);
  }
}

/** The key to seal with, out of a party's registered keys: the first for encryption on a supported curve. */
export function sealingKey(registered: readonly PublicJwk[]): PublicJwk | undefined {
  return registered.find((jwk) => jwk['use'] === 'enc' && isSupportedCurve(jwk));
}

const encoder = new TextEncoder();

function paddedContent(data: Readonly<Record<string, unknown>>, context: SealContext): Uint8Array {
  const content: SealedContent = {
    iss: context.issuer, aud: context.audience, jti: context.jti, iat: epochSeconds(context.issuedAtMs), data,
  };
  let text: string;
  try {
    text = JSON.stringify(content);
  } catch {
    throw new VeilgateError('DISCLOSURE_UNSEALABLE', 'The answer is no JSON and was not sealed: report this to the platform.');
  }
  const bytes = encoder.encode(text);
  const length = paddedLength(bytes.length);
  if (length === undefined) {
    throw new VeilgateError('DISCLOSURE_UNSEALABLE', 'The answer is too large to be sealed: ask for fewer rows or fields at once.', { maxBytes: sealedBytesMax });
  }
  const padded = new Uint8Array(length).fill(paddingByte);
  padded.set(bytes);
  bytes.fill(0);
  return padded;
}

function isSupportedCurve(jwk: PublicJwk): boolean {
  return (jwk.kty === 'EC' && jwk['crv'] === 'P-256') || (jwk.kty === 'OKP' && jwk['crv'] === 'X25519');
}

function agreementOf(jwk: PublicJwk): KeyAgreement {
  const alg = jwk['alg'] ?? 'ECDH-ES+A256KW';
  const known = keyAgreements.find((agreement) => agreement === alg);
  const forOtherUse = jwk['use'] !== undefined && jwk['use'] !== 'enc';
  if (known === undefined || forOtherUse || !isSupportedCurve(jwk)) throw keyUnusable();
  return known;
}

/** Imported keys by their public members: a key id alone is not unique over parties. */
const imported = new Map<string, Promise<CryptoKey>>();
const importedMax = 4096;

function importedKey(jwk: PublicJwk, alg: KeyAgreement): Promise<CryptoKey> {
  const name = JSON.stringify([alg, jwk['crv'], jwk['x'], jwk['y']]);
  let key = imported.get(name);
  if (key === undefined) {
    const point: JWK = jwk.kty === 'EC'
      ? { kty: 'EC', crv: 'P-256', x: jwk['x'] as string, y: jwk['y'] as string }
      : { kty: 'OKP', crv: 'X25519', x: jwk['x'] as string };
    key = importJWK(point, alg) as Promise<CryptoKey>;
    if (imported.size >= importedMax) imported.delete(imported.keys().next().value as string);
    imported.set(name, key);
    key.catch(() => imported.delete(name));
  }
  return key;
}

function keyMissing(): VeilgateError {
  return new VeilgateError('DISCLOSURE_KEY_MISSING', 'Original values leave only sealed, and no encryption key is registered for you: register a P-256 or X25519 key.');
}

function keyUnusable(): VeilgateError {
  return new VeilgateError('DISCLOSURE_UNSEALABLE', 'Nothing can be sealed for the registered encryption key: register a new P-256 or X25519 key with use "enc".');
}
