import type { MaskedResult, Output } from './evaluate.ts';
import type { ParameterSet } from './parameters.ts';

export type PoolOptions = { readonly threads: number; readonly memoryMb: number; readonly cacheBytesMax: number; readonly timeoutMs?: number; readonly blindersMax?: number };

export type EvaluationTask = {
  readonly set: ParameterSet;
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  /** Number of the block: tasks with the same one go to the same thread. */
  readonly affinity: number;
  readonly digests: readonly string[];
  readonly outputs: readonly Output[];
};

export type FetchColumns = (digests: readonly string[]) => Promise<readonly Uint8Array[]>;

export type EvaluationPool = {
  readonly evaluate: (task: EvaluationTask, fetchColumns: FetchColumns) => Promise<MaskedResult[]>;
  readonly check: (set: ParameterSet, bytes: Uint8Array) => Promise<void>;
  readonly close: () => Promise<void>;
};

export function createEvaluationPool(_options: PoolOptions): EvaluationPool {
  throw new Error('not yet');
}
