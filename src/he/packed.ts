import { VeilgateError } from '../errors.ts';
import type { ParameterSet } from './parameters.ts';
import { ciphertextPrefixBytes, emptyCiphertext, primesOf, residuesOf } from './wire.ts';

/**
 * How the platform keeps a checked column: what SEAL's form says of it is fixed for the set and left out, and of each
 * coefficient's eight bytes the two that are always zero. First the low 32 bits of all coefficients, then their high 16,
 * little-endian both: two arrays that sums are taken on where they lie.
 */
export type PackedColumn = { readonly low: Uint32Array; readonly high: Uint16Array };

const lowBytes = Uint32Array.BYTES_PER_ELEMENT;
const highBytes = Uint16Array.BYTES_PER_ELEMENT;

/** Coefficients of a column: for each of its two components, those modulo each data prime. */
function coefficientsOf(set: ParameterSet): number {
  return 2 * primesOf(set, 'column').length * set.polyModulusDegree;
}

/** Length of a packed column. */
export function packedBytesOf(set: ParameterSet): number {
  return coefficientsOf(set) * (lowBytes + highBytes);
}

/**
 * @param bytes a column as a domain sent it
 * @throws VeilgateError HE_CIPHERTEXT_REFUSED
 */
export function packColumn(set: ParameterSet, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return packWords(set, residuesOf(set, bytes, 'column'));
}

/** @param words a column's coefficients as pairs of (low, high) 32-bit words, each below its prime */
export function packWords(set: ParameterSet, words: Uint32Array): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(packedBytesOf(set));
  const { low, high } = viewPacked(set, packed.buffer, 0);
  for (let at = 0; at < low.length; at++) {
    low[at] = words[2 * at]!;
    high[at] = words[2 * at + 1]!;
  }
  return packed;
}

/**
 * The column as a domain sent it.
 * @throws VeilgateError HE_CIPHERTEXT_REFUSED
 */
export function unpackColumn(set: ParameterSet, packed: Uint8Array): Uint8Array<ArrayBuffer> {
  if (packed.length !== packedBytesOf(set)) throw refused();
  const { low, high } = viewPacked(set, packed.slice().buffer, 0);
  const words = new Uint32Array(2 * low.length);
  for (let at = 0; at < low.length; at++) {
    words[2 * at] = low[at]!;
    words[2 * at + 1] = high[at]!;
  }
  const bytes = emptyCiphertext(set, 'column');
  bytes.set(new Uint8Array(words.buffer), ciphertextPrefixBytes);
  return bytes;
}

/** The two arrays where they lie. @param start a multiple of four */
export function viewPacked(set: ParameterSet, memory: ArrayBufferLike, start: number): PackedColumn {
  const count = coefficientsOf(set);
  return { low: new Uint32Array(memory, start, count), high: new Uint16Array(memory, start + count * lowBytes, count) };
}

/**
 * Refuses what is not the packed form of a column: coefficients not below their primes, or a second component of nothing but zeros.
 * @throws VeilgateError HE_CIPHERTEXT_REFUSED
 */
export function checkPacked(set: ParameterSet, { low, high }: PackedColumn): void {
  const primes = primesOf(set, 'column');
  const isBelow = [...primes, ...primes].every((prime, polynomial) => areBelow(low, high, prime, polynomial * set.polyModulusDegree, (polynomial + 1) * set.polyModulusDegree));
  const half = low.length / 2;
  if (!isBelow || (low.subarray(half).every(isZero) && high.subarray(half).every(isZero))) throw refused();
}

function areBelow(low: Uint32Array, high: Uint16Array, prime: number, from: number, to: number): boolean {
  const primeHigh = Math.floor(prime / 2 ** 32);
  const primeLow = prime % 2 ** 32;
  for (let at = from; at < to; at++) {
    const upper = high[at]!;
    if (upper > primeHigh || (upper === primeHigh && low[at]! >= primeLow)) return false;
  }
  return true;
}

const isZero = (word: number) => word === 0;

function refused(): VeilgateError {
  return new VeilgateError('HE_CIPHERTEXT_REFUSED', 'A stored column does not have the form of its parameter set: load it again.');
}
