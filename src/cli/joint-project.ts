import type { Command } from 'commander';
import { jointClient, type JointBalances, type JointClient, type JointProjectSummary, type JointProjectView } from '../sdk/joint.ts';
import type { Scope } from '../vocabulary.ts';
import { connectAs } from './access.ts';
import { show, verb } from './command.ts';
import { reasonCode } from './institution.ts';
import { readJson } from './secret-file.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type Decision = Json & { readonly digest: string };

const fileLengthMax = 262_144;
const owners: readonly Scope[] = ['compliance', 'query'];
const readers: readonly Scope[] = ['query', 'compliance', 'audit'];
const exampleId = 'vZ0eO2qXr5cM6m1c9yT3kQ';

/** Verbs of `veilgate joint project`. */
export function projectVerbs(project: Command, cli: Cli): void {
  verb(project, 'propose <file>', {
    summary: 'Propose a project for two officers to decide on',
    detail: 'The document says partner, columns with their bounds, privacy budget and last day (docs/formats/joint-project.md). It never changes: a changed one is another proposal.',
    examples: ['joint project propose project.json'],
  }).action(async (file: string, options: Json, command: Command) => {
    const answer = await (await client(cli, command, owners)).propose(readJson(file, fileLengthMax));
    show(cli, options, answer, () => `${answer.id} is proposed. Next: two officers review it (veilgate joint project approve ${answer.id} --digest ${answer.digest}).\n`);
  });
  verb(project, 'list', { summary: 'List projects you may see, newest first', examples: ['joint project list'] })
    .action(async (options: Json, command: Command) => {
      const projects = await everyProject(await client(cli, command, readers));
      show(cli, options, { projects }, () => table(['project', 'title', 'partner', 'state', 'ends on', 'proposed by', 'approved by'], projects.map((each) => [each.id, each.title.en, each.partner, each.state, each.ends_on, each.proposed_by, each.approvals.map(({ by }) => by)])));
    });
  verb(project, 'show <id>', { summary: 'Show one project with its columns and budget', examples: [`joint project show ${exampleId}`] })
    .action(async (id: string, options: Json, command: Command) => {
      const view = await (await client(cli, command, readers)).project(id);
      show(cli, options, view, () => projectText(view));
    });
  verb(project, 'balances <id>', {
    summary: 'Show what is left of what may be learnt',
    detail: 'Of the project, of each dataset by its partner, and of each dataset by all institutions together.',
    examples: [`joint project balances ${exampleId}`],
  }).action(async (id: string, options: Json, command: Command) => {
    const balances = await (await client(cli, command, readers)).balances(id);
    show(cli, options, balances, () => balancesText(balances));
  });
  decisionVerbs(project, cli);
}

function decisionVerbs(project: Command, cli: Cli): void {
  const digest = ['--digest <sha256>', 'of the document you reviewed, as `joint project show` prints it'] as const;
  const why = ['--reason <code>', 'a code that goes to the log, such as purpose_too_wide', reasonCode] as const;
  const done = (options: Json, answer: { readonly id: string; readonly state: string; readonly approvals: number }) =>
    show(cli, options, answer, () => `${answer.id} is ${answer.state} now${answer.state === 'proposed' ? `, with ${answer.approvals} of 2 approvals` : ''}.\n`);

  verb(project, 'approve <id>', { summary: 'Approve a project that somebody else proposed; two officers must', examples: [`joint project approve ${exampleId} --digest ${'a'.repeat(64)}`] })
    .requiredOption(...digest)
    .action(async (id: string, options: Decision, command: Command) => done(options, await (await client(cli, command, ['compliance'])).approve(id, options.digest)));
  verb(project, 'refuse <id>', { summary: 'Refuse a proposed project', examples: [`joint project refuse ${exampleId} --digest ${'a'.repeat(64)} --reason purpose_too_wide`] })
    .requiredOption(...digest)
    .requiredOption(...why)
    .action(async (id: string, options: Decision & { readonly reason: string }, command: Command) => done(options, await (await client(cli, command, ['compliance'])).refuse(id, options.digest, options.reason)));
  verb(project, 'stop <id>', { summary: 'Stop a project for good, at once and on every node', examples: [`joint project stop ${exampleId} --reason complaint`] })
    .requiredOption(...why)
    .action(async (id: string, options: Json & { readonly reason: string }, command: Command) => done(options, await (await client(cli, command, ['compliance'])).stop(id, options.reason)));
  verb(project, 'end <id>', { summary: 'End your project before its last day', examples: [`joint project end ${exampleId}`] })
    .action(async (id: string, options: Json, command: Command) => done(options, await (await client(cli, command, ['query'])).end(id)));
}

async function client(cli: Cli, command: Command, scopes: readonly Scope[]): Promise<JointClient> {
  return jointClient(await connectAs(cli, command, scopes));
}

async function everyProject(joint: JointClient): Promise<JointProjectSummary[]> {
  const projects: JointProjectSummary[] = [];
  for (let after: string | undefined | null; after !== null;) {
    const page: Awaited<ReturnType<JointClient['projects']>> = await joint.projects(after);
    projects.push(...page.projects);
    after = page.next;
  }
  return projects;
}

function projectText({ project, ...view }: JointProjectView): string {
  return [
    pairs({
      project: view.id, title: `${view.title.en} ${view.title.zh}`, partner: view.partner, state: view.state, reason: view.reason, digest: view.digest, purpose: project.purpose,
      'proposed by': `${view.proposed_by} ${view.proposed_at}`, 'approved by': view.approvals.map(({ by, at }) => `${by} ${at}`),
      budget: `epsilon ${project.budget.epsilon} at delta ${project.budget.delta}`, bundles: project.bundles, 'cohort of': `${project.cohort_min} or more`, 'ends on': view.ends_on,
    }),
    table(['column', 'field', 'as'], project.columns.map(({ name, source, encoding }) => [name, source, encodingText(encoding)])),
    table(['partner column', 'bins'], project.partner_columns.map(({ name, bins }) => [name, bins])),
  ].join('\n');
}

function encodingText(encoding: JointProjectView['project']['columns'][number]['encoding']): string {
  if (encoding.kind === 'steps') return `${encoding.steps} steps from ${encoding.min} to ${encoding.max}`;
  return 'edges' in encoding ? `bins at ${encoding.edges.join(', ')}` : `bins of ${encoding.codes.join(', ')}`;
}

function balancesText({ accounts, delta }: JointBalances): string {
  if (accounts.length === 0) return 'The project has no accounts before it is approved.\n';
  return table(['account', 'may be learnt (rho)', 'spent', 'left', `spent epsilon at delta ${delta}`], accounts.map((each) => [each.account, each.total_rho, each.spent_rho, each.left_rho, each.spent_epsilon]));
}
