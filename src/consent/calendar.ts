import type { Frequency, IsoDate, TimeMs } from '../vocabulary.ts';

/**
 * Days, weeks and months of consent are those of Asia/Shanghai, where enterprises and banks read them.
 * China has kept UTC+8 without summer time since 1992, so plain arithmetic does it; a test compares with Intl.
 */
const offsetMs = 8 * 3_600_000;

export const dayMs = 86_400_000;

/** The calendar day in Asia/Shanghai. */
export function shanghaiDate(atMs: TimeMs): IsoDate {
  return new Date(atMs + offsetMs).toISOString().slice(0, 10) as IsoDate;
}

/** End (exclusive) of the calendar day, ISO week (from Monday) or calendar month in Asia/Shanghai that holds `atMs`. */
export function windowEndMs(per: Frequency['per'], atMs: TimeMs): TimeMs {
  const days = Math.floor((atMs + offsetMs) / dayMs);
  switch (per) {
    case 'day':
      return ((days + 1) * dayMs - offsetMs) as TimeMs;
    case 'week':
      // day 0 was a Thursday, three days into its week
      return ((days - ((days + 3) % 7) + 7) * dayMs - offsetMs) as TimeMs;
    case 'month': {
      const local = new Date(atMs + offsetMs);
      return (Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 1) - offsetMs) as TimeMs;
    }
    default:
      return per satisfies never;
  }
}

/** The same day `years` earlier; 29 February becomes the 28th where there is none. */
export function yearsBefore(date: IsoDate, years: number): IsoDate {
  const year = Number(date.slice(0, 4)) - years;
  const day = date.slice(4);
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return `${String(year).padStart(4, '0')}${day === '-02-29' && !leap ? '-02-28' : day}` as IsoDate;
}
