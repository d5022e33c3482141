import { strict as assert } from 'node:assert';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { checkpointSigner } from '../../src/audit/checkpoint.ts';
import { appendRecords } from '../../src/audit/append.ts';
import { recordHead } from '../../src/audit/entry.ts';
import { publisher } from '../../src/audit/publish.ts';
import { fixedClock, systemClock } from '../../src/clock.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { startWorkerChild } from '../../src/gateway/worker/child.ts';
import { openPlatformKeys } from '../../src/gateway/worker/platform-keys.ts';
import { openKeyring } from '../../src/identity/keyring.ts';
import { prepareQueue } from '../../src/jobs/queue.ts';
import type { ModelRef } from '../../src/scoring/protocol.ts';
import type { PartyId } from '../../src/vocabulary.ts';
import { freshDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import { memoryLog } from './shell.ts';

const root = path.resolve(import.meta.dirname, '../..');
const program = path.join(root, 'src/gateway/worker/main.ts');

describe('a worker process', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-worker-')); });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const settings = (changes: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], VEILGATE_KEYS_FOLDER: path.join(folder, 'keys'), VEILGATE_POLICY_FOLDER: path.join(root, 'policies'), VEILGATE_LOG_FILE: path.join(folder, 'worker.log'), ...changes,
  });

  it('does not start without what it shares with its gateway: database, custodian, and something to do', async () => {
    for (const [named, changes] of Object.entries({ DATABASE_URL: {}, VEILGATE_SCORE_TASKS: { DATABASE_URL: 'postgresql://127.0.0.1:1/x', VEILGATE_SCORE_TASKS: '0' }, VEILGATE_CUSTODIAN: { DATABASE_URL: 'postgresql://127.0.0.1:1/x' } })) {
      const child = spawn(process.execPath, [program], { env: settings(changes), cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => { said += chunk.toString('utf8'); });
      assert.deepEqual((await once(child, 'close'))[0], 78);
      assert.match(said, new RegExp(`CONFIG_INVALID: .*${named}`));
    }
  });

  it('makes no keys, and works with those of its gateway only: with others it does not start', async () => {
    const [database, clock] = [await freshDatabase(), fixedClock(Date.parse('2026-03-10T09:00:00+08:00'))];
    const [own, other] = [path.join(folder, 'own'), path.join(folder, 'other')];
    await assert.rejects(openPlatformKeys(own, database, 'log.example', clock), (error) => isVeilgateError(error, 'CONFIG_INVALID'));
    const { logSigningKey } = openKeyring(own, clock);
    openKeyring(other, clock);
    await openPlatformKeys(own, database, 'log.example', clock);
    const record = { ...recordHead('model.proposed', clock.nowMs(), 'officer-a' as PartyId), model: 'some@1' as ModelRef, digest: 'a'.repeat(64) };
    await database.transaction('test append', (tx) => appendRecords(tx, [record]));
    await publisher({ database, clock, signer: await checkpointSigner('log.example', logSigningKey) }).publishNow();
    await openPlatformKeys(own, database, 'log.example', clock);
    for (const [keys, origin] of [[other, 'log.example'], [own, 'another.example']] as const) {
      await assert.rejects(openPlatformKeys(keys, database, origin, clock), (error) => isVeilgateError(error, 'CONFIG_INVALID'));
    }
  });

  it('is started again beside its gateway when it dies, at a lower priority, and stops when it is told to', async function () {
    const database = await freshDatabase();
    await prepareQueue(database);
    openKeyring(path.join(folder, 'keys'), systemClock);
    const { log, lines } = memoryLog();
    const address = { url: 'http://127.0.0.1:1', id: 'custodian', statementKey: { kty: 'OKP', crv: 'Ed25519', x: 'x', kid: 'k' } };
    const worker = startWorkerChild(settings({ PRIMARY_DATABASE_URL: database.url, PRIMARY_CUSTODIAN: JSON.stringify(address) }), log);
    const starts = () => { try { return readFileSync(path.join(folder, 'worker.log'), 'utf8').split('score_worker.started').length - 1; } catch { return 0; } };
    let second: number;
    try {
      await until('a worker has started', () => starts() === 1);
      const first = worker.pid()!;
      assert.ok(os.getPriority(first) >= os.constants.priority.PRIORITY_BELOW_NORMAL);
      process.kill(first, 'SIGKILL');
      await until('another worker has started', () => starts() === 2);
      second = worker.pid()!;
      assert.notEqual(second, first);
      assert.deepEqual(lines().map(({ event }) => event), ['score_worker.exited']);
    } finally {
      await worker.stop();
    }
    assert.throws(() => process.kill(second, 0));
    assert.match(readFileSync(path.join(folder, 'worker.log'), 'utf8'), /score_worker.stopped/);
  });

  it('ends with its gateway, also when that is gone before it has started', async function () {
    const database = await freshDatabase();
    // gone at once, while modules are still being read; and later, when it waits for a checkpoint or for tasks
    for (const waitMs of [0, 400]) {
      const child = fork(program, [], { env: settings({ DATABASE_URL: database.url, VEILGATE_CUSTODIAN: 'none' }), cwd: root, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      child.disconnect();
      assert.equal((await once(child, 'exit'))[1], null, 'it ends by itself');
    }
  });
});
