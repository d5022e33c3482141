import { VeilgateError } from '../errors.ts';
import { arithmeticOf, reduce, scaledPlain } from './arithmetic.ts';
import { uniformFlood } from './blind.ts';
import { createCoefficientCoder } from './coefficients.ts';
import { createZeroEncryptor } from './encrypt.ts';
import type { ParameterSet } from './parameters.ts';
import { webRandomBytes, type RandomBytes } from './random.ts';
import { bytesOf, type He, type SealCiphertext } from './runtime.ts';
import { switchedSum } from './sum.ts';
import { checkSeededBytes, ownResidues } from './wire.ts';

/** One chunk of a partner's encrypted pads, ready to be multiplied. */
export type LoadedPad = { readonly ciphertext: SealCiphertext };

/** Σ clear polynomial × pad so far; undefined while every clear polynomial was zero. */
export type TableSum = { sum: SealCiphertext | undefined };

/** What leaves for one table row: a window of the first component's coefficients and the whole second component, 8 bytes each. */
export type WindowResult = { readonly bytes: Uint8Array<ArrayBuffer> };

export type TableEvaluator = {
  /** @throws VeilgateError HE_CIPHERTEXT_REFUSED */
  readonly load: (pad: Uint8Array) => LoadedPad;
  /** sum += clear × pad. @param clear N small signed integers, changed by nobody meanwhile */
  readonly multiplyAdd: (sum: TableSum, pad: LoadedPad, clear: Int32Array) => void;
  /**
   * Takes the sum out: re-randomised under the partner's public key, flooded, `addend` added to the window, the last
   * prime dropped, and everything outside the window left behind. Frees the sum.
   * @param addend one value mod t for each coefficient of the window
   */
  readonly finish: (sum: TableSum, start: number, addend: ArrayLike<number>) => WindowResult;
  readonly free: (pad: LoadedPad) => void;
  readonly close: () => void;
};

/**
 * The platform's side of an encrypted table (protocol B). Never takes a secret key.
 * @throws VeilgateError HE_KEY_REFUSED
 */
export function createTableEvaluator(he: He, set: ParameterSet, publicKey: Uint8Array, random: RandomBytes = webRandomBytes): TableEvaluator {
  const context = he.context(set);
  const { seal } = context;
  const zeros = createZeroEncryptor(context, set, publicKey);
  const coder = createCoefficientCoder(context, set.polyModulusDegree, set.plainModulus);
  const evaluator = new seal.Evaluator(context.context);
  const arithmetic = arithmeticOf(set);
  const { degree, kept, dropped } = arithmetic;

  const blinder = (start: number, addend: ArrayLike<number>): Float64Array => {
    const words = new Uint32Array(2 * degree);
    for (let at = 0; at < addend.length; at += 1) words[2 * (start + at)] = addend[at] as number;
    const scaled = scaledPlain(arithmetic, words);
    const flood = uniformFlood(arithmetic, set.floodBits, random);
    const residues = doubles(zeros.encryptZero());
    for (let at = 0; at < degree; at += 1) {
      residues[at] = reduce(residues[at]! + scaled.kept[at]! + flood.kept[at]!, kept);
      residues[at + degree] = reduce(residues[at + degree]! + scaled.dropped[at]! + flood.dropped[at]!, dropped);
    }
    return residues;
  };

  return {
    load: (bytes) => {
      checkSeededBytes(set, bytes);
      const ciphertext = new seal.Ciphertext();
      try {
        ciphertext.loadFromArray(context.context, bytes);
        evaluator.cipherTransformToNttInplace(ciphertext);
      } catch {
        ciphertext.delete();
        throw new VeilgateError('HE_CIPHERTEXT_REFUSED', 'SEAL does not take the ciphertext: make the bundle again with Veilgate\'s own tools.');
      }
      return { ciphertext };
    },
    multiplyAdd: (total, pad, clear) => {
      if (clear.every((value) => value === 0)) return; // SEAL refuses to make the transparent product; the sum is the same
      using level = context.context.firstParmsId();
      using plaintext = coder.plaintext(clear);
      evaluator.plainTransformToNttInplace(plaintext, level);
      const product = new seal.Ciphertext();
      evaluator.multiplyPlain(pad.ciphertext, plaintext, product);
      if (total.sum === undefined) {
        total.sum = product;
        return;
      }
      evaluator.addInplace(total.sum, product);
      product.delete();
    },
    finish: (total, start, addend) => {
      let residues = new Float64Array(4 * degree);
      if (total.sum !== undefined) {
        evaluator.cipherTransformFromNttInplace(total.sum);
        residues = doubles(ownResidues(bytesOf(context, total.sum)));
        total.sum.delete();
        total.sum = undefined;
      }
      const switched = new Uint32Array(4 * degree);
      switchedSum(arithmetic, residues, blinder(start, addend), switched);
      const window = switched.subarray(2 * start, 2 * (start + addend.length));
      const bytes = new Uint8Array(8 * (addend.length + degree));
      bytes.set(new Uint8Array(window.buffer, window.byteOffset, window.byteLength));
      bytes.set(new Uint8Array(switched.buffer, 8 * degree, 8 * degree), 8 * addend.length);
      return { bytes };
    },
    free: ({ ciphertext }) => ciphertext.delete(),
    close: () => {
      zeros.close();
      evaluator.delete();
    },
  };
}

function doubles(words: Uint32Array): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: words.length / 2 }, (_, at) => words[2 * at + 1]! * 2 ** 32 + words[2 * at]!);
}
