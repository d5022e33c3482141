import { VeilgateError } from '../errors.ts';
import { epsilonOf, nanoRhoPerRho, type NanoRho } from '../joint/noise/accountant.ts';
import type { JointProjectJson } from '../joint/project/document.ts';
import { bandsOf, validateBands, type BandedCell } from '../joint/scorecard/banded.ts';
import { binOf, equalFrequencyEdges } from '../joint/scorecard/binning.ts';
import { chosenOf, pointsOf, type ScorecardFeatureJson, type ScorecardJson } from '../joint/scorecard/document.ts';
import { cell } from '../joint/scorecard/tables.ts';
import { openAnswer, tablesOf } from './joint-answers.ts';
import { askAndFetch, bundleSpec, fixColumn, type JointRunClient, type JointRunView, type JointSeeds, type Statement } from './joint-run.ts';
import { binsOf } from './joint-scorecard.ts';

/** Groups of a partner's customers, in the order of the bins of a validation column. */
export const validationGroups = ['trained', 'good', 'bad'] as const;
export type ValidationGroup = (typeof validationGroups)[number];

export type ValidatedCustomer = {
  readonly position: number;
  readonly group: ValidationGroup;
  /** Bins in the scorecard's own features, chosen or not, in their order. */
  readonly own: ArrayLike<number>;
};

export type ValidationInput = {
  readonly document: JointProjectJson;
  readonly run: JointRunView;
  readonly seeds: JointSeeds;
  readonly scorecard: ScorecardJson;
  /** A partner column of 3m + 1 bins that the project declares for this: m bands of own points × three groups, and everybody else. */
  readonly column: string;
  readonly customers: readonly ValidatedCustomer[];
  /** Of the project's whole budget. */
  readonly share: number;
  /** Bands of the platform's points. */
  readonly bands?: number;
  readonly pollMs?: number;
};

export const defaultBands = 12;

/**
 * How well a scorecard does on customers it was not trained on: AUC, KS, stability and calibration, from one noisy table of
 * bands of the platform's points × bands of one's own points × group. The platform adds up its points by itself; nobody's
 * score leaves. The column is fixed by it, for good: one scorecard for one validation column.
 * Interrupted, it can be called again with the same input. Errors: JOINT_*, JOINT_INPUT_INVALID also when noise drowns the hold-out.
 */
export async function validateScorecard(client: JointRunClient, input: ValidationInput): Promise<ScorecardJson> {
  const { document, run, seeds, scorecard } = input;
  const ownBands = ownBandsOf(input);
  const platform = chosenOf(scorecard).filter(({ side }) => side === 'platform');
  const bands = bandsOf(platform.map((feature) => ({ points: pointsOf(feature), counts: feature.bins.map(({ good, bad }) => good + bad) })), input.bands ?? defaultBands);
  if (bands.edges.length === 0) throw new VeilgateError('JOINT_INPUT_INVALID', 'The platform\'s columns give everybody the same points: there is nothing to ask it for.');
  await fixColumn(client, bundleSpec(seeds, run.rows, document), seeds, run, input.column, ownBands.byPosition);
  const statement: Statement = { kind: 'bands', terms: platform.map((feature) => ({ column: feature.name, weights: pointsOf(feature) })), edges: bands.edges, partner: input.column };
  const { release, results } = await askAndFetch(client, run.run, statement, { share: input.share }, input.pollMs);
  const opened = tablesOf(await openAnswer(document, run, seeds, release, results)).get('score');
  if (opened === undefined) throw new VeilgateError('HE_CIPHERTEXT_REFUSED', 'The table is missing in the answer: ask again.');
  const cells = bands.means.flatMap((mean, band) => ownBands.means.map((own, at): BandedCell => {
    const count = (group: number) => cell(opened.table, band, at * validationGroups.length + group);
    return { score: scorecard.base + mean + own, trained: count(0), good: count(1), bad: count(2) };
  }));
  if (validationGroups.some((group) => group !== 'trained' && !(cells.reduce((sum, each) => sum + each[group], 0) > 0))) {
    throw new VeilgateError('JOINT_INPUT_INVALID', 'The noise leaves no good or no bad ones in the hold-out: ask for fewer bands, or for more of the budget.');
  }
  const cost = Math.round((scorecard.cost_rho + release.cost_rho) * nanoRhoPerRho) as NanoRho;
  const { delta } = document.budget;
  return { ...scorecard, validation: validateBands(cells, opened.variance, scorecard.scaling, { epsilon: epsilonOf(cost, delta), delta }) };
}

/** A customer whose sealed score was opened. */
export type ScoredCustomer = Omit<ValidatedCustomer, 'position'> & { /** Base and the platform's points, as sealed scoring gives them. */ readonly score: number };

/**
 * The same from sealed scores of the exported model, without noise and without cost to the budget, where enterprises granted
 * scores: the partner adds its own points and has the labels. Errors: JOINT_INPUT_INVALID without good or without bad ones.
 */
export function validateByScores(scorecard: ScorecardJson, customers: readonly ScoredCustomer[]): ScorecardJson {
  const cells = new Map<number, BandedCell>();
  for (const { score, group, own } of customers) {
    const total = score + ownPoints(scorecard, own);
    const cell = cells.get(total) ?? { score: total, trained: 0, good: 0, bad: 0 };
    cells.set(total, { ...cell, [group]: cell[group] + 1 });
  }
  if (!customers.some(({ group }) => group === 'good') || !customers.some(({ group }) => group === 'bad')) {
    throw new VeilgateError('JOINT_INPUT_INVALID', 'The hold-out has no good or no bad ones with a score: have more of it scored.');
  }
  return { ...scorecard, validation: validateBands([...cells.values()], 0, scorecard.scaling, scorecard.privacy) };
}

/** Bands of own points, of about equal size, and the column that says who is in which. */
function ownBandsOf({ document, run, scorecard, column, customers }: ValidationInput): { readonly means: readonly number[]; readonly byPosition: Uint8Array } {
  const bins = binsOf(document, column);
  const count = (bins - 1) / validationGroups.length;
  if (!Number.isInteger(count) || count < 1) {
    throw new VeilgateError('JOINT_INPUT_INVALID', 'A validation column has three bins for each band of your own points, and one for everybody else: 4, 7, 10, …', { bins });
  }
  const points = customers.map((customer) => ownPoints(scorecard, customer.own));
  const edges = count === 1 ? [] : equalFrequencyEdges(points, count);
  const sums = Array.from({ length: edges.length + 1 }, () => ({ points: 0, customers: 0 }));
  const byPosition = new Uint8Array(run.rows).fill(bins - 1);
  customers.forEach(({ position, group }, at) => {
    const band = binOf(edges, points[at] as number);
    const sum = sums[band] as { points: number; customers: number };
    sum.points += points[at] as number;
    sum.customers += 1;
    byPosition[position] = band * validationGroups.length + validationGroups.indexOf(group);
  });
  return { means: sums.map(({ points: all, customers: of }) => (of === 0 ? 0 : all / of)), byPosition };
}

/** Points of the partner's own chosen features; with the platform's and the base they are the score. @param bins in the order of the scorecard's own features */
export function ownPoints({ features }: Pick<ScorecardJson, 'features'>, bins: ArrayLike<number>): number {
  return features.filter(({ side }) => side === 'partner').reduce((sum, feature, at) => sum + (feature.coefficient === null ? 0 : pointsAt(feature, bins[at])), 0);
}

function pointsAt(feature: ScorecardFeatureJson, bin: number | undefined): number {
  const points = bin === undefined ? undefined : feature.bins[bin]?.points;
  if (points === undefined || points === null) {
    throw new VeilgateError('JOINT_INPUT_INVALID', 'A customer\'s bin is none of the scorecard\'s: cut its columns as they were cut for training.', { column: feature.name });
  }
  return points;
}
