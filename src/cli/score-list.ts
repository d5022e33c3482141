import { createReadStream } from 'node:fs';
import readline from 'node:readline';
import { VeilgateError } from '../errors.ts';
import type { ListedSubject } from '../sdk/score-jobs.ts';
import { isUscc } from '../uscc.ts';
import type { GrantId, SubjectId } from '../vocabulary.ts';

const grantForm = /^[A-Za-z0-9_-]{22}$/;

/**
 * Enterprises of a CSV file whose header is `subject` or `subject,grant`; an empty grant is none. Read as a stream, as
 * often as asked. Errors: CONFIG_INVALID with the line.
 */
export async function* readListFile(file: string): AsyncGenerator<ListedSubject> {
  const lines = readline.createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  let columns: readonly string[] = [];
  try {
    for await (const line of lines) {
      number += 1;
      const cells = line.replace(/^\uFEFF/, '').split(',').map((cell) => cell.trim());
      if (number === 1) columns = header(cells, file);
      else if (line.trim() !== '') yield subjectOf(cells, columns, number, file);
    }
  } catch (error) {
    if (error instanceof VeilgateError) throw error;
    throw new VeilgateError('CONFIG_INVALID', 'The list cannot be read: check its name.', { file });
  }
  if (number < 2) throw new VeilgateError('CONFIG_INVALID', 'The list names no enterprise: a header line, then one enterprise a line.', { file });
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
