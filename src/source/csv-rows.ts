import { isUtf8 } from 'node:buffer';
import { Transform, pipeline, type Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { VeilgateError } from '../errors.ts';
import type { Dataset } from '../vocabulary.ts';
import { rowBatchSize, rowSizeMaxBytes, type RawRecord } from './row.ts';

/**
 * Rows of a CSV file (RFC 4180; UTF-8 with or without byte order mark; LF or CRLF): the first line names the
 * columns in any order. Optional fields may be left out of it. Row numbers are a spreadsheet's: the header is row 1.
 * Errors: SOURCE_FILE_MALFORMED with detail `{ line }`; nothing of the file's content is repeated in it.
 */
export async function* csvRows(source: Readable, dataset: Dataset): AsyncGenerator<readonly RawRecord[]> {
  const parser = parse({ bom: true, relax_column_count: true, max_record_size: rowSizeMaxBytes });
  pipeline(source, utf8Only(), parser, () => {}); // the reading loop sees every error
  let positions: readonly number[] | undefined;
  let columns = 0;
  let row = 0;
  let batch: RawRecord[] = [];
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      row += 1;
      if (positions === undefined) {
        positions = columnPositions(cells, dataset);
        columns = cells.length;
        continue;
      }
      if (cells.length === 1 && cells[0] === '') continue; // a blank line
      if (cells.length !== columns) batch.push({ row, fault: 'columns' });
      else batch.push({ row, cells: positions.map((at) => (at < 0 ? null : cells[at])) });
      if (batch.length === rowBatchSize) {
        yield batch;
        batch = [];
      }
    }
  } catch (error) {
    throw asMalformed(error);
  }
  if (positions === undefined) throw malformed('The file is empty: its first line must name the columns.');
  yield batch;
}

/** For `subject` and each field of the catalogue, which column holds it; -1 for an optional field that is left out. */
function columnPositions(header: readonly string[], dataset: Dataset): readonly number[] {
  const names = ['subject', ...dataset.fields.map(({ name }) => name)];
  const found = new Map<string, number>();
  header.forEach((cell, at) => {
    const name = cell.trim();
    // a file without a header has values here: the column is named by its position only
    if (!names.includes(name)) throw malformed(`Column ${at + 1} of the header is no field of dataset ${dataset.id}: the first line must name the columns.`);
    if (found.has(name)) throw malformed(`Column ${at + 1} of the header names a field for the second time.`);
    found.set(name, at);
  });
  const needed = ['subject', ...dataset.fields.filter(({ required }) => required).map(({ name }) => name)];
  const missing = needed.filter((name) => !found.has(name));
  if (missing.length > 0) throw malformed(`The header lacks ${missing.join(', ')}.`);
  return names.map((name) => found.get(name) ?? -1);
}

/** Lets UTF-8 through and fails on anything else: a file in another encoding would load as garbled text. */
function utf8Only(): Transform {
  let held: Buffer = Buffer.alloc(0);
  const check = (bytes: Buffer) => {
    if (!isUtf8(bytes)) throw new VeilgateError('SOURCE_FILE_MALFORMED', 'The file is not UTF-8: convert it (Excel: "CSV UTF-8") and load it again.');
    return bytes;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
        const whole = bytes.length - incompleteTail(bytes);
        held = bytes.subarray(whole);
        done(null, check(bytes.subarray(0, whole)));
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      try {
        done(null, check(held));
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

/** How many bytes at the end belong to a character whose rest is in the next chunk: 0 to 3. */
function incompleteTail(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

const csvFaults: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quoted value is never closed',
  INVALID_OPENING_QUOTE: 'a quotation mark stands inside an unquoted value',
  CSV_INVALID_CLOSING_QUOTE: 'a quoted value goes on after its closing quotation mark',
  CSV_MAX_RECORD_SIZE: `a row is longer than ${rowSizeMaxBytes} characters`,
};

function asMalformed(error: unknown): unknown {
  if (error instanceof VeilgateError) return error;
  if (!(error instanceof CsvError)) return new VeilgateError('SOURCE_FILE_MALFORMED', 'The file ended early: send it again.');
  // the parser is ahead of the rows read: only it knows the line
  const line = Number(error['lines']);
  return new VeilgateError('SOURCE_FILE_MALFORMED', `The file is not valid CSV near line ${line}: ${csvFaults[error.code] ?? 'its quotation marks or columns are wrong'}.`, { line });
}

function malformed(message: string): VeilgateError {
  return new VeilgateError('SOURCE_FILE_MALFORMED', message, { line: 1 });
}
