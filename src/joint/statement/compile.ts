import { VeilgateError } from '../../errors.ts';
import { jointParameters as set } from '../../he/joint-parameters.ts';
import type { DatasetId, FieldRef } from '../../vocabulary.ts';
import type { Rational } from '../noise/discrete-gaussian.ts';
import { nanoRhoPerRho, varianceFor, type NanoRho } from '../noise/accountant.ts';
import { binsOf, boundOf } from '../project/encoding.ts';
import type { JointProject, PlatformColumn } from '../project/document.ts';
import { partsMax, type ScoreTerms, type Statement, type StatementBudget } from './statement.ts';

/** One clear column over the cohort, as a product of what enterprises hold: the thing that is summed. */
export type Factor =
  /** 1 for who is in the bin, else 0. */
  | { readonly column: string; readonly bin: number }
  /** The step itself. */
  | { readonly column: string; readonly bin: null };
/** `product`: of no factor at all is 1 for everybody. `score`: sum of weights, by bin or times the step. `band`: 1 for whose score is from `from` on and below `to`. */
export type ColumnPlan =
  | { readonly kind: 'product'; readonly factors: readonly Factor[]; readonly bound: number }
  | { readonly kind: 'score'; readonly terms: ScoreTerms; readonly bound: number }
  | { readonly kind: 'band'; readonly terms: ScoreTerms; readonly from: number; readonly to: number; readonly bound: 1 };

/** Columns that get the same noise. */
export type Group = {
  /** Names the results for who opens them. */
  readonly title: 'count' | 'sum' | 'squares' | 'other_sum' | 'products' | 'bins' | 'score';
  readonly columns: readonly ColumnPlan[];
  /** Δ²: the most that one enterprise changes all the group's results, squared and summed. Exact. */
  readonly sensitivitySquared: number;
  readonly cost: NanoRho;
  readonly variance: Rational;
};

export type Plan = {
  readonly groups: readonly Group[];
  /** The partner's column, or undefined when the platform works the answer out by itself. */
  readonly partner: { readonly name: string; readonly bins: number } | undefined;
  /** Platform columns it reads. */
  readonly uses: readonly PlatformColumn[];
  /** Whose budgets it is charged to: those of the columns it reads, else all of the project's. */
  readonly datasets: readonly DatasetId[];
  /** Of all groups together. */
  readonly cost: NanoRho;
  readonly parts: number;
};

/** Noise that an answer must leave room for: t/2 − Σ|x| is 2^22, sixteen of these. */
const sigmaMax = 2 ** 18;

/**
 * What a statement comes to: clear columns, their exact sensitivity, and the noise its cost buys. Groups share the cost
 * evenly. Errors: JOINT_STATEMENT_INVALID with detail.rule, JOINT_BOUND_EXCEEDED.
 */
export function compileStatement(statement: Statement, project: JointProject, rows: number, cost: NanoRho): Plan {
  const partner = 'partner' in statement && statement.partner !== undefined ? partnerOf(project, statement.partner) : undefined;
  if (statement.kind === 'woe' && (partner?.bins ?? 0) < 2) throw invalid('label', 'Weights of evidence need a label of two bins, good and bad.');
  const bare = groupsOf(statement, (name) => columnOf(project, name));
  const share = Math.floor(cost / bare.length) as NanoRho;
  if (share < 1) throw invalid('cost', 'The statement asks for no privacy budget, and without it there is no answer: ask for more ρ.');
  const groups = bare.map((group): Group => ({ ...group, cost: share, variance: varianceOf(group.sensitivitySquared, share) }));
  for (const { columns } of groups) for (const { bound } of columns) checkBound(bound, rows);
  const parts = groups.reduce((sum, { columns }) => sum + columns.length, 0);
  if (parts > partsMax) throw invalid('parts', `One statement has at most ${partsMax} results: ask in parts.`);
  const uses = columnsUsed(statement).map((name) => columnOf(project, name));
  const datasets = [...new Set(uses.map(({ source }) => datasetOf(source)))].sort();
  return { groups, partner, uses, datasets: datasets.length === 0 ? [...project.datasets].sort() : datasets, cost: (share * groups.length) as NanoRho, parts };
}

/** The cost a statement asks for, in billionths of ρ. Errors: JOINT_STATEMENT_INVALID. */
export function costAsked(budget: StatementBudget, total: NanoRho): NanoRho {
  const cost = 'rho' in budget ? Math.floor(budget.rho * nanoRhoPerRho) : Math.floor(budget.share * total);
  if (!Number.isSafeInteger(cost) || cost < 1) throw invalid('cost', 'The statement asks for no privacy budget, and without it there is no answer: ask for more ρ.');
  return cost as NanoRho;
}

/** Platform columns a statement names, each once, in order. */
export function columnsUsed(statement: Statement): string[] {
  switch (statement.kind) {
    case 'count': return [];
    case 'covariance':
    case 'table':
    case 'woe': return [...new Set(statement.columns)];
    case 'pairs': return [...new Set(statement.pairs.flat())];
    case 'weighted_sum':
    case 'bands': return statement.terms.map(({ column }) => column);
    default: return [statement.column];
  }
}

type Bare = Pick<Group, 'title' | 'columns' | 'sensitivitySquared'>;
const ones: ColumnPlan = { kind: 'product', factors: [], bound: 1 };

function groupsOf(statement: Statement, columnOf: (name: string) => PlatformColumn): Bare[] {
  const single = (title: Group['title'], plan: ColumnPlan): Bare => ({ title, columns: [plan], sensitivitySquared: plan.bound * plan.bound });
  const count = single('count', ones);
  switch (statement.kind) {
    case 'count': return [count];
    case 'sum': return [single('sum', steps(columnOf(statement.column)))];
    case 'mean': return [count, single('sum', steps(columnOf(statement.column)))];
    case 'variance': {
      const column = columnOf(statement.column);
      return [count, single('sum', steps(column)), single('squares', steps(column, column))];
    }
    case 'covariance': {
      const [x, y] = statement.columns.map(columnOf) as [PlatformColumn, PlatformColumn];
      return [count, single('sum', steps(x)), single('other_sum', steps(y)), single('products', steps(x, y))];
    }
    case 'histogram': return [tables([[columnOf(statement.column)]])];
    case 'table':
    case 'woe':
      requireDifferent(statement.columns);
      return [tables(statement.columns.map((name) => [columnOf(name)]))];
    case 'pairs':
      requireDifferent(statement.pairs.map((pair) => pair.toSorted().join(' ')));
      if (statement.pairs.some(([a, b]) => a === b)) throw invalid('pairs', 'A pair has two different columns.');
      return [tables(statement.pairs.map((pair) => pair.map(columnOf)))];
    case 'weighted_sum':
      requireDifferent(statement.terms.map(({ column }) => column));
      return [single('score', score(statement.terms, columnOf))];
    case 'bands':
      requireDifferent(statement.terms.map(({ column }) => column));
      score(statement.terms, columnOf); // one weight for each bin, as for its sum
      return [bands(statement)];
    default:
      statement satisfies never;
      return [];
  }
}

/** Every enterprise is in one bin of each table: adding it changes one cell of each by one. */
function tables(of: readonly (readonly PlatformColumn[])[]): Bare {
  const columns = of.flatMap((columns) => columns.reduce<Factor[][]>(
    (sofar, column) => sofar.flatMap((factors) => Array.from({ length: binsIn(column) }, (_, bin) => [...factors, { column: column.name, bin }])), [[]],
  ).map((factors): ColumnPlan => ({ kind: 'product', factors, bound: 1 })));
  return { title: 'bins', columns, sensitivitySquared: of.length };
}

/** Every enterprise is in one band. */
function bands({ terms, edges }: Extract<Statement, { readonly kind: 'bands' }>): Bare {
  if (edges.some((edge, at) => at > 0 && edge <= (edges[at - 1] as number))) throw invalid('edges', 'Bands are cut at ascending edges, each once.');
  const columns = [-Infinity, ...edges].map((from, at): ColumnPlan => ({ kind: 'band', terms, from, to: edges[at] ?? Infinity, bound: 1 }));
  return { title: 'bins', columns, sensitivitySquared: 1 };
}

function steps(...columns: readonly PlatformColumn[]): ColumnPlan {
  for (const { encoding } of columns) if (encoding.kind !== 'steps') throw invalid('steps', 'Sums, means and variances are of columns declared in steps: ask for a histogram of the others.');
  return { kind: 'product', factors: columns.map(({ name }) => ({ column: name, bin: null })), bound: columns.reduce((bound, { encoding }) => bound * boundOf(encoding), 1) };
}

function score(terms: ScoreTerms, columnOf: (name: string) => PlatformColumn): ColumnPlan {
  const bound = terms.reduce((sum, { column, weights }) => {
    const { encoding } = columnOf(column);
    const bins = binsOf(encoding);
    if (weights.length !== (bins ?? 1)) throw invalid('weights', 'A column in bins takes one weight for each bin, the last one for who has no value; a column in steps takes one.');
    return sum + Math.max(...weights.map(Math.abs)) * (bins === undefined ? boundOf(encoding) : 1);
  }, 0);
  if (bound === 0) throw invalid('weights', 'All weights are 0.');
  return { kind: 'score', terms, bound };
}

function varianceOf(sensitivitySquared: number, cost: NanoRho): Rational {
  const variance = varianceFor({ numerator: BigInt(sensitivitySquared), denominator: 1n }, cost);
  if (variance.numerator < variance.denominator) throw invalid('noise', 'So much ρ leaves noise below one enterprise: ask for less.');
  if (variance.numerator > BigInt(sigmaMax) ** 2n * variance.denominator) throw invalid('noise', 'So little ρ leaves nothing but noise: ask for more.');
  return variance;
}

function checkBound(bound: number, rows: number): void {
  if (rows * bound > set.weightSumMax) throw new VeilgateError('JOINT_BOUND_EXCEEDED', 'The column reaches further than this many rows allow: declare fewer steps, or smaller weights.', { bound_max: Math.floor(set.weightSumMax / rows) });
}

function binsIn({ encoding }: PlatformColumn): number {
  const bins = binsOf(encoding);
  if (bins === undefined) throw invalid('bins', 'Tables and histograms are of columns declared in bins: ask for sums of the others.');
  return bins;
}

function columnOf({ columns }: JointProject, name: string): PlatformColumn {
  const column = columns.find((each) => each.name === name);
  if (column === undefined) throw invalid('columns', 'The project was not approved for this column: ask for those it names.');
  return column;
}

function partnerOf({ partnerColumns }: JointProject, name: string) {
  const column = partnerColumns.find((each) => each.name === name);
  if (column === undefined) throw invalid('partner', 'The project was not approved for this partner column: ask for those it names.');
  return column;
}

function requireDifferent(names: readonly string[]): void {
  if (new Set(names).size !== names.length) throw invalid('columns', 'A column is named twice: name each once.');
}

function datasetOf(source: FieldRef): DatasetId {
  return source.slice(0, source.indexOf('.')) as DatasetId;
}

function invalid(rule: string, message: string): VeilgateError {
  return new VeilgateError('JOINT_STATEMENT_INVALID', message, { rule });
}
