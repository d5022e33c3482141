// A process that is killed at a moment that counts:
// - `answer <url> <question>`: it has computed an answer and has not released it
// - `draw <url> <commitment>`: it has drawn a bundle, and has not told which
// - `undrawn <url> <commitment>`: it is about to draw, in a transaction that has not ended
import path from 'node:path';
import { systemClock } from '../../src/clock.ts';
import type { Config } from '../../src/gateway/config.ts';
import { unloggedStanding } from '../../src/gateway/use-cases/policy-standing.ts';
import { composeJoint } from '../../src/gateway/joint.ts';
import { commitToBundles } from '../../src/gateway/use-cases/joint-lottery.ts';
import { answerQuestion } from '../../src/gateway/use-cases/joint-release.ts';
import { loadPolicyPack } from '../../src/policy/load.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import { openDatabase, type Database } from '../../src/store/database.ts';
import type { InstitutionId } from '../../src/vocabulary.ts';

const [when, url, what] = process.argv.slice(2) as ['answer' | 'draw' | 'undrawn', string, string];
const policyFolder = path.resolve(import.meta.dirname, '../../policies');
const catalogue = loadCatalogue(path.join(policyFolder, 'catalogue'));
const policy = loadPolicyPack(policyFolder, catalogue);
const config = { policyFolder, scoreThreads: 1, scoreMemoryMb: 256 } as Config;
const unused = { current: 1, secret: () => new Uint8Array(32) } as never; // no alignment happens here
const die = () => { process.kill(process.pid, 'SIGKILL'); };
const database = openDatabase({ url, maxConnections: 2 });
const dying: Database = { ...database, transaction: (name, work) => database.transaction(name, async (tx) => { const done = await work(tx); die(); return done; }) };
const desk = composeJoint({ config, database: when === 'undrawn' ? dying : database, clock: systemClock, catalogue, standing: unloggedStanding(() => policy), secrets: unused });
if (when === 'answer') await answerQuestion({ ...desk, onStep: (step) => { if (step === 'computed') die(); } }, what);
else {
  await commitToBundles(desk, 'bank-a' as InstitutionId, JSON.parse(what) as Parameters<typeof commitToBundles>[2]);
  die();
}
