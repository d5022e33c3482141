import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { VeilgateError } from '../errors.ts';
import type { MaskedResult } from './evaluate.ts';
import type { PoolWork, ThreadData, ThreadReply } from './pool-words.ts';
import { sealModuleUrl } from './runtime.ts';
import { webAssembly, type CompiledModule } from './web-assembly.ts';

export type PoolThread = {
  /** True while it works on something. */
  readonly isBusy: () => boolean;
  /** True once it has ended, or is to be replaced. */
  readonly isGone: () => boolean;
  /** Places of the cache whose memory it has. */
  readonly places: Set<number>;
  /**
   * One piece of work at a time.
   * @throws VeilgateError what the thread answered; HE_EVALUATION_FAILED when it crashed or took too long
   */
  readonly run: (work: PoolWork, transfer: readonly ArrayBuffer[]) => Promise<readonly MaskedResult[]>;
  readonly end: () => Promise<void>;
};

export type ThreadOptions = {
  readonly memoryMb: number;
  readonly timeoutMs: number;
  readonly blindersMax: number;
  /** Another program than the real one: how tests make a thread crash, hang and grow. */
  readonly program?: URL;
};

let compiled: Promise<CompiledModule> | undefined;

/** SEAL compiled once for all threads. */
export function compiledSeal(): Promise<CompiledModule> {
  compiled ??= readFile(new URL(sealModuleUrl())).then((bytes) => webAssembly.compile(bytes));
  return compiled;
}

/**
 * A thread that lives until it crashes, hangs or grows. The limits of worker_threads hold for its JavaScript heap;
 * the heap of WebAssembly it reports after each piece of work, and is ended when that is above memoryMb.
 */
export function startThread(module: CompiledModule, { memoryMb, timeoutMs, blindersMax, program = new URL('./pool-worker.ts', import.meta.url) }: ThreadOptions): PoolThread {
  const data: ThreadData = { compiled: module, blindersMax };
  const worker = new Worker(program, {
    workerData: data, env: {}, name: 'veilgate-he', resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
  });
  let waiting: { readonly resolve: (results: readonly MaskedResult[]) => void; readonly reject: (error: VeilgateError) => void; readonly timer: NodeJS.Timeout } | undefined;
  let gone = false;

  const settle = (act: (current: NonNullable<typeof waiting>) => void): void => {
    const current = waiting;
    waiting = undefined;
    worker.unref();
    if (current === undefined) return;
    clearTimeout(current.timer);
    act(current);
  };
  const fail = (message: string): void => {
    gone = true;
    void worker.terminate();
    settle(({ reject }) => reject(new VeilgateError('HE_EVALUATION_FAILED', message)));
  };

  worker.on('message', (reply: ThreadReply) => {
    if (reply.heapBytes > memoryMb * 2 ** 20) {
      gone = true;
      void worker.terminate();
    }
    settle(({ resolve, reject }) => ('failed' in reply ? reject(new VeilgateError(reply.failed, reply.message || 'The evaluation failed: ask again.')) : resolve(reply.results)));
  });
  // name and code alone: what a message quotes nobody knows
  worker.on('error', (error: NodeJS.ErrnoException) => fail(`An evaluation thread crashed (${[error.name, error.code].filter((part) => part !== undefined).join(' ')}): ask again.`));
  worker.on('exit', () => fail('An evaluation thread ended early: ask again.'));
  worker.unref();

  return {
    isBusy: () => waiting !== undefined,
    isGone: () => gone,
    places: new Set(),
    run: (work, transfer) => new Promise((resolve, reject) => {
      waiting = { resolve, reject, timer: setTimeout(() => fail('The evaluation took too long: ask again.'), timeoutMs) };
      worker.ref();
      worker.postMessage(work, transfer);
    }),
    end: async () => {
      fail('The evaluation pool is closing.');
      await worker.terminate();
    },
  };
}
