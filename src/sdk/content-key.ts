import type { CryptoKey, JWK } from 'jose';
import { concat, utf8, type Bytes } from '../audit/bytes.ts';
import { acceptedForm, asCryptoKey, bytesOf, checkedData, opening, type AcceptedForm, type SealExpectation } from '../disclosure/open.ts';
import { contentEncryption, type KeyAgreement } from '../disclosure/sealed-form.ts';

/**
 * The one-time key a sealed answer's content is encrypted with. Whoever has it can open this answer and no other: a
 * bank shows it to those who are to check that the values it shows are those it got (docs/formats/credit-report.md).
 * jose opens answers, and keeps this key to itself.
 */
const subtle = globalThis.crypto.subtle;
const keyBytes = 32;

/**
 * @param key the private key the answer is sealed for: a CryptoKey (need not be extractable) or a JWK with `d`
 * @returns 32 bytes
 * Errors: DISCLOSURE_UNREADABLE.
 */
export async function contentKeyOf(jwe: string, key: CryptoKey | JWK): Promise<Bytes> {
  return opening(async () => {
    const form = acceptedForm(jwe);
    const shared = await agreedSecret(form, await asCryptoKey(key, form.alg));
    const derived = await derivedKey(shared, form.alg);
    return form.alg === 'ECDH-ES' ? derived : unwrapped(form, derived);
  });
}

/** Opens what sealFor sealed, with the content's key instead of the bank's. Errors: DISCLOSURE_UNREADABLE. */
export async function openWithContentKey(jwe: string, contentKey: Bytes, expected: SealExpectation): Promise<Readonly<Record<string, unknown>>> {
  return opening(async () => {
    const { header, iv, ciphertext, tag } = acceptedForm(jwe);
    const key = await subtle.importKey('raw', contentKey, 'AES-GCM', false, ['decrypt']);
    const plaintext = await subtle.decrypt({ name: 'AES-GCM', iv: bytesOf(iv), additionalData: utf8(header), tagLength: 128 }, key, concat(bytesOf(ciphertext), bytesOf(tag)));
    return checkedData(new Uint8Array(plaintext), expected);
  });
}

/** RFC 7518 section 4.6, RFC 8037 section 3.2: the answer's ephemeral key and the bank's own agree. */
async function agreedSecret({ epk }: AcceptedForm, key: CryptoKey): Promise<Bytes> {
  const { name } = key.algorithm;
  const algorithm = name === 'ECDH' ? { name, namedCurve: 'P-256' } : { name };
  const ephemeral = await subtle.importKey('jwk', publicMembers(epk), algorithm, false, []);
  return new Uint8Array(await subtle.deriveBits({ name, public: ephemeral }, key, keyBytes * 8));
}

function publicMembers({ kty, crv, x, y }: JWK) {
  return { ...(kty === undefined ? {} : { kty }), ...(crv === undefined ? {} : { crv }), ...(x === undefined ? {} : { x }), ...(y === undefined ? {} : { y }) };
}

/** Concat KDF of RFC 7518 section 4.6.2 for 256 bits, without apu and apv: one round of SHA-256. */
async function derivedKey(secret: Bytes, alg: KeyAgreement): Promise<Bytes> {
  const name = utf8(alg === 'ECDH-ES' ? contentEncryption : alg);
  const info = concat(number(1), secret, number(name.length), name, number(0), number(0), number(keyBytes * 8));
  return new Uint8Array(await subtle.digest('SHA-256', info));
}

/** RFC 3394. */
async function unwrapped({ encryptedKey }: AcceptedForm, wrapping: Bytes): Promise<Bytes> {
  const kek = await subtle.importKey('raw', wrapping, 'AES-KW', false, ['unwrapKey']);
  const key = await subtle.unwrapKey('raw', bytesOf(encryptedKey), kek, 'AES-KW', 'AES-GCM', true, ['decrypt']);
  return new Uint8Array(await subtle.exportKey('raw', key));
}

/** 32 bits, big-endian. */
function number(value: number): Bytes {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
