import { parentPort, workerData } from 'node:worker_threads';
import { judgeWork, type JudgeWork, type TogetherWork } from './judge-work.ts';
import { judgeTogether } from './together.ts';

/** A thread of its own for one model, or for functions together: judging takes up to seconds, and the gateway must answer meanwhile. */
const work = workerData as JudgeWork | TogetherWork;
parentPort?.postMessage('functionals' in work ? judgeTogether(work.functionals, work.space, work.settings).ok : judgeWork(work));
