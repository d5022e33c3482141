import { InvalidArgumentError, type Command } from 'commander';
import { openAnswer, type OpenedAnswer, type OpenedGroup } from '../sdk/joint-answers.ts';
import { askAndFetch, jointRunClient, type JointExplanation, type Statement, type StatementBudget } from '../sdk/joint-run.ts';
import type { Scope } from '../vocabulary.ts';
import { VeilgateError } from '../errors.ts';
import { connectAs } from './access.ts';
import { show, verb } from './command.ts';
import { openRun } from './joint-run.ts';
import { readJson, reserveFile } from './secret-file.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type Budget = { readonly rho?: number; readonly share?: number };

const statementLengthMax = 1_048_576;
const readers: readonly Scope[] = ['query', 'compliance', 'audit'];
const exampleId = 'vZ0eO2qXr5cM6m1c9yT3kQ';

/** Verbs of `veilgate joint run` that ask. */
export function statementVerbs(run: Command, cli: Cli): void {
  verb(run, 'explain <run.json> <statement.json>', {
    summary: 'Say what a statement would cost, and how noisy its answer would be; nothing is charged',
    examples: ['joint run explain run.json statement.json --share 0.1', 'joint run explain run.json statement.json --rho 0.01'],
  })
    .option('--rho <number>', 'privacy budget to spend, in rho', amount(1000))
    .option('--share <number>', 'the same as a share of what the project was given', amount(1))
    .action(async (file: string, statementFile: string, options: Json & Budget, command: Command) => {
      const { runs, kept } = await openRun(cli, file, command);
      const explained = await runs.explain(kept.run, statementIn(statementFile), budgetOf(options));
      show(cli, options, explained, () => explanationText(explained));
    });
  verb(run, 'ask <run.json> <statement.json>', {
    summary: 'Ask a statement, and open its answer with your seeds',
    detail: 'It is charged to the project\'s privacy budget. The same statement with the same budget has the same answer again, and costs nothing more: an interrupted command is simply repeated.',
    examples: ['joint run ask run.json statement.json --share 0.1', 'joint run ask run.json statement.json --share 0.1 --out answer.json'],
  })
    .option('--rho <number>', 'privacy budget to spend, in rho', amount(1000))
    .option('--share <number>', 'the same as a share of what the project was given', amount(1))
    .option('--out <file>', 'write the opened answer to this new file')
    .action(async (file: string, statementFile: string, options: Json & Budget & { readonly out?: string }, command: Command) => {
      const { runs, joint, kept, view } = await openRun(cli, file, command);
      const { project: document } = await joint.project(kept.project);
      const out = options.out === undefined ? undefined : reserveFile(options.out);
      try {
        const { release, results } = await askAndFetch(runs, kept.run, statementIn(statementFile), budgetOf(options));
        const answer = await openAnswer(document, view, kept, release, results);
        const opened = { ...release, groups: answer.groups.map((group) => ({ ...group, columns: group.columns.map(nameOf) })) };
        out?.write(`${JSON.stringify(opened, null, 2)}\n`);
        show(cli, options, opened, () => answerText(answer));
      } catch (error) {
        out?.discard();
        throw error;
      }
    });
  verb(run, 'releases <project>', { summary: 'List everything that was asked under a project, newest first', examples: [`joint run releases ${exampleId}`] })
    .action(async (project: string, options: Json, command: Command) => {
      const releases = await jointRunClient(await connectAs(cli, command, readers)).releases(project);
      show(cli, options, { releases }, () =>
        table(['question', 'kind', 'state', 'rho', 'results', 'asked'], releases.map((each) => [each.question.slice(0, 16), each.statement.kind, each.reason ?? each.state, each.cost_rho, each.parts, each.asked_at])));
    });
}

/** Option parser: a number above 0. */
export function amount(max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,6}(\.\d{1,12})?$/.test(text) ? Number(text) : NaN;
    if (!(value > 0 && value <= max)) throw new InvalidArgumentError(`a number above 0, up to ${max}`);
    return value;
  };
}

function budgetOf({ rho, share }: Budget): StatementBudget {
  if (rho !== undefined && share === undefined) return { rho };
  if (share !== undefined && rho === undefined) return { share };
  throw new VeilgateError('CONFIG_INVALID', 'Say how much of the privacy budget it may use: either --share or --rho.');
}

/** The gateway checks what it says. */
function statementIn(file: string): Statement {
  return readJson(file, statementLengthMax) as unknown as Statement;
}

function explanationText(explained: JointExplanation): string {
  const { epsilon_before: before, epsilon_after: after } = explained;
  return [
    pairs({
      cost: explained.known !== null && explained.known.state !== 'failed' ? 'nothing: it was asked before' : `rho ${round(explained.cost_rho)}`,
      'project has told': `epsilon ${round(before)}, then ${round(after)}, at delta ${explained.delta}`,
      enterprises: explained.rows, results: explained.parts, bytes: explained.bytes, seconds: explained.seconds,
      question: explained.question ?? 'once your column is fixed',
    }),
    table(['part', 'results', 'one enterprise changes', 'noise (sigma)'], explained.groups.map((group) => [
      group.title, group.results, round(Math.sqrt(group.sensitivity_squared)), round(group.sigma),
    ])),
    table(['account', 'left', 'of'], explained.accounts.map((each) => [each.account, round(each.left_rho), round(each.total_rho)])),
  ].join('\n');
}

function answerText({ release, plan, groups }: OpenedAnswer): string {
  const bins = plan.partner === undefined ? ['sum'] : Array.from({ length: plan.partner.bins }, (_, bin) => `${plan.partner?.name}=${bin}`);
  return [
    pairs({ question: release.question, cost: `rho ${round(release.cost_rho)}` }),
    ...groups.map(({ title, columns, sums, variance }) => table([`${title}, sigma ${round(Math.sqrt(variance))}`, ...bins], columns.map((column, at) => [nameOf(column), ...(sums[at] ?? [])]))),
  ].join('\n');
}

/** What a result counts or sums. */
function nameOf(column: OpenedGroup['columns'][number]): string {
  switch (column.kind) {
    case 'product': return column.factors.length === 0 ? 'everybody' : column.factors.map(({ column: name, bin }) => (bin === null ? name : `${name}=${bin}`)).join(' × ');
    case 'score': return 'score';
    case 'band': return `score from ${column.from} to below ${column.to}`;
    default: return column satisfies never;
  }
}

const round = (value: number) => Number(value.toPrecision(4));
