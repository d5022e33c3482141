import { InvalidArgumentError, Option, type Command } from 'commander';
import { VeilgateError } from '../errors.ts';
import {
  objectionsClient, type ObjectionFilter, type ObjectionGiven, type ObjectionPage, type ObjectionState, type ObjectionStepName, type ObjectionSummary, type ObjectionView, type RecordFault,
} from '../sdk/objections.ts';
import type { Scope } from '../vocabulary.ts';
import { connectAs } from './access.ts';
import { noun, show, verb, wholeNumber } from './command.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type SubmitFlags = Json & { readonly field?: string; readonly row?: string; readonly fault?: RecordFault; readonly entry?: number; readonly text: string };

const readers: readonly Scope[] = ['grants', 'records', 'compliance'];
const exampleId = 'vZ0eO2qXr5cM6m1c9yT3kQ';
const states: readonly ObjectionState[] = ['submitted', 'accepted', 'returned', 'corrected', 'remedied', 'rejected', 'closed'];

/** `veilgate objection`: what an enterprise objects to, for it, the department concerned and compliance officers. */
export function objectionCommand(cli: Cli): Command {
  const objection = noun('objection', 'Object to a recorded value or an access; accept, answer and close objections');
  submitVerb(cli, objection);
  verb(objection, 'list', { summary: 'List the objections you may see, newest first', examples: ['objection list', 'objection list --overdue'] })
    .addOption(new Option('--state <state>', 'only those in this state').choices(states))
    .option('--overdue', 'only those whose answer is late, the latest first')
    .option('--limit <n>', 'how many at once', wholeNumber(1, 100))
    .option('--after <id>', 'go on where a list ended')
    .action(async (options: Json & ObjectionFilter, command: Command) => {
      const { state, overdue, limit, after } = options;
      const page = await (await client(cli, command, readers)).list({
        ...(state === undefined ? {} : { state }), ...(overdue === undefined ? {} : { overdue }), ...(limit === undefined ? {} : { limit }), ...(after === undefined ? {} : { after }),
      });
      show(cli, options, page, () => pageText(page));
    });
  verb(objection, 'show <id>', { summary: 'Show one objection with every step, and what you can do now', examples: [`objection show ${exampleId}`] })
    .action(async (id: string, options: Json, command: Command) => {
      const view = await (await client(cli, command, readers)).read(id);
      show(cli, options, view, () => viewText(view));
    });
  for (const form of stepForms) stepVerb(cli, objection, form);
  return objection;
}

function submitVerb(cli: Cli, objection: Command): void {
  verb(objection, 'submit', {
    summary: 'Object to a value that is recorded of you (--field), or to an access out of your history (--entry)',
    detail: 'What you write is shown to those who decide, and never logged.',
    examples: [
      "objection submit --field tax.declared_revenue_cents --row 2026-06-01 --fault wrong --text 'We filed a correction in July.'",
      "objection submit --entry 17 --text 'We have never dealt with this bank.'",
    ],
  })
    .option('--field <field>', 'the value, as dataset.field')
    .option('--row <row>', 'which row, where there are several: period (YYYY-MM-DD) or record field\'s value')
    .addOption(new Option('--fault <fault>', 'what is the matter with it').choices(['wrong', 'outdated', 'incomplete']))
    .option('--entry <index>', 'the access: index of its log entry', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .requiredOption('--text <words>', 'in your own words, at most 2000 characters', plainWords)
    .action(async (options: SubmitFlags, command: Command) => {
      const given = givenOf(options);
      const answer = await (await client(cli, command, ['grants'])).submit(given);
      show(cli, options, answer, () => `${answer.id} is submitted. An officer accepts or returns it by ${answer.due_on}.\n`);
    });
}

function givenOf({ field, row, fault, entry, text }: SubmitFlags): ObjectionGiven {
  if (entry !== undefined && field === undefined && row === undefined && fault === undefined) return { about: 'access', entry, text };
  if (entry === undefined && field !== undefined && fault !== undefined) return { about: 'record', field, fault, text, ...(row === undefined ? {} : { row }) };
  throw new VeilgateError('CONFIG_INVALID', 'Say what you object to: --field and --fault for a recorded value, or --entry for an access.');
}

type StepForm = { readonly action: ObjectionStepName; readonly scopes: readonly Scope[]; readonly summary: string; readonly detail?: string; readonly words: 'required' | 'optional' };

const stepForms: readonly StepForm[] = [
  { action: 'accept', scopes: ['compliance'], summary: 'Accept an objection (compliance): it is with the department, or with you for an access', words: 'optional' },
  { action: 'return', scopes: ['compliance'], summary: 'Return an objection that cannot be worked on (compliance)', words: 'required' },
  {
    action: 'correct', scopes: ['records'], words: 'required', summary: 'Say that a value is corrected (the department that supplies it)',
    detail: 'Load the corrected record first: veilgate records correct. Every institution that was answered about the field is told, without the value.',
  },
  { action: 'remedy', scopes: ['compliance'], summary: 'Find an objection to an access right, and say what was done (compliance)', words: 'required' },
  { action: 'reject', scopes: ['records', 'compliance'], summary: 'Reject an objection with the reason: to a record its department, to an access compliance', words: 'required' },
  { action: 'close', scopes: ['grants'], summary: 'Close your objection, answered or not (enterprises)', words: 'optional' },
];

function stepVerb(cli: Cli, objection: Command, { action, scopes, summary, detail, words }: StepForm): void {
  const made = verb(objection, `${action} <id>`, {
    summary, ...(detail === undefined ? {} : { detail }), examples: [`objection ${action} ${exampleId}${words === 'required' ? " --text 'The filing of July counts.'" : ''}`],
  });
  const text = ['--text <words>', 'for the enterprise to read, at most 2000 characters', plainWords] as const;
  (words === 'required' ? made.requiredOption(...text) : made.option(...text)).action(async (id: string, options: Json & { readonly text?: string }, command: Command) => {
    const answer = await (await client(cli, command, scopes)).take(id, action, options.text);
    show(cli, options, answer, () => `${answer.id} is ${answer.state} now${answer.due_on === null ? '' : `; the next step is due by ${answer.due_on}`}.\n`);
  });
}

async function client(cli: Cli, command: Command, scopes: readonly Scope[]) {
  return objectionsClient(await connectAs(cli, command, scopes));
}

function plainWords(text: string): string {
  if (text === '' || [...text].length > 2000) throw new InvalidArgumentError('1 to 2000 characters');
  return text;
}

function pageText({ objections, next }: ObjectionPage): string {
  const rows = objections.map((each) => [each.id, each.state, each.subject, aboutText(each), each.submitted_at.slice(0, 10), each.due_on ?? '', each.working_days_left ?? '']);
  return `${table(['objection', 'state', 'subject', 'about', 'submitted', 'due on', 'working days'], rows)}${next === null ? '' : `more: --after ${next}\n`}`;
}

function aboutText({ field, row, entry, fault }: ObjectionSummary): string {
  return field === null ? `access ${entry}` : `${field}${row === null ? '' : ` of ${row}`} ${fault}`;
}

function viewText(view: ObjectionView): string {
  const told = (view.notified ?? []).map(({ institution, grant, received, dispositions, acknowledged_at: seen }) => [institution, grant, `${received} times`, dispositions, seen ?? 'not yet']);
  return [
    pairs({
      objection: view.id, state: view.state, subject: view.subject, about: aboutText(view), department: view.department, submitted: view.submitted_at, 'due on': view.due_on,
      'working days left': view.working_days_left, overdue: view.overdue ? 'yes' : undefined, 'you can': view.actions,
    }),
    table(['step', 'as', 'by', 'at', 'log entry', 'text'], view.steps.map(({ action, role, by, at, entry, text }) => [action, role, by, at, entry, text ?? ''])),
    ...(told.length === 0 ? [] : [table(['told', 'grant', 'received', 'as', 'seen'], told)]),
  ].join('\n');
}
