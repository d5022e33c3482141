import { strict as assert } from 'node:assert';
import { recordHead, type QueriesRefused, type QueryRefused, type ScoreRefused } from '../../../src/audit/entry.ts';
import type { JointRefused } from '../../../src/audit/joint-run-entry.ts';
import { fixedClock } from '../../../src/clock.ts';
import { VeilgateError, type ErrorCode } from '../../../src/errors.ts';
import { createDoorRefusals } from '../../../src/gateway/use-cases/door-refusals.ts';
import type { InstitutionId } from '../../../src/vocabulary.ts';

const start = '2026-03-01T08:00:00.000Z';

describe('refusals at the door', () => {
  const desk = (perMinuteMax: number) => {
    const clock = fixedClock(start);
    const single: (QueryRefused | ScoreRefused | JointRefused)[] = [];
    const counted: QueriesRefused[] = [];
    let broken = false;
    const refusals = createDoorRefusals({
      clock, perMinuteMax,
      append: async (record) => { single.push(record); },
      async appendCounts(records) {
        if (broken) throw new VeilgateError('STORE_UNAVAILABLE', 'gone');
        counted.push(...records);
      },
    });
    const refuse = (code: ErrorCode, institution = 'bank-a') => refusals.record({
      ...recordHead('query.refused', clock.nowMs(), institution as InstitutionId), institution: institution as InstitutionId,
      subject: null, purpose: null, grant: null, policy: null, decision: null, outcomes: [], code, request: null,
    });
    const breakLog = (is: boolean) => { broken = is; };
    return { clock, refusals, refuse, single, counted, breakLog };
  };
  const times = async (count: number, work: () => Promise<void>) => {
    for (let n = 0; n < count; n += 1) await work();
  };

  it('are entries of their own up to the bound, and one count for each minute and institution beyond', async () => {
    const { clock, refusals, refuse, single, counted } = desk(3);
    await times(10, () => refuse('REQUEST_RATE_LIMITED'));
    await times(5, () => refuse('QUERY_INVALID'));
    await times(2, () => refuse('TOKEN_REPLAYED', 'bank-b'));
    assert.deepEqual(single.map(({ institution, code }) => `${institution} ${code}`), [...Array<string>(3).fill('bank-a REQUEST_RATE_LIMITED'), ...Array<string>(2).fill('bank-b TOKEN_REPLAYED')]);
    await refusals.flush();
    assert.deepEqual(counted, [], 'the minute is not over');
    clock.advanceMs(60_000);
    await refusals.flush();
    assert.deepEqual(counted, [{
      v: 1, kind: 'queries.refused', at: '2026-03-01T08:01:00.000Z', actor: 'bank-a', institution: 'bank-a', from: start, until: '2026-03-01T08:01:00.000Z',
      refused: [{ code: 'REQUEST_RATE_LIMITED', count: 7 }, { code: 'QUERY_INVALID', count: 5 }],
    }]);
    await refusals.flush();
    assert.equal(counted.length, 1, 'each is counted once');
  });

  it('are entries again in the next minute, and the counts of the one before are kept', async () => {
    const { clock, refusals, refuse, single, counted } = desk(1);
    await times(3, () => refuse('QUERY_INVALID'));
    clock.advanceMs(61_000);
    await times(3, () => refuse('QUERY_INVALID'));
    assert.equal(single.length, 2);
    await refusals.flush();
    assert.deepEqual(counted.map(({ refused, until }) => [refused[0]?.count, until]), [[2, '2026-03-01T08:01:00.000Z']]);
    await refusals.flush(true);
    assert.deepEqual(counted.map(({ refused, until }) => [refused[0]?.count, until]), [[2, '2026-03-01T08:01:00.000Z'], [2, '2026-03-01T08:01:01.000Z']]);
  });

  it('stay counted while the log cannot take them', async () => {
    const { clock, refusals, refuse, counted, breakLog } = desk(0);
    await refuse('QUERY_INVALID');
    clock.advanceMs(60_000);
    breakLog(true);
    await assert.rejects(refusals.flush(), { code: 'STORE_UNAVAILABLE' });
    breakLog(false);
    await refusals.flush();
    assert.deepEqual(counted.map(({ refused }) => refused), [[{ code: 'QUERY_INVALID', count: 1 }]]);
  });

  it('do not run for ever when the clock is set back', async () => {
    const { clock, refusals, refuse, single, counted } = desk(1);
    await times(2, () => refuse('QUERY_INVALID'));
    clock.advanceMs(-3_600_000);
    await refuse('QUERY_INVALID');
    await refusals.flush(true);
    assert.deepEqual([single.length, counted.length], [2, 1]);
  });
});
