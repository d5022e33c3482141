import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { dayMs, isWorkingDay, nextDay, workingDaysAfter, workingDaysUntil, type WorkingCalendar } from '../src/calendar.ts';
import { loadObjectionSettings } from '../src/objection/settings.ts';
import type { IsoDate } from '../src/vocabulary.ts';

const day = (text: string) => text as IsoDate;
const { calendar } = loadObjectionSettings('policies');
const plain: WorkingCalendar = { holidays: new Set(), madeUp: new Set() };
const dates = fc.integer({ min: 0, max: 40_000 }).map((n) => new Date(n * dayMs).toISOString().slice(0, 10) as IsoDate);

describe('working days', () => {
  it('are Monday to Friday, without holidays, with the weekend days that make up for them', () => {
    const week = ['2026-11-16', '2026-11-17', '2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21', '2026-11-22'].map(day);
    assert.deepEqual(week.map((each) => isWorkingDay(each, calendar)), [true, true, true, true, true, false, false]);
    assert.equal(isWorkingDay(day('2026-10-01'), calendar), false, 'a Thursday, National Day');
    assert.equal(isWorkingDay(day('2026-10-10'), calendar), true, 'a Saturday made up');
    assert.equal(isWorkingDay(day('2026-10-10'), plain), false);
  });

  it('are counted from the day after, over weekends and holidays', () => {
    assert.equal(workingDaysAfter(day('2026-11-20'), 1, calendar), '2026-11-23', 'Friday to Monday');
    assert.equal(workingDaysAfter(day('2026-11-22'), 3, calendar), '2026-11-25', 'from a Sunday');
    assert.equal(workingDaysAfter(day('2026-09-30'), 1, calendar), '2026-10-08', 'behind National Day');
    assert.equal(workingDaysAfter(day('2026-09-30'), 3, calendar), '2026-10-10', 'the Saturday counts');
    assert.equal(workingDaysAfter(day('2026-12-31'), 1, plain), '2027-01-01');
    assert.equal(workingDaysUntil(day('2026-11-20'), day('2026-11-23'), calendar), 1);
    assert.equal(workingDaysUntil(day('2026-11-23'), day('2026-11-20'), calendar), -1, 'over');
    assert.equal(workingDaysUntil(day('2026-11-22'), day('2026-11-22'), calendar), 0);
    for (const wrong of [0, -1, 1.5, 1001]) assert.throws(() => workingDaysAfter(day('2026-11-20'), wrong, calendar), RangeError);
  });

  it('count back to what they were counted from, for every day', () => {
    fc.assert(fc.property(dates, fc.integer({ min: 1, max: 60 }), fc.boolean(), (from, days, withHolidays) => {
      const used = withHolidays ? calendar : plain;
      const due = workingDaysAfter(from, days, used);
      assert.ok(isWorkingDay(due, used) && due > from);
      assert.equal(workingDaysUntil(from, due, used), days);
      let counted = 0;
      for (let each = from; each < due;) counted += isWorkingDay(each = nextDay(each), used) ? 1 : 0;
      assert.equal(counted, days);
    }));
  });
});
