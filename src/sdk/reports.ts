import type { InstitutionActivity } from '../audit/institution-activity.ts';
import type { WorkReport } from '../audit/work-report.ts';
import type { Connection } from './connection.ts';
import type { InstitutionView } from './officer.ts';

export type { InstitutionActivity, Unusual, UnusualSign } from '../audit/institution-activity.ts';
export { workReportCsv, type WorkReport } from '../audit/work-report.ts';

/** What entries are looked for by; times as RFC 3339. */
export type EntryQuery = {
  readonly from?: string;
  /** Exclusive. */
  readonly until?: string;
  /** First and last index, both inclusive. */
  readonly first?: number;
  readonly last?: number;
  readonly kinds?: readonly string[];
  /** Party that did it. */
  readonly actor?: string;
  readonly institution?: string;
  readonly purpose?: string;
  readonly outcome?: 'released' | 'refused';
  readonly code?: string;
  readonly policy?: string;
  readonly dataset?: string;
};

/** What an entry is about; the entry itself is read by its index. */
export type ListedEntry = {
  readonly index: number;
  readonly at: string;
  readonly kind: string;
  readonly actor: string;
  readonly institution: string | null;
  /** Pseudonym of the enterprise. */
  readonly subject: string | null;
  readonly purpose: string | null;
  readonly outcome: 'released' | 'refused' | null;
  readonly code: string | null;
  readonly policy: string | null;
  readonly datasets: readonly string[];
  readonly erased: boolean;
};

export type EntryPage = {
  readonly entries: readonly ListedEntry[];
  /** `before` of the next page, which may hold more even where this one is empty; null at the end. */
  readonly next: number | null;
  /** Newest entries that cannot be found yet. */
  readonly behind: number;
};

/** A month's report; digest, signature and entry are null while the month is not closed. */
export type WorkReportView = { readonly report: WorkReport; readonly digest: string | null; readonly signature: string | null; readonly entry: number | null; readonly behind: number };

export type InstitutionReportView = {
  readonly institution: InstitutionView;
  readonly from: string;
  readonly to: string;
  readonly activity: InstitutionActivity;
  /** Enterprises it asked about; `complete` is false when there were too many entries to look at each. */
  readonly enterprises: { readonly total: number; readonly complete: boolean };
  readonly decisions: readonly ListedEntry[];
  readonly behind: number;
};

/** The log by what its entries are about, and what is counted of it: for auditors; reports for compliance officers too. */
export function reportsClient({ call }: Pick<Connection, 'call'>) {
  const entries = ({ kinds, ...filter }: EntryQuery, page: { readonly before?: number; readonly limit?: number } = {}) =>
    call<EntryPage>({ method: 'GET', path: withQuery('/v1/log/entries', { ...filter, ...(kinds === undefined ? {} : { kinds: kinds.join(',') }), ...page }) });
  return {
    /** One page, newest first. Needs the scope `audit`. */
    entries,
    /** All entries that fit, page after page. */
    async *allEntries(filter: EntryQuery): AsyncGenerator<ListedEntry> {
      for (let before: number | null | undefined; before !== null;) {
        const page: EntryPage = await entries(filter, { limit: 200, ...(before === undefined ? {} : { before }) });
        yield* page.entries;
        before = page.next;
      }
    },
    /** @param month `YYYY-MM` Errors: REPORT_PERIOD_INVALID. */
    workReport: (month: string) => call<WorkReportView>({ method: 'GET', path: withQuery('/v1/reports/work', { month }) }),
    /** @param days `YYYY-MM-DD`, both ends included; the last 30 when absent. Errors: INSTITUTION_NOT_FOUND, REPORT_PERIOD_INVALID. */
    institutionReport: (institution: string, days: { readonly from?: string; readonly to?: string } = {}) =>
      call<InstitutionReportView>({ method: 'GET', path: withQuery(`/v1/reports/institution/${encodeURIComponent(institution)}`, days) }),
  };
}

export type ReportsClient = ReturnType<typeof reportsClient>;

function withQuery(path: string, values: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as [string, string]])));
  return query.size === 0 ? path : `${path}?${query}`;
}
