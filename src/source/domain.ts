import pg from 'pg';
import { VeilgateError } from '../errors.ts';
import type { Database, Tx } from '../store/database.ts';
import type { Catalogue, Dataset, Field } from '../vocabulary.ts';
import { keyFields } from './catalogue.ts';

/** Digits before the point that a decimal column holds: catalogue ranges end at 10^15. */
const decimalDigits = 16;

/** `domain."tax"`. Dataset ids come from the catalogue, and are quoted all the same. */
export function domainTable(dataset: Dataset): string {
  return `domain.${pg.escapeIdentifier(dataset.id)}`;
}

/** The PostgreSQL type that holds a field, as pg_catalog.format_type writes it. */
export function columnType(field: Field): string {
  switch (field.type) {
    case 'text':
    case 'code':
      return 'text';
    case 'integer':
      return 'bigint';
    case 'decimal':
      return `numeric(${decimalDigits + (field.scale ?? 0)},${field.scale ?? 0})`;
    case 'date':
      return 'date';
    case 'boolean':
      return 'boolean';
    default:
      return field.type satisfies never;
  }
}

type Column = { readonly type: string; readonly notNull: boolean; readonly comment: string | null };
type Existing = { readonly columns: ReadonlyMap<string, Column>; readonly key: readonly string[] };

/**
 * Makes the tables of the schema `domain` fit the catalogue: creates what is missing, adds columns of new fields,
 * keeps columns of fields that are gone (nobody reads them any more). Does nothing when all fits. Any number of
 * nodes may call it at once.
 * Errors: STORE_SCHEMA_MISMATCH when a field's type or a dataset's key was changed: such data must be moved by hand.
 */
export async function prepareDomainTables(database: Database, catalogue: Catalogue): Promise<void> {
  await database.transaction('prepare domain tables', async (tx) => {
    await tx.query("select pg_advisory_xact_lock(hashtext('veilgate domain tables'))");
    const existing = await readTables(tx);
    for (const dataset of catalogue.datasets.values()) {
      const table = existing.get(dataset.id);
      if (table === undefined) await createTable(tx, dataset);
      else await extendTable(tx, dataset, table);
      await commentColumns(tx, dataset, table);
    }
  });
}

async function readTables(tx: Tx): Promise<ReadonlyMap<string, Existing>> {
  type ColumnRow = { table: string; column: string; type: string; not_null: boolean; comment: string | null; key_position: number | null };
  const { rows } = await tx.query<ColumnRow>(`
    select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as not_null,
           col_description(c.oid, a.attnum) as comment, array_position(k.conkey, a.attnum) as key_position
      from pg_class c
      join pg_namespace s on s.oid = c.relnamespace and s.nspname = 'domain'
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
     where c.relkind = 'r'
     order by c.relname, a.attnum`);
  const tables = new Map<string, { columns: Map<string, Column>; key: string[] }>();
  for (const row of rows) {
    const table = tables.get(row.table) ?? { columns: new Map<string, Column>(), key: [] };
    tables.set(row.table, table);
    table.columns.set(row.column, { type: row.type, notNull: row.not_null, comment: row.comment });
    if (row.key_position !== null) table.key[row.key_position - 1] = row.column;
  }
  return tables;
}

async function createTable(tx: Tx, dataset: Dataset): Promise<void> {
  const columns = dataset.fields.map((field) => `${pg.escapeIdentifier(field.name)} ${columnType(field)}${field.required ? ' not null' : ''}`);
  const key = ['subject', ...keyFields(dataset)].map((name) => pg.escapeIdentifier(name)).join(', ');
  const lines = ['subject text not null', ...columns, '_supplied_at timestamptz not null', `primary key (${key})`];
  await tx.query(`create table ${domainTable(dataset)} (\n  ${lines.join(',\n  ')}\n)`);
}

async function extendTable(tx: Tx, dataset: Dataset, table: Existing): Promise<void> {
  const key = ['subject', ...keyFields(dataset)];
  if (key.join() !== table.key.join()) throw mismatch(dataset, 'the fields that tell its rows apart');
  const byName = new Map(dataset.fields.map((field) => [field.name, field]));
  const changes: string[] = [];
  for (const field of dataset.fields) {
    const column = table.columns.get(field.name);
    // rows that are there have no value: only the ingest can require one from now on
    if (column === undefined) changes.push(`add column ${pg.escapeIdentifier(field.name)} ${columnType(field)}`);
    else if (column.type !== columnType(field)) throw mismatch(dataset, `the type of ${field.name}`);
  }
  for (const [name, column] of table.columns) {
    const kept = key.includes(name) || name === '_supplied_at' || byName.get(name)?.required === true;
    if (column.notNull && !kept) changes.push(`alter column ${pg.escapeIdentifier(name)} drop not null`);
  }
  if (changes.length > 0) await tx.query(`alter table ${domainTable(dataset)} ${changes.join(', ')}`);
}

function mismatch(dataset: Dataset, what: string): VeilgateError {
  return new VeilgateError(
    'STORE_SCHEMA_MISMATCH',
    `The catalogue changes ${what} in dataset ${dataset.id}, but records are stored already: undo the change, or give the new content a new name.`,
    { dataset: dataset.id },
  );
}

/** Title, unit and classification stand where a database administrator sees them. */
async function commentColumns(tx: Tx, dataset: Dataset, table: Existing | undefined): Promise<void> {
  const statements: string[] = [];
  if (table === undefined) {
    const text = `${dataset.title.en} · ${dataset.title.zh}; supplied by ${dataset.department}`;
    statements.push(`comment on table ${domainTable(dataset)} is ${pg.escapeLiteral(text)}`);
  }
  for (const field of dataset.fields) {
    const { title, unit, classification } = field;
    const text = `${title.en} · ${title.zh}${unit === undefined ? '' : ` [${unit}]`}; level ${classification.level}, ${classification.kind}`;
    if (table?.columns.get(field.name)?.comment === text) continue;
    statements.push(`comment on column ${domainTable(dataset)}.${pg.escapeIdentifier(field.name)} is ${pg.escapeLiteral(text)}`);
  }
  if (statements.length > 0) await tx.query(statements.join(';\n'));
}
