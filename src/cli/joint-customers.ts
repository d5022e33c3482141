import { VeilgateError } from '../errors.ts';
import { columnByPosition } from '../sdk/joint-run.ts';
import { isUscc } from '../uscc.ts';
import { readCsvLines } from './plain-csv.ts';

/** A partner column as the project declares it; its last bin is for members of the cohort that are not customers. */
export type DeclaredColumn = { readonly name: string; readonly bins: number };

/** Customers of a file, in its order: where each stands in the cohort, and its bins. */
export type Customers = {
  /** Columns the file has, in the project's order. */
  readonly columns: readonly DeclaredColumn[];
  readonly subjects: readonly string[];
  readonly positions: readonly (number | undefined)[];
  /** By column, then by customer. */
  readonly bins: ReadonlyMap<string, readonly number[]>;
};

/**
 * Reads customers with their bins (heading: subject, then columns of the project) and where they stand (`joint cohort
 * align --out`). A customer that is not in the cohort counts nowhere; one that was not aligned is a mistake.
 * @param positionsFile null where nobody asks for positions
 * Errors: CONFIG_INVALID with the line.
 */
export async function readCustomers(file: string, positionsFile: string | null, declared: readonly DeclaredColumn[]): Promise<Customers> {
  const standing = positionsFile === null ? undefined : await readPositions(positionsFile);
  let columns: readonly DeclaredColumn[] = [];
  const positions: (number | undefined)[] = [];
  const bins = new Map<string, number[]>();
  const seen = new Set<string>();
  for await (const { line, cells } of readCsvLines(file)) {
    const [subject = '', ...values] = cells;
    if (line === 1) {
      columns = values.map((name) => declaredColumn(declared, name, file));
      if (subject !== 'subject' || columns.length === 0 || new Set(values).size !== values.length) {
        throw wrongLine(file, line, 'The first line names `subject` and then columns that the project declares, each once.');
      }
      for (const { name } of columns) bins.set(name, []);
      continue;
    }
    if (!isUscc(subject) || seen.has(subject)) throw wrongLine(file, line, 'A line begins with a unified social credit code, each once.');
    if (standing?.has(subject) === false) throw wrongLine(file, line, 'This customer was not aligned: align the whole list with `veilgate joint cohort align` first.');
    if (values.length !== columns.length) throw wrongLine(file, line, 'The line has more or fewer cells than the first.');
    seen.add(subject);
    positions.push(standing?.get(subject));
    columns.forEach(({ name, bins: count }, at) => bins.get(name)?.push(binIn(values[at] ?? '', count, file, line)));
  }
  if (positions.length === 0) throw new VeilgateError('CONFIG_INVALID', 'The file names no customer.', { file });
  return { columns, subjects: [...seen], positions, bins };
}

/** A column of the cohort: each customer's bin at its position, the last bin everywhere else. */
export function byPosition({ columns, positions, bins }: Customers, name: string, rows: number): Uint8Array {
  const column = columns.find((each) => each.name === name);
  if (column === undefined) throw new VeilgateError('CONFIG_INVALID', 'The customers\' file has no such column: add it, or name another.', { column: name });
  return columnByPosition(rows, positions, bins.get(name) ?? [], column.bins - 1);
}

/** Scores of `veilgate score many`, by enterprise. Errors: CONFIG_INVALID with the line. */
export async function readScores(file: string): Promise<ReadonlyMap<string, number>> {
  const scores = new Map<string, number>();
  for await (const { line, cells: [subject = '', score = ''] } of readCsvLines(file)) {
    const good = line === 1 ? subject === 'subject' && score === 'score' : isUscc(subject) && score !== '' && Number.isFinite(Number(score));
    if (!good) throw wrongLine(file, line, 'These are no scores: name the file that `veilgate score many --out` wrote.');
    if (line > 1) scores.set(subject, Number(score));
  }
  return scores;
}

async function readPositions(file: string): Promise<ReadonlyMap<string, number | undefined>> {
  const positions = new Map<string, number | undefined>();
  for await (const { line, cells: [subject = '', position = '', ...more] } of readCsvLines(file)) {
    const good = line === 1 ? subject === 'subject' && position === 'position' : isUscc(subject) && /^\d{0,9}$/.test(position);
    if (!good || more.length > 0) throw wrongLine(file, line, 'These are no positions: name the file that `veilgate joint cohort align --out` wrote.');
    if (line > 1) positions.set(subject, position === '' ? undefined : Number(position));
  }
  return positions;
}

function declaredColumn(declared: readonly DeclaredColumn[], name: string, file: string): DeclaredColumn {
  const column = declared.find((each) => each.name === name);
  if (column === undefined) throw wrongLine(file, 1, 'The project declares no such partner column: see `veilgate joint project show`.');
  return column;
}

function binIn(text: string, bins: number, file: string, line: number): number {
  const bin = /^\d{1,3}$/.test(text) ? Number(text) : NaN;
  if (!(bin < bins)) throw wrongLine(file, line, `A cell holds a bin, a whole number from 0 to ${bins - 1}.`);
  return bin;
}

function wrongLine(file: string, line: number, message: string): VeilgateError {
  return new VeilgateError('CONFIG_INVALID', message, { file, line });
}
