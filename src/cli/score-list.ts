import { VeilgateError, isVeilgateError } from '../errors.ts';
import { scoreListReader } from '../sdk/score-list.ts';
import type { ListedSubject } from '../sdk/score-jobs.ts';
import { readCsvLines } from './plain-csv.ts';

/** Enterprises of a CSV file, read as a stream, as often as asked. Errors: CONFIG_INVALID with the file and the line. */
export async function* readListFile(file: string): AsyncGenerator<ListedSubject> {
  const reader = scoreListReader();
  try {
    for await (const line of readCsvLines(file)) {
      const subject = reader.read(line);
      if (subject !== undefined) yield subject;
    }
    reader.end();
  } catch (error) {
    throw isVeilgateError(error, 'CONFIG_INVALID') ? new VeilgateError(error.code, error.message, { file, ...error.detail }) : error;
  }
}
