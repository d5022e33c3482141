import type { IsoDate, TimeMs } from './vocabulary.ts';

/** Days of the platform are those of Asia/Shanghai, where enterprises, banks and staff read them. */

export const dayMs = 86_400_000;

/** China has kept UTC+8 without summer time since 1992, so plain arithmetic does it; a test compares with Intl. */
export const shanghaiOffsetMs = 8 * 3_600_000;

/** The calendar day in Asia/Shanghai. */
export function shanghaiDate(atMs: TimeMs): IsoDate {
  return new Date(atMs + shanghaiOffsetMs).toISOString().slice(0, 10) as IsoDate;
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
