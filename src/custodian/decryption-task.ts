import type { ParameterSet } from '../he/parameters.ts';
import type { MaskFault } from './mask-test.ts';

/** What a decryption thread is told and answers. Of a block, only the ticket's slots ever leave the thread. */

export type ThreadKey = { readonly id: string; /** Name of the parameter set. */ readonly parameters: string; readonly secretKey: Uint8Array; readonly publicKey: Uint8Array };
export type ThreadStart = { readonly keys: readonly ThreadKey[] };

export type ThreadTask =
  | { readonly kind: 'open'; readonly key: string; readonly ciphertexts: readonly Uint8Array[]; readonly slots: Uint32Array }
  | { readonly kind: 'reencrypt'; readonly key: string; readonly toKey: string; readonly ciphertext: Uint8Array };

export type ThreadAnswer =
  /** One per ciphertext: the values of the slots asked for, packed (scoring/words.ts). */
  | { readonly kind: 'opened'; readonly masked: readonly Uint8Array[] }
  | { readonly kind: 'reencrypted'; readonly ciphertext: Uint8Array }
  | { readonly kind: 'not_masked'; readonly fault: MaskFault }
  /** SEAL did not take the ciphertext. */
  | { readonly kind: 'refused' };

/** Values modulo t as the signed integers that columns are encrypted from. */
export function centred(values: Uint32Array, { plainModulus }: ParameterSet): Int32Array {
  return Int32Array.from(values, (value) => (value > plainModulus / 2 ? value - plainModulus : value));
}
