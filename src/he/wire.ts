import { VeilgateError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { ParameterSet } from './parameters.ts';

/**
 * How ciphertexts and keys look as bytes: SEAL 4.1 serialisation, uncompressed, full (never seeded). For a named
 * set everything before the coefficients is fixed to the last bit, so it is compared, not interpreted:
 *
 *   header    A15E magic (LE), 10 header size, 04 01 version, 00 no compression, 0000, total length (u64 LE)
 *   members   parms id (32), is_ntt_form (1), components (u64), N (u64), primes (u64), scale 1.0 (f64), correction 1 (u64)
 *   array     a header of its own, number of words (u64), then the words: component by component, prime by prime
 *
 * A secret key is a plaintext: parms id, number of words, scale, array. docs/formats/he.md has the offsets.
 * SEAL 4.1.2 predates the hardening of hostile loading: nothing foreign reaches `loadFromArray` before this.
 */
export type CiphertextForm =
  /** An encrypted feature column as a domain makes it. */
  | 'column'
  /** A masked result as the custodian gets it: one data prime. */
  | 'result';

const headerBytes = 16;
/** The coefficients of a ciphertext or public key begin here. */
export const ciphertextPrefixBytes = 113;
const secretKeyPrefixBytes = 88;

/** The data primes of a form. */
export function primesOf(set: ParameterSet, form: CiphertextForm | 'key'): number[] {
  const primes = set.coeffModulus.map(Number);
  if (form === 'key') return primes;
  return form === 'column' ? primes.slice(0, -1) : primes.slice(0, 1);
}

/**
 * Refuses bytes that are not a ciphertext of the set in this form: length, header, level, compression, seeds, other
 * objects (Galois keys), coefficients not below their prime, transparent ones (the second component zero).
 * @throws VeilgateError HE_CIPHERTEXT_REFUSED
 */
export function checkCiphertextBytes(set: ParameterSet, bytes: Uint8Array, form: CiphertextForm = 'column'): void {
  checkedWords(set, bytes, form);
}

/** @throws VeilgateError HE_KEY_REFUSED, also for a key whose public randomness is zero: it would hide nothing. */
export function checkPublicKeyBytes(set: ParameterSet, bytes: Uint8Array): void {
  checkPrefix('HE_KEY_REFUSED', bytes, ciphertextPrefix(set, 'key'), set.publicKeyBytes);
  const words = wordsAfter(bytes, ciphertextPrefixBytes);
  if (!areBelow(words, set.polyModulusDegree, [...primesOf(set, 'key'), ...primesOf(set, 'key')])) refuse('HE_KEY_REFUSED');
  if (hasZeroComponent(words)) refuse('HE_KEY_REFUSED');
}

/** @throws VeilgateError HE_KEY_REFUSED */
export function checkSecretKeyBytes(set: ParameterSet, bytes: Uint8Array): void {
  const primes = primesOf(set, 'key');
  const prefix = join(header(set.secretKeyBytes), uint64(...set.parmsIds.key), uint64(set.polyModulusDegree * primes.length), float64(1), arrayHead(set.polyModulusDegree * primes.length));
  checkPrefix('HE_KEY_REFUSED', bytes, prefix, set.secretKeyBytes);
  const words = wordsAfter(bytes, secretKeyPrefixBytes);
  const isKey = areBelow(words, set.polyModulusDegree, primes) && words.some((word) => word !== 0);
  words.fill(0); // no second copy stays
  if (!isKey) refuse('HE_KEY_REFUSED');
}

/**
 * The checked coefficients of a ciphertext, copied: pairs of (low, high) 32-bit words.
 * @throws VeilgateError HE_CIPHERTEXT_REFUSED
 */
export function residuesOf(set: ParameterSet, bytes: Uint8Array, form: CiphertextForm): Uint32Array {
  const words = checkedWords(set, bytes, form);
  return words.buffer === bytes.buffer ? words.slice() : words;
}

/** The coefficients as a view where they stand at a multiple of four bytes, else copied. */
function checkedWords(set: ParameterSet, bytes: Uint8Array, form: CiphertextForm): Uint32Array {
  checkPrefix('HE_CIPHERTEXT_REFUSED', bytes, ciphertextPrefix(set, form), form === 'column' ? set.columnBytes : set.resultBytes);
  const at = bytes.byteOffset + ciphertextPrefixBytes;
  const words = at % Uint32Array.BYTES_PER_ELEMENT === 0 ? new Uint32Array(bytes.buffer, at, (bytes.length - ciphertextPrefixBytes) / Uint32Array.BYTES_PER_ELEMENT) : wordsAfter(bytes, ciphertextPrefixBytes);
  if (!areBelow(words, set.polyModulusDegree, [...primesOf(set, form), ...primesOf(set, form)])) refuse('HE_CIPHERTEXT_REFUSED');
  if (words.subarray(words.length / 2).every((word) => word === 0)) refuse('HE_CIPHERTEXT_REFUSED');
  return words;
}

/** The coefficients of bytes SEAL itself has just made in this process. */
export function ownResidues(bytes: Uint8Array): Uint32Array {
  return wordsAfter(bytes, ciphertextPrefixBytes);
}

/** Length of a partner's pad: a seeded ciphertext holds its first component and the seed of the second. */
export function padBytesOf(set: ParameterSet): number {
  return ciphertextPrefixBytes + 8 * set.polyModulusDegree * primesOf(set, 'column').length + generatorBytes;
}

/** A header, the generator's kind (1: BLAKE2xb) and 64 bytes of seed. */
const generatorBytes = 81;

/**
 * Refuses bytes that are not a seeded, uncompressed ciphertext of the set with both data primes.
 * @throws VeilgateError HE_CIPHERTEXT_REFUSED
 */
export function checkSeededBytes(set: ParameterSet, bytes: Uint8Array): void {
  const primes = primesOf(set, 'column');
  const words = set.polyModulusDegree * primes.length;
  const prefix = join(
    header(padBytesOf(set)), uint64(...set.parmsIds.column), Uint8Array.of(0), uint64(2), uint64(set.polyModulusDegree), uint64(primes.length),
    float64(1), uint64(1), arrayHead(words),
  );
  checkPrefix('HE_CIPHERTEXT_REFUSED', bytes, prefix, padBytesOf(set));
  const end = ciphertextPrefixBytes + 8 * words;
  if (!areBelow(wordsAfter(bytes.subarray(0, end), ciphertextPrefixBytes), set.polyModulusDegree, primes)) refuse('HE_CIPHERTEXT_REFUSED');
  checkPrefix('HE_CIPHERTEXT_REFUSED', bytes.subarray(end), join(header(generatorBytes), Uint8Array.of(1)), generatorBytes);
}

/** Bytes of a ciphertext whose coefficients are still to be written, at `ciphertextPrefixBytes`, 8 bytes each. */
export function emptyCiphertext(set: ParameterSet, form: CiphertextForm): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(form === 'column' ? set.columnBytes : set.resultBytes);
  bytes.set(ciphertextPrefix(set, form));
  return bytes;
}

const prefixes = new Map<string, Uint8Array>();

function ciphertextPrefix(set: ParameterSet, form: CiphertextForm | 'key'): Uint8Array {
  const name = `${set.id} ${form}`;
  const known = prefixes.get(name);
  if (known !== undefined) return known;
  const primes = primesOf(set, form).length;
  const length = { column: set.columnBytes, result: set.resultBytes, key: set.publicKeyBytes }[form];
  const prefix = join(
    header(length), uint64(...set.parmsIds[form]), Uint8Array.of(form === 'key' ? 1 : 0), uint64(2), uint64(set.polyModulusDegree), uint64(primes),
    float64(1), uint64(1), arrayHead(2 * primes * set.polyModulusDegree),
  );
  prefixes.set(name, prefix);
  return prefix;
}

const header = (length: number) => join(Uint8Array.of(0x5e, 0xa1, headerBytes, 4, 1, 0, 0, 0), uint64(length));
const arrayHead = (words: number) => join(header(headerBytes + 8 + 8 * words), uint64(words));
const uint64 = (...values: readonly (number | bigint)[]) => new Uint8Array(BigUint64Array.from(values, BigInt).buffer);
const float64 = (value: number) => new Uint8Array(Float64Array.of(value).buffer);

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function checkPrefix(code: ErrorCode, bytes: Uint8Array, prefix: Uint8Array, length: number): void {
  if (bytes.length !== length) refuse(code);
  for (let at = 0; at < prefix.length; at++) if (bytes[at] !== prefix[at]) refuse(code);
}

/** A copy, because a word must stand at a multiple of four bytes. */
function wordsAfter(bytes: Uint8Array, prefixBytes: number): Uint32Array {
  return new Uint32Array(new Uint8Array(bytes.subarray(prefixBytes)).buffer); // a Buffer's slice would be no copy
}

/** Whether each polynomial's coefficients are below its prime. */
function areBelow(words: Uint32Array, degree: number, primes: readonly number[]): boolean {
  return primes.every((prime, polynomial) => {
    const primeHigh = Math.floor(prime / 2 ** 32);
    const primeLow = prime % 2 ** 32;
    const end = 2 * degree * (polynomial + 1);
    for (let at = 2 * degree * polynomial; at < end; at += 2) {
      const high = words[at + 1] ?? 0;
      if (high > primeHigh || (high === primeHigh && (words[at] ?? 0) >= primeLow)) return false;
    }
    return true;
  });
}

function hasZeroComponent(words: Uint32Array): boolean {
  const half = words.length / 2;
  return [words.subarray(0, half), words.subarray(half)].some((component) => component.every((word) => word === 0));
}

function refuse(code: ErrorCode): never {
  throw new VeilgateError(code, code === 'HE_KEY_REFUSED'
    ? 'The key is not of the form the parameter set asks for: fetch the active key again.'
    : 'The ciphertext is not of the form the parameter set asks for: encrypt the column again with the key and parameters the gateway names.');
}
