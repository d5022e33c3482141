import { startCrew } from './crew.ts';
import type { EncryptionThreadData } from './encryption-thread.ts';

export type EncryptionThreads = {
  /** The column encrypted in one of the threads. The buffer of `values` goes there. Errors: HE_*. */
  readonly encrypt: (values: Int32Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;
  readonly close: () => Promise<void>;
};

/** Threads that encrypt columns under one public key. */
export function encryptionThreads(data: EncryptionThreadData, count: number): EncryptionThreads {
  const crew = startCrew<Int32Array, Uint8Array<ArrayBuffer>>(new URL('./encryption-thread.ts', import.meta.url), count, 'encrypts', data);
  return { encrypt: (values) => crew.ask(values, [values.buffer]), close: crew.close };
}
