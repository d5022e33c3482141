import type { DatasetId, FieldRef } from '../vocabulary.ts';
import type { AuditKind, AuditRecord } from './entry.ts';

/** What a record is about, for finding it again. Never an enterprise. */
export type EntryFacts = {
  readonly purpose: string | null;
  readonly outcome: 'released' | 'refused' | null;
  /** Of a refusal. */
  readonly code: string | null;
  readonly policy: string | null;
  readonly datasets: readonly DatasetId[];
};

/**
 * What counts are of:
 * - `entries`      item: kind; detail: error code of a refusal
 * - `datasets`     entries that disclosed something of a dataset; item: dataset; detail: kind
 * - `fields`       fields decided; item: field; detail: use and disposition, as in `read mask`
 * - `rows`         rows disclosed from or loaded into a dataset; item: dataset; detail: kind
 * - `enterprises`  enterprises whose scores went out in parts of jobs; item: kind
 * - `results`      results of joint modelling; item: kind
 */
export type Counted = 'entries' | 'datasets' | 'fields' | 'rows' | 'enterprises' | 'results';

/** How often one entry lets something be counted. */
export type Count = { readonly what: Counted; readonly item: string; readonly detail: string; readonly n: number };

/** An erased record tells nothing but its kind. */
export function factsOf(record: AuditRecord | null): EntryFacts {
  if (record === null) return { purpose: null, outcome: null, code: null, policy: null, datasets: [] };
  return { purpose: text(record, 'purpose'), outcome: outcomeOf(record.kind), code: text(record, 'code'), policy: text(record, 'policy'), datasets: datasetsOf(record) };
}

/** What is counted of an entry. */
export function countsOf(kind: AuditKind, record: AuditRecord | null): readonly Count[] {
  if (record?.kind === 'queries.refused') return record.refused.map(({ code, count }) => ({ what: 'entries', item: kind, detail: code, n: count }));
  return [{ what: 'entries', item: kind, detail: record === null ? '' : text(record, 'code') ?? '', n: 1 }, ...(record === null ? [] : within(record))].filter(({ n }): boolean => n > 0) as Count[];
}

function within(record: AuditRecord): readonly Count[] {
  switch (record.kind) {
    case 'query.released': return [...disclosed(record), ...record.rows.map(({ dataset, rows }): Count => ({ what: 'rows', item: dataset, detail: record.kind, n: rows }))];
    case 'score.released': return disclosed(record);
    case 'query.refused': case 'score.refused': return decided(record);
    case 'scores.released': return [{ what: 'enterprises', item: record.kind, detail: '', n: record.count }];
    case 'joint.released': return [{ what: 'results', item: record.kind, detail: '', n: record.parts }, ...record.datasets.map((dataset): Count => ({ what: 'datasets', item: dataset, detail: record.kind, n: 1 }))];
    case 'records.loaded': return [{ what: 'rows', item: record.dataset, detail: record.kind, n: record.rowsAccepted }];
    default: return [];
  }
}

type Decided = Extract<AuditRecord, { readonly kind: 'query.released' | 'query.refused' | 'score.released' | 'score.refused' }>;

function disclosed(record: Decided): readonly Count[] {
  const datasets = new Set(record.outcomes.filter(({ disposition }) => disposition !== 'withhold').flatMap(({ fields }) => fields.map(datasetOf)));
  return [...[...datasets].map((dataset): Count => ({ what: 'datasets', item: dataset, detail: record.kind, n: 1 })), ...decided(record)];
}

/** Of a refusal nothing left, whatever was decided before: all its fields were withheld. */
function decided({ kind, outcomes }: Decided): readonly Count[] {
  const refused = outcomeOf(kind) === 'refused';
  return outcomes.flatMap(({ use, disposition, fields }) => fields.map((field): Count => ({ what: 'fields', item: field, detail: `${use} ${refused ? 'withhold' : disposition}`, n: 1 })));
}

function datasetsOf(record: AuditRecord): readonly DatasetId[] {
  if ('outcomes' in record) return distinct(record.outcomes.flatMap(({ fields }) => fields.map(datasetOf)));
  if ('datasets' in record) return distinct(record.datasets);
  if ('dataset' in record) return [record.dataset];
  if (record.kind === 'grant.created') return distinct(record.fields.flatMap(({ fields }) => fields.map(datasetOf)));
  return 'field' in record && record.field !== null ? [datasetOf(record.field)] : [];
}

function outcomeOf(kind: AuditKind): EntryFacts['outcome'] {
  switch (kind) {
    case 'query.released': case 'score.released': case 'scores.released': case 'joint.released': return 'released';
    case 'query.refused': case 'queries.refused': case 'score.refused': case 'joint.refused': return 'refused';
    default: return null;
  }
}

const datasetOf = (field: FieldRef) => field.slice(0, field.indexOf('.')) as DatasetId;
const distinct = <Item>(items: readonly Item[]): readonly Item[] => [...new Set(items)];

function text(record: AuditRecord, name: string): string | null {
  const value = (record as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : null;
}
