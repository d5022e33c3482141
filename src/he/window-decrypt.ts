import { VeilgateError } from '../errors.ts';
import { createCoefficientCoder } from './coefficients.ts';
import type { ParameterSet } from './parameters.ts';
import type { He } from './runtime.ts';
import { checkSecretKeyBytes, ciphertextPrefixBytes, emptyCiphertext } from './wire.ts';

export type WindowDecryptor = {
  /**
   * The window's coefficients, 0..t − 1. @param bytes a WindowResult's
   * @throws VeilgateError HE_CIPHERTEXT_REFUSED
   */
  readonly decrypt: (bytes: Uint8Array, start: number, width: number) => Uint32Array<ArrayBuffer>;
  readonly close: () => void;
};

/**
 * The partner's side: opens what came back under its own short-lived key.
 * @throws VeilgateError HE_KEY_REFUSED
 */
export function createWindowDecryptor(he: He, set: ParameterSet, secretKey: Uint8Array): WindowDecryptor {
  checkSecretKeyBytes(set, secretKey);
  const context = he.context(set);
  using key = new context.seal.SecretKey();
  key.loadFromArray(context.context, secretKey);
  const decryptor = new context.seal.Decryptor(context.context, key);
  const coder = createCoefficientCoder(context, set.polyModulusDegree, set.plainModulus);
  const degree = set.polyModulusDegree;
  return {
    decrypt: (bytes, start, width) => {
      if (bytes.length !== 8 * (width + degree)) throw refused();
      const whole = emptyCiphertext(set, 'result');
      whole.set(bytes.subarray(0, 8 * width), ciphertextPrefixBytes + 8 * start);
      whole.set(bytes.subarray(8 * width), ciphertextPrefixBytes + 8 * degree);
      using ciphertext = new context.seal.Ciphertext();
      using plaintext = new context.seal.Plaintext();
      try {
        ciphertext.loadFromArray(context.context, whole);
        decryptor.decrypt(ciphertext, plaintext);
      } catch {
        throw refused();
      }
      // outside the window stands what was never sent: noise
      return coder.coefficients(plaintext).slice(start, start + width);
    },
    close: () => decryptor.delete(),
  };
}

function refused(): VeilgateError {
  return new VeilgateError('HE_CIPHERTEXT_REFUSED', 'The result is not of the form that was agreed: fetch it again.');
}
