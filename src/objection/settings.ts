import { existsSync } from 'node:fs';
import path from 'node:path';
import { dayMs, isIsoDate, nextDay, type WorkingCalendar } from '../calendar.ts';
import type { PolicyDocument } from '../policy/document.ts';
import { policyBroken, type Problem } from '../policy/problem.ts';
import { readSettingsFile } from '../policy/settings-file.ts';
import type { IsoDate } from '../vocabulary.ts';

/** Working days each step may take. */
export type Deadlines = { readonly accept: number; readonly decide: number; readonly close: number };

/** What compliance sets in policies/calendar.yaml; each is explained there. */
export type ObjectionSettings = { readonly deadlines: Deadlines; readonly calendar: WorkingCalendar };

type SettingsText = {
  readonly deadlines: Deadlines;
  readonly holidays: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  readonly made_up: readonly string[];
};

const file = 'calendar.yaml';
const holidayDaysMax = 31;

/** Where a pack has no calendar. */
const mondayToFriday: ObjectionSettings = { deadlines: { accept: 3, decide: 10, close: 10 }, calendar: { holidays: new Set(), madeUp: new Set() } };

/** Reads calendar.yaml of a policy pack, as strictly as its rules. Errors: POLICY_BROKEN with every problem and its place. */
export function loadObjectionSettings(folder: string): ObjectionSettings {
  if (!existsSync(path.join(folder, file))) return mondayToFriday;
  const document = readSettingsFile(folder, file, 'calendar');
  const text = document.value as SettingsText;
  const wrong = dateProblems(document, text);
  if (wrong.length > 0) throw policyBroken(wrong);
  const holidays = new Set(text.holidays.flatMap(({ from, to }) => daysOf(from as IsoDate, to as IsoDate)));
  const both = text.made_up.flatMap((date, at) => (holidays.has(date as IsoDate) ? [document.problemAt(`/made_up/${at}`, 'is a holiday too')] : []));
  if (both.length > 0) throw policyBroken(both);
  return { deadlines: text.deadlines, calendar: { holidays, madeUp: new Set(text.made_up as readonly IsoDate[]) } };
}

function dateProblems(document: PolicyDocument, { holidays, made_up: madeUp }: SettingsText): Problem[] {
  const noDate = (value: string, pointer: string) => (isIsoDate(value) ? [] : [document.problemAt(pointer, 'is no day of the calendar')]);
  return [
    ...holidays.flatMap(({ from, to }, at) => {
      const wrong = [...noDate(from, `/holidays/${at}/from`), ...noDate(to, `/holidays/${at}/to`)];
      if (wrong.length > 0) return wrong;
      const days = (Date.parse(to) - Date.parse(from)) / dayMs + 1;
      return days >= 1 && days <= holidayDaysMax ? [] : [document.problemAt(`/holidays/${at}`, `must last 1 to ${holidayDaysMax} days`)];
    }),
    ...madeUp.flatMap((date, at) => noDate(date, `/made_up/${at}`)),
  ];
}

function daysOf(from: IsoDate, to: IsoDate): IsoDate[] {
  const days: IsoDate[] = [];
  for (let day = from; day <= to; day = nextDay(day)) days.push(day);
  return days;
}
