import { centred } from '../../src/he/clear.ts';
import type { MaskedResult } from '../../src/he/evaluate.ts';
import { generateKeyPair, type KeyPair } from '../../src/he/keygen.ts';
import { parameterSets } from '../../src/he/parameters.ts';
import { bytesOf, loadHe, type He } from '../../src/he/runtime.ts';

export const set = parameterSets['veilgate-score-1'];

let prepared: Promise<{ readonly he: He; readonly keys: KeyPair }> | undefined;

/** SEAL and one key pair for all tests. */
export function testHe(): Promise<{ readonly he: He; readonly keys: KeyPair }> {
  prepared ??= loadHe().then((he) => ({ he, keys: generateKeyPair(he, set) }));
  return prepared;
}

/** What the bank does with its two halves. */
export function opened(decrypted: Uint32Array, masks: Uint32Array): Int32Array {
  return Int32Array.from(decrypted, (value, slot) => centred(set, (value + set.plainModulus - (masks[slot] ?? 0)) % set.plainModulus));
}

export type NaiveDefences = {
  /** Added to the slots in the clear of a plaintext; absent: no mask. */
  readonly masks?: Uint32Array;
  readonly rerandomise?: boolean;
  /** Keep both data primes: dropping one hides small noise already. */
  readonly bothPrimes?: boolean;
};

/**
 * Σ weights·columns as one would write it with SEAL, with only the defences named: never a flood. What the attacks
 * of the tests succeed against, and what the evaluator's arithmetic is compared with.
 */
export function naiveSum(he: He, keys: KeyPair, columns: readonly Uint8Array[], weights: readonly number[], { masks, rerandomise, bothPrimes }: NaiveDefences): Uint8Array {
  const context = he.context(set);
  const { seal, context: sealContext } = context;
  using evaluator = new seal.Evaluator(sealContext);
  using encoder = new seal.BatchEncoder(sealContext);
  using sum = new seal.Ciphertext();
  using term = new seal.Ciphertext();
  using plaintext = new seal.Plaintext();
  columns.forEach((bytes, at) => {
    const into = at === 0 ? sum : term;
    into.loadFromArray(sealContext, bytes);
    // SEAL multiplies by t − |w| for a negative constant, which makes a million times the noise: multiply, then negate
    encoder.encode(new BigInt64Array(set.slots).fill(BigInt(Math.abs(weights[at] ?? 0))), plaintext);
    evaluator.multiplyPlainInplace(into, plaintext);
    if ((weights[at] ?? 0) < 0) evaluator.negateInplace(into);
    if (at > 0) evaluator.addInplace(sum, term);
  });
  if (masks !== undefined) {
    encoder.encode(BigInt64Array.from(masks, BigInt), plaintext);
    evaluator.addPlainInplace(sum, plaintext);
  }
  if (rerandomise === true) {
    using publicKey = new seal.PublicKey();
    publicKey.loadFromArray(sealContext, keys.publicKey);
    using encryptor = new seal.Encryptor(sealContext, publicKey);
    encryptor.encryptZero(term);
    evaluator.addInplace(sum, term);
  }
  if (bothPrimes !== true) evaluator.cipherModSwitchToNextInplace(sum);
  return bytesOf(context, sum);
}

/** Columns of random integers, and weights that keep the sum within range. */
export function randomColumns(count: number, magnitude: number): Int32Array[] {
  return Array.from({ length: count }, () => Int32Array.from({ length: set.slots }, () => Math.floor(Math.random() * (2 * magnitude + 1)) - magnitude));
}

export const firstOf = (results: readonly MaskedResult[]): MaskedResult => {
  const [result] = results;
  if (result === undefined) throw new Error('no result');
  return result;
};

/** Where two arrays differ first, -1 when nowhere: a report of all differences would not end. */
export function firstDifference(a: ArrayLike<number> | undefined, b: ArrayLike<number>): number {
  if (a?.length !== b.length) return Math.min(a?.length ?? 0, b.length);
  for (let at = 0; at < b.length; at++) if (a[at] !== b[at]) return at;
  return -1;
}
