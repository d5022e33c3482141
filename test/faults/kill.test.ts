import { strict as assert } from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';
import { checkAccounts, watchLog, type LogWatch } from './support/accounts.ts';
import { openDesk, type Desk } from './support/asking.ts';
import { startFaultPlatform, type FaultPlatform, type GatewayProcess } from './support/platform.ts';
import { steps, type Step } from './support/steps.ts';

/** Where a query is known to the database when its gateway dies, and so refused when it is sent again. */
const presented: ReadonlySet<Step> = new Set(steps.slice(steps.indexOf('admitted')));
/** Where the answer is in the log though nobody got it: it was about to leave. */
const released: ReadonlySet<Step> = new Set<Step>(['committed']);
/** Where the server may or may not get to the commit, which travels with what it commits; the log decides, and checkAccounts holds them together. */
const open: ReadonlySet<Step> = new Set<Step>(['spent', 'committing']);

describe('kill -9 of the gateway', () => {
  let platform: FaultPlatform;
  let gateway: GatewayProcess;
  let desk: Desk;
  let log: LogWatch;

  before(async function () {
    this.timeout(60_000);
    platform = await startFaultPlatform();
    gateway = await platform.startGateway();
    desk = await openDesk(platform);
    log = await watchLog(platform);
  });
  after(() => platform?.close());

  for (const step of steps) {
    it(`loses nothing, doubles nothing and discloses nothing unlogged when a query is at “${step}”`, async function () {
      const { id, subject } = await platform.grant(10);
      const before = await desk.ask(subject, { verify: true });
      assert.equal(before.kind, 'answered');
      const prepared = desk.prepare(subject, { verify: true });
      await gateway.dieAt(step);
      const cutOff = await desk.send(prepared);
      assert.equal(cutOff.kind, 'broken');
      await gateway.exited;
      gateway = await platform.startGateway();

      const again = await desk.send(prepared);
      if (presented.has(step)) assert.equal(again.kind === 'refused' && again.code, 'TOKEN_REPLAYED');
      else assert.equal(again.kind, 'answered'); // nobody has seen it: it is as good as new
      assert.equal((await desk.ask(subject)).kind, 'answered', 'the next query works');
      const { rows } = await platform.database.query<{ uses: number }>('select uses_total as uses from consent_grant where id = $1', [id]);
      const expected = 2 + (presented.has(step) ? 0 : 1) + (released.has(step) ? 1 : 0);
      if (open.has(step)) assert.ok(rows[0]?.uses === 2 || rows[0]?.uses === 3);
      else assert.equal(rows[0]?.uses, expected);
      await checkAccounts(platform, desk.asked);
    });
  }

  it('leaves a log that the independent verifier finds sound', () => log.check());

  it('keeps its accounts through random kills in a stream of queries', async function () {
    this.timeout(120_000);
    const grants = await Promise.all([platform.grant(40), ...Array.from({ length: 5 }, () => platform.grant(1000))]);
    const seed = Date.now() % 100_000;
    const random = generator(seed);
    const queries = 300;
    let next = 0;
    let back = Promise.resolve();
    const kinds: Record<string, number> = {};
    const ask = async () => {
      while (next < queries) {
        const { subject } = grants[next++ % grants.length]!;
        const outcome = await desk.ask(subject);
        kinds[outcome.kind] = (kinds[outcome.kind] ?? 0) + 1;
        if (outcome.kind === 'broken') await back; // a bank waits before it tries again
      }
    };
    const killing = (async () => {
      for (let kills = 0; kills < 4; kills += 1) {
        const wanted = next + 10 + Math.floor(random() * 40);
        while (next < wanted && next < queries) await delay(1);
        await delay(random() * 5);
        const { promise, resolve } = Promise.withResolvers<void>();
        back = promise;
        await gateway.kill();
        gateway = await platform.startGateway();
        resolve();
      }
    })();
    await Promise.all([killing, ...Array.from({ length: 8 }, ask)]);
    assert.ok((kinds['answered'] ?? 0) > 100 && (kinds['broken'] ?? 0) > 0, `seed ${seed}: ${JSON.stringify(kinds)}`);
    assert.equal((await desk.ask(grants[1]!.subject)).kind, 'answered');
    await checkAccounts(platform, desk.asked);
    await log.check();
  });
});

/** Numbers in [0, 1) that a seed gives again (Park and Miller). */
function generator(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state - 1) / 2_147_483_646;
  };
}
