import { createReadStream, statSync } from 'node:fs';
import path from 'node:path';
import { Transform, pipeline, type Readable } from 'node:stream';
import { Command, InvalidArgumentError } from 'commander';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import type { QualityReport, Reject } from '../source/quality.ts';
import { progressLine } from './progress.ts';
import { directRecords, type RecordsService } from './records-service.ts';
import { rowSizeMaxBytes } from '../source/row.ts';
import { readJson } from './secret-file.ts';
import { rejectTable, reportTable } from './records-table.ts';

export type RecordsDependencies = {
  /** The way to the gateway, from the options all commands share; absent: only `--database` works. */
  readonly connect?: (command: Command) => Promise<RecordsService>;
  readonly out: (text: string) => void;
  /** Progress and complaints; `columns` is 0 when nobody watches. */
  readonly err: { readonly write: (text: string) => void; readonly columns: number };
  readonly stdin: Readable;
  /** Told when a file was refused. */
  readonly refused: () => void;
};

const ownProcess: RecordsDependencies = {
  out: (text) => { process.stdout.write(text); },
  err: { write: (text) => { process.stderr.write(text); }, columns: process.stderr.isTTY ? process.stderr.columns : 0 },
  stdin: process.stdin,
  refused: () => { process.exitCode = 1; },
};

const defaultCatalogue = path.join(import.meta.dirname, '../../policies/catalogue');

type Target = { readonly database?: string; readonly catalogue: string };

/** `veilgate records load|correct|quality|template`: what a department does. A file that is refused makes the exit code 1. */
export function recordsCommand(dependencies: Partial<RecordsDependencies> = {}): Command {
  const needs = { ...ownProcess, ...dependencies };
  const records = new Command('records').description('Load records of a dataset and see how good they are');

  const subcommand = (name: string, description: string) =>
    records
      .command(name)
      .description(description)
      .option('--database <url>', 'work on this database directly, as the platform\'s operator, instead of through the gateway')
      .option('--catalogue <folder>', 'catalogue to use with --database', defaultCatalogue);

  subcommand('load', 'Load a CSV or NDJSON file: all or nothing, or up to an error limit')
    .argument('<dataset>')
    .argument('<file>', 'a file, or - for standard input')
    .option('--format <format>', 'csv or ndjson; by the file\'s ending when absent', parseFormat)
    .option('--error-limit <n>', 'rows that may be rejected before nothing is loaded', parseLimit, 0)
    .option('--json', 'print the quality report as one JSON object')
    .action(async (dataset: string, file: string, options: Target & LoadFlags, command: Command) => {
      await withService(needs, options, command, (service) => load(needs, service, dataset, file, options));
    });

  subcommand('correct', 'Replace one record of an enterprise, as a whole')
    .argument('<dataset>')
    .argument('<file>', 'a JSON file: `subject` and fields by name; what is left out has no value from then on')
    .option('--json', 'print one JSON object')
    .action(async (dataset: string, file: string, options: Target & { readonly json?: true }, command: Command) => {
      const record = readJson(file, rowSizeMaxBytes);
      const corrected = await withService(needs, options, command, (service) => service.correct(dataset, record));
      needs.out(options.json ? `${JSON.stringify(corrected)}\n` : `The record of ${corrected.subject} in ${corrected.dataset} is ${corrected.outcome}.\n`);
    });

  subcommand('quality', 'Show the newest quality report of a dataset')
    .argument('<dataset>')
    .option('--json', 'print the newest reports as one JSON array')
    .action(async (dataset: string, options: Target & { readonly json?: true }, command: Command) => {
      const reports = await withService(needs, options, command, (service) => service.quality(dataset));
      const newest = reports[0];
      if (options.json) needs.out(`${JSON.stringify(reports)}\n`);
      else needs.out(newest === undefined ? 'Nothing was loaded into this dataset yet.\n' : reportTable(newest));
    });

  subcommand('template', 'Print the header line of a dataset\'s CSV file')
    .argument('<dataset>')
    .action(async (dataset: string, options: Target, command: Command) => {
      const columns = await withService(needs, options, command, (service) => service.columns(dataset));
      needs.out(`${columns.join(',')}\n`);
    });
  return records;
}

async function withService<T>(needs: RecordsDependencies, target: Target, command: Command, work: (service: RecordsService) => Promise<T>): Promise<T> {
  if (target.database === undefined && needs.connect === undefined) {
    throw new VeilgateError('CONFIG_INVALID', 'Say where to: name the gateway and your credentials, or --database.');
  }
  const service = target.database === undefined ? await needs.connect?.(command) : await directRecords(target.database, target.catalogue);
  if (service === undefined) throw new VeilgateError('INTERNAL', 'No way to the platform was made.');
  try {
    return await work(service);
  } finally {
    await service.close();
  }
}

type LoadFlags = { readonly format?: 'csv' | 'ndjson'; readonly errorLimit: number; readonly json?: true };

async function load(needs: RecordsDependencies, service: RecordsService, dataset: string, file: string, options: LoadFlags): Promise<void> {
  const format = options.format ?? formatOf(file);
  const { stream, sizeBytes } = openFile(needs, file);
  const progress = progressLine(needs.err, (bytes) => `${(bytes / 1e6).toFixed(1)} MB`);
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      progress.show(bytes, sizeBytes);
      done(null, chunk);
    },
  });
  pipeline(stream, counted, () => {}); // the loader sees every error
  try {
    const report = await service.load(dataset, { format, stream: counted, errorLimit: options.errorLimit });
    progress.clear();
    needs.out(options.json ? `${JSON.stringify(report)}\n` : reportTable(report));
  } catch (error) {
    progress.clear();
    if (!isVeilgateError(error, 'SOURCE_ROWS_REJECTED')) throw error;
    showRefusal(needs, error, options.json === true);
  }
}

function showRefusal(needs: RecordsDependencies, error: VeilgateError, json: boolean): void {
  needs.refused();
  const rejects = (error.detail?.['rejects'] ?? []) as readonly Reject[];
  if (json) needs.out(`${JSON.stringify({ outcome: 'refused' satisfies QualityReport['outcome'], code: error.code, ...error.detail })}\n`);
  else needs.err.write(`${error.message}\n${rejectTable(rejects)}`);
}

function openFile(needs: RecordsDependencies, file: string): { stream: Readable; sizeBytes: number | undefined } {
  if (file === '-') return { stream: needs.stdin, sizeBytes: undefined };
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined || stats.isDirectory()) throw new VeilgateError('SOURCE_FILE_MALFORMED', 'There is no such file.');
  return { stream: createReadStream(file), sizeBytes: stats.isFile() ? stats.size : undefined };
}

function formatOf(file: string): 'csv' | 'ndjson' {
  if (/\.csv$/i.test(file)) return 'csv';
  if (/\.(ndjson|jsonl)$/i.test(file)) return 'ndjson';
  throw new VeilgateError('CONFIG_INVALID', 'Say which format the file has: --format csv or --format ndjson.');
}

function parseFormat(text: string): 'csv' | 'ndjson' {
  if (text !== 'csv' && text !== 'ndjson') throw new InvalidArgumentError('csv or ndjson');
  return text;
}

function parseLimit(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('a whole number from 0 to 100000');
  return Number(text);
}
