import type { Command } from 'commander';
import { reportsClient, type EntryQuery, type ListedEntry } from '../sdk/reports.ts';
import { connectAs } from './access.ts';
import { list, show, verb, wholeNumber } from './command.ts';
import { table } from './table.ts';
import type { Cli } from './terminal.ts';

type Flags = EntryQuery & { readonly json?: true; readonly limit: number; readonly before?: number };

const indexOf = wholeNumber(0, Number.MAX_SAFE_INTEGER);

/** `veilgate audit entries`: the log by what its entries are about. */
export function entriesCommand(cli: Cli, audit: Command): void {
  verb(audit, 'entries', {
    summary: 'Find entries of the log by what they are about, newest first (auditors)',
    detail: 'Enterprises stand as pseudonyms; `audit entry` shows one entry with its record. A page may hold few entries and still not be the last: it says where to go on.',
    examples: ['audit entries --outcome refused --institution bank-a', 'audit entries --kinds query.released,score.released --dataset tax --from 2026-11-01T00:00:00+08:00', 'audit entries --code CONSENT_REQUIRED --before 1200'],
  })
    .option('--from <time>', 'from this time on, RFC 3339').option('--until <time>', 'before this time, RFC 3339')
    .option('--first <index>', 'first entry', indexOf).option('--last <index>', 'last entry', indexOf)
    .option('--kinds <kinds>', 'kinds of entries, separated by commas', list)
    .option('--actor <party>', 'who did it').option('--institution <id>', 'which institution it is about')
    .option('--purpose <code>', 'for which purpose').option('--outcome <word>', '`released` or `refused`').option('--code <code>', 'error code of a refusal')
    .option('--policy <version>', 'under which version of the policy').option('--dataset <id>', 'which dataset it names')
    .option('--limit <n>', 'how many at once', wholeNumber(1, 200), 50).option('--before <index>', 'go on before this entry', indexOf)
    .action(async ({ json, limit, before, ...filter }: Flags, command: Command) => {
      const client = reportsClient(await connectAs(cli, command, ['audit']));
      const page = await client.entries(filter, { limit, ...(before === undefined ? {} : { before }) });
      show(cli, json === undefined ? {} : { json }, page, () => `${entryTable(page.entries)}${page.next === null ? '' : `go on with --before ${page.next}\n`}${page.behind === 0 ? '' : `${page.behind} newer entries cannot be found yet\n`}`);
    });
}

/** Entries side by side; the pseudonym's beginning is enough to tell enterprises apart. */
export function entryTable(entries: readonly ListedEntry[]): string {
  return table(['entry', 'at', 'what', 'actor', 'institution', 'enterprise', 'purpose', 'datasets', 'refused'], entries.map((entry) => [
    entry.index, entry.at, entry.kind, entry.actor, entry.institution ?? '', entry.erased ? '(erased)' : (entry.subject ?? '').slice(0, 12), entry.purpose ?? '', entry.datasets.join(','), entry.code ?? '',
  ]));
}
