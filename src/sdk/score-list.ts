import { VeilgateError } from '../errors.ts';
import type { ListedSubject } from '../scoring/job/list-digest.ts';
import { isUscc } from '../uscc.ts';
import type { GrantId, SubjectId } from '../vocabulary.ts';

const grantForm = /^[A-Za-z0-9_-]{22}$/;

/** A line of a list, cut at its commas. */
export type ListLine = { /** From 1. */ readonly line: number; readonly cells: readonly string[] };

/**
 * Reads the lines of a list of enterprises to score. The first is `subject` or `subject,grant`; an empty grant is none.
 * Errors: CONFIG_INVALID with detail.line, and when no enterprise is named.
 */
export function scoreListReader() {
  let columns: readonly string[] | undefined;
  let count = 0;
  return {
    /** @returns undefined for the heading */
    read({ line, cells }: ListLine): ListedSubject | undefined {
      if (columns === undefined) {
        columns = headingOf(cells);
        return undefined;
      }
      count += 1;
      return subjectOf(cells, columns, line);
    },
    /** Says that all lines were read. */
    end(): void {
      if (count === 0) throw new VeilgateError('CONFIG_INVALID', 'The list names no enterprise: a header line, then one enterprise a line.');
    },
  };
}

/** The enterprises of a list that is at hand as one text. Errors: CONFIG_INVALID. */
export function scoreListOf(text: string): readonly ListedSubject[] {
  const reader = scoreListReader();
  const subjects = text.split(/\r?\n/).flatMap((each, at) => {
    if (at > 0 && each.trim() === '') return [];
    return reader.read({ line: at + 1, cells: listCells(each) }) ?? [];
  });
  reader.end();
  return subjects;
}

/** Codes and ids need no quotes. */
function listCells(line: string): readonly string[] {
  return line.replace(/^\uFEFF/, '').split(',').map((cell) => cell.trim());
}

function headingOf(cells: readonly string[]): readonly string[] {
  const good = cells.includes('subject') && cells.every((cell) => cell === 'subject' || cell === 'grant') && new Set(cells).size === cells.length;
  if (!good) throw new VeilgateError('CONFIG_INVALID', 'The list\'s first line is `subject` or `subject,grant`.', { line: 1 });
  return cells;
}

function subjectOf(cells: readonly string[], columns: readonly string[], line: number): ListedSubject {
  const cell = (name: string) => cells[columns.indexOf(name)] ?? '';
  const [subject, grant] = [cell('subject'), cell('grant')];
  if (cells.length > columns.length || !isUscc(subject) || (grant !== '' && !grantForm.test(grant))) {
    throw new VeilgateError('CONFIG_INVALID', 'A line of the list holds no unified social credit code with a right check digit, or no grant\'s id: detail.line says which.', { line });
  }
  return { subject: subject as SubjectId, ...(grant === '' ? {} : { grant: grant as GrantId }) };
}
