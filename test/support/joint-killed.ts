// A worker that is killed after it has computed an answer and before it releases it: a process of its own.
import path from 'node:path';
import { systemClock } from '../../src/clock.ts';
import type { Config } from '../../src/gateway/config.ts';
import { composeJoint } from '../../src/gateway/joint.ts';
import { answerQuestion } from '../../src/gateway/use-cases/joint-release.ts';
import { loadPolicyPack } from '../../src/policy/load.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import { openDatabase } from '../../src/store/database.ts';

const [url, question] = process.argv.slice(2) as [string, string];
const policyFolder = path.resolve(import.meta.dirname, '../../policies');
const catalogue = loadCatalogue(path.join(policyFolder, 'catalogue'));
const policy = loadPolicyPack(policyFolder, catalogue);
const config = { policyFolder, scoreThreads: 1, scoreMemoryMb: 256 } as Config;
const unused = { current: 1, secret: () => new Uint8Array(32) } as never; // no alignment happens here
const desk = composeJoint({ config, database: openDatabase({ url, maxConnections: 2 }), clock: systemClock, catalogue, policy: () => policy, secrets: unused });
await answerQuestion({ ...desk, onStep: (step) => { if (step === 'computed') process.kill(process.pid, 'SIGKILL'); } }, question);
