import { parentPort, workerData } from 'node:worker_threads';
import { isVeilgateError } from '../../errors.ts';
import { jointParameters as set } from '../../he/joint-parameters.ts';
import { loadHe } from '../../he/runtime.ts';
import { createTableEvaluator, type TableEvaluator } from '../../he/table-products.ts';
import { layoutOf } from '../circuit/layout.ts';
import { startTable, type TableRun } from '../circuit/table.ts';
import { createAlignment } from '../cohort/alignment.ts';
import { loadGroup } from '../cohort/group.ts';
import { makeBundle } from '../lottery/bundle.ts';
import { lotteryReady } from '../lottery/keystream.ts';
import { createExactRandom } from '../noise/exact-random.ts';
import type { JointReply, JointThreadData, JointWork } from './words.ts';

/** A thread that works for one run and is thrown away: it loads what a partner sent. Started by run.ts only. */
const { compiled } = workerData as JointThreadData;
const he = await loadHe(compiled);
await lotteryReady;
const group = await loadGroup();
const port = parentPort;
if (port === null) throw new Error('started as a thread of joint modelling only');

let evaluator: TableEvaluator | undefined;
let table: TableRun | undefined;

port.on('message', (work: JointWork) => {
  try {
    const answer = carryOut(work);
    port.postMessage(answer, 'results' in answer ? answer.results.map(({ buffer }) => buffer) : []);
  } catch (thrown) {
    const failed: JointReply = isVeilgateError(thrown)
      ? { failed: thrown.code, message: thrown.message, ...(thrown.detail === undefined ? {} : { detail: thrown.detail }) }
      : { failed: 'HE_EVALUATION_FAILED', message: 'The table could not be worked out: ask again.' };
    port.postMessage(failed);
  }
});

function carryOut(work: JointWork): JointReply {
  switch (work.kind) {
    case 'start':
      evaluator = createTableEvaluator(he, set, work.publicKey);
      table = startTable(evaluator, set, layoutOf(set.polyModulusDegree, work.bins), work.shifts, work.columns, work.variance, createExactRandom());
      return { results: [] };
    case 'add':
      table?.add(work.pad);
      return { results: [] };
    case 'finish': {
      const results = table?.finish() ?? [];
      evaluator?.close();
      return { results };
    }
    case 'blind':
      return { results: [createAlignment(group, work.run).blind(work.secret, work.codes)] };
    case 'blind_again':
      return { results: [createAlignment(group, work.run).blindAgain(work.secret, work.points)] };
    case 'digest':
      return { results: [], digest: makeBundle(he, set, work.spec, work.index, work.seed).digest };
    default:
      work satisfies never;
      return { results: [] };
  }
}
