import pg from 'pg';
import { isoTime } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { Sql, Tx } from '../store/database.ts';
import type { Catalogue, Dataset, DatasetId, SubjectId, TimeMs, Value } from '../vocabulary.ts';
import { columnType, domainTable } from './domain.ts';
import { ownedDataset } from './ingest.ts';
import { mergeText, type MergeCounts } from './staging.ts';
import { Fault, datasetReaders, readSubject, type RejectReason } from './values.ts';

export type Correction = {
  readonly dataset: string;
  /** Party id of the department that supplies it. */
  readonly supplier: string;
  /** `subject` and fields by name, as a line of an NDJSON file has them; what is left out has no value. */
  readonly record: Readonly<Record<string, unknown>>;
};

export type Corrected = { readonly dataset: DatasetId; readonly subject: SubjectId; readonly outcome: keyof MergeCounts };

/**
 * Replaces the one record of an enterprise that has this record's key, as a whole, by the rules of a load.
 * Errors: SOURCE_DATASET_UNKNOWN, SOURCE_NOT_OWNER, SOURCE_ROWS_REJECTED with detail `{ rejects }`.
 */
export async function correctRecord(tx: Tx, catalogue: Catalogue, { dataset: id, supplier, record }: Correction, atMs: TimeMs): Promise<Corrected> {
  const dataset = ownedDataset(catalogue, id, supplier);
  const values = checkedValues(dataset, record);
  const { rows: [counts] } = await tx.query<MergeCounts>(mergeText(dataset, oneRow(dataset)), [isoTime(atMs), ...values]);
  if (counts === undefined) throw new VeilgateError('INTERNAL', 'The record was not stored: report this to the platform with the time.');
  return { dataset: dataset.id, subject: values[0] as SubjectId, outcome: counts.new > 0 ? 'new' : counts.changed > 0 ? 'changed' : 'unchanged' };
}

/** True when the department supplied a record of this enterprise, in a file or singly, at that time or later. */
export async function isSuppliedSince(sql: Sql, dataset: Dataset, subject: SubjectId, sinceMs: TimeMs): Promise<boolean> {
  const { rows: [row] } = await sql.query<{ supplied: boolean }>(
    `select exists (select from ${domainTable(dataset)} where subject = $1 and _supplied_at >= $2::timestamptz) as supplied`, [subject, isoTime(sinceMs)]);
  return row?.supplied === true;
}

function checkedValues(dataset: Dataset, record: Correction['record']): Value[] {
  const columns = [{ name: 'subject', read: readSubject }, ...datasetReaders(dataset, 'ndjson').map((read, at) => ({ name: dataset.fields[at]?.name ?? '', read }))];
  const known = new Set(columns.map(({ name }) => name));
  const rejects: { readonly row: number; readonly field: string | null; readonly reason: RejectReason }[] = [];
  if (Object.keys(record).some((name) => !known.has(name))) rejects.push({ row: 1, field: null, reason: 'unknown_field' });
  const values: Value[] = [];
  for (const { name, read } of columns) {
    const value = read(Object.hasOwn(record, name) ? record[name] : null);
    if (value instanceof Fault) rejects.push({ row: 1, field: name, reason: value.reason });
    else values.push(value);
  }
  if (rejects.length === 0) return values;
  throw new VeilgateError('SOURCE_ROWS_REJECTED', 'The record was rejected and nothing was changed: correct the listed fields and send it again.', { read: 1, rejected: 1, errorLimit: 0, rejects });
}

/** The record as parameters from $2 on, under the names the merge expects. */
function oneRow(dataset: Dataset): string {
  const fields = dataset.fields.map((field, at) => `$${at + 3}::${columnType(field)} as ${pg.escapeIdentifier(field.name)}`);
  return `(select ${['$2::text as subject', ...fields].join(', ')}) as one`;
}
