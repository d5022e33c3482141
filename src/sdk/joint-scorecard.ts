import { VeilgateError } from '../errors.ts';
import { epsilonOf, nanoRhoPerRho, type NanoRho } from '../joint/noise/accountant.ts';
import type { JointProjectJson } from '../joint/project/document.ts';
import { reportOf, scorecardToJson, type FeatureFacts, type ScorecardJson } from '../joint/scorecard/document.ts';
import { fitScorecard, type FitOptions, type FittedScorecard } from '../joint/scorecard/fit.ts';
import { scorecardOf, type Scaling, type Scorecard } from '../joint/scorecard/points.ts';
import { reportHtml } from '../joint/scorecard/report.ts';
import { countPairs, transposed, type Table } from '../joint/scorecard/tables.ts';
import { openAnswer, tablesOf, type OpenedTable } from './joint-answers.ts';
import { askAndFetch, type JointReleaseView, type JointRunClient, type JointRunView, type JointSeeds, type Statement } from './joint-run.ts';

/** What a partner puts in: its columns by position, the last bin of each for members that are not its customers. */
export type ScorecardInput = {
  readonly document: JointProjectJson;
  readonly run: JointRunView;
  readonly seeds: JointSeeds;
  /** Bins by position, as they were fixed. Bin 0 of the label: good, bin 1: bad. */
  readonly label: { readonly name: string; readonly bins: ArrayLike<number> };
  readonly own: readonly { readonly name: string; readonly bins: ArrayLike<number> }[];
  /** Platform columns in bins; all of the project's when absent. */
  readonly columns?: readonly string[];
  /** Of the project's whole budget, for all questions together. */
  readonly share: number;
  readonly scaling?: Scaling;
  readonly fit?: FitOptions;
  readonly pollMs?: number;
  readonly onAnswer?: (answered: number, all: number) => void;
};

export type JointScorecard = {
  readonly fitted: FittedScorecard;
  readonly card: Scorecard;
  /** The partner's own features first. */
  readonly names: readonly string[];
  readonly releases: readonly JointReleaseView[];
  /** Of these releases together, at the project's δ. */
  readonly epsilon: number;
  /** What is kept of it (docs/formats/joint-scorecard.md). */
  readonly document: ScorecardJson;
  readonly report: (facts?: readonly ReportFact[]) => string;
};

export { isScorecard, scorecardFormat, type ScorecardJson } from '../joint/scorecard/document.ts';
export { scorecardPmml } from '../joint/scorecard/pmml.ts';
export type ReportFact = { readonly name: string; readonly value: string };

export const defaultScaling: Scaling = { baseScore: 600, baseOdds: 20, pointsToDouble: 50 };

/**
 * A scorecard over the partner's and the platform's columns, from noisy tables alone: every column against the label,
 * every platform column against every own one, every two of the platform's. All cells get the same noise. Interrupted, it can
 * be called again with the same input: what was answered is not charged again.
 * Errors: JOINT_* and those of the gateway.
 */
export async function buildScorecard(client: JointRunClient, input: ScorecardInput): Promise<JointScorecard> {
  const { document, label, own, scaling = defaultScaling } = input;
  const platform = input.columns ?? document.columns.filter(({ encoding }) => encoding.kind === 'bins').map(({ name }) => name);
  const pairs = platform.flatMap((a, at) => platform.slice(at + 1).map((b): [string, string] => [a, b]));
  const asked: { readonly statement: Statement; readonly tables: number }[] = [
    { statement: { kind: 'woe', columns: platform, partner: label.name }, tables: platform.length },
    ...own.map(({ name }) => ({ statement: { kind: 'table', columns: platform, partner: name } as const, tables: platform.length })),
    ...(pairs.length === 0 ? [] : [{ statement: { kind: 'pairs', pairs, partner: label.name } as const, tables: pairs.length }]),
  ];
  const tables = asked.reduce((sum, each) => sum + each.tables, 0);
  const budgetOf = (part: number) => ({ share: (input.share * part) / tables });
  // all are asked before the first is waited for: the platform works while answers are opened here
  for (const { statement, tables: part } of asked) await client.ask(input.run.run, statement, budgetOf(part));
  const answers: { readonly release: JointReleaseView; readonly opened: ReadonlyMap<string, OpenedTable> }[] = [];
  for (const { statement, tables: part } of asked) {
    const { release, results } = await askAndFetch(client, input.run.run, statement, budgetOf(part), input.pollMs);
    // bins 0 and 1 are customers with a label; of an own column, all but the last
    const kept = statement.kind === 'table' ? binsOf(document, statement.partner) - 1 : 2;
    answers.push({ release, opened: tablesOf(await openAnswer(document, input.run, input.seeds, release, results), kept) });
    input.onAnswer?.(answers.length, asked.length);
  }
  const names = [...own.map(({ name }) => name), ...platform];
  const source = sourceOf(input, platform, (at, name) => {
    const table = answers[at]?.opened.get(name);
    if (table === undefined) throw new VeilgateError('HE_CIPHERTEXT_REFUSED', 'A table is missing among the answers: ask again.');
    return table;
  });
  const fitted = fitScorecard({ names, ...source }, input.fit);
  const card = scorecardOf(fitted.chosen.map((f) => names[f] as string), fitted.weights, fitted.fit, scaling);
  const releases = answers.map(({ release }) => release);
  const cost = releases.reduce((sum, { cost_rho }) => sum + Math.round(cost_rho * nanoRhoPerRho), 0) as NanoRho;
  const { delta } = document.budget;
  const epsilon = epsilonOf(cost, delta);
  const { run, project, cohort } = input.run;
  const facts = {
    title: document.title, partner: document.partner, project, cohort, run, label: label.name,
    questions: releases.map(({ question }) => question), cost_rho: cost / nanoRhoPerRho, privacy: { epsilon, delta },
  };
  const kept = scorecardToJson(facts, names.map((name) => featureFacts(document, name)), fitted, card);
  return { fitted, card, names, releases, epsilon, document: kept, report: (more = []) => scorecardReport(kept, more) };
}

/** One HTML file that stands alone. @param facts lines under the title */
export function scorecardReport(scorecard: ScorecardJson, facts: readonly ReportFact[] = []): string {
  return reportHtml(reportOf(scorecard, facts));
}

function featureFacts({ columns, ...document }: JointProjectJson, name: string): FeatureFacts {
  const column = columns.find((each) => each.name === name);
  return { name, side: column === undefined ? 'partner' : 'platform', source: column?.source ?? null, encoding: column?.encoding ?? null, labels: labelsOf({ columns, ...document }, name) };
}

/** Tables by place of feature: exact where both sides are the partner's own, noisy elsewhere. */
function sourceOf({ document, label, own }: ScorecardInput, platform: readonly string[], noisy: (answer: number, name: string) => OpenedTable) {
  const mine = Array.from({ length: label.bins.length }, (_, position) => position).filter((position) => (label.bins[position] as number) < 2);
  const column = (bins: ArrayLike<number>) => mine.map((position) => bins[position] as number);
  const labels = column(label.bins);
  const ownColumns = own.map(({ bins }) => column(bins));
  const ownBins = own.map(({ name }) => binsOf(document, name) - 1);
  const name = (f: number) => platform[f - own.length] as string;
  const between = (f: number, g: number): OpenedTable => noisy(own.length + 1, `${name(f)} ${name(g)}`);
  return {
    label: (f: number): Table => (f < own.length ? countPairs(ownColumns[f] ?? [], ownBins[f] ?? 0, labels, 2) : noisy(0, name(f)).table),
    pair(f: number, g: number): Table {
      if (g < own.length) return countPairs(ownColumns[f] ?? [], ownBins[f] ?? 0, ownColumns[g] ?? [], ownBins[g] ?? 0);
      return f < own.length ? transposed(noisy(f + 1, name(g)).table) : between(f, g).table;
    },
    variance(f: number, g: number): number {
      const [low, high] = [Math.min(f, g), Math.max(f, g)];
      if (high < own.length) return 0;
      if (low === high) return noisy(0, name(high)).variance;
      return low < own.length ? noisy(low + 1, name(high)).variance : between(low, high).variance;
    },
  };
}

export function binsOf({ partner_columns: columns }: JointProjectJson, name: string): number {
  const column = columns.find((each) => each.name === name);
  if (column === undefined) throw new VeilgateError('JOINT_INPUT_INVALID', 'The project has no such partner column: check its name.');
  return column.bins;
}

function labelsOf({ columns, partner_columns: partner }: JointProjectJson, name: string): string[] {
  const encoding = columns.find((each) => each.name === name)?.encoding;
  if (encoding === undefined) return Array.from({ length: (partner.find((each) => each.name === name)?.bins ?? 1) - 1 }, (_, bin) => `bin ${bin}`);
  if (encoding.kind === 'steps') return [];
  if ('codes' in encoding) return [...encoding.codes, 'other or none'];
  const { edges } = encoding;
  return [...edges.map((edge, at) => (at === 0 ? `below ${edge}` : `${edges[at - 1]} to below ${edge}`)), `${edges.at(-1)} and above`, 'none'];
}
