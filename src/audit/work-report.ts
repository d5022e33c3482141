import type { CountRow } from './count-row.ts';
import { csvLine } from '../csv.ts';

/** What the platform did in a month (R14): counts alone, no enterprise. Columns are explained in docs/formats/work-report.md. */
export type WorkReport = {
  readonly format: typeof workReportFormat;
  readonly platform: string;
  /** `YYYY-MM`, in Asia/Shanghai. */
  readonly month: string;
  /** `closed` once it is over and signed: it never changes again. */
  readonly state: 'so_far' | 'closed';
  /** When it was made. */
  readonly made_at: string;
  readonly answers: readonly Answers[];
  readonly refusals: readonly { readonly institution: string | null; readonly purpose: string | null; readonly kind: string; readonly code: string; readonly count: number }[];
  /** Entries that disclosed something of a dataset, by kind, and the rows queries disclosed. */
  readonly datasets: readonly { readonly dataset: string; readonly institution: string | null; readonly purpose: string | null; readonly answers: number; readonly rows: number }[];
  /** Fields decided, once for each answer or refusal that named them. */
  readonly disclosures: readonly { readonly dataset: string; readonly institution: string | null; readonly purpose: string | null; readonly use: string; readonly disposition: string; readonly fields: number }[];
  readonly purposes: readonly PurposeWork[];
  /** Rows that departments loaded. */
  readonly records: readonly { readonly dataset: string; readonly rows: number }[];
  /** Entries of the log by kind: in this month, and up to its end. */
  readonly events: readonly { readonly kind: string; readonly count: number; readonly ever: number }[];
  readonly participants: { readonly enterprises_registered: number; readonly enterprises_ever: number; readonly institutions_approved: number; readonly institutions_ever: number; readonly institutions_with_answers: number };
};

export type Answers = {
  readonly institution: string | null;
  readonly purpose: string | null;
  readonly kind: 'query' | 'score' | 'score_job_part' | 'joint_release';
  readonly released: number;
  readonly refused: number;
  /** Fields whose claimed values were compared. */
  readonly verifications: number;
  /** Whose scores went out in parts of jobs. */
  readonly enterprises: number;
  /** Results of joint modelling. */
  readonly results: number;
};

/** What was done for financing, as far as the platform knows: whether a loan followed it does not. */
export type PurposeWork = {
  readonly purpose: string;
  readonly grants_created: number;
  readonly answers: number;
  readonly scores: number;
  /** Distinct enterprises an answer or a single score went out about; those in jobs are counted there. */
  readonly enterprises_served: number;
  readonly enterprises_in_jobs: number;
};

export const workReportFormat = 'veilgate-work-report-1';

export type WorkFacts = {
  readonly platform: string;
  readonly month: string;
  readonly state: WorkReport['state'];
  readonly madeAt: string;
  readonly counts: readonly CountRow[];
  readonly served: ReadonlyMap<string, number>;
  /** Entries by kind up to the month's end. */
  readonly ever: ReadonlyMap<string, number>;
};

const answerKinds = {
  'query.released': 'query', 'query.refused': 'query', 'queries.refused': 'query', 'score.released': 'score', 'score.refused': 'score',
  'scores.released': 'score_job_part', 'joint.released': 'joint_release', 'joint.refused': 'joint_release',
} as const satisfies Readonly<Record<string, Answers['kind']>>;

/** Puts the counts of a month together. */
export function workReport({ platform, month, state, madeAt, counts, served, ever }: WorkFacts): WorkReport {
  const entries = counts.filter(({ what }) => what === 'entries');
  const ofKind = (kind: string, rows: readonly CountRow[] = entries) => sum(rows.filter(({ item }) => item === kind));
  const answers = answersOf(counts);
  return {
    format: workReportFormat, platform, month, state, made_at: madeAt,
    answers,
    refusals: grouped(entries.filter(({ detail }) => detail !== ''), ({ institution, purpose, item, detail }) => [institution, purpose, kindOf(item) ?? item, detail])
      .map(([[institution, purpose, kind, code], rows]) => ({ institution: orNull(institution), purpose: orNull(purpose), kind: kind ?? '', code: code ?? '', count: sum(rows) })),
    datasets: grouped(counts.filter(({ what, detail }) => what === 'datasets' || (what === 'rows' && detail !== 'records.loaded')), ({ institution, purpose, item }) => [item, institution, purpose])
      .map(([[dataset, institution, purpose], rows]) => ({ dataset: dataset ?? '', institution: orNull(institution), purpose: orNull(purpose), answers: sum(rows, 'datasets'), rows: sum(rows, 'rows') })),
    disclosures: grouped(counts.filter(({ what }) => what === 'fields'), ({ institution, purpose, item, detail }) => [item.slice(0, item.indexOf('.')), institution, purpose, ...detail.split(' ')])
      .map(([[dataset, institution, purpose, use, disposition], rows]) => ({ dataset: dataset ?? '', institution: orNull(institution), purpose: orNull(purpose), use: use ?? '', disposition: disposition ?? '', fields: sum(rows) })),
    purposes: purposesOf(counts, served),
    records: grouped(counts.filter(({ what, detail }) => what === 'rows' && detail === 'records.loaded'), ({ item }) => [item]).map(([[dataset], rows]) => ({ dataset: dataset ?? '', rows: sum(rows) })),
    events: grouped(entries, ({ item }) => [item]).map(([[kind], rows]) => ({ kind: kind ?? '', count: sum(rows), ever: ever.get(kind ?? '') ?? sum(rows) })),
    participants: {
      enterprises_registered: ofKind('enterprise.registered'), enterprises_ever: ever.get('enterprise.registered') ?? 0,
      institutions_approved: ofKind('institution.approved'), institutions_ever: ever.get('institution.approved') ?? 0,
      institutions_with_answers: new Set(answers.filter(({ released }) => released > 0).map(({ institution }) => institution)).size,
    },
  };
}

function answersOf(counts: readonly CountRow[]): readonly Answers[] {
  const kindOfRow = ({ what, item }: CountRow) => kindOf(what === 'fields' ? 'query.released' : item);
  const about = counts.filter((row) => (row.what === 'fields' ? row.detail === 'verify verify' : ['entries', 'enterprises', 'results'].includes(row.what) && kindOf(row.item) !== undefined));
  return grouped(about, (row) => [row.institution, row.purpose, kindOfRow(row) ?? '']).map(([[institution, purpose, kind], rows]) => ({
    institution: orNull(institution), purpose: orNull(purpose), kind: kind as Answers['kind'],
    released: sum(rows.filter(({ item }) => item.endsWith('.released')), 'entries'), refused: sum(rows.filter(({ item }) => item.endsWith('.refused')), 'entries'),
    verifications: sum(rows, 'fields'), enterprises: sum(rows, 'enterprises'), results: sum(rows, 'results'),
  }));
}

function purposesOf(counts: readonly CountRow[], served: ReadonlyMap<string, number>): readonly PurposeWork[] {
  return grouped(counts.filter(({ purpose }) => purpose !== ''), ({ purpose }) => [purpose]).map(([[purpose = ''], rows]) => {
    const entries = (kind: string) => sum(rows.filter(({ item }) => item === kind), 'entries');
    return {
      purpose, grants_created: entries('grant.created'), answers: entries('query.released'), scores: entries('score.released'),
      enterprises_served: served.get(purpose) ?? 0, enterprises_in_jobs: sum(rows, 'enterprises'),
    };
  });
}

function kindOf(kind: string): Answers['kind'] | undefined {
  return Object.hasOwn(answerKinds, kind) ? answerKinds[kind as keyof typeof answerKinds] : undefined;
}

/** Rows with the same key together, in the order of their keys. */
function grouped(rows: readonly CountRow[], keyOf: (row: CountRow) => readonly string[]): readonly (readonly [readonly string[], readonly CountRow[]])[] {
  const groups = Map.groupBy(rows, (row) => keyOf(row).join('\n'));
  return [...groups].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([key, group]) => [key.split('\n'), group] as const);
}

function sum(rows: readonly CountRow[], what?: CountRow['what']): number {
  return rows.reduce((total, row) => (what === undefined || row.what === what ? total + row.n : total), 0);
}

const orNull = (text: string | undefined): string | null => (text === undefined || text === '' ? null : text);

const csvColumns = ['section', 'institution', 'purpose', 'dataset', 'kind', 'detail', 'measure', 'count'] as const;

/** The same as CSV (RFC 4180), one count a line: easier to add up than a table for each section. */
export function workReportCsv(report: WorkReport): string {
  return [csvLine(csvColumns), ...csvRows(report).map((row) => csvLine(csvColumns.map((column) => row[column])))].join('');
}

type CsvRow = Readonly<Partial<Record<(typeof csvColumns)[number], string | number | null>>>;

function csvRows(report: WorkReport): readonly CsvRow[] {
  const measures = (section: string, key: CsvRow, values: Readonly<Record<string, number>>): CsvRow[] =>
    Object.entries(values).filter(([, count]) => count > 0).map(([measure, count]) => ({ section, ...key, measure, count }));
  return [
    ...report.answers.flatMap(({ institution, purpose, kind, ...values }) => measures('answers', { institution, purpose, kind }, values)),
    ...report.refusals.flatMap(({ institution, purpose, kind, code, count }) => measures('refusals', { institution, purpose, kind, detail: code }, { refused: count })),
    ...report.datasets.flatMap(({ dataset, institution, purpose, ...values }) => measures('datasets', { dataset, institution, purpose }, values)),
    ...report.disclosures.flatMap(({ dataset, institution, purpose, use, disposition, fields }) => measures('disclosures', { dataset, institution, purpose, kind: use, detail: disposition }, { fields })),
    ...report.purposes.flatMap(({ purpose, ...values }) => measures('purposes', { purpose }, values)),
    ...report.records.flatMap(({ dataset, ...values }) => measures('records', { dataset }, values)),
    ...report.events.flatMap(({ kind, ...values }) => measures('events', { kind }, values)),
    ...measures('participants', {}, report.participants),
  ];
}
