import type { ParameterSet } from './parameters.ts';
import type { He } from './runtime.ts';

export type KeyPair = { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array };

export function generateKeyPair(_he: He, _set: ParameterSet): KeyPair {
  throw new Error('not yet');
}
