import type { Command } from 'commander';
import { noticesClient, type NoticeFilter, type NoticePage } from '../sdk/objections.ts';
import { connectAs } from './access.ts';
import { noun, show, verb, wholeNumber } from './command.ts';
import { table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };

/** `veilgate notice`: for a bank, values it received that were corrected since. */
export function noticeCommand(cli: Cli): Command {
  const notice = noun('notice', 'See which values you received were corrected since (banks)');
  const client = async (command: Command) => noticesClient(await connectAs(cli, command, ['query']));

  verb(notice, 'list', {
    summary: 'List corrections of values you received, newest first', detail: 'A notice never holds the value: ask again under a grant to have it.',
    examples: ['notice list', 'notice list --open'],
  })
    .option('--open', 'only those you have not acknowledged')
    .option('--limit <n>', 'how many at once', wholeNumber(1, 100))
    .option('--after <id>', 'go on where a list ended')
    .action(async (options: Json & NoticeFilter, command: Command) => {
      const { open, limit, after } = options;
      const page = await (await client(command)).notices({ ...(open === undefined ? {} : { open }), ...(limit === undefined ? {} : { limit }), ...(after === undefined ? {} : { after }) });
      show(cli, options, page, () => pageText(page));
    });
  verb(notice, 'acknowledge <id>', { summary: 'Say that you have seen a notice', examples: ['notice acknowledge vZ0eO2qXr5cM6m1c9yT3kQ'] })
    .action(async (id: string, options: Json, command: Command) => {
      const seen = await (await client(command)).acknowledge(id);
      show(cli, options, seen, () => `${seen.id} is acknowledged; the enterprise sees it.\n`);
    });
  return notice;
}

function pageText({ notices, next }: NoticePage): string {
  const rows = notices.map((each) => [
    each.id, each.subject, each.grant, each.field, `${each.received} times`, each.entries, each.corrected_at.slice(0, 10), each.acknowledged_at?.slice(0, 10) ?? 'not yet',
  ]);
  return `${table(['notice', 'subject', 'grant', 'field', 'received', 'log entries', 'corrected', 'acknowledged'], rows)}${next === null ? '' : `more: --after ${next}\n`}`;
}
