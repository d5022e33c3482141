import type { IsoDate, TimeMs } from './vocabulary.ts';

/** Days of the platform are those of Asia/Shanghai, where enterprises, banks and staff read them. */

export const dayMs = 86_400_000;

/** China has kept UTC+8 without summer time since 1992, so plain arithmetic does it; a test compares with Intl. */
export const shanghaiOffsetMs = 8 * 3_600_000;

/** The calendar day in Asia/Shanghai. */
export function shanghaiDate(atMs: TimeMs): IsoDate {
  return new Date(atMs + shanghaiOffsetMs).toISOString().slice(0, 10) as IsoDate;
}

/** When the day of this moment began in Asia/Shanghai. */
export function dayStartMs(atMs: TimeMs): TimeMs {
  return atMs - ((atMs + shanghaiOffsetMs) % dayMs) as TimeMs;
}

/** Whole seconds until the next day begins in Asia/Shanghai, at least 1. */
export function secondsToNextDay(atMs: TimeMs): number {
  return Math.ceil((dayMs - ((atMs + shanghaiOffsetMs) % dayMs)) / 1000);
}

const dateShape = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;

/** True for a day of the Gregorian calendar, written `YYYY-MM-DD`; such dates compare as text. */
export function isIsoDate(value: unknown): value is IsoDate {
  if (typeof value !== 'string' || !dateShape.test(value)) return false;
  const timeMs = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(timeMs) && new Date(timeMs).toISOString().startsWith(value);
}

/** Which days people work: Monday to Friday, but for holidays and for weekend days that make up for them. */
export type WorkingCalendar = { readonly holidays: ReadonlySet<IsoDate>; readonly madeUp: ReadonlySet<IsoDate> };

/** Days of a calendar are written out; one that asked for more at once asked for something else. */
const workingDaysMax = 1000;

export function isWorkingDay(date: IsoDate, { holidays, madeUp }: WorkingCalendar): boolean {
  if (madeUp.has(date)) return true;
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  return weekday !== 0 && weekday !== 6 && !holidays.has(date);
}

/** The n-th working day after `date`, which itself does not count; n from 1. */
export function workingDaysAfter(date: IsoDate, days: number, calendar: WorkingCalendar): IsoDate {
  if (!Number.isInteger(days) || days < 1 || days > workingDaysMax) throw new RangeError(`working days go from 1 to ${workingDaysMax}`);
  let day = date;
  for (let left = days; left > 0;) {
    day = nextDay(day);
    if (isWorkingDay(day, calendar)) left -= 1;
  }
  return day;
}

/** Working days after `from` up to and with `to`: 0 on the day itself, less than 0 when `to` is over; at most 1000 either way. */
export function workingDaysUntil(from: IsoDate, to: IsoDate, calendar: WorkingCalendar): number {
  if (to < from) return 0 - workingDaysUntil(to, from, calendar);
  let count = 0;
  for (let day = from; day < to && count < workingDaysMax;) {
    day = nextDay(day);
    if (isWorkingDay(day, calendar)) count += 1;
  }
  return count;
}

/** The calendar day after. */
export function nextDay(date: IsoDate): IsoDate {
  return new Date(Date.parse(`${date}T00:00:00Z`) + dayMs).toISOString().slice(0, 10) as IsoDate;
}
