import { strict as assert } from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { until } from '../support/until.ts';
import { checkAccounts, watchLog, type LogWatch } from './support/accounts.ts';
import { openDesk, type Desk } from './support/asking.ts';
import { isAlive, signal, startFaultPlatform, type FaultPlatform } from './support/platform.ts';

const unavailable = new Set(['STORE_UNAVAILABLE', 'AUDIT_UNAVAILABLE']);

describe('PostgreSQL gone and back', () => {
  let platform: FaultPlatform;
  let desk: Desk;
  let log: LogWatch;

  const ready = async () => (await fetch(`${platform.gatewayUrl}/readyz`)).status;

  before(async function () {
    this.timeout(60_000);
    platform = await startFaultPlatform();
    const gateway = await platform.startGateway();
    gateway.child.once('exit', () => { gatewayDied = true; });
    desk = await openDesk(platform);
    log = await watchLog(platform);
  });
  after(() => platform?.close());
  let gatewayDied = false;

  const ways: readonly (readonly [string, () => void | Promise<void>])[] = [
    ['kill -9 of the server', () => signal(platform.databasePid(), 'SIGKILL')],
    ['a fast shutdown', () => signal(platform.databasePid(), 'SIGINT')],
    ['an immediate shutdown', () => signal(platform.databasePid(), 'SIGQUIT')],
  ];
  for (const [way, bringDown] of ways) {
    it(`is refused with a clear code and survived without a restart: ${way}`, async function () {
      const { subject } = await platform.grant(10_000);
      const from = desk.asked.length;
      const kinds = () => Object.groupBy(desk.asked.slice(from), ({ outcome }) => outcome.kind);
      let flowing = true;
      const flow = Array.from({ length: 6 }, async () => {
        while (flowing) if ((await desk.ask(subject)).kind !== 'answered') await delay(30);
      });
      await until('queries flow', () => (kinds().answered?.length ?? 0) > 20);
      const pid = platform.databasePid();
      await bringDown();
      await until('the server has ended', () => !isAlive(pid));
      await until('queries are refused', () => (kinds().refused?.length ?? 0) > 20);
      await until('the gateway says so', async () => (await ready()) === 503);
      const before = kinds().answered?.length ?? 0;
      await platform.startDatabase();
      await until('the gateway is ready', async () => (await ready()) === 200);
      await until('queries flow again', () => (kinds().answered?.length ?? 0) > before + 20);
      flowing = false;
      await Promise.all(flow);

      for (const { outcome } of desk.asked.slice(from)) {
        assert.notEqual(outcome.kind, 'broken', 'the gateway itself stays up');
        if (outcome.kind !== 'refused') continue;
        assert.ok(unavailable.has(outcome.code), outcome.code);
        assert.equal(outcome.status, 503);
        assert.ok(Number(outcome.headers['retry-after']) > 0);
        assert.equal(outcome.headers['content-type'], 'application/problem+json');
      }
      // whoever sends the very same again gets it at most once
      for (const { prepared } of (kinds().refused ?? []).slice(0, 40)) {
        const again = await desk.send(prepared);
        assert.ok(again.kind === 'answered' || (again.kind === 'refused' && again.code === 'TOKEN_REPLAYED'), JSON.stringify(again));
      }
      await checkAccounts(platform, desk.asked);
      assert.equal(gatewayDied, false);
    });
  }

  it('survives the end of a single server process, which takes all others with it', async function () {
    const { subject } = await platform.grant(10_000);
    assert.equal((await desk.ask(subject)).kind, 'answered');
    const { rows } = await platform.database.query<{ pid: number }>("select pid from pg_stat_activity where application_name = 'veilgate gateway' limit 1");
    const asked = Array.from({ length: 20 }, () => desk.ask(subject));
    signal(rows[0]?.pid ?? 0, 'SIGKILL');
    for (const outcome of await Promise.all(asked)) assert.ok(outcome.kind === 'answered' || (outcome.kind === 'refused' && unavailable.has(outcome.code)), JSON.stringify(outcome));
    await until('queries are answered', async () => (await desk.ask(subject)).kind === 'answered');
    await until('the database answers', () => platform.database.ready(500));
    await checkAccounts(platform, desk.asked);
  });

  it('can be started again while a process of the killed server is still at work', async function () {
    const { subject } = await platform.grant(10);
    const busy = new pg.Client({ connectionString: platform.database.url });
    busy.on('error', () => {});
    await busy.connect();
    const work = busy.query('do $$ begin for i in 1..60000000 loop end loop; end $$').catch(() => {});
    await delay(200);
    signal(platform.databasePid(), 'SIGKILL');
    await platform.startDatabase(); // waits for the shared memory that it holds
    await work;
    await busy.end().catch(() => {});
    await until('queries are answered', async () => (await desk.ask(subject)).kind === 'answered');
    await checkAccounts(platform, desk.asked);
  });

  it('leaves a log that the independent verifier finds sound', async function () {
    await log.check();
  });
});
