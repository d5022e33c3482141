import { compactDecrypt, importJWK, type CryptoKey, type JWK } from 'jose';
import { VeilgateError } from '../errors.ts';
import { parseStrictJsonBytes } from '../strict-json.ts';
import { contentEncryption, keyAgreements, paddedLength, paddingByte, sealedBytesMax, sealedContentType, sealedType, type KeyAgreement } from './sealed-form.ts';

/** What the opener knows beforehand; a sealed answer that says otherwise is somebody else's. */
export type SealExpectation = {
  /** URL of the gateway that was asked. */
  readonly issuer: string;
  /** The opener's own party id. */
  readonly audience: string;
  /** Id of the answer it came with; where known, an older answer cannot be put in its place. */
  readonly jti?: string;
};

/** Base64 of the largest plaintext, and room for header, key and tag. */
const compactLengthMax = Math.ceil((sealedBytesMax * 4) / 3) + 4096;
const headerLengthMax = 2048;

/**
 * Opens what sealFor sealed.
 * @param key the private key: a CryptoKey (need not be extractable) or a JWK with `d`
 * @returns the sealed data
 * Errors: DISCLOSURE_UNREADABLE, the same for every fault, so that nobody learns from errors what a key opens.
 */
export async function openSealed(jwe: string, key: CryptoKey | JWK, expected: SealExpectation): Promise<Readonly<Record<string, unknown>>> {
  return opening(async () => {
    const { alg } = acceptedForm(jwe);
    const { plaintext } = await compactDecrypt(jwe, await asCryptoKey(key, alg), {
      keyManagementAlgorithms: [alg], contentEncryptionAlgorithms: [contentEncryption], maxDecompressedLength: 0,
    });
    return checkedData(plaintext, expected);
  });
}

/** Every fault looks the same. Errors: DISCLOSURE_UNREADABLE. */
export async function opening<Opened>(open: () => Promise<Opened>): Promise<Opened> {
  try {
    return await open();
  } catch {
    throw new VeilgateError('DISCLOSURE_UNREADABLE', 'The sealed answer cannot be opened: check that it is complete, from the expected gateway, and sealed for this party\'s key.');
  }
}

/** A JWE of the one form that is made: its parts as they came, base64url, and what its header says. */
export type AcceptedForm = { readonly alg: KeyAgreement; readonly epk: JWK; readonly header: string; readonly encryptedKey: string; readonly iv: string; readonly ciphertext: string; readonly tag: string };

/** jose would pass over `zip`, unknown parameters, padding characters and stray bits: they are refused before. */
export function acceptedForm(jwe: string): AcceptedForm {
  if (typeof jwe !== 'string' || jwe.length > compactLengthMax) throw refusal();
  const parts = jwe.split('.');
  const [header = '', encryptedKey = '', iv = '', ciphertext = '', tag = ''] = parts;
  if (parts.length !== 5 || header.length > headerLengthMax || ![header, iv, ciphertext, tag].every(isBase64url)) throw refusal();
  const parameters = asObject(parseStrictJsonBytes(bytesOf(header)));
  const { alg, enc, epk, kid, typ, cty, ...others } = parameters;
  const known = keyAgreements.find((agreement) => agreement === alg);
  if (known === undefined || enc !== contentEncryption || typ !== sealedType || cty !== sealedContentType) throw refusal();
  if (typeof kid !== 'string' || typeof epk !== 'object' || Object.keys(others).length > 0) throw refusal();
  if (known === 'ECDH-ES' ? encryptedKey !== '' : !isBase64url(encryptedKey)) throw refusal();
  return { alg: known, epk: epk as JWK, header, encryptedKey, iv, ciphertext, tag };
}

export async function asCryptoKey(key: CryptoKey | JWK, alg: KeyAgreement): Promise<CryptoKey> {
  return 'kty' in key ? ((await importJWK(key, alg, { extractable: false })) as CryptoKey) : (key as CryptoKey);
}

/** What was sealed, once it is decrypted. */
export function checkedData(plaintext: Uint8Array, expected: SealExpectation): Readonly<Record<string, unknown>> {
  if (paddedLength(plaintext.length) !== plaintext.length) throw refusal();
  const { iss, aud, jti, iat, data, ...others } = asObject(parseStrictJsonBytes(withoutPadding(plaintext), { maxLength: sealedBytesMax }));
  if (iss !== expected.issuer || aud !== expected.audience || typeof jti !== 'string' || typeof iat !== 'number') throw refusal();
  if ((expected.jti !== undefined && jti !== expected.jti) || Object.keys(others).length > 0) throw refusal();
  return asObject(data);
}

/** Blanks behind JSON mean nothing: they need not be decoded and read one by one. */
function withoutPadding(plaintext: Uint8Array): Uint8Array {
  let end = plaintext.length;
  while (end > 0 && plaintext[end - 1] === paddingByte) end -= 1;
  return plaintext.subarray(0, end);
}

const base64url = /^[A-Za-z0-9_-]+$/;

/** RFC 4648 section 5 without padding, unused bits zero: one spelling for one value. */
function isBase64url(text: string): boolean {
  if (!base64url.test(text)) return false;
  switch (text.length % 4) {
    case 0: return true;
    case 2: return /[AQgw]$/.test(text);
    case 3: return /[AEIMQUYcgkosw048]$/.test(text);
    default: return false;
  }
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refusal();
  return value as Readonly<Record<string, unknown>>;
}

/** Never leaves this file: openSealed gives one error for all. */
function refusal(): TypeError {
  return new TypeError('not acceptable');
}
