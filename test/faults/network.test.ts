import { strict as assert } from 'node:assert';
import { until } from '../support/until.ts';
import { checkAccounts, watchLog, type LogWatch } from './support/accounts.ts';
import { openDesk, type Desk, type Outcome } from './support/asking.ts';
import { startFaultPlatform, type FaultPlatform } from './support/platform.ts';
import { startNetwork, type Fault, type Lost, type Network } from './support/proxy.ts';

/** VEILGATE_DATABASE_TIMEOUT_SECONDS of the gateway under test; the default is 8. */
const timeoutSeconds = 1;
/** A silent connection is given up a second after that; a request may first wait for one batch that met the same fate. */
const answerWithinMs = 2 * (timeoutSeconds + 1) * 1000 + 2000;

describe('the network between gateway and PostgreSQL', () => {
  let platform: FaultPlatform;
  let network: Network;
  let desk: Desk;
  let log: LogWatch;

  before(async function () {
    this.timeout(60_000);
    platform = await startFaultPlatform();
    network = await startNetwork(platform.ports.database);
    const url = new URL(platform.database.url);
    url.port = String(network.port);
    await platform.startGateway({ DATABASE_URL: url.href, VEILGATE_DATABASE_TIMEOUT_SECONDS: String(timeoutSeconds) });
    desk = await openDesk(platform);
    log = await watchLog(platform);
  });
  after(async () => {
    network?.close();
    await platform?.close();
  });

  const cases: readonly (readonly [Lost, Fault])[] = [['commit', 'cut'], ['commit', 'silence'], ['answer', 'cut'], ['answer', 'silence']];
  for (const [lost, fault] of cases) {
    it(`discloses nothing and spends at most once when the ${lost === 'commit' ? 'commit' : 'answer to the commit'} is lost (${fault})`, async function () {
      const { id, subject } = await platform.grant(10);
      assert.equal((await desk.ask(subject, { verify: true })).kind, 'answered');
      const prepared = desk.prepare(subject, { verify: true });
      network.failAtCommit(lost, fault);
      const unsure = await desk.send(prepared);
      assertUnavailable(unsure);
      assert.equal(unsure.problem['outcome'], 'unknown'); // and does not say that nothing was changed
      assert.ok(unsure.tookMs < answerWithinMs, `took ${unsure.tookMs} ms`);
      assert.equal((await desk.ask(subject)).kind, 'answered', 'what the lost transaction locked is free again');
      const again = await desk.send(prepared);
      assert.equal(again.kind === 'refused' && again.code, 'TOKEN_REPLAYED');
      const { rows } = await platform.database.query<{ uses: number }>('select uses_total as uses from consent_grant where id = $1', [id]);
      assert.equal(rows[0]?.uses, lost === 'commit' ? 2 : 3);
      await checkAccounts(platform, desk.asked);
    });
  }

  for (const fault of ['cut', 'silence'] as const) {
    it(`refuses within stated time while nothing gets through (${fault}), and recovers by itself`, async function () {
      const { subject } = await platform.grant(100);
      assert.equal((await desk.ask(subject)).kind, 'answered');
      const underWay = Array.from({ length: 12 }, () => desk.ask(subject));
      await underWay[0];
      network.fail(fault);
      try {
        const [late] = await Promise.all([desk.ask(subject), ...underWay]);
        assertUnavailable(late as Outcome);
        for (const outcome of await Promise.all(underWay)) if (outcome.kind !== 'answered') assertUnavailable(outcome);
        for (const { outcome } of desk.asked) if (outcome.kind === 'refused') assert.ok(outcome.tookMs < answerWithinMs, `took ${outcome.tookMs} ms`);
        assert.equal((await fetch(`${platform.gatewayUrl}/readyz`)).status, 503);
      } finally {
        network.restore();
      }
      await until('the gateway is ready', async () => (await fetch(`${platform.gatewayUrl}/readyz`)).ok);
      await until('queries are answered', async () => (await desk.ask(subject)).kind === 'answered');
      await checkAccounts(platform, desk.asked);
    });
  }

  it('leaves a log that the independent verifier finds sound, with checkpoints that go on', async function () {
    await log.check();
  });
});

function assertUnavailable(outcome: Outcome): asserts outcome is Extract<Outcome, { kind: 'refused' }> {
  assert.equal(outcome.kind, 'refused');
  assert.equal(outcome.kind === 'refused' && outcome.code, 'STORE_UNAVAILABLE');
}
