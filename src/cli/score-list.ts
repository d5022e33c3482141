import { VeilgateError } from '../errors.ts';
import type { ListedSubject } from '../sdk/score-jobs.ts';
import { isUscc } from '../uscc.ts';
import type { GrantId, SubjectId } from '../vocabulary.ts';
import { readCsvLines } from './plain-csv.ts';

const grantForm = /^[A-Za-z0-9_-]{22}$/;

/**
 * Enterprises of a CSV file whose header is `subject` or `subject,grant`; an empty grant is none. Read as a stream, as
 * often as asked. Errors: CONFIG_INVALID with the line.
 */
export async function* readListFile(file: string): AsyncGenerator<ListedSubject> {
  let columns: readonly string[] = [];
  let last = 0;
  for await (const { line, cells } of readCsvLines(file)) {
    last = line;
    if (line === 1) columns = header(cells, file);
    else yield subjectOf(cells, columns, line, file);
  }
  if (last < 2) throw new VeilgateError('CONFIG_INVALID', 'The list names no enterprise: a header line, then one enterprise a line.', { file });
}

function header(cells: readonly string[], file: string): readonly string[] {
  const good = cells.includes('subject') && cells.every((cell) => cell === 'subject' || cell === 'grant') && new Set(cells).size === cells.length;
  if (!good) throw new VeilgateError('CONFIG_INVALID', 'The list\'s first line is `subject` or `subject,grant`.', { file, line: 1 });
  return cells;
}

function subjectOf(cells: readonly string[], columns: readonly string[], line: number, file: string): ListedSubject {
  const cell = (name: string) => cells[columns.indexOf(name)] ?? '';
  const [subject, grant] = [cell('subject'), cell('grant')];
  if (cells.length > columns.length || !isUscc(subject) || (grant !== '' && !grantForm.test(grant))) {
    throw new VeilgateError('CONFIG_INVALID', 'A line of the list holds no unified social credit code with a right check digit, or no grant\'s id: detail.line says which.', { file, line });
  }
  return { subject: subject as SubjectId, ...(grant === '' ? {} : { grant: grant as GrantId }) };
}
