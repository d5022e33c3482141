import { strict as assert } from 'node:assert';
import type { Clock } from '../../src/clock.ts';
import { steadyClock } from '../../src/gateway/steady-clock.ts';
import type { TimeMs } from '../../src/vocabulary.ts';
import { checkAccounts, watchLog, type LogWatch } from './support/accounts.ts';
import { openDesk, type Desk, type Outcome } from './support/asking.ts';
import { startFaultPlatform, type FaultPlatform } from './support/platform.ts';

describe('a gateway whose clock jumps', () => {
  let aheadMs = 0;
  const clock: Clock = { nowMs: () => (Date.now() + aheadMs) as TimeMs };
  let platform: FaultPlatform;
  let stop: (() => Promise<void>) | undefined;
  let desk: Desk;
  let log: LogWatch;

  before(async function () {
    this.timeout(60_000);
    platform = await startFaultPlatform();
    stop = await platform.startGatewayHere(clock);
    desk = await openDesk(platform);
    log = await watchLog(platform);
  });
  afterEach(() => { aheadMs = 0; });
  after(async () => {
    await stop?.();
    await platform?.close();
  });

  it('still refuses what was presented before', async () => {
    const { subject } = await platform.grant(10);
    const prepared = desk.prepare(subject);
    assert.equal((await desk.send(prepared)).kind, 'answered');
    for (const jumpMs of [0, -3000, 3000, 40_000]) {
      aheadMs = jumpMs;
      assert.equal(codeOf(await desk.send(prepared)), 'TOKEN_REPLAYED', `${jumpMs} ms`);
    }
    for (const jumpMs of [120_000, -120_000, 86_400_000, -86_400_000]) {
      aheadMs = jumpMs;
      assert.match(codeOf(await desk.send(prepared)), /^(TOKEN|DPOP)_/, `${jumpMs} ms`);
    }
    aheadMs = 0;
    assert.equal(codeOf(await desk.send(prepared)), 'TOKEN_REPLAYED');
    await checkAccounts(platform, desk.asked);
  });

  it('takes a grant as ended from its end on by the clock, whichever way that went before', async () => {
    const { subject } = await platform.grant(10, 20_000);
    const ask = () => desk.ask(subject, { atMs: clock.nowMs() });
    assert.equal((await ask()).kind, 'answered');
    aheadMs = 25_000;
    assert.equal(codeOf(await ask()), 'CONSENT_EXPIRED');
    aheadMs = 5000;
    assert.equal((await ask()).kind, 'answered');
    aheadMs = -5000;
    assert.equal((await ask()).kind, 'answered');
    aheadMs = 20_000;
    assert.equal(codeOf(await ask()), 'CONSENT_EXPIRED');
    await checkAccounts(platform, desk.asked);
  });

  it('refuses everybody with clear codes while it is far off, and works on when it is right again', async () => {
    const { subject } = await platform.grant(10);
    for (const jumpMs of [-3_600_000, 3_600_000]) {
      aheadMs = jumpMs;
      assert.match(codeOf(await desk.ask(subject)), /^(TOKEN|DPOP)_/);
    }
    aheadMs = 0;
    assert.equal((await desk.ask(subject)).kind, 'answered');
    await checkAccounts(platform, desk.asked);
  });

  it('leaves a log that the independent verifier finds sound', async function () {
    await log.check();
  });
});

describe('gateway/steady-clock', () => {
  const minuteMs = 60_000;

  it('lets nothing be forgotten for good until a clock that jumped has gone on evenly for ten minutes', () => {
    for (const jumpMs of [3_600_000, -3_600_000]) {
      let [wallMs, monotonicMs, jumps] = [1_790_000_000_000, 0, 0];
      const steady = steadyClock({ nowMs: () => wallMs as TimeMs }, () => { jumps += 1; }, () => monotonicMs);
      const pass = (ms: number) => {
        wallMs += ms;
        monotonicMs += ms;
        return steady();
      };
      assert.equal(pass(minuteMs), true);
      wallMs += jumpMs;
      assert.equal(pass(minuteMs), false);
      for (let minute = 1; minute < 10; minute += 1) assert.equal(pass(minuteMs), false, `minute ${minute}`);
      assert.equal(pass(minuteMs), true);
      wallMs -= jumpMs; // set right again
      assert.equal(pass(minuteMs), false);
      assert.equal(jumps, 2);
    }
  });

  it('takes no offence at a clock that is slewed', () => {
    let [wallMs, monotonicMs] = [1_790_000_000_000, 0];
    const steady = steadyClock({ nowMs: () => wallMs as TimeMs }, () => assert.fail('no jump'), () => monotonicMs);
    for (let minute = 0; minute < 100; minute += 1) {
      wallMs += minuteMs + 1000;
      monotonicMs += minuteMs;
      assert.equal(steady(), true);
    }
  });
});

function codeOf(outcome: Outcome): string {
  assert.equal(outcome.kind, 'refused');
  return outcome.kind === 'refused' ? outcome.code : '';
}
