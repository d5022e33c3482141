import { dayMs, shanghaiDate } from '../calendar.ts';
import { VeilgateError } from '../errors.ts';
import type { Frequency, GrantTerms, IsoDate, PurposeCaps, TimeMs } from '../vocabulary.ts';
import { yearsBefore } from './calendar.ts';

/** Where the caps of a purpose come from: policy/, for the class of the institution that asks. */
export type CapsOf = (purpose: GrantTerms['purpose']) => PurposeCaps | undefined;

/** The most windows of the first length that one window of the second can touch. */
const windowsTouched: Readonly<Record<Frequency['per'], Readonly<Record<Frequency['per'], number>>>> = {
  day: { day: 1, week: 7, month: 31 },
  week: { day: 1, week: 1, month: 6 },
  month: { day: 1, week: 2, month: 1 },
};

/**
 * True when whoever keeps to `asked` always keeps to `cap` as well, however the uses fall: five a day may be
 * 155 in a month, and thirty a month may all fall on one day.
 * @param usesMax answers `asked` allows altogether; null: no limit
 */
export function frequencyWithin(asked: Frequency | null, cap: Frequency, usesMax: number | null): boolean {
  const most = asked === null ? Infinity : asked.max * windowsTouched[asked.per][cap.per];
  return Math.min(most, usesMax ?? Infinity) <= cap.max;
}

/** First day that data may be about under these caps. */
export function earliestDataDate(caps: PurposeCaps, atMs: TimeMs): IsoDate {
  return yearsBefore(shanghaiDate(atMs), caps.dataPeriodYearsMax);
}

/** One term that goes further than policy lets it: what was asked and the cap, as JSON of the request would write them. */
type Excess = { readonly term: string; readonly asked: unknown; readonly cap: unknown };

/**
 * Refuses terms that go beyond what policy allows for their purpose.
 * Errors: CONSENT_EXCEEDS_CAP; detail.exceeds lists each term with what was asked and the cap; fields beyond
 * the minimum for the purpose are listed without saying whether they exist at all.
 */
export function checkCaps(terms: GrantTerms, caps: PurposeCaps, atMs: TimeMs): void {
  const exceeds: Excess[] = [];
  const over = (term: string, asked: unknown, cap: unknown, beyond: boolean) => {
    if (beyond) exceeds.push({ term, asked, cap });
  };
  const validDays = Math.ceil((terms.validUntilMs - terms.validFromMs) / dayMs);
  const earliest = earliestDataDate(caps, atMs);
  const fields = [...terms.fields.keys()].filter((field) => !caps.fields.has(field));
  over('fields', fields, 'the minimum for the purpose', fields.length > 0);
  over('kind', terms.kind, caps.kinds, !caps.kinds.includes(terms.kind));
  over('valid_days', validDays, caps.validityDaysMax, validDays > caps.validityDaysMax);
  over('uses_max', terms.usesMax, caps.usesMax, terms.usesMax !== null && terms.usesMax > caps.usesMax);
  over('frequency', terms.frequency, caps.frequencyMax, !frequencyWithin(terms.frequency, caps.frequencyMax, terms.usesMax));
  over('data_life_days', terms.dataLifeDays, caps.dataLifeDaysMax, terms.dataLifeDays > caps.dataLifeDaysMax);
  over('data_from', terms.dataFrom, earliest, terms.dataFrom === null || terms.dataFrom < earliest);
  if (exceeds.length === 0) return;
  throw new VeilgateError(
    'CONSENT_EXCEEDS_CAP',
    `The grant asks for more than policy allows for this purpose: reduce ${exceeds.map(({ term }) => term).join(', ')} to what detail.exceeds gives.`,
    { exceeds },
  );
}
