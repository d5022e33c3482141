import type { IsoDate, TimeMs } from '../vocabulary.ts';

/** Asia/Shanghai has been eight hours ahead of UTC without interruption since 1991. */
const offsetMs = 8 * 3_600_000;
const dayMs = 86_400_000;

/** The calendar day of the platform, for quotas and for the last day of an assessment. */
export function platformDay(nowMs: TimeMs): IsoDate {
  return new Date(nowMs + offsetMs).toISOString().slice(0, 10) as IsoDate;
}

/** Whole seconds until the next platform day begins, at least 1. */
export function secondsToNextDay(nowMs: TimeMs): number {
  return Math.ceil((dayMs - ((nowMs + offsetMs) % dayMs)) / 1000);
}

/** True for a calendar day that exists, written `YYYY-MM-DD`. */
export function isIsoDate(value: unknown): value is IsoDate {
  if (typeof value !== 'string' || !/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value)) return false;
  const parsed = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(value);
}
