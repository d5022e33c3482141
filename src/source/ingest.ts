import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { isoTime, type Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { Database, Tx } from '../store/database.ts';
import type { Catalogue, Dataset, DatasetId, TimeMs, Value } from '../vocabulary.ts';
import { csvRows } from './csv-rows.ts';
import { ndjsonRows } from './ndjson-rows.ts';
import { QualityCounter, measureStored, storeReport, type QualityReport } from './quality.ts';
import type { RawRecord } from './row.ts';
import { openStaging, type MergeCounts, type Staging } from './staging.ts';
import { Fault, datasetReaders, readSubject } from './values.ts';

export const errorLimitMax = 100_000;

export type LoadProgress = { readonly rows: number; readonly rejected: number };

export type LoadOptions = {
  readonly catalogue: Catalogue;
  readonly dataset: string;
  /** Party id of the department that supplies the file. */
  readonly supplier: string;
  readonly format: 'csv' | 'ndjson';
  /** Bytes of the file. Read at the database's pace, never held as a whole. */
  readonly stream: Readable;
  /** Rows that may be rejected before nothing of the file is loaded, 0 to errorLimitMax; 0: all or nothing. */
  readonly errorLimit: number;
  readonly clock: Clock;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Takes part in the transaction that stores the rows: when it throws, nothing was loaded. For the log entry. */
  readonly alsoStore?: (tx: Tx, report: QualityReport) => Promise<void>;
};

/**
 * Loads a file of records: each row is checked against the catalogue, and a row replaces the stored row with the
 * same key as a whole. Either everything but rejected rows is loaded, or nothing. The file is read to its end even
 * when it cannot be loaded any more, so that the report is complete; the report is kept in any case.
 * Errors: SOURCE_DATASET_UNKNOWN, SOURCE_NOT_OWNER, REQUEST_INVALID (error limit), SOURCE_FILE_MALFORMED,
 * SOURCE_ROWS_REJECTED with detail `{ report, read, rejected, errorLimit, rejects }`, STORE_UNAVAILABLE.
 */
export async function loadRecords(database: Database, options: LoadOptions): Promise<QualityReport> {
  const dataset = ownedDataset(options.catalogue, options.dataset, options.supplier);
  if (!Number.isInteger(options.errorLimit) || options.errorLimit < 0 || options.errorLimit > errorLimitMax) {
    throw new VeilgateError('REQUEST_INVALID', `The error limit must be a whole number from 0 to ${errorLimitMax}.`, { errorLimitMax });
  }
  const staging = await openStaging(database.url, dataset).catch((error: unknown) => {
    options.stream.destroy();
    throw error;
  });
  try {
    const counter = await stageRows(staging, dataset, options);
    await rejectDuplicates(staging, counter);
    if (counter.rejected > options.errorLimit) throw await refuse(database, dataset, options, counter);
    const nowMs = options.clock.nowMs();
    return await staging.merge(nowMs, async (tx, counts) => {
      const report = { ...reportOf(dataset, options, counter, counts, nowMs), ...(await measureStored(tx, dataset, nowMs)) };
      await storeReport(tx, report);
      await options.alsoStore?.(tx, report);
      return report;
    });
  } finally {
    options.stream.destroy();
    await staging.close();
  }
}

/** The dataset, if it exists and `supplier` is the department it belongs to. */
export function ownedDataset(catalogue: Catalogue, id: string, supplier: string): Dataset {
  const dataset = catalogue.datasets.get(id as DatasetId);
  if (dataset === undefined) {
    throw new VeilgateError('SOURCE_DATASET_UNKNOWN', 'There is no such dataset: see the catalogue for those there are.');
  }
  if (dataset.department !== supplier) {
    throw new VeilgateError('SOURCE_NOT_OWNER', `Dataset ${dataset.id} is supplied by another department: only that one may do this.`, { dataset: dataset.id });
  }
  return dataset;
}

async function stageRows(staging: Staging, dataset: Dataset, options: LoadOptions): Promise<QualityCounter> {
  const counter = new QualityCounter(dataset);
  const readers = [readSubject, ...datasetReaders(dataset, options.format)];
  const rows = options.format === 'csv' ? csvRows(options.stream, dataset) : ndjsonRows(options.stream, dataset);
  for await (const batch of rows) {
    const columns = checkBatch(batch, readers, counter);
    // also when too many rows are rejected already: the report shall name the duplicates among the rest
    if ((columns[0]?.length ?? 0) > 0) await staging.append(columns);
    options.onProgress?.({ rows: counter.read, rejected: counter.rejected });
  }
  return counter;
}

/** The good rows of a batch, column by column: row numbers, subjects, then each field. */
function checkBatch(batch: readonly RawRecord[], readers: readonly ((raw: unknown) => Value | Fault)[], counter: QualityCounter): Value[][] {
  const columns: Value[][] = Array.from({ length: readers.length + 1 }, () => []);
  for (const record of batch) {
    counter.read += 1;
    const values = checkRow(record, readers, counter);
    if (values === undefined) {
      counter.rejected += 1;
      continue;
    }
    columns[0]?.push(record.row);
    for (let at = 0; at < values.length; at += 1) columns[at + 1]?.push(values[at] as Value);
  }
  return columns;
}

function checkRow(record: RawRecord, readers: readonly ((raw: unknown) => Value | Fault)[], counter: QualityCounter): Value[] | undefined {
  if ('fault' in record) {
    counter.list({ row: record.row, field: null, reason: record.fault });
    return undefined;
  }
  const values: Value[] = [];
  for (let at = 0; at < readers.length; at += 1) {
    const value = readers[at]?.(record.cells[at]);
    if (value === undefined) continue;
    if (value instanceof Fault) {
      if (value.reason !== 'missing') counter.countFilled(at);
      counter.countFault(record.row, at, value.reason);
    } else {
      if (value !== null) counter.countFilled(at);
      values.push(value);
    }
  }
  return values.length === readers.length ? values : undefined;
}

async function rejectDuplicates(staging: Staging, counter: QualityCounter): Promise<void> {
  const duplicates = await staging.removeDuplicates();
  for (const row of duplicates) counter.list({ row, field: null, reason: 'duplicate' });
  counter.duplicates = duplicates.length;
  counter.rejected += duplicates.length;
}

function reportOf(dataset: Dataset, options: LoadOptions, counter: QualityCounter, counts: MergeCounts | undefined, nowMs: TimeMs): QualityReport {
  return {
    id: randomUUID(),
    dataset: dataset.id,
    department: dataset.department,
    format: options.format,
    loadedAt: isoTime(nowMs),
    outcome: counts === undefined ? 'refused' : 'loaded',
    errorLimit: options.errorLimit,
    rows: { read: counter.read, rejected: counter.rejected, duplicates: counter.duplicates, ...(counts ?? { new: 0, changed: 0, unchanged: 0 }) },
    fields: counter.fields(),
    timeliness: null,
    continuity: null,
    ...counter.rejects(),
  };
}

async function refuse(database: Database, dataset: Dataset, options: LoadOptions, counter: QualityCounter): Promise<VeilgateError> {
  const report = reportOf(dataset, options, counter, undefined, options.clock.nowMs());
  await storeReport(database, report);
  const { read, rejected } = report.rows;
  return new VeilgateError(
    'SOURCE_ROWS_REJECTED',
    `${rejected} of ${read} rows were rejected and at most ${options.errorLimit} may be: nothing was loaded. Correct the listed rows and send the file again.`,
    { report: report.id, read, rejected, errorLimit: options.errorLimit, rejects: report.rejects },
  );
}
