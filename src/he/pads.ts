import { createCoefficientCoder } from './coefficients.ts';
import { withRandomness } from './fixed-randomness.ts';
import type { ParameterSet } from './parameters.ts';
import { bytesOf, type He } from './runtime.ts';

/**
 * A partner's own short-lived key and what it encrypts, every bit of it made from one source of randomness. Seeded
 * form: the uniform half of a ciphertext is a seed, so it is uniform by construction and half the bytes.
 */
export type PadEncryptor = {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
  /** @param coefficients N integers @returns `padBytes` bytes */
  readonly encrypt: (coefficients: Int32Array) => Uint8Array;
  readonly close: () => void;
};

/** @param fill a key stream: the same one makes the same key and ciphertexts, in the same order of calls */
export function createPadEncryptor(he: He, set: ParameterSet, fill: (bytes: Uint8Array) => void): PadEncryptor {
  const context = he.context(set);
  const { seal } = context;
  const made = withRandomness(fill, () => {
    using generator = new seal.KeyGenerator(context.context);
    const publicKey = generator.createPublicKey();
    const secretKey = generator.secretKey();
    return { publicKey, secretKey, encryptor: new seal.Encryptor(context.context, publicKey, secretKey) };
  });
  const coder = createCoefficientCoder(context, set.polyModulusDegree, set.plainModulus);
  return {
    publicKey: bytesOf(context, made.publicKey),
    secretKey: bytesOf(context, made.secretKey),
    encrypt: (coefficients) => {
      using plaintext = coder.plaintext(coefficients);
      return withRandomness(fill, () => {
        using ciphertext = made.encryptor.encryptSymmetricSerializable(plaintext);
        return bytesOf(context, ciphertext);
      });
    },
    close: () => {
      made.encryptor.delete();
      made.publicKey.delete();
      made.secretKey.delete();
    },
  };
}
