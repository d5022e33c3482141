import type { Command } from 'commander';
import { VeilgateError } from '../errors.ts';
import { bundleSpec, fixColumn } from '../sdk/joint-run.ts';
import { buildScorecard, defaultScaling, isScorecard, scorecardPmml, scorecardReport, type ScorecardJson } from '../sdk/joint-scorecard.ts';
import { defaultBands, validateByScores, validateScorecard, type ScoredCustomer, type ValidatedCustomer, type ValidationGroup } from '../sdk/joint-validation.ts';
import { list, show, verb, wholeNumber } from './command.ts';
import { byPosition, readCustomers, readScores, type Customers } from './joint-customers.ts';
import { openRun } from './joint-run.ts';
import { amount } from './joint-statement.ts';
import { progressOn } from './progress.ts';
import { readJson, replaceSecret, reserveFile } from './secret-file.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type BuildFlags = Json & {
  readonly positions: string; readonly label: string; readonly own?: readonly string[]; readonly column?: readonly string[]; readonly share: number; readonly out: string;
  readonly ivLeast: number; readonly binLeast: number; readonly baseScore: number; readonly baseOdds: number; readonly pointsToDouble: number;
};
type ValidateFlags = Json & { readonly holdout: string; readonly positions: string; readonly column: string; readonly share: number; readonly bands: number };

const scorecardLengthMax = 8_388_608;
/** Files beside one another: what is kept, and what is read. */
const reportOf = (scorecard: string) => `${scorecard.replace(/\.json$/, '')}.html`;

/** Verbs of `veilgate joint scorecard`. */
export function scorecardVerbs(scorecard: Command, cli: Cli): void {
  verb(scorecard, 'build <run.json> <customers.csv>', {
    summary: 'Make a scorecard over your columns and the platform\'s, from noisy tables alone',
    detail: 'Your columns are fixed first, where they are not. Bin 0 of the label is good, bin 1 bad. ' +
      'All questions together cost --share of the project\'s privacy budget; interrupted, the same command goes on, and what was answered costs nothing again. Writes the scorecard (JSON) and a report beside it (HTML).',
    examples: ['joint scorecard build run.json customers.csv --positions positions.csv --label default --share 0.8 --out card.json'],
  })
    .requiredOption('--positions <file>', 'where your customers stand: what `joint cohort align --out` wrote')
    .requiredOption('--label <name>', 'your column that says who is good and who is bad')
    .requiredOption('--share <number>', 'of the project\'s privacy budget', amount(1))
    .requiredOption('--out <file.json>', 'a new file for the scorecard; the report goes beside it')
    .option('--own <names>', 'your columns that are features; without it all others of the file', list)
    .option('--column <names>', 'only these columns of the platform; several with commas', list)
    .option('--iv-least <number>', 'leave out features whose information value is certainly below', amount(10), 0)
    .option('--bin-least <n>', 'bins that may hold fewer enterprises weigh nothing', wholeNumber(0, 1_000_000), 0)
    .option('--base-score <n>', 'points at the base odds', wholeNumber(0, 100_000), defaultScaling.baseScore)
    .option('--base-odds <n>', 'good ones to one bad one', wholeNumber(1, 100_000), defaultScaling.baseOdds)
    .option('--points-to-double <n>', 'points more for twice the odds', wholeNumber(1, 10_000), defaultScaling.pointsToDouble)
    .action(async (file: string, customersFile: string, options: BuildFlags, command: Command) => build(cli, file, customersFile, options, command));

  verb(scorecard, 'validate <run.json> <card.json>', {
    summary: 'Say how well a scorecard does on customers it was not trained on',
    detail: 'The hold-out has the same columns as the customers it was built from. ' +
      '--column is a partner column that the project declares for this, with three bins for each band of your own points, and one: 4, 7, 10, … It is fixed for good. Writes the figures into the scorecard and its report.',
    examples: ['joint scorecard validate run.json card.json --customers customers.csv --holdout holdout.csv --positions positions.csv --column holdout --share 0.1'],
  })
    .requiredOption('--customers <file>', 'what the scorecard was built from')
    .requiredOption('--holdout <file>', 'customers it was not trained on, with the same columns')
    .requiredOption('--positions <file>', 'where all of them stand')
    .requiredOption('--column <name>', 'the project\'s column for it')
    .requiredOption('--share <number>', 'of the project\'s privacy budget', amount(1))
    .option('--bands <n>', 'bands of the platform\'s points: fewer are coarser and less noisy', wholeNumber(2, 64), defaultBands)
    .action(async (file: string, cardFile: string, options: ValidateFlags & { readonly customers: string }, command: Command) => validate(cli, file, cardFile, options, command));

  verb(scorecard, 'judge <card.json>', {
    summary: 'Say the same exactly, from sealed scores of the exported model',
    detail: 'For enterprises that granted scores: no budget is spent and no noise is in it. --scores is what `veilgate score many` wrote; who has no score there is left out. ' +
      'Writes the figures into the scorecard and its report.',
    examples: ['joint scorecard judge card.json --scores scores.csv --holdout holdout.csv', 'joint scorecard judge card.json --scores scores.csv --holdout holdout.csv --customers customers.csv'],
  })
    .requiredOption('--scores <file>', 'scores of the model that the scorecard became')
    .requiredOption('--holdout <file>', 'customers it was not trained on, with the same columns as those it was')
    .option('--customers <file>', 'what it was built from, for the stability index')
    .action(async (cardFile: string, options: Json & { readonly scores: string; readonly holdout: string; readonly customers?: string }) => {
      const scorecard = readScorecard(cardFile);
      const scores = await readScores(options.scores);
      const declared = [{ name: scorecard.label, bins: 3 }, ...ownOf(scorecard).map(({ name, bins }) => ({ name, bins: bins.length + 1 }))];
      const [holdout, trained] = await Promise.all([options.holdout, options.customers].map((each) => (each === undefined ? undefined : readCustomers(each, null, declared))));
      const judged = validateByScores(scorecard, [
        ...(trained === undefined ? [] : scoredOf(scorecard, trained, 'trained', scores)), ...(holdout === undefined ? [] : scoredOf(scorecard, holdout, 'holdout', scores)),
      ]);
      keep(cardFile, judged);
      show(cli, options, judged, () => scorecardText(judged, cardFile));
    });

  verb(scorecard, 'export <card.json>', {
    summary: 'Write a scorecard as PMML',
    detail: 'By default base and the platform\'s features: what `veilgate model import` turns into a model for sealed scoring. ' +
      'Its score lacks the points of your own features, which you add yourself. With --whole your features are in it too, by the numbers of their bins.',
    examples: ['joint scorecard export card.json --out card.pmml', 'joint scorecard export card.json --whole --out whole.pmml'],
  })
    .option('--whole', 'your own features too')
    .requiredOption('--out <file>', 'a new file')
    .action((cardFile: string, options: Json & { readonly whole?: true; readonly out: string }) => {
      const part = options.whole ? 'whole' : 'platform';
      const exported = scorecardPmml(readScorecard(cardFile), part);
      reserveFile(options.out).write(exported);
      show(cli, options, { file: options.out, part }, () => pairs({ written: options.out, part }));
    });
}

async function build(cli: Cli, file: string, customersFile: string, options: BuildFlags, command: Command): Promise<void> {
  const { joint, runs, kept, view } = await openRun(cli, file, command);
  const { project: document } = await joint.project(kept.project);
  const customers = await readCustomers(customersFile, options.positions, document.partner_columns);
  const out = reserveFile(options.out);
  const bar = progressOn(cli.terminal.stderr, (done, all) => `${done} of ${all} questions answered`);
  try {
    const own = options.own ?? customers.columns.map(({ name }) => name).filter((name) => name !== options.label);
    const columns = new Map([options.label, ...own].map((name) => [name, byPosition(customers, name, view.rows)]));
    const spec = bundleSpec(kept, view.rows, document);
    for (const [name, bins] of columns) await fixColumn(runs, spec, kept, view, name, bins);
    const input = (name: string) => ({ name, bins: columns.get(name) ?? [] });
    const { baseScore, baseOdds, pointsToDouble } = options;
    const built = await buildScorecard(runs, {
      document, run: view, seeds: kept, label: input(options.label), own: own.map(input), share: options.share, scaling: { baseScore, baseOdds, pointsToDouble },
      fit: { ivLeast: options.ivLeast, binLeast: options.binLeast }, onAnswer: bar.show, ...(options.column === undefined ? {} : { columns: options.column }),
    });
    bar.clear();
    out.write(textOf(built.document));
    replaceSecret(reportOf(options.out), scorecardReport(built.document, factsOf(built.document)));
    show(cli, options, built.document, () => scorecardText(built.document, options.out));
  } catch (error) {
    bar.clear();
    out.discard();
    throw error;
  }
}

async function validate(cli: Cli, file: string, cardFile: string, options: ValidateFlags & { readonly customers: string }, command: Command): Promise<void> {
  const { joint, runs, kept, view } = await openRun(cli, file, command);
  const { project: document } = await joint.project(kept.project);
  const scorecard = readScorecard(cardFile);
  const [trained, holdout] = await Promise.all([options.customers, options.holdout].map((each) => readCustomers(each, options.positions, document.partner_columns)));
  const customers = [...groupsOf(scorecard, trained as Customers, 'trained'), ...groupsOf(scorecard, holdout as Customers, 'holdout')];
  if (new Set(customers.map(({ position }) => position)).size < customers.length) {
    throw new VeilgateError('CONFIG_INVALID', 'A customer is in both files: who trained a scorecard cannot judge it.', { file: options.holdout });
  }
  const validated = await validateScorecard(runs, { document, run: view, seeds: kept, scorecard, column: options.column, customers, share: options.share, bands: options.bands });
  keep(cardFile, validated);
  show(cli, options, validated, () => scorecardText(validated, cardFile));
}

/** Customers in the cohort with a label, and their bins in the scorecard's own features. */
function groupsOf(scorecard: ScorecardJson, customers: Customers, part: Part): ValidatedCustomer[] {
  return labelled(scorecard, customers, part).flatMap(({ at, ...customer }) => {
    const position = customers.positions[at];
    return position === undefined ? [] : [{ ...customer, position }];
  });
}

/** Those of them that have a sealed score. */
function scoredOf(scorecard: ScorecardJson, customers: Customers, part: Part, scores: ReadonlyMap<string, number>): ScoredCustomer[] {
  return labelled(scorecard, customers, part).flatMap(({ at, ...customer }) => {
    const score = scores.get(customers.subjects[at] ?? '');
    return score === undefined ? [] : [{ ...customer, score }];
  });
}

type Part = 'trained' | 'holdout';

function labelled(scorecard: ScorecardJson, { subjects, bins }: Customers, part: Part): readonly { readonly at: number; readonly group: ValidationGroup; readonly own: readonly number[] }[] {
  const labels = bins.get(scorecard.label);
  if (labels === undefined) throw new VeilgateError('CONFIG_INVALID', 'The customers\' file lacks the scorecard\'s label: add the column.', { column: scorecard.label });
  const own = ownOf(scorecard).map(({ name }) => bins.get(name) ?? missing(name));
  return subjects.flatMap((_, at) => {
    const label = labels[at] as number;
    if (label > 1) return [];
    return [{ at, group: part === 'trained' ? 'trained' as const : label === 1 ? 'bad' as const : 'good' as const, own: own.map((column) => column[at] as number) }];
  });
}

function ownOf({ features }: ScorecardJson) {
  return features.filter(({ side }) => side === 'partner');
}

function missing(column: string): never {
  throw new VeilgateError('CONFIG_INVALID', 'The customers\' file lacks one of the scorecard\'s features: add the column.', { column });
}

/** Errors: CONFIG_INVALID. */
export function readScorecard(file: string): ScorecardJson {
  const content: unknown = readJson(file, scorecardLengthMax);
  if (!isScorecard(content)) throw new VeilgateError('CONFIG_INVALID', 'This is no scorecard: name the file that `veilgate joint scorecard build --out` wrote.', { file });
  return content;
}

function keep(cardFile: string, scorecard: ScorecardJson): void {
  replaceSecret(cardFile, textOf(scorecard));
  replaceSecret(reportOf(cardFile), scorecardReport(scorecard, factsOf(scorecard)));
}

function textOf(scorecard: ScorecardJson): string {
  return `${JSON.stringify(scorecard, null, 2)}\n`;
}

function factsOf({ partner, project, cohort, run, questions }: ScorecardJson) {
  return Object.entries({ Partner: partner, Project: project, Cohort: cohort, Run: run, Questions: String(questions.length) }).map(([name, value]) => ({ name, value }));
}

function scorecardText(scorecard: ScorecardJson, file: string): string {
  const { privacy, validation, features } = scorecard;
  const within = (value: number, margin: number) => `${value.toFixed(4)} ± ${margin.toFixed(4)}`;
  const told = validation?.privacy ?? privacy;
  return [
    pairs({
      scorecard: file, report: reportOf(file), privacy: `epsilon ${told.epsilon.toFixed(3)} at delta ${told.delta}`, base: `${scorecard.base} points`,
      AUC: validation === null ? undefined : within(validation.auc, validation.aucMargin), KS: validation === null ? undefined : within(validation.ks, validation.ksMargin),
      stability: typeof validation?.stability === 'number' ? within(validation.stability, validation.stabilityMargin ?? 0) : undefined,
    }),
    table(['feature', 'side', 'information value', 'points by bin'], features.map(({ name, side, iv, iv_margin: margin, bins, coefficient }) => [
      name, side, within(iv, margin), coefficient === null ? 'left out' : bins.map(({ points }) => points),
    ])),
  ].join('\n');
}
