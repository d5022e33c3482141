import type { ErrorCode } from '../../errors.ts';
import type { Sql } from '../../store/database.ts';
import type { SubjectId } from '../../vocabulary.ts';
import type { PartState } from './part.ts';
import type { Unscored } from './plan.ts';

/** How far a job is; exact at the moment of the question. */
export type Progress = {
  /** Chunks of the list that are planned. */
  readonly planned: number;
  readonly parts: Readonly<Record<PartState, number>>;
  /** Enterprises whose scores were released, and those that are not scored. */
  readonly scored: number;
  readonly unscored: number;
};

/** Of each job by id: sums over its chunks and parts, of which there is one for thousands of enterprises: no counter that could be wrong. */
export async function readProgresses(sql: Sql, jobs: readonly string[]): Promise<ReadonlyMap<string, Progress>> {
  const { rows } = await sql.query<Counted & { job: string }>({
    name: 'scoring progress',
    text: `select job, state, count(*)::integer as count, coalesce(sum(released), 0)::integer as released,
             coalesce(sum(asked - released) filter (where state in ('released', 'empty', 'failed')), 0)::integer as unscored
           from scoring_job_part where job = any($1::text[]) group by job, state
           union all
           select job, 'planned', count(*)::integer, 0, coalesce(sum(asked - planned), 0)::integer from scoring_job_chunk where job = any($1::text[]) group by job`,
    values: [jobs],
  });
  const counted = Map.groupBy(rows, ({ job }) => job);
  return new Map(jobs.map((job) => [job, progressOf(counted.get(job) ?? [])]));
}

type Counted = { readonly state: PartState | 'planned'; readonly count: number; readonly released: number; readonly unscored: number };

function progressOf(rows: readonly Counted[]): Progress {
  const of = (state: string) => rows.find((row) => row.state === state)?.count ?? 0;
  const sum = (pick: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + pick(row), 0);
  return {
    planned: of('planned'),
    parts: { pending: of('pending'), released: of('released'), empty: of('empty'), failed: of('failed'), stopped: of('stopped') },
    scored: sum(({ released }) => released),
    unscored: sum(({ unscored }) => unscored),
  };
}

/** Numbers of parts that can be fetched, ascending, from `after` on. */
export async function releasedParts(sql: Sql, job: string, after: number, limit: number): Promise<number[]> {
  const { rows } = await sql.query<{ n: number }>({
    name: 'scoring released parts',
    text: "select n from scoring_job_part where job = $1 and state = 'released' and n > $2 and gateway_half is not null order by n limit $3",
    values: [job, after, limit],
  });
  return rows.map(({ n }) => n);
}

/** Where a report goes on: after this chunk or part. */
export type ReportPlace = { readonly source: 'chunk' | 'part'; readonly n: number };

/** A page of who is not scored: those of one chunk or of one part, first chunks. */
export type ReportPage = { readonly unscored: readonly Unscored[]; readonly next: ReportPlace | undefined };

export async function readReport(sql: Sql, job: string, after: ReportPlace | undefined): Promise<ReportPage> {
  const { rows: [row] } = await sql.query<{ source: ReportPlace['source']; n: number; subjects: string; reasons: string }>({
    name: 'scoring report',
    text: `select source, n, array_to_string(subjects, ',') as subjects, array_to_string(reasons, ',') as reasons from (
             select 0 as rank, 'chunk' as source, n, subjects, reasons from scoring_job_chunk where job = $1
             union all
             select 1, 'part', n, unscored, reasons from scoring_job_part where job = $1
           ) r where (rank, n) > ($2::integer, $3::integer) and cardinality(reasons) > 0 order by rank, n limit 1`,
    values: [job, after?.source === 'part' ? 1 : after?.source === 'chunk' ? 0 : -1, after?.n ?? 0],
  });
  if (row === undefined) return { unscored: [], next: undefined };
  const reasons = row.reasons.split(',') as ErrorCode[];
  return { unscored: row.subjects.split(',').map((subject, at) => ({ subject: subject as SubjectId, reason: reasons[at] as ErrorCode })), next: { source: row.source, n: row.n } };
}
