import { VeilgateError } from '../errors.ts';
import type { ParameterSet } from './parameters.ts';
import { createSlotCoder } from './plaintext.ts';
import type { He } from './runtime.ts';
import { checkCiphertextBytes, checkSecretKeyBytes } from './wire.ts';

export type Decryptor = {
  /**
   * The slots of a masked result, 0..t − 1. Takes results only, never a column as domains store them. Reports
   * nothing about noise, in no way.
   * @throws VeilgateError HE_CIPHERTEXT_REFUSED
   */
  readonly decrypt: (ciphertext: Uint8Array) => Uint32Array<ArrayBuffer>;
  readonly close: () => void;
};

/**
 * For custodians alone: test/architecture.test.ts keeps this file away from gateway, scoring and jobs.
 * @throws VeilgateError HE_KEY_REFUSED
 */
export function createDecryptor(he: He, set: ParameterSet, secretKey: Uint8Array): Decryptor {
  checkSecretKeyBytes(set, secretKey);
  const { seal, context } = he.context(set);
  using key = new seal.SecretKey();
  try {
    key.loadFromArray(context, secretKey);
  } catch {
    throw new VeilgateError('HE_KEY_REFUSED', 'SEAL does not take the secret key: restore it from its backup.');
  }
  const decryptor = new seal.Decryptor(context, key);
  const coder = createSlotCoder(he.context(set), set.slots);
  return {
    decrypt: (bytes) => {
      checkCiphertextBytes(set, bytes, 'result');
      using ciphertext = new seal.Ciphertext();
      using plaintext = new seal.Plaintext();
      try {
        ciphertext.loadFromArray(context, bytes);
        decryptor.decrypt(ciphertext, plaintext);
      } catch {
        throw new VeilgateError('HE_CIPHERTEXT_REFUSED', 'SEAL does not take the ciphertext: have the result made again.');
      }
      return coder.slots(plaintext);
    },
    close: () => {
      coder.close();
      decryptor.delete();
    },
  };
}
