import type { ParameterSet } from './parameters.ts';
import type { He } from './runtime.ts';

export type Decryptor = { readonly decrypt: (ciphertext: Uint8Array) => Uint32Array; readonly close: () => void };

export function createDecryptor(_he: He, _set: ParameterSet, _secretKey: Uint8Array): Decryptor {
  throw new Error('not yet');
}
