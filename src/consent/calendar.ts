import { dayMs, shanghaiOffsetMs } from '../calendar.ts';
import type { Frequency, IsoDate, TimeMs } from '../vocabulary.ts';

/** End (exclusive) of the calendar day, ISO week (from Monday) or calendar month in Asia/Shanghai that holds `atMs`. */
export function windowEndMs(per: Frequency['per'], atMs: TimeMs): TimeMs {
  const days = Math.floor((atMs + shanghaiOffsetMs) / dayMs);
  switch (per) {
    case 'day':
      return ((days + 1) * dayMs - shanghaiOffsetMs) as TimeMs;
    case 'week':
      // day 0 was a Thursday, three days into its week
      return ((days - ((days + 3) % 7) + 7) * dayMs - shanghaiOffsetMs) as TimeMs;
    case 'month': {
      const local = new Date(atMs + shanghaiOffsetMs);
      return (Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 1) - shanghaiOffsetMs) as TimeMs;
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
