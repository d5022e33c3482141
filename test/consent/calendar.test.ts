import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { shanghaiDate } from '../../src/calendar.ts';
import { windowEndMs, yearsBefore } from '../../src/consent/calendar.ts';
import type { IsoDate, TimeMs } from '../../src/vocabulary.ts';

const at = (text: string) => Date.parse(text) as TimeMs;
const iso = (ms: number) => new Date(ms).toISOString();
const intl = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai', year: 'numeric', month: '2-digit', day: '2-digit', weekday: 'short' });
const local = (ms: number) => Object.fromEntries(intl.formatToParts(ms).map(({ type, value }) => [type, value])) as Record<'year' | 'month' | 'day' | 'weekday', string>;

describe('consent/calendar', () => {
  it('ends a day at midnight in Shanghai', () => {
    assert.equal(iso(windowEndMs('day', at('2026-03-10T23:59:59.999+08:00'))), '2026-03-10T16:00:00.000Z');
    assert.equal(iso(windowEndMs('day', at('2026-03-11T00:00:00+08:00'))), '2026-03-11T16:00:00.000Z');
  });

  it('ends a week before Monday and a month before its successor', () => {
    assert.equal(iso(windowEndMs('week', at('2026-03-15T23:59:59+08:00'))), '2026-03-15T16:00:00.000Z'); // a Sunday
    assert.equal(iso(windowEndMs('week', at('2026-03-16T00:00:00+08:00'))), '2026-03-22T16:00:00.000Z'); // a Monday
    assert.equal(iso(windowEndMs('month', at('2026-12-31T23:00:00+08:00'))), '2026-12-31T16:00:00.000Z');
    assert.equal(iso(windowEndMs('month', at('2028-02-01T00:00:00+08:00'))), '2028-02-29T16:00:00.000Z');
  });

  it('agrees with the time zone database on every day, week and month', () => {
    fc.assert(fc.property(fc.integer({ min: at('1992-01-01T00:00:00Z'), max: at('2100-01-01T00:00:00Z') }), (ms) => {
      const now = local(ms);
      assert.equal(shanghaiDate(ms as TimeMs), `${now.year}-${now.month}-${now.day}`);
      for (const per of ['day', 'week', 'month'] as const) {
        const end = windowEndMs(per, ms as TimeMs);
        assert.ok(end > ms);
        const last = local(end - 1);
        const next = local(end);
        assert.notEqual(next.day, last.day);
        if (per === 'day') assert.equal(last.day, now.day);
        if (per === 'week') assert.equal(next.weekday, 'Mon');
        if (per === 'month') assert.deepEqual([next.day, last.month], ['01', now.month]);
        assert.ok(end - ms <= { day: 1, week: 7, month: 31 }[per] * 86_400_000);
      }
    }));
  });

  it('goes back whole years and knows leap days', () => {
    assert.equal(yearsBefore('2026-03-10' as IsoDate, 3), '2023-03-10');
    assert.equal(yearsBefore('2028-02-29' as IsoDate, 3), '2025-02-28');
    assert.equal(yearsBefore('2028-02-29' as IsoDate, 4), '2024-02-29');
  });
});
