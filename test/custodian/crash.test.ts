import { strict as assert } from 'node:assert';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { rmSync } from 'node:fs';
import { systemClock } from '../../src/clock.ts';
import { admitBank } from '../../src/custodian/banks.ts';
import { readCustodianConfig } from '../../src/custodian/config.ts';
import { startCustodian } from '../../src/custodian/custodian.ts';
import { openDatabase } from '../../src/store/database.ts';
import { publicKeys } from '../../src/sdk/keys.ts';
import { memoryLog } from '../gateway/shell.ts';
import { makeKey } from '../identity/signing.ts';
import { gatewaySide, newBank, openWorkshop, post, signRequest, signTicket, testSettings } from './support/workshop.ts';

type Message = { readonly url?: string; readonly stalled?: true };

describe('custodian: crashes and faults', function () {
  this.timeout(60_000); // processes start and threads load SEAL, on a machine that may be busy
  it('killed between spending a ticket and answering, it never answers that ticket; a new one is answered', async () => {
    const gatewayKey = await makeKey();
    const { folder, environment } = await testSettings(gatewayKey);
    const child = fork(path.join(import.meta.dirname, 'support', 'stalling-custodian.ts'), [], { execArgv: [], env: {} });
    const message = async () => (await once(child, 'message'))[0] as Message;
    child.send(environment);
    const { url = '' } = await message();
    const database = openDatabase({ url: environment['CUSTODIAN_DATABASE_URL'] ?? '', maxConnections: 2 });
    const bank = await newBank('bank-a');
    await admitBank(database, systemClock, bank.id, { keys: publicKeys(bank) });
    const side = await gatewaySide({ custodian: { url } as never });
    const { ciphertext } = side.evaluate([new Int32Array(4096).fill(2)], [1]);
    const { key: keyId } = JSON.parse(Buffer.from((await (await fetch(`${url}/v1/key`)).json() as { statement: string }).statement.split('.')[1] ?? '', 'base64url').toString()) as { key: string };
    const request = signRequest(bank);
    const parts = { keyId, request, ciphertexts: [ciphertext] };
    const ticket = signTicket({ gatewayKey }, parts);
    const stalled = message();
    const answer = post(url, ticket, [ciphertext]).then(() => 'answered', () => 'broken off');
    assert.deepEqual(await stalled, { stalled: true });
    child.kill('SIGKILL');
    assert.equal(await answer, 'broken off');

    const custodian = await startCustodian(readCustodianConfig(environment, systemClock.nowMs()), memoryLog().log, systemClock);
    try {
      assert.equal((await post(custodian.url, ticket, [ciphertext])).status, 403);
      assert.equal((await post(custodian.url, signTicket({ gatewayKey }, parts), [ciphertext])).status, 200);
      const { rows } = await database.query<{ kind: string; count: number }>("select kind, count(*)::int from audit_entry where kind in ('custodian.opened', 'custodian.refused') group by kind order by kind");
      assert.deepEqual(rows, [{ kind: 'custodian.opened', count: 2 }, { kind: 'custodian.refused', count: 1 }]);
    } finally {
      side.close();
      await custodian.stop();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('without its database it opens nothing, says only "not now", and is not ready', async () => {
    const workshop = await openWorkshop({ settings: { CUSTODIAN_DATABASE_TIMEOUT_SECONDS: '1' } });
    const side = await gatewaySide(workshop);
    try {
      const { ciphertext } = side.evaluate([new Int32Array(4096)], [1]);
      const ticket = signTicket(workshop, { keyId: await workshop.keyId(), request: signRequest(workshop.bank), ciphertexts: [ciphertext] });
      const name = new URL(workshop.config.databaseUrl ?? '').pathname.slice(1);
      const admin = openDatabase({ url: workshop.config.databaseUrl?.replace(name, 'postgres') ?? '', maxConnections: 1 });
      await admin.query(`alter database ${name} with allow_connections false`);
      await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
      const refused = await post(workshop.custodian.url, ticket, [ciphertext]);
      assert.deepEqual([refused.status, (JSON.parse(refused.text) as { code: string }).code], [503, 'CUSTODIAN_UNAVAILABLE']);
      assert.equal((await fetch(`${workshop.custodian.url}/readyz`)).status, 503);
      assert.equal((await fetch(`${workshop.custodian.url}/healthz`)).status, 200);
      await admin.query(`alter database ${name} with allow_connections true`);
      await admin.close();
      assert.equal((await post(workshop.custodian.url, ticket, [ciphertext])).status, 200, 'nothing was spent meanwhile');
    } finally {
      side.close();
      await workshop.close();
    }
  });

  it('a decryption thread that dies takes one ticket with it, and another takes its place', async () => {
    const bad = new URL(`data:text/javascript,${encodeURIComponent("import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { throw new Error('a ciphertext broke SEAL'); }); parentPort.postMessage('ready');")}`);
    const { startDecryption } = await import('../../src/custodian/decryption.ts');
    const failures: unknown[] = [];
    const decryption = await startDecryption({ keys: [], threads: 1, thread: bad, onThreadFailed: (error) => failures.push(error) });
    const task = { kind: 'open', key: 'k', ciphertexts: [], slots: new Uint32Array() } as const;
    await assert.rejects(decryption.run(task), { code: 'CUSTODIAN_UNAVAILABLE' });
    await assert.rejects(decryption.run(task), { code: 'CUSTODIAN_UNAVAILABLE' });
    assert.equal(failures.length, 2);
    await decryption.close();
  });

  it('gives up a task that takes too long, and replaces threads after their time', async () => {
    const program = (body: string) => new URL(`data:text/javascript,${encodeURIComponent(`import { parentPort, threadId } from 'node:worker_threads'; parentPort.on('message', () => { ${body} }); parentPort.postMessage('ready');`)}`);
    const { startDecryption } = await import('../../src/custodian/decryption.ts');
    const task = { kind: 'open', key: 'k', ciphertexts: [], slots: new Uint32Array() } as const;
    const endless = await startDecryption({ keys: [], threads: 1, timeoutMs: 100, thread: program('for (;;) {}') });
    await assert.rejects(endless.run(task), { code: 'CUSTODIAN_UNAVAILABLE' });
    await endless.close();
    const named = await startDecryption({ keys: [], threads: 1, tasksPerThread: 2, thread: program("parentPort.postMessage({ kind: 'opened', masked: [], threadId })") });
    const threads = [];
    for (let round = 0; round < 6; round += 1) threads.push(((await named.run(task)) as unknown as { threadId: number }).threadId);
    await named.close();
    assert.equal(new Set(threads).size, 3);
  });
});
