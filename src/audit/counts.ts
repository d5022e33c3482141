import { dayMs, shanghaiOffsetMs } from '../calendar.ts';
import { isoTime } from '../clock.ts';
import type { Sql } from '../store/database.ts';
import type { InstitutionId, IsoDate, TimeMs } from '../vocabulary.ts';
import type { CountRow, DayRow, Days } from './count-row.ts';
import { indexRange } from './explore.ts';

/** What happened in these days, of all institutions. @param only one kind of counts; all when absent */
export async function countsOfDays(sql: Sql, { from, to }: Days, only?: 'entries'): Promise<CountRow[]> {
  return (await sql.query<CountRow>(
    `select institution, purpose, what, item, detail, sum(n)::bigint as n from audit_count where day between $1 and $2${only === undefined ? '' : " and what = 'entries'"}
     group by institution, purpose, what, item, detail order by institution, purpose, what, item, detail`,
    [from, to],
  )).rows;
}

/** What an institution did in these days, day by day. */
export async function countsOfInstitution(sql: Sql, institution: InstitutionId, { from, to }: Days): Promise<DayRow[]> {
  return (await sql.query<DayRow>(
    'select day, purpose, what, item, detail, n from audit_count where institution = $1 and day between $2 and $3 order by day, purpose, what, item, detail',
    [institution, from, to],
  )).rows;
}

/** How many entries of each kind the log has had up to a day, the day included. */
export async function kindsUpTo(sql: Sql, to: IsoDate): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql.query<{ item: string; n: number }>("select item, sum(n)::bigint as n from audit_count where day <= $1 and what = 'entries' group by item", [to]);
  return new Map(rows.map(({ item, n }) => [item, n]));
}

/** Distinct enterprises an answer or a score of their own went out about in a month that is not closed, for each purpose. */
export async function enterprisesServed(sql: Sql, month: IsoDate): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql.query<{ purpose: string; n: number }>('select purpose, count(*) as n from audit_served where month = $1 group by purpose', [month]);
  return new Map(rows.map(({ purpose, n }) => [purpose, n]));
}

/** How many of an institution's entries are looked at to tell its enterprises apart. */
export const subjectsLookedAtMax = 100_000;

/**
 * Distinct enterprises that an institution asked about, day by day, over its newest `subjectsLookedAtMax` entries in these
 * days; erased ones are not counted.
 * @returns `complete` false when there were more entries than were looked at
 */
export async function subjectsOfInstitution(sql: Sql, institution: InstitutionId, days: Days): Promise<{ readonly byDay: ReadonlyMap<IsoDate, number>; readonly total: number; readonly complete: boolean }> {
  const times = timesOf(days);
  const { from, until } = await indexRange(sql, times);
  const { rows } = await sql.query<{ day: IsoDate | null; subjects: number; entries: number }>(
    `select day, count(distinct subject) as subjects, count(*) as entries
     from (select (at at time zone 'Asia/Shanghai')::date as day, subject from audit_entry
           where institution = $1 and index >= $2 and index < $3 and at >= $4 and at < $5 order by index desc limit ${subjectsLookedAtMax}) as newest
     group by grouping sets ((day), ())`,
    [institution, from, until, isoTime(times.fromMs), isoTime(times.untilMs)],
  );
  const whole = rows.find(({ day }) => day === null);
  return {
    byDay: new Map(rows.flatMap(({ day, subjects }) => (day === null ? [] : [[day, subjects] as const]))),
    total: whole?.subjects ?? 0,
    complete: (whole?.entries ?? 0) < subjectsLookedAtMax,
  };
}

/** Both ends of these days in time; the second is exclusive. */
export function timesOf({ from, to }: Days): { readonly fromMs: TimeMs; readonly untilMs: TimeMs } {
  const startOf = (day: IsoDate) => Date.parse(`${day}T00:00:00Z`) - shanghaiOffsetMs;
  return { fromMs: startOf(from) as TimeMs, untilMs: (startOf(to) + dayMs) as TimeMs };
}
