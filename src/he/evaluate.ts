import type { ParameterSet } from './parameters.ts';
import type { He } from './runtime.ts';

/** One linear combination of columns: offset + Σ weights[j] × column j. */
export type Output = { readonly weights: readonly number[]; readonly offset: number };

/** A masked result: score(slot) = (decrypted − masks[slot]) mod t, centred. */
export type MaskedResult = { readonly ciphertext: Uint8Array; readonly masks: Uint32Array };

export type EvaluatorOptions = { readonly cacheBytesMax: number; readonly random?: (length: number) => Uint8Array };

export type Evaluator = {
  readonly missing: (digests: readonly string[]) => string[];
  readonly load: (digest: string, bytes: Uint8Array) => void;
  readonly evaluate: (digests: readonly string[], outputs: readonly Output[]) => MaskedResult[];
  readonly remask: (bytes: Uint8Array) => MaskedResult;
  readonly unmask: (bytes: Uint8Array, masks: Uint32Array) => Uint8Array;
  readonly close: () => void;
};

export function createEvaluator(_he: He, _set: ParameterSet, _publicKey: Uint8Array, _options: EvaluatorOptions): Evaluator {
  throw new Error('not yet');
}
