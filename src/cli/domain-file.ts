import { createReadStream, statSync } from 'node:fs';
import { Transform, pipeline } from 'node:stream';
import { VeilgateError } from '../errors.ts';
import { columnBuilder, type ColumnBuilder } from '../scoring/feature/column-builder.ts';
import { faultWords } from '../scoring/feature/encode.ts';
import type { Feature } from '../scoring/protocol.ts';
import { csvRows } from '../source/csv-rows.ts';
import { ndjsonRows } from '../source/ndjson-rows.ts';
import { isUscc } from '../uscc.ts';
import type { Dataset, DatasetId, Field, FieldRef, Value } from '../vocabulary.ts';

export type FeatureFile = {
  readonly file: string;
  readonly format: 'csv' | 'ndjson';
  readonly dataset: string;
  /** All fields of the dataset: columns that may be in the file. */
  readonly fields: readonly string[];
  readonly features: readonly Feature[];
  readonly slots: number;
  /** Where enterprises stand; asked for up to positionsAtOnce at a time. */
  readonly positions: (subjects: readonly string[]) => Promise<readonly number[]>;
  readonly onProgress?: (bytes: number, all: number) => void;
};

/** What is wrong with a row, never its values. */
export type FileFault = { readonly row: number; readonly feature?: string; readonly reason: string };

const positionsAtOnce = 10_000;

/**
 * Reads a file with one row for each enterprise: `subject` and at least the fields the features are made from. All of it
 * is checked before anything is encrypted.
 * Errors: SOURCE_FILE_MALFORMED; FEATURE_VALUE_REFUSED with detail `{ rejects: FileFault[], count }`.
 */
export async function readFeatureFile(options: FeatureFile): Promise<ColumnBuilder> {
  const { features, slots, positions } = options;
  const sources = [...new Set(features.map(({ source }) => source.slice(options.dataset.length + 1)))];
  const dataset = shapeOf(options.dataset, options.fields, new Set(sources));
  const columnOf = features.map(({ source }) => 1 + dataset.fields.findIndex(({ ref }) => ref === source));
  const builder = columnBuilder(features, slots);
  const faults: FileFault[] = [];
  let waiting: { readonly row: number; readonly cells: readonly unknown[] }[] = [];
  const place = async () => {
    const places = waiting.length === 0 ? [] : await positions(waiting.map(({ cells }) => cells[0] as string));
    waiting.forEach(({ row, cells }, at) => builder.add(row, places[at] as number, columnOf.map((column) => cells[column] as Value | undefined)));
    waiting = [];
  };
  for await (const batch of rowsOf(options, dataset)) {
    for (const record of batch) {
      if ('fault' in record) faults.push({ row: record.row, reason: record.fault });
      else if (!isUscc(record.cells[0])) faults.push({ row: record.row, reason: 'check_digit' });
      else waiting.push({ row: record.row, cells: record.cells });
      if (waiting.length === positionsAtOnce) await place();
    }
  }
  await place();
  refuse([...faults, ...builder.faults], faults.length + builder.faultCount());
  if (builder.rows() === 0) throw new VeilgateError('SOURCE_FILE_MALFORMED', 'The file names no enterprise: nothing was changed.');
  return builder;
}

/** The dataset as the readers of files want it: fields that features need must be there, others may be. */
function shapeOf(id: string, names: readonly string[], needed: ReadonlySet<string>): Dataset {
  const fields: Field[] = names.map((name) => ({
    ref: `${id}.${name}` as FieldRef, name, title: { en: name, zh: name }, type: 'text', classification: { level: 1, kind: 'public' }, required: needed.has(name),
  }));
  return { id: id as DatasetId, title: { en: id, zh: id }, department: '', cardinality: { kind: 'one' }, freshnessDays: 1, fields };
}

function rowsOf({ file, format, onProgress }: FeatureFile, dataset: Dataset) {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined || stats.isDirectory()) throw new VeilgateError('SOURCE_FILE_MALFORMED', 'There is no such file.');
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      onProgress?.(bytes, stats.size);
      done(null, chunk);
    },
  });
  pipeline(createReadStream(file), counted, () => {}); // the reading loop sees every error
  return format === 'csv' ? csvRows(counted, dataset) : ndjsonRows(counted, dataset);
}

function refuse(faults: readonly FileFault[], count: number): void {
  const [first] = faults;
  if (first === undefined) return;
  const what = first.feature === undefined ? '' : `, ${first.feature}`;
  const more = count === 1 ? '' : ` (and ${count - 1} more)`;
  throw new VeilgateError('FEATURE_VALUE_REFUSED', `Nothing was encrypted. Row ${first.row}${what}: ${reasonWords(first.reason)}${more}. Correct it at its source.`, { rejects: faults.slice(0, 100), count });
}

const otherReasons: Readonly<Record<string, string>> = {
  duplicate: 'the enterprise stands in the file twice',
  check_digit: 'the subject is not a unified social credit code',
  columns: 'it has more or fewer columns than the header',
  json: 'it is not one flat JSON object',
  unknown_field: 'it has a field the dataset does not have',
};

/** A reason as the end of a sentence. */
export function reasonWords(reason: string): string {
  return otherReasons[reason] ?? `a value ${(faultWords as Readonly<Record<string, string>>)[reason] ?? 'is wrong'}`;
}
