import { nextDay } from '../../calendar.ts';
import type { IsoDate } from '../../vocabulary.ts';

/** Every day of a period, both ends included; it has a year at most. */
export function daysOf(from: string, to: string): readonly IsoDate[] {
  const days: IsoDate[] = [];
  for (let day = from as IsoDate; day <= to && days.length <= 366; day = nextDay(day)) days.push(day);
  return days;
}

/** Midnight in Shanghai at which a day begins, as RFC 3339. */
export const beginOf = (day: IsoDate) => new Date(`${day}T00:00:00+08:00`).toISOString();
/** The moment at which a day is over. */
export const endOf = (day: IsoDate) => beginOf(nextDay(day));
