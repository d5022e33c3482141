import { createHash } from 'node:crypto';
import pg from 'pg';
import type { DatasetId, FieldRef } from '../vocabulary.ts';
import { keyFields, periodField } from './catalogue.ts';
import { columnType, domainTable } from './domain.ts';
import type { DatasetSelection, FetchRequest } from './selection.ts';

/** One statement for all requests that want the same columns under the same conditions: only values differ. */
export type FetchPlan = {
  readonly text: string;
  /** Same text, same name: connections keep prepared statements by it. */
  readonly name: string;
  /** What the statement's n-th result column holds, and where in its rows a field stands. */
  readonly datasets: readonly { readonly id: DatasetId; readonly positions: ReadonlyMap<FieldRef, number> }[];
  /** The statement's parameters: one array each, one element for each request. */
  readonly parameters: (requests: readonly FetchRequest[], selections: readonly (readonly DatasetSelection[])[]) => unknown[][];
};

/** What requests of one plan have in common, as text. */
export function planKey(selections: readonly DatasetSelection[]): string {
  return selections
    .map(({ fields, filters, sort }) => {
      const conditions = filters.map(({ field, op }) => `${field.name} ${op}`).join(',');
      return `${fields.map(({ ref }) => ref).join(',')};${conditions};${sort === undefined ? '' : `${sort.field.name} ${sort.direction}`}`;
    })
    .join('|');
}

/**
 * The statement takes a list of subjects and answers each with one JSON array of rows per dataset: JSON, because it
 * carries the vocabulary's value forms as they are and costs the gateway least to read (docs/decisions/0072).
 */
export function makePlan(selections: readonly DatasetSelection[]): FetchPlan {
  const inputs = [{ name: 'subject', type: 'text' }, { name: 'data_from', type: 'date' }, { name: 'data_to', type: 'date' }];
  const columns = selections.map((selection, at) => {
    const conditions = selection.filters.map(({ field, op }, filterAt) => {
      const name = `filter_${at}_${filterAt}`;
      inputs.push({ name, type: columnType(field).replace(/\(.*/, '') });
      return `t.${pg.escapeIdentifier(field.name)} ${operators[op]} q.${name}`;
    });
    if (selection.dataset.cardinality.kind === 'one') return oneRow(selection, conditions);
    inputs.push({ name: `limit_${at}`, type: 'int' });
    return manyRows(selection, conditions, `q.limit_${at}`);
  });
  const text =
    `select q.n, ${columns.join(', ')} from unnest(${inputs.map(({ type }, at) => `$${at + 1}::${type}[]`).join(', ')})` +
    ` with ordinality as q(${inputs.map(({ name }) => name).join(', ')}, n)`;
  return {
    text,
    name: `fetch-${createHash('sha256').update(text).digest('hex').slice(0, 24)}`,
    datasets: selections.map(({ dataset, fields }) => ({ id: dataset.id, positions: new Map(fields.map(({ ref }, at) => [ref, at])) })),
    parameters,
  };
}

const operators = { eq: '=', gte: '>=', lte: '<=' } as const;

function oneRow({ dataset, fields }: DatasetSelection, conditions: readonly string[]): string {
  return `(select json_build_array(${rowSql(fields)}) from ${domainTable(dataset)} as t where ${['t.subject = q.subject', ...conditions].join(' and ')})`;
}

function manyRows({ dataset, fields, sort }: DatasetSelection, conditions: readonly string[], limit: string): string {
  const period = periodField(dataset);
  const column = (name: string) => `t.${pg.escapeIdentifier(name)}`;
  const bounds = period === undefined ? [] : [`${column(period)} >= q.data_from`, `${column(period)} <= q.data_to`];
  const order = [
    ...(sort === undefined ? [] : [`${column(sort.field.name)} ${sort.direction} nulls last`]),
    ...(period === undefined ? [] : [`${column(period)} desc`]),
    ...keyFields(dataset).filter((name) => name !== period).map(column),
  ];
  const inner = fields.map(({ name }) => column(name)).join(', ');
  return (
    `(select json_agg(${rowSql(fields)}) from (select ${inner} from ${domainTable(dataset)} as t` +
    ` where ${['t.subject = q.subject', ...bounds, ...conditions].join(' and ')} order by ${order.join(', ')} limit ${limit}) as t)`
  );
}

/** Decimals travel as text: a JSON number would lose digits. */
function rowSql(fields: DatasetSelection['fields']): string {
  const values = fields.map((field) => `t.${pg.escapeIdentifier(field.name)}${field.type === 'decimal' ? '::text' : ''}`);
  return `json_build_array(${values.join(', ')})`;
}

function parameters(requests: readonly FetchRequest[], selections: readonly (readonly DatasetSelection[])[]): unknown[][] {
  const arrays: unknown[][] = [
    requests.map(({ subject }) => subject),
    requests.map(({ dataFrom }) => dataFrom ?? '-infinity'),
    requests.map(({ dataTo }) => dataTo ?? 'infinity'),
  ];
  const shape = selections[0] ?? [];
  shape.forEach(({ filters, dataset }, at) => {
    filters.forEach((_, filterAt) => arrays.push(selections.map((selection) => selection[at]?.filters[filterAt]?.value)));
    if (dataset.cardinality.kind !== 'one') arrays.push(selections.map((selection) => selection[at]?.limit));
  });
  return arrays;
}
