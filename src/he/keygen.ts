import type { ParameterSet } from './parameters.ts';
import { bytesOf, type He } from './runtime.ts';

export type KeyPair = { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array };

/** A new key pair, serialised as docs/formats/he.md says. Only custodians (and tests) make one. */
export function generateKeyPair(he: He, set: ParameterSet): KeyPair {
  const context = he.context(set);
  using generator = new context.seal.KeyGenerator(context.context);
  using publicKey = generator.createPublicKey();
  using secretKey = generator.secretKey();
  return { publicKey: bytesOf(context, publicKey), secretKey: bytesOf(context, secretKey) };
}
