import { parentPort, workerData } from 'node:worker_threads';
import { judgeWork, type JudgeWork, type TogetherWork, type TrialWork } from './judge-work.ts';
import { judgeTogether } from './together.ts';
import { tryModel } from './trial.ts';

/** A thread of its own for one model, or for functions together: judging and trying take up to seconds, and the gateway must answer meanwhile. */
parentPort?.postMessage(answerTo(workerData as JudgeWork | TogetherWork | TrialWork));

function answerTo(work: JudgeWork | TogetherWork | TrialWork): unknown {
  if ('functionals' in work) return judgeTogether(work.functionals, work.space, work.settings).ok;
  return 'trial' in work ? tryModel(work.trial, work.space, work) : judgeWork(work);
}
