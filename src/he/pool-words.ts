import type { ErrorCode } from '../errors.ts';
import type { Bounds } from './clear.ts';
import type { MaskedResult, Output } from './evaluate.ts';
import type { ParameterSetId } from './parameters.ts';
import type { CompiledModule } from './web-assembly.ts';

/** What the pool and its threads say to each other. */
export type ThreadData = { readonly compiled: CompiledModule; readonly blindersMax: number };

export type PoolWork =
  | { readonly kind: 'evaluate'; readonly set: ParameterSetId; readonly keyId: string; readonly publicKey: Uint8Array; readonly columns: readonly SharedColumn[]; readonly outputs: readonly Output[]; readonly bounds?: readonly Bounds[] }
  | { readonly kind: 'prepare'; readonly set: ParameterSetId; readonly keyId: string; readonly publicKey: Uint8Array }
  | { readonly kind: 'check'; readonly set: ParameterSetId; readonly bytes: Uint8Array };

/** A column in shared memory; the memory itself is sent once to each thread. `digest`: form and digest are still to be checked. */
export type SharedColumn = { readonly place: number; readonly memory?: SharedArrayBuffer; readonly digest?: string };

export type ThreadReply =
  | { readonly results: readonly MaskedResult[]; readonly heapBytes: number }
  | { readonly failed: ErrorCode; readonly message: string; readonly heapBytes: number };
