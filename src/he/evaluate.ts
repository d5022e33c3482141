import { VeilgateError, isVeilgateError } from '../errors.ts';
import { arithmeticOf } from './arithmetic.ts';
import { createBlinderSource, type Blinder } from './blind.ts';
import { assertFits, type Bounds } from './clear.ts';
import { addPlain, columnOf } from './encrypt.ts';
import type { ParameterSet } from './parameters.ts';
import { packColumn, viewPacked, type PackedColumn } from './packed.ts';
import { createSlotCoder } from './plaintext.ts';
import { webRandomBytes, type RandomBytes } from './random.ts';
import type { He } from './runtime.ts';
import { reducedSums, switchedSum, weightedSums } from './sum.ts';
import { ciphertextPrefixBytes, emptyCiphertext, residuesOf } from './wire.ts';

/** One linear combination of columns: offset + Σ weights[j] × column j. */
export type Output = { readonly weights: readonly number[]; readonly offset: number };

/** A masked result: score(slot) ≡ (decrypted − masks[slot]) mod t, centred. Nobody may hold both but its bank. */
export type MaskedResult = { readonly ciphertext: Uint8Array<ArrayBuffer>; readonly masks: Uint32Array<ArrayBuffer> };

export type EvaluatorOptions = {
  /** Most bytes of column coefficients kept; the least recently used go first. */
  readonly cacheBytesMax: number;
  /** How many blinders `prepare` may make ahead, 145 KB each. */
  readonly blindersMax?: number;
  readonly random?: RandomBytes;
};

export type Evaluator = {
  /** Which of these columns must be loaded before they can be evaluated. */
  readonly missing: (digests: readonly string[]) => string[];
  /** @throws VeilgateError HE_CIPHERTEXT_REFUSED */
  readonly load: (digest: string, bytes: Uint8Array) => void;
  /**
   * One pass over the columns for all outputs; each is masked, flooded and re-randomised.
   * @param bounds the columns' declared ranges: then a sum that could leave ±(t − 1)/2 is refused
   * @throws VeilgateError HE_EVALUATION_FAILED
   */
  readonly evaluate: (digests: readonly string[], outputs: readonly Output[], bounds?: readonly Bounds[]) => MaskedResult[];
  /** Key rotation: a column, masked, for the custodian to re-encrypt under its new key. */
  readonly remask: (bytes: Uint8Array) => MaskedResult;
  /** Key rotation: the mask taken off the column that the custodian encrypted under its new key. */
  readonly unmask: (bytes: Uint8Array, masks: Uint32Array) => Uint8Array<ArrayBuffer>;
  /** Makes one blinder ahead, in idle time; false when there are enough. */
  readonly prepare: () => boolean;
  readonly close: () => void;
};

/** Most columns of one evaluation, and most outputs. */
export const columnsMax = 256;
export const outputsMax = 64;

/**
 * Evaluates approved models on encrypted columns. Never takes a secret key.
 * @throws VeilgateError HE_KEY_REFUSED
 */
export function createEvaluator(he: He, set: ParameterSet, publicKey: Uint8Array, options: EvaluatorOptions): Evaluator {
  const blinders = createBlinderSource(he, set, publicKey, options.blindersMax ?? 0, options.random ?? webRandomBytes);
  const coder = createSlotCoder(he.context(set), set.slots);
  const cache = createColumnCache(options.cacheBytesMax);
  const packed = (bytes: Uint8Array) => viewPacked(set, packColumn(set, bytes).buffer, 0);
  return {
    missing: (digests) => digests.filter((digest) => !cache.has(digest)),
    load: (digest, bytes) => cache.put(digest, packed(bytes)),
    evaluate: (digests, outputs, bounds) => uniformly(() => evaluateColumns(set, digests.map(cache.get), outputs, blinders.take, bounds)),
    remask: (bytes) => uniformly(() => {
      const [masked] = evaluateColumns(set, [packed(bytes)], [{ weights: [1], offset: 0 }], blinders.take);
      return masked ?? refuse('There is no result.');
    }),
    unmask: (bytes, masks) => uniformly(() => {
      const residues = residuesOf(set, bytes, 'column');
      if (masks.length !== set.slots) refuse('The masks are not those of a whole block: take the ones remask gave.');
      const negated = masks.map((mask) => (set.plainModulus - mask) % set.plainModulus);
      addPlain(set, residues, coder.coefficients(negated));
      return columnOf(set, residues);
    }),
    prepare: blinders.prepare,
    close: () => {
      blinders.close();
      coder.close();
      cache.clear();
    },
  };
}

/**
 * The outputs over these columns' coefficients, each with a blinder of its own.
 * @throws VeilgateError HE_EVALUATION_FAILED
 */
export function evaluateColumns(set: ParameterSet, columns: readonly (PackedColumn | undefined)[], outputs: readonly Output[], blinder: () => Blinder, bounds?: readonly Bounds[]): MaskedResult[] {
  const loaded = columns.filter((column) => column !== undefined);
  if (loaded.length !== columns.length) refuse('A column is not loaded, or the cache is too small for all of them: load what `missing` names, or enlarge the cache.');
  checkOutputs(set, columns.length, outputs, bounds);
  const arithmetic = arithmeticOf(set);
  return weightedSums(loaded, outputs.map(({ weights }) => weights)).map((sums, at) => {
    const { residues, masks } = blinder();
    const ciphertext = emptyCiphertext(set, 'result');
    const words = new Uint32Array(4 * set.polyModulusDegree);
    switchedSum(arithmetic, reducedSums(arithmetic, sums), residues, words);
    ciphertext.set(new Uint8Array(words.buffer), ciphertextPrefixBytes);
    // the offset needs no ciphertext: it is taken off the mask
    const offset = modulo(outputs[at]?.offset ?? 0, set.plainModulus);
    return { ciphertext, masks: masks.map((mask) => (mask + set.plainModulus - offset) % set.plainModulus) };
  });
}

/** What the sums rely on: sizes, whole weights whose magnitudes add up to what the noise bound allows. */
export function checkOutputs(set: ParameterSet, columns: number, outputs: readonly Output[], bounds?: readonly Bounds[]): void {
  if (columns < 1 || columns > columnsMax || outputs.length < 1 || outputs.length > outputsMax) {
    refuse('One evaluation takes 1 to 256 columns and gives 1 to 64 outputs: split it.');
  }
  for (const { weights, offset } of outputs) {
    const sum = weights.reduce((total, weight) => total + Math.abs(weight), 0);
    if (weights.length !== columns || !weights.every(Number.isSafeInteger) || !Number.isSafeInteger(offset) || sum > set.weightSumMax) {
      refuse('Weights must be integers, one for each column, whose magnitudes add up to no more than the parameter set allows: scale the model down.');
    }
    if (bounds !== undefined) assertFits(set, weights, bounds, offset);
  }
}

/** Whatever goes wrong inside SEAL looks the same outside. */
function uniformly<Value>(act: () => Value): Value {
  try {
    return act();
  } catch (thrown) {
    if (isVeilgateError(thrown)) throw thrown;
    throw new VeilgateError('HE_EVALUATION_FAILED', 'The evaluation failed: ask again.');
  }
}

function modulo(value: number, modulus: number): number {
  return ((value % modulus) + modulus) % modulus;
}

function refuse(message: string): never {
  throw new VeilgateError('HE_EVALUATION_FAILED', message);
}

type ColumnCache = {
  readonly has: (digest: string) => boolean;
  /** Also makes it the most recently used. */
  readonly get: (digest: string) => PackedColumn | undefined;
  readonly put: (digest: string, column: PackedColumn) => void;
  readonly clear: () => void;
};

function createColumnCache(bytesMax: number): ColumnCache {
  const columns = new Map<string, PackedColumn>();
  let bytes = 0;
  const drop = (digest: string) => {
    bytes -= bytesOfPacked(columns.get(digest));
    columns.delete(digest);
  };
  return {
    has: (digest) => columns.has(digest),
    get: (digest) => {
      const column = columns.get(digest);
      if (column === undefined) return undefined;
      columns.delete(digest);
      columns.set(digest, column);
      return column;
    },
    put: (digest, column) => {
      drop(digest);
      columns.set(digest, column);
      bytes += bytesOfPacked(column);
      for (const oldest of columns.keys()) {
        if (bytes <= bytesMax) break;
        drop(oldest);
      }
    },
    clear: () => {
      columns.clear();
      bytes = 0;
    },
  };
}

function bytesOfPacked(column: PackedColumn | undefined): number {
  return column === undefined ? 0 : column.low.byteLength + column.high.byteLength;
}
