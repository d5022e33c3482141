import { Worker } from 'node:worker_threads';
import { VeilgateError } from '../../errors.ts';
import { compiledSeal } from '../../he/pool-thread.ts';
import type { ClearColumn } from '../circuit/table.ts';
import type { SubjectId } from '../../vocabulary.ts';
import type { BundleSpec } from '../lottery/bundle.ts';
import { checkOpening, type Commitments, type Opening, type Verdict } from '../lottery/lottery.ts';
import type { Rational } from '../noise/discrete-gaussian.ts';
import type { JointReply, JointThreadData, JointWork } from './words.ts';

/** Table runs and bundle checks in threads of their own, as many as there are cores to give. */
export type JointThreads = { readonly threads: number; /** JavaScript heap of a thread. */ readonly memoryMb: number; /** For one message; default 60 s. */ readonly timeoutMs?: number };

export type TableRequest = {
  /** Of the drawn bundle. */
  readonly publicKey: Uint8Array;
  readonly bins: number;
  readonly shifts: Uint8Array;
  readonly columns: readonly ClearColumn[];
  readonly variance: Rational;
  /** The column's pads in order; read once, a few ahead. */
  readonly pads: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly onPad?: (pads: number) => void;
};

/** Messages a thread may have waiting: pads of 64 KB. */
const aheadMax = 4;

/**
 * One result for each column, in order. The columns are dealt out to the threads; every thread sees every pad.
 * Errors: those of startTable; HE_EVALUATION_FAILED when a thread crashed or hung.
 */
export async function runTable(options: JointThreads, request: TableRequest): Promise<Uint8Array<ArrayBuffer>[]> {
  const hands = Math.max(1, Math.min(options.threads, request.columns.length));
  const crew = await Promise.all(Array.from({ length: hands }, () => startThread(options)));
  const { publicKey, bins, shifts, columns, variance } = request;
  try {
    await Promise.all(crew.map((thread, hand) => thread.ask({ kind: 'start', publicKey, bins, shifts, variance, columns: columns.filter((_, at) => at % hands === hand) })));
    let pads = 0;
    const underWay: Promise<unknown>[] = [];
    for await (const pad of request.pads) {
      underWay.push(Promise.all(crew.map((thread) => thread.ask({ kind: 'add', pad }))));
      if (underWay.length > aheadMax) await underWay.shift();
      request.onPad?.(pads += 1);
    }
    await Promise.all(underWay);
    const parts = await Promise.all(crew.map((thread) => thread.ask({ kind: 'finish' })));
    return columns.map((_, at) => parts[at % hands]?.results[Math.floor(at / hands)] as Uint8Array<ArrayBuffer>);
  } finally {
    await Promise.all(crew.map((thread) => thread.end()));
  }
}

/** judgeOpening, bundle by bundle in threads. The first cheated bundle in order is named. Errors: JOINT_LOTTERY_INVALID, HE_EVALUATION_FAILED. */
export async function judgeInThreads(options: JointThreads, spec: BundleSpec, commitments: Commitments, drawn: number, opening: Opening, onBundle: (bundles: number) => void = () => {}): Promise<Verdict> {
  checkOpening(commitments, drawn, opening);
  const waiting = opening.flatMap((seed, index) => (seed === undefined ? [] : [{ seed, index }]));
  const cheated: number[] = [];
  let judged = 0;
  await Promise.all(Array.from({ length: Math.min(options.threads, waiting.length) }, async () => {
    const thread = await startThread(options);
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { digest } = await thread.ask({ kind: 'digest', spec, ...next });
        if (digest !== commitments.digests[next.index]) cheated.push(next.index);
        onBundle(judged += 1);
      }
    } finally {
      await thread.end();
    }
  }));
  return cheated.length === 0 ? { outcome: 'honest' } : { outcome: 'cheated', bundle: Math.min(...cheated) };
}

/** What is blinded in one piece: codes of one's own, or the other side's points. */
export type BlindingPiece = { readonly codes: readonly SubjectId[] } | { readonly points: Uint8Array };

/**
 * Blinds pieces of at most `pointsMax` one after another on all threads; what comes out is in order. Memory holds a
 * few pieces, however long the lists are. Errors: COHORT_POINT_REFUSED, HE_EVALUATION_FAILED.
 */
export async function* blindInThreads(options: JointThreads, run: string, secret: Uint8Array, pieces: AsyncIterable<BlindingPiece> | Iterable<BlindingPiece>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const crew = await Promise.all(Array.from({ length: options.threads }, () => startThread(options)));
  try {
    const underWay: Promise<Answer>[] = [];
    let next = 0;
    for await (const piece of pieces) {
      const thread = crew[next % crew.length] as Thread;
      next += 1;
      const asked = thread.ask('codes' in piece ? { kind: 'blind', run, secret, codes: piece.codes } : { kind: 'blind_again', run, secret, points: piece.points });
      asked.catch(() => {}); // looked at when its turn comes
      underWay.push(asked);
      if (underWay.length > crew.length + 1) yield pointsOf(await (underWay.shift() as Promise<Answer>));
    }
    for (const asked of underWay) yield pointsOf(await asked);
  } finally {
    await Promise.all(crew.map((thread) => thread.end()));
  }
}

function pointsOf({ results: [points] }: Answer): Uint8Array<ArrayBuffer> {
  if (points === undefined) throw new VeilgateError('HE_EVALUATION_FAILED', 'A thread of joint modelling gave no answer: ask again.');
  return points;
}

type Answer = Extract<JointReply, { readonly results: unknown }>;
type Thread = { readonly ask: (work: JointWork) => Promise<Answer>; readonly end: () => Promise<void> };

async function startThread({ memoryMb, timeoutMs = 60_000 }: JointThreads): Promise<Thread> {
  const data: JointThreadData = { compiled: await compiledSeal() };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: data, env: {}, name: 'veilgate-joint', resourceLimits: { maxOldGenerationSizeMb: memoryMb, stackSizeMb: 4 },
  });
  const waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: VeilgateError) => void; readonly timer: NodeJS.Timeout }[] = [];
  let gone: VeilgateError | undefined;
  const fail = (message: string) => {
    gone ??= new VeilgateError('HE_EVALUATION_FAILED', message);
    for (const { reject, timer } of waiting.splice(0)) {
      clearTimeout(timer);
      reject(gone);
    }
    void worker.terminate();
  };
  worker.on('message', (reply: JointReply) => {
    const first = waiting.shift(); // replies come in the order of what was asked
    if (first === undefined) return;
    clearTimeout(first.timer);
    if ('failed' in reply) first.reject(new VeilgateError(reply.failed, reply.message, reply.detail));
    else first.resolve(reply);
  });
  worker.on('error', () => fail('A thread of joint modelling crashed: ask again.'));
  worker.on('exit', () => fail('A thread of joint modelling ended early: ask again.'));
  return {
    ask: (work) => new Promise((resolve, reject) => {
      if (gone !== undefined) return reject(gone);
      waiting.push({ resolve, reject, timer: setTimeout(() => fail('A table took too long: ask again.'), timeoutMs) });
      worker.postMessage(work);
    }),
    end: async () => {
      fail('The run is over.');
      await worker.terminate();
    },
  };
}
