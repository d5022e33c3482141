import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { JSONWebKeySet } from 'jose';
import { VeilgateError } from '../errors.ts';
import { platformKeys } from '../sdk/bank.ts';
import type { Connection } from '../sdk/connection.ts';
import { askedSubjects, digestList, openScoreJobPart, scoreJobsClient, type ScoreJob, type ScoreJobsClient, type Unscored } from '../sdk/score-jobs.ts';
import { checkScoreJobPart, unscoredLines } from '../sdk/score-job-results.ts';
import { scoresClient } from '../sdk/scores.ts';
import type { SubjectId } from '../vocabulary.ts';
import { connectAs } from './access.ts';
import { show, verb } from './command.ts';
import { progressLine } from './progress.ts';
import { addPart, cutResults, jobFileOf, readJobFile, reserveResults, type JobFile } from './score-job-file.ts';
import { readListFile } from './score-list.ts';
import { replaceSecret, reserveFile, type ReservedFile } from './secret-file.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type ManyFlags = Json & { readonly model: string; readonly purpose: string; readonly out: string; readonly repeat?: string };

const pollMs = 1000;

/** Verbs of `veilgate score` for many enterprises at once. */
export function jobVerbs(score: Command, cli: Cli): void {
  verb(score, 'many <list.csv>', {
    summary: 'Score a list of enterprises; results go into a CSV file, who was not scored into another',
    detail: 'The list has the columns subject and, where you want to name it, grant. Scores are opened on this machine as parts come. Interrupted, the same command goes on where it was; the job itself goes on meanwhile.',
    examples: ['score many list.csv --model sme_growth@1 --purpose post_loan_monitoring --out scores.csv'],
  })
    .requiredOption('--model <name@version>', 'an approved model you may use')
    .requiredOption('--purpose <code>', 'purpose code, such as post_loan_monitoring')
    .requiredOption('--out <file>', 'a new CSV file for the scores')
    .option('--repeat <file>', 'score the same list again as in these earlier results, without sending it')
    .action(async (list: string, options: ManyFlags, command: Command) => scoreMany(cli, list, options, await connectAs(cli, command, ['query'])));

  verb(score, 'job <id>', { summary: 'Say how far a job is', examples: ['score job vZ0eO2qXr5cM6m1c9yT3kQ'] })
    .action(async (id: string, options: Json, command: Command) => {
      const job = await scoreJobsClient(await connectAs(cli, command, ['query'])).progress(id);
      show(cli, options, job, () => jobText(job));
    });

  verb(score, 'jobs', { summary: 'List your jobs, newest first', examples: ['score jobs'] })
    .action(async (options: Json, command: Command) => {
      const jobs = await scoreJobsClient(await connectAs(cli, command, ['query'])).list();
      show(cli, options, { jobs }, () => (jobs.length === 0 ? 'You have no jobs.\n' : table(['job', 'model', 'state', 'scored', 'not scored', 'of', 'created'], jobs.map((job) => [job.job, job.model, job.state, job.scored, job.unscored, job.list.count, job.created_at]))));
    });

  verb(score, 'cancel <id>', {
    summary: 'Cancel a job: nothing more is scored; what was released stays and can be fetched',
    examples: ['score cancel vZ0eO2qXr5cM6m1c9yT3kQ'],
  }).action(async (id: string, options: Json, command: Command) => {
    const job = await scoreJobsClient(await connectAs(cli, command, ['query'])).cancel(id);
    show(cli, options, job, () => jobText(job));
  });

  verb(score, 'forget <id>', {
    summary: 'Have a job\'s list forgotten, with every job over it and results that were not fetched',
    examples: ['score forget vZ0eO2qXr5cM6m1c9yT3kQ'],
  }).action(async (id: string, options: Json, command: Command) => {
    await scoreJobsClient(await connectAs(cli, command, ['query'])).forget(id);
    show(cli, options, { forgotten: id }, () => 'Forgotten.\n');
  });
}

async function scoreMany(cli: Cli, list: string, options: ManyFlags, connection: Connection): Promise<void> {
  const client = scoreJobsClient(connection);
  // without the model scores could be fetched, and spent, but not read
  const [openable, keys] = await Promise.all([scoresClient(connection).openable(options.model), platformKeys(connection.gateway)]);
  const kept = await findOrOpen(client, connection, list, options);
  const bar = progressLine({ write: (text) => cli.terminal.stderr.write(text), ...(cli.terminal.stderr.columns === undefined ? {} : { columns: cli.terminal.stderr.columns }) }, (done, all) => `${done} of ${all} enterprises`);
  let progress = await client.progress(kept.job);
  if (progress.state === 'open') progress = await client.submit(progress, readListFile(list));
  const listed: SubjectId[] = [];
  for await (const { subject } of readListFile(list)) listed.push(subject);
  const subjects = askedSubjects(listed);

  let state = kept;
  for (;;) {
    progress = await client.progress(kept.job);
    bar.show(progress.scored + progress.unscored, progress.list.count);
    const parts = await client.parts(kept.job, state.part);
    for (const n of parts) {
      const part = await client.part(kept.job, n);
      await checkScoreJobPart(part, kept.request, { keys: [...keys.keys] } as JSONWebKeySet, connection);
      state = addPart(options.out, state, n, await openScoreJobPart(part, { ...kept, subjects }, openable, connection));
    }
    if (progress.finished_at !== null && parts.length === 0) break;
    if (progress.finished_at === null) await delay(pollMs);
  }
  bar.clear();
  const report = await writeReport(client, kept.job, reportFileOf(options.out));
  show(cli, options, { ...progress, results: options.out, report }, () => `${jobText(progress)}results    ${options.out}\nnot scored ${report}\n`);
  if (progress.state !== 'done') cli.fail();
}

/** Goes on with the job of an interrupted run of the same command, or begins one. */
async function findOrOpen(client: ScoreJobsClient, connection: Connection, list: string, options: ManyFlags): Promise<JobFile> {
  const kept = readJobFile(options.out);
  const earlier = options.repeat === undefined ? undefined : earlierJob(options.repeat);
  const salt = (kept ?? earlier)?.salt;
  const digested = await digestList(readListFile(list), salt === undefined ? undefined : new Uint8Array(Buffer.from(salt, 'base64url')));
  if (kept !== undefined) {
    const same = kept.digest === digested.digest && kept.gateway === connection.gateway && kept.institution === connection.credentials.party && kept.model === options.model && kept.purpose === options.purpose;
    if (!same) throw new VeilgateError('CONFIG_INVALID', 'An interrupted job of these results was for another list, model or purpose: finish that one, or choose another name.', { file: jobFileOf(options.out) });
    cutResults(options.out, kept);
    return kept;
  }
  // what is there by these names is somebody's: said before anything is spent, and ours from here on
  const results = reserveResults(options.out);
  const report = reserveReport(options.out, results.discard);
  let opened: Awaited<ReturnType<ScoreJobsClient['open']>>;
  try {
    opened = earlier === undefined ? await client.open(options, digested) : await client.repeat(earlier.job, options, digested);
  } catch (error) {
    report.discard();
    results.discard();
    throw error;
  }
  report.write('');
  return results.begin({
    gateway: connection.gateway, institution: connection.credentials.party, job: opened.job.job, request: opened.request,
    model: options.model, purpose: options.purpose, ...digested,
  });
}

function reserveReport(results: string, giveUp: () => void): ReservedFile {
  try {
    return reserveFile(reportFileOf(results));
  } catch (error) {
    giveUp();
    throw error;
  }
}

/** Where it is written who was not scored, beside the results. */
const reportFileOf = (results: string) => `${results}.unscored.csv`;

function earlierJob(results: string): JobFile {
  const job = readJobFile(results);
  if (job === undefined) throw new VeilgateError('CONFIG_INVALID', 'There are no results of an earlier job there: name the file that `veilgate score many --out` wrote.', { file: results });
  return job;
}

async function writeReport(client: ScoreJobsClient, job: string, file: string): Promise<string> {
  const unscored: Unscored[] = [];
  for await (const one of client.unscored(job)) unscored.push(one);
  replaceSecret(file, unscoredLines(unscored));
  return file;
}

function jobText(job: ScoreJob): string {
  const { parts } = job;
  return pairs({
    job: job.job, model: job.model, purpose: job.purpose, state: job.reason === null ? job.state : `${job.state}: ${job.reason}`,
    scored: `${job.scored} of ${job.list.count}`, 'not scored': job.unscored,
    parts: `${parts.released} released, ${parts.pending} to come${parts.empty + parts.failed + parts.stopped === 0 ? '' : `, ${parts.empty} empty, ${parts.failed} failed, ${parts.stopped} stopped`}`,
    'results until': job.results_until ?? undefined,
  });
}
