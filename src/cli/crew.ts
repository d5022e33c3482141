import { Worker } from 'node:worker_threads';
import { VeilgateError, isVeilgateError, type ErrorCode, type ErrorDetail } from '../errors.ts';

/** What a thread of a crew answers: whatever it was asked for, or what went wrong. */
export type CrewAnswer<Result> = { readonly result: Result } | { readonly code: ErrorCode; readonly message: string; readonly detail?: ErrorDetail };

/** Threads that do the same kind of work for one command. */
export type Crew<Ask, Result> = {
  /** Goes to the thread with the fewest waiting. Errors: those of the work; INTERNAL when a thread has ended. @param moved buffers that go there and are gone here */
  readonly ask: (message: Ask, moved?: readonly ArrayBuffer[]) => Promise<Result>;
  readonly close: () => Promise<void>;
};

type Waiting<Result> = { readonly resolve: (result: Result) => void; readonly reject: (error: Error) => void };

/**
 * @param file what each thread runs; it answers every message with one CrewAnswer, in order
 * @param work what it does, for the sentence that says that it broke off
 */
export function startCrew<Ask, Result>(file: URL, count: number, work: string, workerData?: unknown): Crew<Ask, Result> {
  const threads = Array.from({ length: count }, () => startThread<Ask, Result>(file, work, workerData));
  return {
    ask: (message, moved) => threads.reduce((least, thread) => (thread.waiting() < least.waiting() ? thread : least)).ask(message, moved),
    close: async () => { await Promise.all(threads.map(({ close }) => close())); },
  };
}

/** A fault as an answer; one that is not ours says `otherwise` and nothing of itself. */
export function faultOf(error: unknown, otherwise: string): CrewAnswer<never> {
  if (!isVeilgateError(error)) return { code: 'INTERNAL', message: otherwise };
  return { code: error.code, message: error.message, ...(error.detail === undefined ? {} : { detail: error.detail }) };
}

function startThread<Ask, Result>(file: URL, work: string, workerData: unknown) {
  const worker = new Worker(file, { workerData, env: {} });
  const queue: Waiting<Result>[] = [];
  let ended: Error | undefined;
  const fail = (how: string) => {
    ended ??= new VeilgateError('INTERNAL', `A thread that ${work} ${how}: start the command again, it goes on where it was.`);
    for (const { reject } of queue.splice(0)) reject(ended);
  };
  worker.on('message', (answer: CrewAnswer<Result>) => {
    const first = queue.shift(); // a thread answers in order
    if ('result' in answer) first?.resolve(answer.result);
    else first?.reject(new VeilgateError(answer.code, answer.message, answer.detail));
  });
  worker.on('error', () => fail('broke off'));
  worker.on('exit', () => fail('has ended'));
  return {
    waiting: () => queue.length,
    ask: (message: Ask, moved: readonly ArrayBuffer[] = []) => new Promise<Result>((resolve, reject) => {
      if (ended !== undefined) {
        reject(ended);
        return;
      }
      queue.push({ resolve, reject });
      worker.postMessage(message, [...moved]);
    }),
    close: async () => { await worker.terminate(); },
  };
}
