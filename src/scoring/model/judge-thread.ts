import { parentPort, workerData } from 'node:worker_threads';
import { judgeWork, type JudgeWork } from './judge-work.ts';

/** A thread of its own for one model: judging takes up to seconds, and the gateway must answer meanwhile. */
parentPort?.postMessage(judgeWork(workerData as JudgeWork));
