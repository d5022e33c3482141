import { existsSync, rmSync } from 'node:fs';
import type { Command } from 'commander';
import { VeilgateError } from '../errors.ts';
import { jointClient, type AlignmentState, type CohortSummary } from '../sdk/joint.ts';
import type { Scope, SubjectId } from '../vocabulary.ts';
import { connectAs } from './access.ts';
import { show, verb } from './command.ts';
import { withPartnerThreads } from './partner-threads.ts';
import { progressOn } from './progress.ts';
import { readListFile } from './score-list.ts';
import { readSecretJson, replaceSecret, reserveFile } from './secret-file.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };

const readers: readonly Scope[] = ['query', 'compliance', 'audit'];
const stateFormat = 'veilgate-alignment-1';
const exampleId = 'vZ0eO2qXr5cM6m1c9yT3kQ';

/** Verbs of `veilgate joint cohort`. */
export function cohortVerbs(cohort: Command, cli: Cli): void {
  verb(cohort, 'form <project>', {
    summary: 'Form the cohort of the enterprises that consent now',
    detail: 'The same enterprises again are the cohort that is there.',
    examples: [`joint cohort form ${exampleId}`],
  }).action(async (project: string, options: Json, command: Command) => {
    const formed = await jointClient(await connectAs(cli, command, ['query'])).formCohort(project);
    show(cli, options, formed, () => cohortText(formed));
  });
  verb(cohort, 'list <project>', { summary: 'List the cohorts of a project, newest first', examples: [`joint cohort list ${exampleId}`] })
    .action(async (project: string, options: Json, command: Command) => {
      const cohorts = await jointClient(await connectAs(cli, command, readers)).cohorts(project);
      show(cli, options, { cohorts }, () => table(['cohort', 'enterprises', 'datasets', 'formed'], cohorts.map((each) => [each.id, each.size, each.datasets, each.formed_at])));
    });
  verb(cohort, 'show <id>', { summary: 'Show one cohort, and whether all of it still consent', examples: [`joint cohort show ${exampleId}`] })
    .action(async (id: string, options: Json, command: Command) => {
      const found = await jointClient(await connectAs(cli, command, readers)).cohort(id);
      show(cli, options, found, () => `${cohortText(found)}fresh: ${found.fresh ? 'yes' : 'no, form a new one'}\n`);
    });
  verb(cohort, 'align <id> <list.csv>', {
    summary: 'Find out at which positions of a cohort your customers stand',
    detail: 'The list has the column subject. The platform learns how many lines it has, and nothing else. Positions go into a new CSV file; a customer that is not in the cohort has none, whatever the reason. Interrupted, the same command goes on where it was.',
    examples: [`joint cohort align ${exampleId} customers.csv --out positions.csv`],
  })
    .requiredOption('--out <file>', 'a new CSV file for the positions')
    .action(async (id: string, file: string, options: Json & { readonly out: string }, command: Command) => {
      const joint = jointClient(await connectAs(cli, command, ['query']));
      const list: SubjectId[] = [];
      for await (const { subject } of readListFile(file)) list.push(subject);
      const stateFile = `${options.out}.alignment.json`;
      const resume = readState(stateFile);
      const out = reserveFile(options.out);
      const bar = progressOn(cli.terminal.stderr, (done, all) => `${done} of ${all} codes`);
      let positions: (number | undefined)[];
      try {
        positions = await withPartnerThreads(({ blinding }) => joint.align(id, list, {
          blinding, ...(resume === undefined ? {} : { resume }), onProgress: bar.show,
          onOpen: (state) => replaceSecret(stateFile, `${JSON.stringify({ format: stateFormat, ...state })}\n`),
        }));
      } catch (error) {
        out.discard();
        throw error;
      } finally {
        bar.clear();
      }
      out.write(`subject,position\n${list.map((subject, at) => `${subject},${positions[at] ?? ''}\n`).join('')}`);
      rmSync(stateFile, { force: true });
      const found = positions.filter((position) => position !== undefined).length;
      show(cli, options, { cohort: id, listed: list.length, found, positions: options.out }, () => pairs({ cohort: id, listed: list.length, 'in the cohort': found, positions: options.out }));
    });
}

/** What an interrupted run left. Errors: CONFIG_INVALID, CONFIG_INSECURE. */
function readState(file: string): AlignmentState | undefined {
  if (!existsSync(file)) return undefined;
  const { format, alignment, cohort, secret, list } = readSecretJson(file);
  if (format !== stateFormat || ![alignment, cohort, secret, list].every((each) => typeof each === 'string')) {
    throw new VeilgateError('CONFIG_INVALID', 'This is no interrupted alignment: choose another name for the positions, or remove the file.', { file });
  }
  return { alignment, cohort, secret, list } as AlignmentState;
}

function cohortText({ id, project, size, datasets, digest, formed_at: formed }: CohortSummary): string {
  return pairs({ cohort: id, project, enterprises: size, datasets, digest, formed });
}
