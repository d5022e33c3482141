import type { Command } from 'commander';
import { auditorClient, type EntryView } from '../sdk/auditor.ts';
import { checkEntryProof, entryProofLengthMax, entryProofOf, proveEntry } from '../sdk/entry-proof.ts';
import { connectAs } from './access.ts';
import { trustOptions } from './audit-receipt.ts';
import { trustOf, type TrustFlags } from './audit-verify.ts';
import { show, verb, wholeNumber } from './command.ts';
import { readJson, reserveFile } from './secret-file.ts';
import { pairs } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };

/** `veilgate audit entry` and `veilgate audit kept`: one entry to read, to keep, and to check later. */
export function entryCommands(cli: Cli, audit: Command): void {
  verb(audit, 'entry', {
    summary: 'Show one entry of the log with its record, if it is about you or you are an auditor',
    detail: 'With --out it is written to a file with its proof, for `veilgate audit kept` to check.',
    examples: ['audit entry 17', 'audit entry 17 --out entry-17.json'],
  })
    .argument('<index>', 'number of the entry, from 0', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--out <file>', 'keep it with its proof in this new file')
    .action(async (index: number, options: Json & { readonly out?: string }, command: Command) => {
      const connection = await connectAs(cli, command, ['audit', 'grants', 'query']);
      const entry = await auditorClient(connection).entry(index);
      if (options.out !== undefined) {
        const { proof } = await proveEntry(connection, entry);
        reserveFile(options.out).write(`${JSON.stringify(proof, null, 2)}\n`);
      }
      show(cli, options, entry, () => entryText(entry));
    });
  trustOptions(verb(audit, 'kept <file>', {
    summary: 'Check an entry that was kept: its content, and its place in the log. Needs no credentials and no network',
    detail: 'Takes files of `veilgate audit entry --out` and of the enterprise\'s console. Without --key the key that the file names is used: that proves only that the file agrees with itself.',
    examples: ["audit kept entry-17.json --key 'gateway.example/log+1234abcd+AZ…'", 'audit kept entry-17.json'],
  }))
    .action(async (file: string, options: Json & TrustFlags) => {
      const kept = entryProofOf(readJson(file, entryProofLengthMax));
      const trust = options.key === undefined ? undefined : await trustOf(options);
      const size = await checkEntryProof(kept, trust);
      const { index, kind, at } = kept.entry;
      show(cli, options, { index, kind, at, size, key: trust === undefined ? 'of the file' : 'given' }, () => `${pairs({
        entry: index, what: kind, at, 'in the log': `yes, of ${size} entries`, 'log key': trust === undefined ? 'the one the file names: learn it elsewhere and use --key' : 'the one you named',
      })}\n`);
    });
}

function entryText(entry: EntryView): string {
  const { index, kind, at, actor, institution, commitment, salt, disputed } = entry;
  return `${pairs({ index, kind, at, actor, institution, commitment, salt, disputed })}\n${entry.record === null ? 'The record was erased.\n' : `${JSON.stringify(entry.record, null, 2)}\n`}`;
}
