import { Command } from 'commander';
import type { Connection } from '../sdk/connection.ts';
import { anyScope, connectAs } from './access.ts';
import { finish, list, show } from './command.ts';
import { clean, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Title = { readonly en: string; readonly zh: string };

/** What of `GET /v1/catalogue` is used here. */
export type CatalogueView = {
  readonly policy: string;
  readonly datasets: readonly {
    readonly id: string; readonly title: Title; readonly department: string; readonly rows: string;
    readonly fields: readonly { readonly field: string; readonly title: Title; readonly type: string; readonly unit?: string; readonly classification: { readonly level: number; readonly kind: string } }[];
  }[];
  readonly purposes: readonly { readonly code: string; readonly title: Title }[];
};

export function readCatalogue(connection: Connection): Promise<CatalogueView> {
  return connection.call<CatalogueView>({ method: 'GET', path: '/v1/catalogue' });
}

/** `veilgate catalogue`: what can be asked for at all. */
export function catalogueCommand(cli: Cli): Command {
  return finish(new Command('catalogue'), {
    summary: 'List datasets, fields and purposes, as far as you may see them',
    examples: ['catalogue', 'catalogue --dataset tax,registry'],
  })
    .option('--dataset <ids>', 'only these datasets, separated by commas', list)
    .action(async (options: { readonly json?: true; readonly dataset?: readonly string[] }, command: Command) => {
      const catalogue = await readCatalogue(await connectAs(cli, command, anyScope));
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
