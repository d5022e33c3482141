import type { Command } from 'commander';
import { VeilgateError } from '../errors.ts';
import { jointClient } from '../sdk/joint.ts';
import { bundleSpec, digestsOf, fixColumn, jointRunClient, newSeeds, openLottery, uploadBundle, type JointRunView } from '../sdk/joint-run.ts';
import { connectAs } from './access.ts';
import { list, show, verb } from './command.ts';
import { byPosition, readCustomers } from './joint-customers.ts';
import { readDrawnRunFile, runFileIfAny, writeRunFile, type DrawnRunFile, type RunFile } from './joint-run-file.ts';
import { statementVerbs } from './joint-statement.ts';
import { withPartnerThreads } from './partner-threads.ts';
import { progressOn } from './progress.ts';
import { reserveFile } from './secret-file.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };

const exampleId = 'vZ0eO2qXr5cM6m1c9yT3kQ';

/** Verbs of `veilgate joint run`. */
export function runVerbs(run: Command, cli: Cli): void {
  lotteryVerbs(run, cli);
  verb(run, 'fix <run.json> <customers.csv>', {
    summary: 'Fix your columns over the cohort, for good',
    detail: 'The file has the column subject and columns that the project declares, each cell a bin from 0 on. ' +
      'The platform gets one-time padded bytes, one for each position; the last bin stands for everybody who is not in the file. Once fixed, a column never changes.',
    examples: ['joint run fix run.json customers.csv --positions positions.csv', 'joint run fix run.json customers.csv --positions positions.csv --column default'],
  })
    .requiredOption('--positions <file>', 'where your customers stand: what `joint cohort align --out` wrote')
    .option('--column <names>', 'only these columns of the file; several with commas', list)
    .action(async (file: string, customers: string, options: Json & { readonly positions: string; readonly column?: readonly string[] }, command: Command) => {
      const { joint, runs, kept, view } = await openRun(cli, file, command);
      const { project: document } = await joint.project(kept.project);
      const read = await readCustomers(customers, options.positions, document.partner_columns);
      const names = options.column ?? read.columns.map(({ name }) => name);
      const spec = bundleSpec(kept, view.rows, document);
      for (const name of names) await fixColumn(runs, spec, kept, view, name, byPosition(read, name, view.rows));
      const counted = read.positions.filter((position) => position !== undefined).length;
      show(cli, options, { run: kept.run, columns: names, customers: read.positions.length, counted }, () =>
        pairs({ run: kept.run, fixed: names, customers: read.positions.length, 'in the cohort': counted }));
    });
  verb(run, 'list', { summary: 'List your runs, newest first', examples: ['joint run list'] })
    .action(async (options: Json, command: Command) => {
      const runs = await jointRunClient(await connectAs(cli, command, ['query'])).runs();
      show(cli, options, { runs }, () =>
        table(['run', 'project', 'cohort', 'state', 'enterprises', 'columns fixed', 'deadline'], runs.map((each) => [each.run, each.project, each.cohort, each.state, each.rows, each.shifts, each.deadline])));
    });
  verb(run, 'show <id>', { summary: 'Show how far a run is', examples: [`joint run show ${exampleId}`] })
    .action(async (id: string, options: Json, command: Command) => {
      const view = await jointRunClient(await connectAs(cli, command, ['query'])).run(id);
      show(cli, options, view, () => runText(view));
    });
  statementVerbs(run, cli);
}

function lotteryVerbs(run: Command, cli: Cli): void {
  verb(run, 'commit <project> <cohort>', {
    summary: 'Commit to the bundles you will ask with; the platform draws one',
    detail: 'Seeds go into a new file that only you can read, then a digest of each bundle to the platform. Interrupted, the same command goes on: there is one draw for a project and a cohort. ' +
      'Open the others in time (veilgate joint run open): who does not is stopped and suspended.',
    examples: [`joint run commit ${exampleId} 9y3kQvZ0eO2qXr5cM6m1cT --out run.json`],
  })
    .requiredOption('--out <file>', 'a new file for the seeds; secret')
    .action(async (project: string, cohort: string, options: Json & { readonly out: string }, command: Command) => {
      const connection = await connectAs(cli, command, ['query']);
      const joint = jointClient(connection);
      const [{ project: document }, { size }] = await Promise.all([joint.project(project), joint.cohort(cohort)]);
      const kept = keptOrNew(options.out, { gateway: connection.gateway, institution: connection.credentials.party, ...newSeeds(project, cohort, document.bundles), run: null });
      const bar = progressOn(cli.terminal.stderr, (done, all) => `${done} of ${all} bundles made`);
      const digests = await withPartnerThreads(({ digestOf }) => digestsOf(bundleSpec(kept, size, document), kept, { digestOf, onBundle: (made) => bar.show(made, document.bundles) })).finally(bar.clear);
      const view = await jointRunClient(connection).commit(project, cohort, digests);
      writeRunFile(options.out, { ...kept, run: view.run });
      show(cli, options, { ...view, file: options.out }, () => `${runText(view)}seeds    ${options.out}\nNext: veilgate joint run open ${options.out}, before ${view.deadline}.\n`);
    });
  verb(run, 'open <run.json>', {
    summary: 'Open the bundles that were not drawn, and send the drawn one',
    detail: 'The platform makes every opened bundle again. Interrupted, the same command goes on where it was.',
    examples: ['joint run open run.json'],
  }).action(async (file: string, options: Json, command: Command) => {
    const { joint, runs, kept, view } = await openRun(cli, file, command);
    const { project: document } = await joint.project(kept.project);
    const judged = await openLottery(runs, view, kept);
    const bar = progressOn(cli.terminal.stderr, (sent, all) => `${sent} of ${all} pads sent`);
    const isOver = judged.state === 'cheated' || judged.state === 'late';
    const done = isOver ? judged : await uploadBundle(runs, bundleSpec(kept, judged.rows, document), kept, kept.run, { onPads: bar.show }).finally(bar.clear);
    show(cli, options, done, () => runText(done));
    if (done.state !== 'ready') cli.fail();
  });
}

/** What the verbs on a run's file work with. Errors: CONFIG_*, those of the gateway. */
export async function openRun(cli: Cli, file: string, command: Command) {
  const kept: DrawnRunFile = readDrawnRunFile(file);
  const connection = await connectAs(cli, command, ['query']);
  if (kept.gateway !== connection.gateway || kept.institution !== connection.credentials.party) {
    throw new VeilgateError('CONFIG_INVALID', 'This run is another institution\'s or another platform\'s: check --gateway and --credentials.', { file });
  }
  const runs = jointRunClient(connection);
  return { kept, runs, joint: jointClient(connection), view: await runs.run(kept.run) };
}

/** The seeds are in their file before the platform hears of them: a draw on seeds that are lost is a project that is lost. */
function keptOrNew(file: string, fresh: Omit<RunFile, 'format'>): RunFile {
  const kept = runFileIfAny(file);
  if (kept === undefined) {
    reserveFile(file).discard(); // a name that cannot be written is found out before the work
    return writeRunFile(file, fresh);
  }
  const same = kept.gateway === fresh.gateway && kept.institution === fresh.institution && kept.project === fresh.project && kept.cohort === fresh.cohort;
  if (!same) throw new VeilgateError('CONFIG_INVALID', 'The file holds the seeds of another run: choose another name.', { file });
  return kept;
}

function runText(view: JointRunView): string {
  const { pads } = view;
  return pairs({
    run: view.run, project: view.project, cohort: view.cohort, state: view.state, enterprises: view.rows, bundles: view.bundles, drawn: view.drawn, cheated: view.cheated,
    'open before': view.state === 'drawn' ? view.deadline : undefined, pads: `${pads.received} of ${pads.total}`, 'columns fixed': view.shifts,
  });
}
