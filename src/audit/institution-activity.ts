import type { IsoDate } from '../vocabulary.ts';
import type { CountRow, DayRow } from './count-row.ts';

/** What an institution did in some days, as counts. */
export type InstitutionActivity = {
  readonly days: readonly { readonly day: IsoDate; readonly released: number; readonly refused: number; readonly enterprises: number }[];
  readonly answers: readonly { readonly kind: string; readonly purpose: string | null; readonly count: number }[];
  readonly refusals: readonly { readonly kind: string; readonly code: string; readonly count: number }[];
  readonly fields: readonly { readonly field: string; readonly use: string; readonly disposition: string; readonly count: number }[];
  readonly grants: readonly { readonly event: string; readonly purpose: string | null; readonly count: number }[];
  readonly unusual: readonly Unusual[];
};

/** A sign that somebody should look closer; by itself it proves nothing. `usual`: what it is held against, null where any is too many. */
export type Unusual = { readonly sign: UnusualSign; readonly measured: number; readonly usual: number | null };

export type UnusualSign =
  /** Refused more often than twice as often as the other institutions' requests; per cent. */
  | 'refused_often'
  /** Asked about enterprises without a grant: times. */
  | 'asked_without_grant'
  /** Tried claims until its attempts ran out: times. */
  | 'guessed_values'
  /** Presented a token or proof twice: times. */
  | 'replayed'
  /** Asked while it was not admitted: times. */
  | 'asked_while_suspended'
  /** Enterprises on its busiest day, held against the median of its days. */
  | 'many_enterprises';

type Known = {
  readonly rows: readonly DayRow[];
  /** Distinct enterprises of each day. */
  readonly enterprises: ReadonlyMap<IsoDate, number>;
  /** Entries of the other institutions in the same days. */
  readonly others: readonly CountRow[];
};

/** Puts the counts of an institution together, and says what stands out. */
export function institutionActivity({ rows, enterprises, others }: Known): InstitutionActivity {
  const entries = rows.filter(({ what }) => what === 'entries');
  const named = (name: string) => (name === '' ? null : name);
  return {
    days: [...Map.groupBy(entries, ({ day }) => day)].map(([day, group]) => ({ day, ...outcomes(group), enterprises: enterprises.get(day) ?? 0 })),
    answers: summed(entries.filter(isReleased), ({ item, purpose }) => [item, purpose]).map(([[kind = '', purpose = ''], count]) => ({ kind, purpose: named(purpose), count })),
    refusals: summed(entries.filter(isRefused), ({ item, detail }) => [item, detail]).map(([[kind = '', code = ''], count]) => ({ kind, code, count })),
    fields: summed(rows.filter(({ what }) => what === 'fields'), ({ item, detail }) => [item, ...detail.split(' ')]).map(([[field = '', use = '', disposition = ''], count]) => ({ field, use, disposition, count })),
    grants: summed(entries.filter(({ item }) => item.startsWith('grant.')), ({ item, purpose }) => [item, purpose]).map(([[event = '', purpose = ''], count]) => ({ event, purpose: named(purpose), count })),
    unusual: unusual(entries, enterprises, others),
  };
}

const refusedMin = 20;
const refusedShareMin = 0.2;
const withoutGrantMin = 20;
const enterprisesMin = 50;
const enterprisesTimes = 5;

function unusual(entries: readonly DayRow[], enterprises: Known['enterprises'], others: Known['others']): readonly Unusual[] {
  const times = (code: string) => total(entries.filter(({ detail }) => detail === code));
  const own = outcomes(entries);
  const theirs = outcomes(others.filter(({ what }) => what === 'entries'));
  const busiest = Math.max(0, ...enterprises.values());
  const usualDay = median([...enterprises.values()]);
  const signs: readonly (Unusual & { readonly when: boolean })[] = [
    { sign: 'refused_often', measured: percent(own), usual: percent(theirs), when: own.refused >= refusedMin && percent(own) >= refusedShareMin * 100 && percent(own) > 2 * percent(theirs) },
    { sign: 'asked_without_grant', measured: times('CONSENT_REQUIRED'), usual: null, when: times('CONSENT_REQUIRED') >= withoutGrantMin },
    { sign: 'guessed_values', measured: times('QUERY_ATTEMPTS_EXHAUSTED'), usual: null, when: times('QUERY_ATTEMPTS_EXHAUSTED') > 0 },
    { sign: 'replayed', measured: times('TOKEN_REPLAYED'), usual: null, when: times('TOKEN_REPLAYED') > 0 },
    { sign: 'asked_while_suspended', measured: times('INSTITUTION_NOT_ACTIVE'), usual: null, when: times('INSTITUTION_NOT_ACTIVE') > 0 },
    { sign: 'many_enterprises', measured: busiest, usual: usualDay, when: enterprises.size > 2 && busiest >= enterprisesMin && busiest > enterprisesTimes * usualDay },
  ];
  return signs.filter(({ when }) => when).map(({ when: _when, ...sign }) => sign);
}

type Entry = Pick<CountRow, 'item' | 'detail' | 'n'>;

const isReleased = ({ item }: Entry) => item.endsWith('.released');
const isRefused = ({ item }: Entry) => /^(query|queries|score|joint)\.refused$/.test(item);

function outcomes(entries: readonly Entry[]): { readonly released: number; readonly refused: number } {
  return { released: total(entries.filter(isReleased)), refused: total(entries.filter(isRefused)) };
}

function percent({ released, refused }: ReturnType<typeof outcomes>): number {
  return released + refused === 0 ? 0 : Math.round((100 * refused) / (released + refused));
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}

function total(entries: readonly Entry[]): number {
  return entries.reduce((sum, { n }) => sum + n, 0);
}

/** Sums by key, most first. */
function summed(rows: readonly DayRow[], keyOf: (row: DayRow) => readonly string[]): readonly (readonly [readonly string[], number])[] {
  return [...Map.groupBy(rows, (row) => keyOf(row).join('\n'))].map(([key, group]) => [key.split('\n'), total(group)] as const).toSorted(([, one], [, other]) => other - one);
}
