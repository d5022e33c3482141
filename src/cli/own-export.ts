import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { VeilgateError } from '../errors.ts';
import { platformKeys } from '../sdk/bank.ts';
import { checkExport, checkTable, exportClient, type ExportManifest, type ExportTrust } from '../sdk/own-export.ts';
import { connectAs, gatewayOf } from './access.ts';
import { show, verb } from './command.ts';
import { reserveFile } from './secret-file.ts';
import { pairs } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type ExportFlags = Json & { readonly out: string; readonly part?: string; readonly csv?: true };

/** Verbs of `veilgate access` with which an enterprise takes its data along, and anybody checks what it took. */
export function ownExportVerbs(cli: Cli, access: Command): void {
  verb(access, 'export', {
    summary: 'Take your own records and history along, signed by the platform',
    detail: 'Everything as one file of JSON lines, or with --csv one part as a table; its signed manifest goes into FILE.jws beside it. What came is checked before it is kept.',
    examples: ['access export --out export.ndjson', 'access export --part tax --csv --out tax.csv'],
  })
    .requiredOption('--out <file>', 'new file to write it to')
    .option('--part <name>', 'only this dataset; or grants, grant_requests, objections, accesses')
    .option('--csv', 'as a table; needs --part')
    .action(async (options: ExportFlags, command: Command) => {
      if (options.csv && options.part === undefined) throw new VeilgateError('CONFIG_INVALID', 'A table is of one part: name it with --part.');
      const client = exportClient(await connectAs(cli, command, ['grants']));
      const trust = await trustOf(cli, command);
      const manifest = await keptIn(options.csv ? [options.out, `${options.out}.jws`] : [options.out], async () => {
        if (options.csv) {
          const table = await client.exportTable(options.part ?? '');
          return { texts: [table.csv, `${table.manifest}\n`], manifest: await checkTable(table.csv, table.manifest, trust) };
        }
        const text = await client.exportText(options.part);
        return { texts: [text], manifest: (await checkExport(text, trust)).manifest };
      });
      const facts = { kept: options.out, export: manifest.export, lines: manifest['lines'], rows: manifest['rows'], 'log entry': manifest.log.index };
      show(cli, options, { saved: options.out, manifest }, () => pairs(facts));
    });
  verb(access, 'check <file>', {
    summary: 'Check a file that an enterprise took along: whole, unchanged, and the platform\'s',
    detail: 'Needs no credentials: the platform\'s public keys are fetched from its gateway. A table is checked against FILE.jws beside it.',
    examples: ['access check export.ndjson', 'access check tax.csv --csv'],
  })
    .option('--csv', 'the file is a table')
    .action(async (file: string, options: Json & { readonly csv?: true }, command: Command) => {
      const trust = await trustOf(cli, command);
      const manifest = options.csv ? await checkTable(readText(file), readText(`${file}.jws`).trim(), trust) : (await checkExport(readText(file), trust)).manifest;
      show(cli, options, { manifest }, () => pairs({ file: `whole and unchanged since ${manifest.at}`, subject: manifest.sub, export: manifest.export, 'log entry': manifest.log.index }));
    });
}

/** The files are there, empty, before anything is fetched; what was not found good leaves none behind. */
async function keptIn(files: readonly string[], work: () => Promise<{ readonly texts: readonly string[]; readonly manifest: ExportManifest }>): Promise<ExportManifest> {
  const reserved = files.map(reserveFile);
  try {
    const { texts, manifest } = await work();
    reserved.forEach((file, at) => file.write(texts[at] ?? ''));
    return manifest;
  } catch (error) {
    for (const file of reserved) file.discard();
    throw error;
  }
}

async function trustOf(cli: Cli, command: Command): Promise<ExportTrust> {
  const issuer = gatewayOf(cli, command);
  return { keys: { keys: [...(await platformKeys(issuer)).keys] }, issuer };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new VeilgateError('CONFIG_INVALID', 'This file is not there or cannot be read: check its name.', { file });
  }
}
