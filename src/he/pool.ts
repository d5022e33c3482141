import { VeilgateError, isVeilgateError } from '../errors.ts';
import type { Bounds } from './clear.ts';
import { checkOutputs, type MaskedResult, type Output } from './evaluate.ts';
import { packedBytesOf } from './packed.ts';
import { parameterSets, type ParameterSet } from './parameters.ts';
import { createSharedColumns, type FetchColumns } from './pool-cache.ts';
import { compiledSeal, startThread, type PoolThread, type ThreadOptions } from './pool-thread.ts';

export type PoolOptions = {
  readonly threads: number;
  /** Most megabytes of a thread's JavaScript heap, and of its WebAssembly heap; beyond, it is replaced. */
  readonly memoryMb: number;
  /** Most bytes of encrypted columns kept, for all threads together. */
  readonly cacheBytesMax: number;
  /** How long a thread may work on one task; default 10 s. */
  readonly timeoutMs?: number;
  /** Blinders each thread makes ahead in idle time, 145 KB each; default 64. */
  readonly blindersMax?: number;
  /** Tasks waiting for a thread; default 1,000. */
  readonly queueMax?: number;
  /** Another thread program, for tests of what happens when one fails. */
  readonly program?: URL;
};

export type PoolKey = { readonly set: ParameterSet; readonly keyId: string; readonly publicKey: Uint8Array };

export type EvaluationTask = PoolKey & {
  /** Number of the block: its thread is taken when it happens to be idle. */
  readonly affinity: number;
  /** SHA-256 of each packed column, lower-case hex: what the cache knows it by, and what is checked when it comes in. */
  readonly digests: readonly string[];
  readonly outputs: readonly Output[];
  /** The columns' declared ranges: sums that could leave ±(t − 1)/2 are refused. */
  readonly bounds?: readonly Bounds[];
};

export type { FetchColumns } from './pool-cache.ts';

export type EvaluationPool = {
  /** @throws VeilgateError HE_EVALUATION_FAILED, HE_CIPHERTEXT_REFUSED, HE_KEY_REFUSED, REQUEST_OVERLOADED */
  readonly evaluate: (task: EvaluationTask, fetchColumns: FetchColumns) => Promise<MaskedResult[]>;
  /** Starts all threads and lets them make blinders for this key in idle time. */
  readonly prepare: (key: PoolKey) => Promise<void>;
  /**
   * Loads a column that came from outside in a thread that does nothing else; `bytes` stay the caller's.
   * @throws VeilgateError HE_CIPHERTEXT_REFUSED, also when the thread crashed or hung over it
   */
  readonly check: (set: ParameterSet, bytes: Uint8Array) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Evaluates in disposable threads: what crashes, hangs or grows costs one task, never the process. */
export function createEvaluationPool({ threads, memoryMb, cacheBytesMax, timeoutMs = 10_000, blindersMax = 64, queueMax = 1000, program }: PoolOptions): EvaluationPool {
  const columns = createSharedColumns(cacheBytesMax, Math.max(...Object.values(parameterSets).map(packedBytesOf)));
  const limits = { memoryMb, timeoutMs, ...(program === undefined ? {} : { program }) };
  const evaluators = createCrew(threads, queueMax, { ...limits, blindersMax });
  const checkers = createCrew(1, queueMax, { ...limits, blindersMax: 0 });
  const publicKeys = new Map<string, Uint8Array>();

  /** Once in shared memory, a key costs nothing to send. */
  const sharedKey = ({ set, keyId, publicKey }: PoolKey): Uint8Array => {
    const name = `${set.id} ${keyId}`;
    const known = publicKeys.get(name);
    if (known !== undefined) return known;
    const shared = new Uint8Array(new SharedArrayBuffer(publicKey.length));
    shared.set(publicKey);
    if (publicKeys.size >= 4) publicKeys.clear();
    publicKeys.set(name, shared);
    return shared;
  };

  return {
    evaluate: async (task, fetchColumns) => {
      checkOutputs(task.set, task.digests.length, task.outputs, task.bounds);
      const lease = await columns.lease(task.digests, fetchColumns);
      try {
        const results = await evaluators.use(task.affinity, (thread) => {
          const shared = lease.places.map((place) => {
            const column = { place: place.number, ...(place.isChecked ? {} : { digest: place.digest }) };
            if (thread.places.has(place.number)) return column;
            thread.places.add(place.number);
            return { ...column, memory: place.memory };
          });
          const { set, keyId, outputs, bounds } = task;
          return thread.run({ kind: 'evaluate', set: set.id, keyId, publicKey: sharedKey(task), columns: shared, outputs, ...(bounds === undefined ? {} : { bounds: bounds.map(({ low, high }) => ({ low, high })) }) }, []);
        });
        lease.checked();
        return [...results];
      } catch (thrown) {
        if (isVeilgateError(thrown, 'HE_CIPHERTEXT_REFUSED')) lease.refused();
        throw thrown;
      } finally {
        lease.release();
      }
    },
    prepare: async (key) => {
      await Promise.all(Array.from({ length: threads }, (_, affinity) => evaluators.use(affinity, (thread) => thread.run({ kind: 'prepare', set: key.set.id, keyId: key.keyId, publicKey: sharedKey(key) }, []))));
    },
    check: async (set, bytes) => {
      if (bytes.length !== set.columnBytes) throw refusedCiphertext();
      const own = new Uint8Array(bytes); // a view's whole buffer would be sent otherwise
      try {
        await checkers.use(0, (thread) => thread.run({ kind: 'check', set: set.id, bytes: own }, [own.buffer]));
      } catch (thrown) {
        throw isVeilgateError(thrown, 'REQUEST_OVERLOADED') ? thrown : refusedCiphertext();
      }
    },
    close: async () => {
      await Promise.all([evaluators.close(), checkers.close()]);
      columns.clear();
      publicKeys.clear();
    },
  };
}

function refusedCiphertext(): VeilgateError {
  return new VeilgateError('HE_CIPHERTEXT_REFUSED', 'The ciphertext is not of the form the parameter set asks for: encrypt the column again with the key and parameters the gateway names.');
}

type Crew = {
  /** Waits for a thread, the preferred one when it is idle, and has it alone during `act`. Starts and replaces threads. */
  readonly use: <Value>(preferred: number, act: (thread: PoolThread) => Promise<Value>) => Promise<Value>;
  readonly close: () => Promise<void>;
};

function createCrew(size: number, queueMax: number, options: ThreadOptions): Crew {
  const threads: (PoolThread | undefined)[] = Array.from({ length: size });
  const idle = new Set(threads.keys());
  const queue: { readonly resolve: (seat: number) => void; readonly reject: (error: VeilgateError) => void }[] = [];
  let isClosed = false;

  const take = (preferred: number): Promise<number> => {
    if (isClosed) return Promise.reject(new VeilgateError('HE_EVALUATION_FAILED', 'The evaluation pool is closed.'));
    const [any] = idle;
    const seat = idle.has(preferred % size) ? preferred % size : any;
    if (seat !== undefined) {
      idle.delete(seat);
      return Promise.resolve(seat);
    }
    if (queue.length >= queueMax) return Promise.reject(new VeilgateError('REQUEST_OVERLOADED', 'Too many evaluations are waiting: ask again in a moment.'));
    return new Promise((resolve, reject) => queue.push({ resolve, reject }));
  };
  const give = (seat: number): void => {
    const next = queue.shift();
    if (next === undefined) idle.add(seat);
    else next.resolve(seat);
  };

  return {
    use: async (preferred, act) => {
      const seat = await take(preferred);
      try {
        const module = await compiledSeal();
        if (isClosed) throw new VeilgateError('HE_EVALUATION_FAILED', 'The evaluation pool is closed.');
        let thread = threads[seat];
        if (thread === undefined || thread.isGone()) threads[seat] = thread = startThread(module, options);
        return await act(thread);
      } finally {
        give(seat);
      }
    },
    close: async () => {
      isClosed = true;
      for (const { reject } of queue.splice(0)) reject(new VeilgateError('HE_EVALUATION_FAILED', 'The evaluation pool is closing.'));
      await Promise.all(threads.map((thread) => thread?.end()));
    },
  };
}
