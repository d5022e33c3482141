import type { Readable } from 'node:stream';
import { VeilgateError } from '../errors.ts';
import { parseStrictJsonBytes } from '../strict-json.ts';
import type { Dataset } from '../vocabulary.ts';
import { rowBatchSize, rowSizeMaxBytes, type RawRecord } from './row.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Rows of a file with one flat JSON object per line (UTF-8; LF or CRLF; blank lines are skipped). Row numbers are
 * line numbers. A line that is not such an object is a rejected row, not a broken file: the next line stands alone.
 * Errors: SOURCE_FILE_MALFORMED with detail `{ line }` for an empty file, an overlong line, a stream that broke off.
 */
export async function* ndjsonRows(source: Readable, dataset: Dataset): AsyncGenerator<readonly RawRecord[]> {
  const positions = new Map(['subject', ...dataset.fields.map(({ name }) => name)].map((name, at) => [name, at]));
  let row = 0;
  let seen = false;
  let batch: RawRecord[] = [];
  for await (const line of lines(source)) {
    row += 1;
    const content = row === 1 && line.subarray(0, 3).equals(byteOrderMark) ? line.subarray(3) : line;
    if (content.length === 0) continue;
    seen = true;
    batch.push(recordOf(content, row, positions));
    if (batch.length === rowBatchSize) {
      yield batch;
      batch = [];
    }
  }
  if (!seen) throw malformed('The file is empty: it must hold one JSON object per line.', 1);
  yield batch;
}

function recordOf(line: Uint8Array, row: number, positions: ReadonlyMap<string, number>): RawRecord {
  let parsed: unknown;
  try {
    parsed = parseStrictJsonBytes(line, { maxDepth: 2, maxLength: rowSizeMaxBytes });
  } catch (error) {
    if (error instanceof VeilgateError) return { row, fault: 'json' };
    throw error;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return { row, fault: 'json' };
  const cells: unknown[] = new Array(positions.size).fill(null);
  for (const [name, value] of Object.entries(parsed)) {
    const at = positions.get(name);
    if (at === undefined) return { row, fault: 'unknown_field' };
    cells[at] = value;
  }
  return { row, cells };
}

/** Lines without their ends. Holds no more than one line. */
async function* lines(source: Readable): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let row = 1;
  try {
    for await (const chunk of source as AsyncIterable<Buffer | string>) {
      let rest = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      for (let end = rest.indexOf(lineFeed); end >= 0; end = rest.indexOf(lineFeed)) {
        const line = held.length === 0 ? rest.subarray(0, end) : Buffer.concat([...held, rest.subarray(0, end)]);
        if (line.length > rowSizeMaxBytes) throw overlong(row);
        yield withoutReturn(line);
        row += 1;
        held = [];
        heldBytes = 0;
        rest = rest.subarray(end + 1);
      }
      heldBytes += rest.length;
      if (heldBytes > rowSizeMaxBytes) throw overlong(row);
      if (rest.length > 0) held.push(rest);
    }
  } catch (error) {
    if (error instanceof VeilgateError) throw error;
    throw malformed(`The file ended early, in row ${row}: send it again.`, row);
  }
  if (heldBytes > 0) yield withoutReturn(Buffer.concat(held));
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
}

function overlong(row: number): VeilgateError {
  return malformed(`Row ${row} is longer than ${rowSizeMaxBytes} bytes: is there one JSON object per line?`, row);
}

function malformed(message: string, row: number): VeilgateError {
  return new VeilgateError('SOURCE_FILE_MALFORMED', message, { line: row });
}
