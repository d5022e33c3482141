import pg from 'pg';
import { VeilgateError } from '../errors.ts';
import type { Sql } from '../store/database.ts';
import type { Catalogue, DatasetId, Dataset, FieldRef, IsoDate, SubjectId, Value } from '../vocabulary.ts';
import { keyFields, periodField } from './catalogue.ts';
import { domainTable } from './domain.ts';

/** A field, and how a value of it becomes a small whole number (undefined: there is no record). */
export type EncodedField = { readonly source: FieldRef; readonly encode: (value: Value | undefined) => number };

/** Enterprises that one statement asks for. */
const subjectsAtOnce = 8192;

/**
 * Each field of each enterprise's latest record, encoded as it is read: values as they stand in the records leave this
 * file in no other form. One statement for each dataset and 8,192 enterprises.
 * @param since for each enterprise the first day its data may be about: records of earlier periods are as if there were none
 * @returns for each field one number per enterprise, in the order of both
 */
export async function latestColumns(sql: Sql, catalogue: Catalogue, fields: readonly EncodedField[], subjects: readonly SubjectId[], since: readonly (IsoDate | null)[]): Promise<Int16Array[]> {
  const columns = fields.map(() => new Int16Array(subjects.length));
  for (const [dataset, places] of byDataset(catalogue, fields)) {
    const text = statementFor(dataset, places.map((place) => nameOf(catalogue, fields[place] as EncodedField)));
    for (let from = 0; from < subjects.length; from += subjectsAtOnce) {
      const { rows } = await sql.query<Value[] & pg.QueryResultRow>({ text, values: [subjects.slice(from, from + subjectsAtOnce), since.slice(from, from + subjectsAtOnce)], rowMode: 'array' } as pg.QueryConfig);
      rows.forEach((row, at) => places.forEach((place, column) => {
        (columns[place] as Int16Array)[from + at] = (fields[place] as EncodedField).encode(row[column]);
      }));
    }
  }
  return columns;
}

function statementFor(dataset: Dataset, fields: readonly { readonly name: string; readonly decimal: boolean }[]): string {
  const column = (name: string) => `t.${pg.escapeIdentifier(name)}`;
  const period = periodField(dataset);
  const order = [...(period === undefined ? [] : [`${column(period)} desc`]), ...keyFields(dataset).filter((name) => name !== period).map(column)];
  const inner = fields.map(({ name, decimal }, at) => `${column(name)}${decimal ? '::text' : ''} as c${at}`).join(', ');
  return `select ${fields.map((_, at) => `found.c${at}`).join(', ')} from unnest($1::text[], $2::date[]) with ordinality as q(subject, since, n)
    left join lateral (select ${inner} from ${domainTable(dataset)} as t where t.subject = q.subject${period === undefined ? '' : ` and (q.since is null or ${column(period)} >= q.since)`}${order.length === 0 ? '' : ` order by ${order.join(', ')}`} limit 1) as found on true
    order by q.n`;
}

function byDataset(catalogue: Catalogue, fields: readonly EncodedField[]): Map<Dataset, number[]> {
  const places = new Map<Dataset, number[]>();
  fields.forEach(({ source }, place) => {
    const dataset = catalogue.datasets.get(source.slice(0, source.indexOf('.')) as DatasetId);
    if (dataset === undefined) throw new VeilgateError('SOURCE_DATASET_UNKNOWN', 'The catalogue has no such dataset any more.');
    const known = places.get(dataset);
    if (known === undefined) places.set(dataset, [place]);
    else known.push(place);
  });
  return places;
}

function nameOf(catalogue: Catalogue, { source }: EncodedField): { readonly name: string; readonly decimal: boolean } {
  const field = catalogue.fields.get(source);
  if (field === undefined) throw new VeilgateError('SOURCE_DATASET_UNKNOWN', 'The catalogue has no such field any more.');
  return { name: field.name, decimal: field.type === 'decimal' };
}
