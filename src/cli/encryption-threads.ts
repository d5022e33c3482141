import { Worker } from 'node:worker_threads';
import { VeilgateError } from '../errors.ts';
import type { EncryptionAnswer, EncryptionThreadData } from './encryption-thread.ts';

export type EncryptionThreads = {
  /** The column encrypted in one of the threads. The buffer of `values` goes there. Errors: HE_*. */
  readonly encrypt: (values: Int32Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;
  readonly close: () => Promise<void>;
};

type Waiting = { readonly resolve: (bytes: Uint8Array<ArrayBuffer>) => void; readonly reject: (error: Error) => void };

/** Threads that encrypt columns under one public key. A column goes to the thread with the fewest waiting. */
export function encryptionThreads(data: EncryptionThreadData, count: number): EncryptionThreads {
  const threads = Array.from({ length: count }, () => startThread(data));
  return {
    encrypt: (values) => threads.reduce((least, thread) => (thread.waiting() < least.waiting() ? thread : least)).encrypt(values),
    close: async () => { await Promise.all(threads.map(({ close }) => close())); },
  };
}

function startThread(data: EncryptionThreadData) {
  const worker = new Worker(new URL('./encryption-thread.ts', import.meta.url), { workerData: data, env: {} });
  const queue: Waiting[] = [];
  let ended: Error | undefined;
  const fail = (error: Error) => {
    ended ??= error;
    for (const { reject } of queue.splice(0)) reject(error);
  };
  worker.on('message', (answer: EncryptionAnswer) => {
    const first = queue.shift(); // a thread answers in order
    if ('bytes' in answer) first?.resolve(answer.bytes);
    else first?.reject(new VeilgateError(answer.code, answer.message, answer.detail));
  });
  worker.on('error', () => fail(new VeilgateError('INTERNAL', 'A thread that encrypts broke off: start the command again, it goes on where it was.')));
  worker.on('exit', () => fail(new VeilgateError('INTERNAL', 'A thread that encrypts has ended: start the command again, it goes on where it was.')));
  return {
    waiting: () => queue.length,
    encrypt: (values: Int32Array<ArrayBuffer>) => new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
      if (ended !== undefined) {
        reject(ended);
        return;
      }
      queue.push({ resolve, reject });
      worker.postMessage(values, [values.buffer]);
    }),
    close: async () => { await worker.terminate(); },
  };
}
