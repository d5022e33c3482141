import { strict as assert } from 'node:assert';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { startCustodianChild } from '../../src/gateway/custodian-child.ts';
import { createCustodianClient } from '../../src/gateway/custodian-client.ts';
import { freshDatabase } from '../support/database.ts';
import { memoryLog } from '../gateway/shell.ts';
import { makeKey, refused, signCompact } from '../identity/signing.ts';
import { until } from '../support/until.ts';
import { gatewayUrl } from './support/workshop.ts';

describe('gateway/custodian-child', function () {
  this.timeout(60_000); // processes start and threads load SEAL, on a machine that may be busy
  const made: string[] = [];
  after(() => made.forEach((folder) => rmSync(folder, { recursive: true, force: true })));
  const options = async () => {
    const folder = path.join(mkdtempSync(path.join(os.tmpdir(), 'veilgate-child-')), 'custodian');
    made.push(path.dirname(folder));
    const key = await makeKey();
    return { key, given: { folder, databaseUrl: (await freshDatabase()).url, gatewayUrl, gatewayJwks: { keys: [key.jwk] }, settings: { CUSTODIAN_LOG_LEVEL: 'error' } } };
  };

  it('starts a custodian as a process of its own, starts it again at the same place when it is killed, and stops it', async () => {
    const { key, given } = await options();
    const { log, lines } = memoryLog();
    const custodian = await startCustodianChild({ ...given, log });
    const client = createCustodianClient({ url: custodian.url, id: custodian.id, gatewayUrl, pinnedKey: custodian.statementKey, clock: systemClock, signer: { kid: key.jwk.kid, sign: async (typ, payload) => signCompact(key, typ, payload) } });
    const before = await client.publicKey();
    const first = custodian.pid() ?? 0;
    assert.notEqual(first, process.pid);
    assert.equal(statSync(given.folder).mode & 0o077, 0);
    process.kill(first, 'SIGKILL');
    assert.deepEqual(await until('it answers again', () => client.publicKey().catch(() => undefined)), before, 'the same keys');
    assert.notEqual(custodian.pid(), first);
    assert.ok(lines().some(({ event }) => event === 'custodian.child_exited'));
    await custodian.stop();
    assert.equal(custodian.pid(), undefined);
    await refused(client.publicKey(), 'CUSTODIAN_UNAVAILABLE');
  });

  it('ends with the process that started it, even when that is killed', async () => {
    const { given } = await options();
    const parent = fork(path.join(import.meta.dirname, 'support', 'parent-of-custodian.ts'), [], { execArgv: [], env: {} });
    parent.send(given);
    const [{ pid }] = await once(parent, 'message') as [{ readonly pid: number }];
    const runs = () => { try { return process.kill(pid, 0); } catch { return false; } };
    assert.ok(runs());
    parent.kill('SIGKILL');
    await until('the custodian has ended', () => !runs());
  });

  it('says CUSTODIAN_UNAVAILABLE when it does not come up', async () => {
    const { given } = await options();
    await refused(startCustodianChild({ ...given, settings: { CUSTODIAN_LOG_LEVEL: 'loud' }, log: memoryLog().log }), 'CUSTODIAN_UNAVAILABLE');
  });
});
