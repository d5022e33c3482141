import { isoTime } from '../clock.ts';
import type { Sql } from '../store/database.ts';
import type { Dataset, DatasetId, TimeMs } from '../vocabulary.ts';
import { periodField } from './catalogue.ts';
import { domainTable } from './domain.ts';
import { stagedTable } from './staging.ts';
import type { RejectReason } from './values.ts';

/** Listed rejects of one report; more are only counted. */
export const rejectsListedMax = 1000;

/** A row that was not taken: where and why, never what. `field` is null when the row as a whole is at fault. */
export type Reject = { readonly row: number; readonly field: string | null; readonly reason: RejectReason };

/** All shares are 0 to 1, or null where nothing was counted. */
export type FieldQuality = {
  /** `subject` or a field's name. */
  readonly field: string;
  /** Share of the rows read that have a value. */
  readonly completeness: number | null;
  /** Share of those values that passed every check. */
  readonly validity: number | null;
  /** How many values failed which check. */
  readonly faults: Readonly<Partial<Record<RejectReason, number>>>;
};

/** What a department learns about a file it supplied. Holds counts, row numbers and reasons, never a value. */
export type QualityReport = {
  readonly id: string;
  readonly dataset: DatasetId;
  readonly department: string;
  readonly format: 'csv' | 'ndjson';
  /** RFC 3339. */
  readonly loadedAt: string;
  /** `refused`: more rows were rejected than the error limit allows, and nothing was loaded. */
  readonly outcome: 'loaded' | 'refused';
  readonly errorLimit: number;
  readonly rows: {
    readonly read: number;
    readonly rejected: number;
    /** Of the rejected: rows whose key an earlier row of the file has. */
    readonly duplicates: number;
    readonly new: number;
    readonly changed: number;
    readonly unchanged: number;
  };
  readonly fields: readonly FieldQuality[];
  /**
   * Periodic datasets: of the file's subjects, how many have a period that began within `freshnessDays`.
   * Others: of all stored rows, how many were supplied within `freshnessDays`. Null when nothing was loaded.
   */
  readonly timeliness: { readonly counted: number; readonly timely: number; readonly share: number | null } | null;
  /**
   * Periodic datasets: periods missing between the first and last period of each subject of the file. The step is
   * the smallest distance between two periods, in months. Null for other datasets and when nothing was loaded.
   */
  readonly continuity: {
    readonly subjects: number;
    readonly subjectsWithGaps: number;
    readonly stepMonths: number;
    readonly expected: number;
    readonly missing: number;
    readonly share: number | null;
  } | null;
  readonly rejects: readonly Reject[];
  /** True when there were more than the listed rejects. */
  readonly rejectsTruncated: boolean;
};

export function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

/** Counts what is read, row by row. */
export class QualityCounter {
  readonly #names: readonly string[];
  readonly #filled: number[];
  readonly #faults: Partial<Record<RejectReason, number>>[];
  readonly #rejects: Reject[] = [];
  #listed = 0;
  read = 0;
  rejected = 0;
  duplicates = 0;

  constructor(dataset: Dataset) {
    this.#names = ['subject', ...dataset.fields.map(({ name }) => name)];
    this.#filled = this.#names.map(() => 0);
    this.#faults = this.#names.map(() => ({}));
  }

  /** @param column 0 for `subject`, then the fields in catalogue order */
  countFilled(column: number): void {
    this.#filled[column] = (this.#filled[column] ?? 0) + 1;
  }

  countFault(row: number, column: number, reason: RejectReason): void {
    const faults = this.#faults[column] ?? {};
    faults[reason] = (faults[reason] ?? 0) + 1;
    this.list({ row, field: this.#names[column] ?? null, reason });
  }

  list(reject: Reject): void {
    this.#listed += 1;
    if (this.#rejects.length < rejectsListedMax) this.#rejects.push(reject);
  }

  fields(): FieldQuality[] {
    return this.#names.map((field, column) => {
      const filled = this.#filled[column] ?? 0;
      const { missing: _missing, ...invalid } = this.#faults[column] ?? {};
      const bad = Object.values(invalid).reduce((sum, count) => sum + count, 0);
      return { field, completeness: share(filled, this.read), validity: share(filled - bad, filled), faults: { ...this.#faults[column] } };
    });
  }

  rejects(): Pick<QualityReport, 'rejects' | 'rejectsTruncated'> {
    return { rejects: this.#rejects.toSorted((a, b) => a.row - b.row), rejectsTruncated: this.#listed > this.#rejects.length };
  }
}

/** Reads what only the stored rows can tell; `sql` is the staging's connection with the file's rows still there. */
export async function measureStored(sql: Sql, dataset: Dataset, nowMs: TimeMs): Promise<Pick<QualityReport, 'timeliness' | 'continuity'>> {
  const period = dataset.cardinality.kind === 'per_period' ? periodField(dataset) : undefined;
  if (period === undefined) {
    return { timeliness: await suppliedTimeliness(sql, dataset, nowMs), continuity: null };
  }
  return { timeliness: await periodTimeliness(sql, dataset, period, nowMs), continuity: await continuity(sql, dataset, period) };
}

async function suppliedTimeliness(sql: Sql, dataset: Dataset, nowMs: TimeMs): Promise<QualityReport['timeliness']> {
  const { rows } = await sql.query<{ counted: number; timely: number }>(
    `select count(*) as counted, count(*) filter (where _supplied_at >= $1::timestamptz - make_interval(days => $2)) as timely from ${domainTable(dataset)}`,
    [isoTime(nowMs), dataset.freshnessDays],
  );
  const { counted, timely } = rows[0] ?? { counted: 0, timely: 0 };
  return { counted, timely, share: share(timely, counted) };
}

async function periodTimeliness(sql: Sql, dataset: Dataset, period: string, nowMs: TimeMs): Promise<QualityReport['timeliness']> {
  const { rows } = await sql.query<{ counted: number; timely: number }>(
    `select count(*) as counted, count(*) filter (where newest >= $1::date - $2::int) as timely
       from (select max("${period}") as newest from ${domainTable(dataset)} where subject in (select subject from ${stagedTable}) group by subject) as newest_periods`,
    [isoTime(nowMs).slice(0, 10), dataset.freshnessDays],
  );
  const { counted, timely } = rows[0] ?? { counted: 0, timely: 0 };
  return { counted, timely, share: share(timely, counted) };
}

async function continuity(sql: Sql, dataset: Dataset, period: string): Promise<QualityReport['continuity']> {
  const { rows } = await sql.query<{ subjects: number; with_gaps: number; step: number; expected: number; present: number }>(`
    with months as materialized (
      select distinct subject, (extract(year from "${period}") * 12 + extract(month from "${period}"))::int as month
        from ${domainTable(dataset)} where subject in (select subject from ${stagedTable})
    ), step as (
      select coalesce(min(gap), 1) as months from (select month - lag(month) over (order by month) as gap from (select distinct month from months) as present) as gaps
    ), spans as (
      select count(*) as present, (max(month) - min(month)) / (select months from step) + 1 as expected from months group by subject
    )
    select count(*) as subjects, count(*) filter (where expected > present) as with_gaps, (select months from step) as step,
           coalesce(sum(greatest(expected, present)), 0)::bigint as expected, coalesce(sum(present), 0)::bigint as present
      from spans`);
  const { subjects, with_gaps, step, expected, present } = rows[0] ?? { subjects: 0, with_gaps: 0, step: 1, expected: 0, present: 0 };
  return { subjects, subjectsWithGaps: with_gaps, stepMonths: step, expected, missing: expected - present, share: share(present, expected) };
}

/** Keeps the report for the department. */
export async function storeReport(sql: Sql, report: QualityReport): Promise<void> {
  await sql.query('insert into quality_report (id, dataset, department, loaded_at, outcome, report) values ($1, $2, $3, $4, $5, $6)', [
    report.id, report.dataset, report.department, report.loadedAt, report.outcome, JSON.stringify(report),
  ]);
}

/** The newest reports of a dataset, newest first. @param limit at most 100 */
export async function readReports(sql: Sql, dataset: DatasetId, limit: number): Promise<QualityReport[]> {
  const { rows } = await sql.query<{ report: QualityReport }>({
    name: 'quality-reports',
    text: 'select report from quality_report where dataset = $1 order by loaded_at desc, id limit $2',
    values: [dataset, Math.min(Math.max(limit, 1), 100)],
  });
  return rows.map(({ report }) => report);
}
