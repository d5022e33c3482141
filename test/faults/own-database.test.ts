import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startCluster } from '../../src/store/cluster.ts';
import { openDatabase } from '../../src/store/database.ts';
import { until } from '../support/until.ts';
import { checkAccounts, watchLog, type LogWatch } from './support/accounts.ts';
import { openDesk, type Desk } from './support/asking.ts';
import { isAlive, signal, startFaultPlatform, type FaultPlatform, type GatewayProcess } from './support/platform.ts';

describe('the first start of a PostgreSQL of our own', () => {
  it('is made up for when kill -9 ended it half way', async function () {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-first-start-'));
    chmodSync(folder, 0o755);
    const source = path.resolve(import.meta.dirname, '../../src/store/cluster.ts');
    const child = spawn(process.execPath, ['--input-type=module', '--eval', `import { startCluster } from ${JSON.stringify(source)}; await startCluster({ folder: ${JSON.stringify(folder)} });`], { stdio: 'ignore' });
    const exited = once(child, 'exit');
    try {
      await until('files are being made', () => globSync(`${folder}/*/PG_VERSION`).length > 0);
      child.kill('SIGKILL');
      await exited;
      const cluster = await startCluster({ folder, settings: { shared_buffers: '16MB' } });
      const database = openDatabase({ url: cluster.url() });
      assert.equal(await database.ready(2000), true);
      await database.close();
      await cluster.stop();
    } finally {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
    }
  });
});

describe('the PostgreSQL a gateway runs itself', () => {
  let platform: FaultPlatform;
  let gateway: GatewayProcess;
  let desk: Desk;
  let log: LogWatch;
  const start = () => platform.startGateway({ DATABASE_URL: '', VEILGATE_DATABASE_FOLDER: platform.databaseFolder, VEILGATE_DATABASE_PORT: String(platform.ports.database) });
  const grantAndAsk = async () => {
    const { subject } = await platform.grant(1000);
    assert.equal((await desk.ask(subject)).kind, 'answered');
    return subject;
  };

  before(async function () {
    this.timeout(60_000);
    platform = await startFaultPlatform();
    signal(platform.databasePid(), 'SIGINT'); // the gateway is to start its own
    await until('the server has ended', async () => !(await platform.database.ready(200)));
    gateway = await start();
    desk = await openDesk(platform);
    log = await watchLog(platform);
  });
  after(() => platform?.close());

  it('is found running after kill -9 of the gateway, and used on', async function () {
    await grantAndAsk();
    const pid = platform.databasePid();
    await gateway.kill();
    assert.ok(isAlive(pid), 'the server goes on');
    gateway = await start();
    assert.equal(platform.databasePid(), pid);
    await grantAndAsk();
    await checkAccounts(platform, desk.asked);
  });

  it('recovers after kill -9 of gateway and server at once, in a stream of queries', async function () {
    const subject = await grantAndAsk();
    const asked = Array.from({ length: 30 }, () => desk.ask(subject));
    await asked[0];
    signal(platform.databasePid(), 'SIGKILL');
    await gateway.kill();
    await Promise.all(asked);
    gateway = await start();
    await grantAndAsk();
    await checkAccounts(platform, desk.asked);
  });

  for (const name of ['SIGKILL', 'SIGQUIT'] as const) {
    it(`is started again by the gateway when it ends by itself (${name})`, async function () {
      const subject = await grantAndAsk();
      const pid = platform.databasePid();
      signal(pid, name);
      await until('the server has ended', () => !isAlive(pid));
      const refused = await desk.ask(subject);
      assert.ok(refused.kind === 'answered' || (refused.kind === 'refused' && refused.code === 'STORE_UNAVAILABLE'), JSON.stringify(refused));
      await until('queries are answered', async () => (await desk.ask(subject)).kind === 'answered');
      assert.notEqual(platform.databasePid(), pid);
      await checkAccounts(platform, desk.asked);
    });
  }

  it('is started again also by a gateway that found it running', async function () {
    await gateway.kill();
    gateway = await start();
    const subject = await grantAndAsk();
    const pid = platform.databasePid();
    signal(pid, 'SIGKILL');
    await until('the server has ended', () => !isAlive(pid));
    await until('queries are answered', async () => (await desk.ask(subject)).kind === 'answered');
    await checkAccounts(platform, desk.asked);
    await log.check();
  });
});
