import { createReadStream } from 'node:fs';
import readline from 'node:readline';
import { VeilgateError } from '../errors.ts';

/** A line of a CSV file without quoted cells: codes, ids and numbers need none. The first is the heading. */
export type CsvLine = { /** From 1. */ readonly line: number; readonly cells: readonly string[] };

/** Lines of a file that are not empty, read as a stream. Errors: CONFIG_INVALID. */
export async function* readCsvLines(file: string): AsyncGenerator<CsvLine> {
  const lines = readline.createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
  let line = 0;
  try {
    for await (const text of lines) {
      line += 1;
      if (line === 1 || text.trim() !== '') yield { line, cells: text.replace(/^\uFEFF/, '').split(',').map((cell) => cell.trim()) };
    }
  } catch (error) {
    if (error instanceof VeilgateError) throw error;
    throw new VeilgateError('CONFIG_INVALID', 'The file cannot be read: check its name.', { file });
  }
}
