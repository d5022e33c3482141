import { Worker } from 'node:worker_threads';
import { VeilgateError } from '../errors.ts';
import type { ThreadAnswer, ThreadStart, ThreadTask } from './decryption-task.ts';
import type { HeKey } from './he-keys.ts';

/** Decrypts in threads of its own, so that a ciphertext that breaks SEAL breaks a thread and nothing else. */
export type Decryption = {
  /** Errors: CUSTODIAN_UNAVAILABLE when the thread died or took too long, or too many wait. */
  readonly run: (task: ThreadTask) => Promise<ThreadAnswer>;
  readonly close: () => Promise<void>;
};

export type DecryptionOptions = {
  readonly keys: readonly HeKey[];
  readonly threads: number;
  /** Longest a task may take. */
  readonly timeoutMs?: number;
  /** A thread is replaced after so many tasks: the memory of WebAssembly never shrinks. */
  readonly tasksPerThread?: number;
  readonly tasksWaitingMax?: number;
  /** A thread died with a task, or in a start that failed. */
  readonly onThreadFailed?: (error: unknown) => void;
  /** Tests: another thread. */
  readonly thread?: URL;
};

type Waiting = { readonly task: ThreadTask; readonly resolve: (answer: ThreadAnswer) => void; readonly reject: (reason: unknown) => void };
type Thread = { readonly worker: Worker; done: number; waiting: Waiting | undefined; timer: NodeJS.Timeout | undefined };

const startTimeoutMs = 30_000;
const restartMs = 200;
/** MiB of JavaScript heap; SEAL's own memory lies outside and is bounded by what a task needs. */
const heapMb = 128;

/** Starts the threads; resolves when all are ready. Errors: CUSTODIAN_UNAVAILABLE. */
export async function startDecryption(options: DecryptionOptions): Promise<Decryption> {
  const { timeoutMs = 10_000, tasksPerThread = 20_000, tasksWaitingMax = 256, onThreadFailed = () => {} } = options;
  const start: ThreadStart = { keys: options.keys.map(({ id, set, secretKey, publicKey }) => ({ id, parameters: set.id, secretKey, publicKey })) };
  const queue: Waiting[] = [];
  const idle: Thread[] = [];
  const all = new Set<Thread>();
  let closed = false;

  const replace = () => {
    if (closed) return;
    spawn().catch((error: unknown) => {
      onThreadFailed(error);
      setTimeout(replace, restartMs).unref();
    });
  };
  const spawn = async () => {
    const worker = new Worker(options.thread ?? new URL('./decryption-thread.ts', import.meta.url), { workerData: start, resourceLimits: { maxOldGenerationSizeMb: heapMb }, env: {} });
    const thread: Thread = { worker, done: 0, waiting: undefined, timer: undefined };
    await untilReady(worker);
    if (closed) return void worker.terminate();
    all.add(thread);
    worker.on('message', (answer: ThreadAnswer) => finish(thread, answer));
    worker.on('error', (error) => fail(thread, error));
    worker.on('exit', () => fail(thread, undefined));
    worker.unref();
    idle.push(thread);
    next();
  };
  const next = () => {
    while (idle.length > 0 && queue.length > 0) {
      const thread = idle.pop() as Thread;
      thread.waiting = queue.shift() as Waiting;
      thread.timer = setTimeout(() => void thread.worker.terminate(), timeoutMs);
      thread.worker.ref();
      const { task, handedOver } = ownBytes(thread.waiting.task);
      thread.worker.postMessage(task, handedOver);
    }
  };
  const finish = (thread: Thread, answer: ThreadAnswer) => {
    clearTimeout(thread.timer);
    thread.waiting?.resolve(answer);
    thread.waiting = undefined;
    thread.done += 1;
    thread.worker.unref();
    if (thread.done < tasksPerThread) idle.push(thread);
    else {
      all.delete(thread);
      void thread.worker.terminate();
      replace();
    }
    next();
  };
  const fail = (thread: Thread, error: unknown) => {
    if (!all.delete(thread)) return; // its end was meant, or is known
    clearTimeout(thread.timer);
    const at = idle.indexOf(thread);
    if (at >= 0) idle.splice(at, 1);
    thread.waiting?.reject(unavailable());
    if (closed) return;
    onThreadFailed(error);
    replace();
  };

  await Promise.all(Array.from({ length: options.threads }, spawn));
  return {
    run: (task) => new Promise((resolve, reject) => {
      if (closed || queue.length >= tasksWaitingMax) return reject(unavailable());
      queue.push({ task, resolve, reject });
      next();
    }),
    async close() {
      closed = true;
      for (const { reject } of queue.splice(0)) reject(unavailable());
      await Promise.all([...all].map(({ worker }) => worker.terminate()));
    },
  };
}

/** The same task with ciphertexts of its own, to be handed over: a view would be cloned with all that it is a view of. */
function ownBytes(task: ThreadTask): { readonly task: ThreadTask; readonly handedOver: ArrayBuffer[] } {
  if (task.kind === 'reencrypt') {
    const ciphertext = new Uint8Array(task.ciphertext);
    return { task: { ...task, ciphertext }, handedOver: [ciphertext.buffer] };
  }
  const ciphertexts = task.ciphertexts.map((bytes) => new Uint8Array(bytes));
  return { task: { ...task, ciphertexts }, handedOver: ciphertexts.map(({ buffer }) => buffer) };
}

function untilReady(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(unavailable()), startTimeoutMs);
    const isReady = () => end();
    const exited = () => end(unavailable());
    const end = (error?: unknown) => {
      clearTimeout(timer);
      worker.off('message', isReady).off('error', end).off('exit', exited);
      if (error === undefined) return resolve();
      void worker.terminate();
      reject(error);
    };
    worker.on('message', isReady).on('error', end).on('exit', exited);
  });
}

function unavailable(): VeilgateError {
  return new VeilgateError('CUSTODIAN_UNAVAILABLE', 'The custodian could not work on this right now: ask with a new ticket in a few seconds.');
}
