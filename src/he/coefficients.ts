import { bytesOf, type HeContext, type SealPlaintext } from './runtime.ts';

/** Where the coefficients begin in a serialised plaintext: header 16, parms id 32, count 8, scale 8, header 16, count 8. */
const plaintextPrefixBytes = 88;

/** Plaintext polynomials written and read coefficient by coefficient, without batching. */
export type CoefficientCoder = {
  /** A plaintext with these coefficients mod t. The caller frees it. @param coefficients N signed integers above −t/2 */
  readonly plaintext: (coefficients: Int32Array) => SealPlaintext;
  /** N coefficients, 0..t − 1. */
  readonly coefficients: (plaintext: SealPlaintext) => Uint32Array<ArrayBuffer>;
};

export function createCoefficientCoder(context: HeContext, degree: number, plainModulus: number): CoefficientCoder {
  using blank = new context.seal.Plaintext(degree);
  const bytes = bytesOf(context, blank).slice();
  const words = new Uint32Array(2 * degree);
  return {
    plaintext(coefficients) {
      for (let at = 0; at < degree; at += 1) {
        const value = coefficients[at] ?? 0;
        words[2 * at] = value < 0 ? value + plainModulus : value;
      }
      bytes.set(new Uint8Array(words.buffer), plaintextPrefixBytes);
      const plaintext = new context.seal.Plaintext();
      plaintext.loadFromArray(context.context, bytes);
      return plaintext;
    },
    coefficients(plaintext) {
      const saved = new Uint32Array(bytesOf(context, plaintext).slice(plaintextPrefixBytes).buffer);
      return Uint32Array.from({ length: degree }, (_, at) => saved[2 * at] ?? 0); // leading zeros are not saved
    },
  };
}
