import type { Command } from 'commander';
import { auditorClient } from '../sdk/auditor.ts';
import { readersClient, type ReaderView } from '../sdk/readers.ts';
import { connectAs } from './access.ts';
import { noun, show, verb, wholeNumber } from './command.ts';
import { ownExportVerbs } from './own-export.ts';
import { reserveFile } from './secret-file.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };

/** `veilgate access`: what an enterprise may know and take along. */
export function accessCommand(cli: Cli): Command {
  const access = noun('access', 'Who could access your data, and what happened to it (enterprises)');
  readersVerb(cli, access);
  verb(access, 'receipt', { summary: 'Get the receipt of an answer about you, issued anew, to keep', examples: ['access receipt 17 --out receipt.jws'] })
    .argument('<index>', 'number of the entry, from 0', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--out <file>', 'write it to this new file instead of printing it')
    .action(async (index: number, options: Json & { readonly out?: string }, command: Command) => {
      const receipt = await auditorClient(await connectAs(cli, command, ['grants', 'query', 'audit'])).entryReceipt(index);
      if (options.out !== undefined) reserveFile(options.out).write(`${receipt}\n`);
      show(cli, options, options.out === undefined ? { receipt } : { saved: options.out }, () => (options.out === undefined ? `${receipt}\n` : `Kept in ${options.out}\n`));
    });
  ownExportVerbs(cli, access);
  return access;
}

function readersVerb(cli: Cli, access: Command): void {
  verb(access, 'readers', {
    summary: 'Who could access your data at this moment, how far, until when, and by which rule',
    detail: 'Each usable grant is decided as a query of this moment would be. Nobody else gets anything.',
    examples: ['access readers', 'access readers --limit 5'],
  })
    .option('--limit <n>', 'how many grants at once', wholeNumber(1, 20))
    .option('--after <cursor>', 'go on where a list ended')
    .action(async (options: Json & { readonly limit?: number; readonly after?: string }, command: Command) => {
      const page = await readersClient(await connectAs(cli, command, ['grants'])).readers(options);
      show(cli, options, page, () => `${page.readers.map(readerText).join('\n')}${page.next === null ? `${page.without_grant.en}\n` : `more: --after ${page.next}\n`}`);
    });
}

function readerText(reader: ReaderView): string {
  const { institution, purpose } = reader;
  const facts = {
    who: `${institution.name?.en ?? institution.id} (${institution.id})`, why: purpose.title?.en ?? purpose.code, grant: reader.grant, until: reader.valid_until.slice(0, 10),
    'answers left': reader.uses_left ?? 'any number', 'just now': reader.blocked_by === null ? undefined : `nothing (${reader.blocked_by})`,
    models: reader.models.join(', '), cohorts: reader.cohorts.map(({ cohort, size }) => `${cohort} (${size} enterprises)`).join(', '),
  };
  const rows = reader.fields.flatMap(({ field, uses }) => {
    if (uses.length === 0) return [[field, '-', 'nothing', '']];
    return uses.map(({ use, disposition, conditional, rule }) => [field, use, conditional ? `${disposition}, depends` : disposition, rule]);
  });
  return `${pairs(facts)}\n${table(['field', 'use', 'gets', 'rule'], rows)}`;
}
