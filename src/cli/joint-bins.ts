import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { VeilgateError } from '../errors.ts';
import { binOf, binsMax, equalFrequencyEdges, type Edges } from '../joint/scorecard/binning.ts';
import { list, pair, show, verb } from './command.ts';
import { readCsvLines } from './plain-csv.ts';
import { readJson, replaceSecret, reserveFile } from './secret-file.ts';
import { table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type Named = readonly (readonly [string, string])[];
type BinFlags = Json & { readonly bins?: Named; readonly edges?: Named; readonly keep?: readonly string[]; readonly cuts: string; readonly out: string };
/** How each column is cut; null: it holds bins already. */
type Cuts = Readonly<Record<string, Edges | null>>;

const cutsFormat = 'veilgate-cuts-1';
const cutsLengthMax = 1_048_576;

/** `veilgate joint scorecard bin`: from figures to the bins a project's partner columns have. */
export function binVerb(scorecard: Command, cli: Cli): void {
  const several = (text: string, before: Named = []) => [...before, pair(text)];
  verb(scorecard, 'bin <figures.csv>', {
    summary: 'Cut your own figures into bins of equal size, or where you say',
    detail: 'The file has the column subject and columns of numbers; an empty cell gets a bin of its own, after the others. How each column was cut goes into --cuts. ' +
      'If that file is there already it is used, so that a hold-out is cut as its training was. Prints how many bins the project must declare for each column.',
    examples: [
      'joint scorecard bin figures.csv --bins turnover=10 --edges age=25,35,50 --keep default --cuts cuts.json --out customers.csv',
      'joint scorecard bin later.csv --cuts cuts.json --out holdout.csv',
    ],
  })
    .option('--bins <column=n>', 'cut into n bins of about equal size; the option may be repeated', several)
    .option('--edges <column=numbers>', 'cut at these ascending numbers, separated by commas; may be repeated', several)
    .option('--keep <columns>', 'columns that hold bins already, such as the label', list)
    .requiredOption('--cuts <file>', 'how the columns are cut: written, or used when it is there')
    .requiredOption('--out <file>', 'a new CSV file with bins')
    .action(async (file: string, options: BinFlags) => {
      const figures = await readFigures(file);
      const known = existsSync(options.cuts) ? readCuts(options.cuts) : undefined;
      if (known !== undefined && [options.bins, options.edges, options.keep].some((each) => each !== undefined)) {
        throw new VeilgateError('CONFIG_INVALID', 'These cuts are fixed already: leave out --bins, --edges and --keep, or name another file for the cuts.', { file: options.cuts });
      }
      const cuts = known ?? newCuts(figures, options);
      const columns = figures.columns.map(({ name, cells }) => ({ name, bins: cells.map((cell, at) => binFor(name, cell, cuts[name], at + 2, file)) }));
      const rows = figures.subjects.map((subject, row) => `${subject},${columns.map(({ bins }) => bins[row]).join(',')}\n`);
      reserveFile(options.out).write(`subject,${columns.map(({ name }) => name).join(',')}\n${rows.join('')}`);
      if (known === undefined) replaceSecret(options.cuts, `${JSON.stringify({ format: cutsFormat, cuts })}\n`);
      const declared = columns.map(({ name, bins }) => ({ name, edges: cuts[name] ?? null, bins: binsToDeclare(cuts[name] ?? null, bins) }));
      show(cli, options, { out: options.out, cuts: options.cuts, columns: declared }, () =>
        table(['column', 'bins to declare', 'cut at'], declared.map(({ name, bins, edges }) => [name, bins, edges ?? 'as it was'])));
    });
}

type Figures = { readonly subjects: readonly string[]; readonly columns: readonly { readonly name: string; readonly cells: readonly string[] }[] };

async function readFigures(file: string): Promise<Figures> {
  const subjects: string[] = [];
  let columns: { readonly name: string; readonly cells: string[] }[] = [];
  for await (const { line, cells: [subject = '', ...cells] } of readCsvLines(file)) {
    if (line === 1) {
      if (subject !== 'subject' || cells.length === 0 || new Set(cells).size < cells.length) {
        throw new VeilgateError('CONFIG_INVALID', 'The first line names `subject` and then your columns, each once.', { file, line });
      }
      columns = cells.map((name) => ({ name, cells: [] }));
    } else if (cells.length !== columns.length) throw new VeilgateError('CONFIG_INVALID', 'The line has more or fewer cells than the first.', { file, line });
    else {
      subjects.push(subject);
      columns.forEach((column, at) => column.cells.push(cells[at] as string));
    }
  }
  if (subjects.length === 0) throw new VeilgateError('CONFIG_INVALID', 'The file names no customer.', { file });
  return { subjects, columns };
}

function newCuts({ columns }: Figures, { bins = [], edges = [], keep = [] }: BinFlags): Cuts {
  const named = [...bins.map(([name]) => name), ...edges.map(([name]) => name), ...keep];
  for (const name of named) if (!columns.some((column) => column.name === name)) throw new VeilgateError('CONFIG_INVALID', 'The file has no such column: check its name.', { column: name });
  return Object.fromEntries(columns.map(({ name, cells }): [string, Edges | null] => {
    if (named.filter((each) => each === name).length !== 1) throw new VeilgateError('CONFIG_INVALID', 'Say once of every column how it is cut: --bins, --edges or --keep.', { column: name });
    if (keep.includes(name)) return [name, null];
    const at = edges.find(([column]) => column === name)?.[1];
    return [name, at === undefined ? evenEdges(name, cells, bins.find(([column]) => column === name)?.[1] ?? '') : ascending(name, at)];
  }));
}

function evenEdges(name: string, cells: readonly string[], text: string): Edges {
  const bins = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  const values = cells.filter((cell) => cell !== '').map(Number);
  if (!(bins >= 2 && bins <= binsMax - 2) || values.length === 0 || values.some((value) => !Number.isFinite(value))) {
    throw new VeilgateError('CONFIG_INVALID', `A column of numbers is cut into 2 to ${binsMax - 2} bins of equal size.`, { column: name });
  }
  return equalFrequencyEdges(values, bins);
}

function ascending(name: string, text: string): Edges {
  const edges = text.split(',').map((each) => (each.trim() === '' ? NaN : Number(each)));
  if (edges.length > binsMax - 3 || edges.some((edge, at) => !Number.isFinite(edge) || (at > 0 && edge <= (edges[at - 1] as number)))) {
    throw new VeilgateError('CONFIG_INVALID', `Edges are ascending numbers, ${binsMax - 3} at most.`, { column: name });
  }
  return edges;
}

/** Errors: CONFIG_INVALID. */
function readCuts(file: string): Cuts {
  const { format, cuts } = readJson(file, cutsLengthMax);
  const isCut = (edges: unknown) => edges === null || (Array.isArray(edges) && edges.every((edge) => typeof edge === 'number'));
  const good = format === cutsFormat && typeof cuts === 'object' && cuts !== null && Object.values(cuts).every(isCut);
  if (!good) throw new VeilgateError('CONFIG_INVALID', 'This says nothing of how columns are cut: name another file.', { file });
  return cuts as Cuts;
}

/** The bin of a figure; who has none is in the one after the last. */
function binFor(name: string, cell: string, edges: Edges | null | undefined, line: number, file: string): number {
  const number = cell === '' ? undefined : Number(cell);
  const fits = edges === undefined ? false : edges === null ? number !== undefined && Number.isInteger(number) && number >= 0 : number === undefined || Number.isFinite(number);
  if (!fits) {
    throw new VeilgateError('CONFIG_INVALID', edges === undefined ? 'The cuts say nothing of this column: leave it out, or cut anew.' : 'A cell is no number, or in a column that is kept no bin.', { file, line, column: name });
  }
  if (edges === null || edges === undefined) return number as number;
  return number === undefined ? edges.length + 1 : binOf(edges, number);
}

/** One more than there are, for members of the cohort that are not customers. */
function binsToDeclare(edges: Edges | null, bins: readonly number[]): number {
  return edges === null ? Math.max(...bins) + 2 : edges.length + 3;
}
