import pg from 'pg';
import type { Sql } from '../store/database.ts';
import { RawRow, type Dataset, type Field, type SubjectId, type Value } from '../vocabulary.ts';
import { keyFields } from './catalogue.ts';
import { columnType, domainTable } from './domain.ts';

/** Rows of one statement. */
const pageSize = 500;

/**
 * Every row one enterprise has in a dataset, the given columns and no others, in the order of the key; page by page, so that
 * nobody's records are held in memory at once. Rows that are replaced meanwhile come as they are when their page is read.
 */
export async function* ownRows(sql: Sql, dataset: Dataset, fields: readonly Field[], subject: SubjectId): AsyncGenerator<readonly RawRow[]> {
  if (fields.length === 0) return;
  const [key] = keyFields(dataset).map((name) => dataset.fields.find((field) => field.name === name) as Field);
  const text = statementFor(dataset, fields, key);
  let after: Value = null;
  for (;;) {
    const values: Value[] = key === undefined ? [subject] : [subject, after, pageSize];
    const { rows }: { readonly rows: readonly Value[][] } = await sql.query<Value[] & pg.QueryResultRow>({ text, values, rowMode: 'array' } as pg.QueryConfig);
    if (rows.length > 0) yield rows.map((row) => new RawRow(new Map(fields.map(({ ref }, at) => [ref, row[at] ?? null]))));
    if (key === undefined || rows.length < pageSize) return;
    after = rows.at(-1)?.[fields.length] ?? null;
  }
}

/** The last column is the key, where there is one. */
function statementFor(dataset: Dataset, fields: readonly Field[], key: Field | undefined): string {
  const column = ({ name, type }: Field) => `t.${pg.escapeIdentifier(name)}${type === 'decimal' ? '::text' : ''}`;
  const from = `from ${domainTable(dataset)} as t where t.subject = $1`;
  if (key === undefined) return `select ${fields.map(column).join(', ')} ${from}`;
  const name = `t.${pg.escapeIdentifier(key.name)}`;
  return `select ${[...fields, key].map(column).join(', ')} ${from} and ($2::${columnType(key)} is null or ${name} > $2) order by ${name} limit $3`;
}
