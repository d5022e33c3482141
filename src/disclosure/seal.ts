import { createCipheriv, createPublicKey, diffieHellman, generateKeyPairSync, hash, randomBytes, type JsonWebKey, type KeyObject } from 'node:crypto';
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
  try {
    const { epk, key, encryptedKey } = agree(importedKey(recipientJwk), alg);
    const header = { alg, enc: contentEncryption, kid: recipientJwk.kid, typ: sealedType, cty: sealedContentType, epk };
    return encrypt(plaintext, key, encryptedKey, header);
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

/** Agrees on a key with a fresh pair of the same curve (RFC 7518 section 4.6), used itself or wrapping a random one (RFC 3394). */
function agree(recipient: KeyObject, alg: KeyAgreement): { readonly epk: JsonWebKey; readonly key: Uint8Array; readonly encryptedKey: Buffer } {
  const fresh = recipient.asymmetricKeyType === 'x25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const secret = diffieHellman({ privateKey: fresh.privateKey, publicKey: recipient });
  const epk = fresh.publicKey.export({ format: 'jwk' });
  // with ECDH-ES the key encrypts the content itself, and is derived for that
  const agreed = concatKdf(secret, alg === 'ECDH-ES' ? contentEncryption : alg);
  secret.fill(0);
  if (alg === 'ECDH-ES') return { epk, key: agreed, encryptedKey: Buffer.alloc(0) };
  const key = randomBytes(keyBytes);
  const wrap = createCipheriv('id-aes256-wrap', agreed, wrapStart);
  const encryptedKey = Buffer.concat([wrap.update(key), wrap.final()]);
  agreed.fill(0);
  return { epk, key, encryptedKey };
}

/** Of A256GCM and A256KW. */
const keyBytes = 32;
/** RFC 3394 section 2.2.3.1. */
const wrapStart = Buffer.alloc(8, 0xa6);
const nonceBytes = 12;

/** NIST SP 800-56A, one round of SHA-256, with neither PartyUInfo nor PartyVInfo. */
function concatKdf(secret: Uint8Array, algorithm: string): Buffer {
  const input = Buffer.concat([uint32(1), secret, uint32(algorithm.length), Buffer.from(algorithm), uint32(0), uint32(0), uint32(8 * keyBytes)]);
  const key = hash('sha256', input, 'buffer');
  input.fill(0);
  return key;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** RFC 7516 sections 5.1 and 7.1; the key is wiped. */
function encrypt(plaintext: Uint8Array, key: Uint8Array, encryptedKey: Buffer, header: Readonly<Record<string, unknown>>): string {
  const encodedHeader = Buffer.from(JSON.stringify(header)).toString('base64url');
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(encodedHeader, 'latin1'));
  key.fill(0);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return [encodedHeader, ...[encryptedKey, nonce, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join('.');
}

/** Imported keys by their public members: a key id alone is not unique over parties. */
const imported = new Map<string, KeyObject>();
const importedMax = 4096;

function importedKey(jwk: PublicJwk): KeyObject {
  const name = JSON.stringify([jwk['crv'], jwk['x'], jwk['y']]);
  const known = imported.get(name);
  if (known !== undefined) return known;
  const point = jwk.kty === 'EC' ? { kty: 'EC', crv: 'P-256', x: jwk['x'], y: jwk['y'] } : { kty: 'OKP', crv: 'X25519', x: jwk['x'] };
  const key = createPublicKey({ key: point as JsonWebKey, format: 'jwk' });
  if (imported.size >= importedMax) imported.delete(imported.keys().next().value as string);
  imported.set(name, key);
  return key;
}

function keyMissing(): VeilgateError {
  return new VeilgateError('DISCLOSURE_KEY_MISSING', 'Original values leave only sealed, and no encryption key is registered for you: register a P-256 or X25519 key.');
}

function keyUnusable(): VeilgateError {
  return new VeilgateError('DISCLOSURE_UNSEALABLE', 'Nothing can be sealed for the registered encryption key: register a new P-256 or X25519 key with use "enc".');
}
