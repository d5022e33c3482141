import pg from 'pg';
import { isoTime } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { Sql, Tx } from '../store/database.ts';
import type { Dataset, TimeMs, Value } from '../vocabulary.ts';
import { keyFields } from './catalogue.ts';
import { columnType, domainTable } from './domain.ts';

/** How many stored rows a merge made, changed, or found as they were. */
export type MergeCounts = { readonly new: number; readonly changed: number; readonly unchanged: number };

/**
 * Checked rows on their way into a dataset. They wait in a temporary table of a connection of their own, so that
 * whatever breaks (this process, the server, the network) leaves nothing behind, and no long transaction keeps
 * the busy tables of the gateway from being tidied while a slow sender sends.
 */
export type Staging = {
  /** @param columns one array per column: row numbers, subjects, then each field in catalogue order */
  readonly append: (columns: readonly (readonly Value[])[]) => Promise<void>;
  /** Removes every row whose key an earlier row has. @returns their row numbers, ascending */
  readonly removeDuplicates: () => Promise<readonly number[]>;
  /** One transaction: stores the rows, then runs `within` in it. All or nothing. */
  readonly merge: <T>(suppliedAtMs: TimeMs, within: (tx: Tx, counts: MergeCounts) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
};

/** Errors of all functions: STORE_UNAVAILABLE when the connection breaks, INTERNAL when a row is refused after all. */
export async function openStaging(url: string, dataset: Dataset): Promise<Staging> {
  const client = new pg.Client({ connectionString: url, application_name: 'veilgate load', connectionTimeoutMillis: 5000 });
  let broken = false;
  client.on('error', () => { broken = true; });
  client.on('end', () => { broken = true; });
  // @types/pg gives query() many overloads; Sql is one of them
  const sql = client as Sql;
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw asLoadError(error, broken);
    }
  };

  const statements = statementsFor(dataset);
  await guarded(async () => {
    await client.connect();
    await sql.query("set temp_buffers = '64MB'; set work_mem = '64MB'");
    await sql.query(statements.create);
  });
  return {
    append: (columns) => guarded(async () => { await sql.query({ name: 'append', text: statements.append, values: columns.map(arrayLiteral) }); }),
    removeDuplicates: () => guarded(() => removeDuplicates(sql, statements)),
    merge: (suppliedAtMs, within) =>
      guarded(async () => {
        await sql.query('begin');
        try {
          const { rows } = await sql.query<MergeCounts>(statements.merge, [isoTime(suppliedAtMs)]);
          const result = await within(sql as Tx, rows[0] as MergeCounts);
          await sql.query('commit');
          return result;
        } catch (error) {
          await sql.query('rollback').catch(() => {});
          throw error;
        }
      }),
    close: () => client.end().catch(() => {}),
  };
}

/** Name of the temporary table: `_row`, `subject` and the fields. */
export const stagedTable = 'pg_temp.staged';

function statementsFor(dataset: Dataset) {
  const fields = dataset.fields.map((field) => ({ column: pg.escapeIdentifier(field.name), type: columnType(field) }));
  const key = ['subject', ...keyFields(dataset).map((name) => pg.escapeIdentifier(name))].join(', ');
  const types = ['bigint', 'text', ...fields.map(({ type }) => type)];
  return {
    create: `create temporary table staged (_row bigint, subject text, ${fields.map(({ column, type }) => `${column} ${type}`).join(', ')})`,
    append: `insert into ${stagedTable} select * from unnest(${types.map((type, at) => `$${at + 1}::${type}[]`).join(', ')})`,
    findDuplicates: `select _row from (select _row, row_number() over (partition by ${key} order by _row) as copy from ${stagedTable}) as counted where copy > 1 order by _row`,
    removeRows: `delete from ${stagedTable} where _row = any($1::bigint[])`,
    merge: mergeText(dataset, stagedTable),
  };
}

/**
 * One statement that stores rows, each replacing the stored row with its key as a whole, and answers MergeCounts;
 * $1 is when they were supplied.
 * @param rows what to select them from: `subject` and a column for each field
 */
export function mergeText(dataset: Dataset, rows: string): string {
  const columns = dataset.fields.map(({ name }) => pg.escapeIdentifier(name));
  const key = ['subject', ...keyFields(dataset).map((name) => pg.escapeIdentifier(name))].join(', ');
  const row = (side: 'old' | 'new') => `row(${columns.map((column) => `${side}.${column}`).join(', ')})`;
  // in order of the key: two loads of the same rows wait for each other instead of deadlocking
  return `
      with merged as (
        insert into ${domainTable(dataset)} as stored (subject, ${columns.join(', ')}, _supplied_at)
        select subject, ${columns.join(', ')}, $1::timestamptz from ${rows} order by ${key}
        on conflict (${key}) do update set ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}, _supplied_at = excluded._supplied_at
        returning old.subject is null as fresh, ${row('old')} is distinct from ${row('new')} as changed
      )
      select count(*) filter (where fresh) as new,
             count(*) filter (where not fresh and changed) as changed,
             count(*) filter (where not fresh and not changed) as unchanged
        from merged`;
}

async function removeDuplicates(sql: Sql, statements: ReturnType<typeof statementsFor>): Promise<readonly number[]> {
  const { rows } = await sql.query<{ _row: number }>(statements.findDuplicates);
  const duplicates = rows.map(({ _row }) => _row);
  if (duplicates.length > 0) await sql.query(statements.removeRows, [duplicates]);
  return duplicates;
}

/** PostgreSQL's text form of an array. Made here because pg's own takes several times as long for long arrays. */
export function arrayLiteral(values: readonly Value[]): string {
  let text = '{';
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at];
    if (at > 0) text += ',';
    if (typeof value === 'string') text += quoted(value);
    else text += value === null || value === undefined ? 'NULL' : String(value);
  }
  return `${text}}`;
}

const special = /["\\]/;

function quoted(text: string): string {
  return special.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}

const connectionFault = /^(?:08|57P|53|58)/;

/** PostgreSQL's messages quote the values they failed on: only the kind of fault goes on. */
function asLoadError(error: unknown, broken: boolean): unknown {
  if (error instanceof VeilgateError) return error;
  const code = (error as { code?: unknown }).code;
  if (broken || typeof code !== 'string' || connectionFault.test(code) || !/^[0-9A-Z]{5}$/.test(code)) {
    return new VeilgateError('STORE_UNAVAILABLE', 'The platform\'s database is not available right now; nothing of the file was loaded. Send it again in a few seconds.');
  }
  return new VeilgateError('INTERNAL', 'The database refused the rows; nothing of the file was loaded. Report this to the platform with the time.', { sqlState: code });
}
