import { Worker } from 'node:worker_threads';
import { VeilgateError } from '../../errors.ts';
import type { Model } from '../protocol.ts';
import type { Terms } from './functional.ts';
import type { JudgeWork, TogetherWork, TrialWork, judgeWork } from './judge-work.ts';
import type { ScoringSettings } from './settings.ts';
import { modelDigest } from './shape.ts';
import type { FeatureSpace } from './space.ts';
import type { Trial } from './trial-report.ts';
import type { ModelVerdict } from './verdict.ts';

type Judged = ReturnType<typeof judgeWork>;

/** Judges under the features and limits of one policy, in a thread of its own. Errors: REQUEST_OVERLOADED. */
export type ModelGuard = {
  /** Whether the model may be used by itself; the same model is judged once. */
  readonly judge: (model: Model) => Promise<ModelVerdict>;
  /** The same, with the models of which an institution may not have the score of the same enterprise beside this one's. */
  readonly compare: (model: Model, others: readonly Model[]) => Promise<Judged>;
  /** Scores made-up enterprises; trials wait for each other only. */
  readonly tryOut: (model: Model, asked: Pick<TrialWork, 'count' | 'seed'>) => Promise<Trial>;
};

const verdictsMax = 1000;
/** Models that wait to be judged, one after the other. */
const waitingMax = 8;
const timeoutMs = 20_000;
const heapMb = 256;

export function createModelGuard(space: FeatureSpace, settings: ScoringSettings): ModelGuard {
  const verdicts = new Map<string, Promise<ModelVerdict>>();
  const [queue, trials] = [oneAfterTheOther(), oneAfterTheOther()];
  return {
    judge(model) {
      const digest = modelDigest(model);
      const known = verdicts.get(digest);
      if (known !== undefined) return known;
      if (verdicts.size >= verdictsMax) verdicts.clear();
      const asked = queue(() => judgedInThread({ model, others: [], space, settings })).then(({ verdict }) => verdict);
      verdicts.set(digest, asked);
      asked.catch(() => verdicts.delete(digest)); // a thread that failed is no verdict
      return asked;
    },
    compare: (model, others) => queue(() => judgedInThread({ model, others, space, settings })),
    tryOut: (model, { count, seed }) => trials(() => inThread<Trial>({ trial: model, count, seed, space }, [model])),
  };
}

/** Whether functions may be known together, judged in a thread; one question after the other. Errors: REQUEST_OVERLOADED. */
export function createTogetherGuard(space: () => FeatureSpace, settings: () => ScoringSettings): (functionals: TogetherWork['functionals']) => Promise<boolean> {
  const queue = oneAfterTheOther();
  return (functionals) => queue(() => inThread<boolean>({ functionals, space: space(), settings: settings() }, functionals));
}

function judgedInThread(work: JudgeWork): Promise<Judged> {
  return inThread<Judged>(work, [work.model, ...work.others]);
}

function inThread<Answer>(work: JudgeWork | TogetherWork | TrialWork, about: readonly { readonly terms: Terms }[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // what is not read is not sent: the features of what is judged
    const used = new Set(about.flatMap(({ terms }) => terms.map(({ feature }) => feature)));
    const features = new Map([...work.space.features].filter(([id]) => used.has(id)));
    const fields = new Map([...features.values()].flatMap(({ source }) => { const field = work.space.fields.get(source); return field === undefined ? [] : [[source, field] as const]; }));
    const worker = new Worker(new URL('./judge-thread.ts', import.meta.url), { workerData: { ...work, space: { features, fields } }, env: {}, resourceLimits: { maxOldGenerationSizeMb: heapMb } });
    const failed = () => reject(new VeilgateError('REQUEST_OVERLOADED', 'The model could not be judged in time: use fewer terms, or try again later.'));
    const timer = setTimeout(() => { failed(); void worker.terminate(); }, timeoutMs);
    worker.once('message', (answer: Answer) => resolve(answer));
    worker.once('error', failed);
    worker.once('exit', () => { clearTimeout(timer); failed(); });
  });
}

/** Runs one piece of work at a time. */
function oneAfterTheOther(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return (work) => {
    if (waiting >= waitingMax) return Promise.reject(new VeilgateError('REQUEST_OVERLOADED', 'Many models are being judged right now: try again in a minute.'));
    waiting += 1;
    const result = last.then(work).finally(() => { waiting -= 1; });
    last = result.catch(() => {});
    return result;
  };
}
