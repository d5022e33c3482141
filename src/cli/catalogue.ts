import { Command } from 'commander';
import { catalogueClient, type CatalogueView } from '../sdk/catalogue.ts';
import { anyScope, connectAs } from './access.ts';
import { finish, list, show } from './command.ts';
import { clean, table } from './table.ts';
import type { Cli } from './terminal.ts';

/** `veilgate catalogue`: what can be asked for at all. */
export function catalogueCommand(cli: Cli): Command {
  return finish(new Command('catalogue'), {
    summary: 'List datasets, fields and purposes, as far as you may see them',
    examples: ['catalogue', 'catalogue --dataset tax,registry'],
  })
    .option('--dataset <ids>', 'only these datasets, separated by commas', list)
    .action(async (options: { readonly json?: true; readonly dataset?: readonly string[] }, command: Command) => {
      const catalogue = await catalogueClient(await connectAs(cli, command, anyScope)).catalogue();
      const datasets = catalogue.datasets.filter(({ id }) => options.dataset?.includes(id) ?? true);
      show(cli, options, { ...catalogue, datasets }, () => catalogueText({ ...catalogue, datasets }));
    });
}

const rowWords: Readonly<Record<string, string>> = { one: 'one row', per_period: 'one row per period', many: 'many rows' };

function catalogueText({ datasets, purposes, policy }: CatalogueView): string {
  const blocks = datasets.map(({ id, title, department, rows, fields }) =>
    `${clean(`${id}: ${title.en} ${title.zh} (${department}, ${rowWords[rows] ?? rows})`)}\n${
      table(['field', 'title', 'type', 'unit', 'classification'], fields.map((field) => [field.field, field.title.en, field.type, field.unit ?? '', `${field.classification.kind.replaceAll('_', ' ')}, level ${field.classification.level}`]))}`);
  return `${blocks.join('\n')}\n${table(['purpose', 'title'], purposes.map(({ code, title }) => [code, `${title.en} ${title.zh}`]))}\npolicy ${clean(policy)}\n`;
}
