import { strict as assert } from 'node:assert';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '../../src/clock.ts';
import { openDatabase } from '../../src/store/database.ts';
import { until } from '../support/until.ts';
import { checkAccounts, watchLog, type LogWatch } from './support/accounts.ts';
import { openDesk, type Desk } from './support/asking.ts';
import { startFaultPlatform, type FaultPlatform } from './support/platform.ts';

const inFlight = 32;
const timeoutSeconds = 1;

describe('a gateway under more load than it takes', () => {
  let platform: FaultPlatform;
  let stop: (() => Promise<void>) | undefined;
  let desk: Desk;
  let log: LogWatch;
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => { warnings.push(warning); };

  before(async function () {
    this.timeout(60_000);
    process.on('warning', onWarning);
    platform = await startFaultPlatform();
    stop = await platform.startGatewayHere(systemClock, { VEILGATE_REQUESTS_IN_FLIGHT: String(inFlight), VEILGATE_DATABASE_TIMEOUT_SECONDS: String(timeoutSeconds) });
    desk = await openDesk(platform);
    log = await watchLog(platform);
  });
  after(async () => {
    process.off('warning', onWarning);
    await stop?.();
    await platform?.close();
  });

  it('refuses what goes beyond its limit with 503 and Retry-After, answers the rest, and stays consistent', async function () {
    const { subject } = await platform.grant(10_000);
    const outcomes = await Promise.all(Array.from({ length: 10 * inFlight }, () => desk.ask(subject)));
    const refused = outcomes.filter((outcome) => outcome.kind === 'refused');
    assert.ok(refused.length > 0 && refused.length < outcomes.length, `${refused.length} of ${outcomes.length} refused`);
    for (const { code, status, headers } of refused) assert.deepEqual([code, status, headers['retry-after']], ['REQUEST_OVERLOADED', 503, '1']);
    assert.equal(outcomes.length - refused.length, outcomes.filter(({ kind }) => kind === 'answered').length);
    assert.equal((await desk.ask(subject)).kind, 'answered');
    await checkAccounts(platform, desk.asked);
  });

  it('refuses within stated time while somebody holds the log, releases nothing of it later, and recovers by itself', async function () {
    const { id, subject } = await platform.grant(10_000);
    const holder = openDatabase({ url: platform.database.url, maxConnections: 1 });
    try {
      const outcomes = await holder.transaction('hold the log', async (tx) => {
        await tx.query('select from audit_sequencer for update');
        return Promise.all(Array.from({ length: inFlight }, () => desk.ask(subject)));
      });
      for (const outcome of outcomes) {
        assert.ok(outcome.kind === 'refused' && outcome.code === 'STORE_UNAVAILABLE', JSON.stringify(outcome));
        assert.ok(outcome.tookMs < 4 * timeoutSeconds * 1000 + 2000, `took ${outcome.tookMs} ms`);
      }
    } finally {
      await holder.close();
    }
    const { rows } = await platform.database.query<{ uses: number }>('select uses_total as uses from consent_grant where id = $1', [id]);
    assert.equal(rows[0]?.uses, 0);
    await until('queries are answered', async () => (await desk.ask(subject)).kind === 'answered');
    await checkAccounts(platform, desk.asked);
    await log.check();
  });

  it('needs no more memory, handles or listeners after 2,000 queries than before', async function () {
    this.timeout(60_000);
    const { subject } = await platform.grant(100_000);
    const collect = gc();
    const ask = async (count: number) => {
      let left = count;
      await Promise.all(Array.from({ length: 16 }, async () => {
        while (left-- > 0) assert.equal((await desk.ask(subject)).kind, 'answered');
      }));
      await checkAccounts(platform, desk.asked);
      desk.forget();
      await new Promise((resolve) => setTimeout(resolve, 200)); // sockets close
      collect();
      return { heapMb: process.memoryUsage().heapUsed / 2 ** 20, handles: process.getActiveResourcesInfo().filter((name) => name !== 'Timeout' && name !== 'Immediate').length };
    };
    const early = await ask(600);
    const late = await ask(2000);
    assert.ok(late.heapMb < early.heapMb + 8, `the heap grew from ${early.heapMb.toFixed(1)} to ${late.heapMb.toFixed(1)} MB`);
    assert.ok(late.handles <= early.handles + 8, `handles grew from ${early.handles} to ${late.handles}`);
    assert.deepEqual(warnings.map(({ name }) => name).filter((name) => name === 'MaxListenersExceededWarning'), []);
  });
});

/** The garbage collector, which Node shows only when asked to. */
function gc(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
