import { clippedPositive, solvePositive, square, type Square } from './linear-algebra.ts';
import { cell, type Table } from './tables.ts';

/** What a one-shot regression needs of n enterprises with columns z = (1, woe of feature 1, woe of feature 2, …). */
export type Moments = {
  /** Σ z zᵀ */
  readonly second: Square;
  /** Σ z (y − ½), y = 1 for bad */
  readonly withLabel: Float64Array;
  readonly n: number;
};

export type OneShotFit = { readonly intercept: number; /** One per feature; of the log odds of being bad. */ readonly coefficients: Float64Array };

/**
 * Moments of the WOE-coded design from tables alone: for features f and g, Σ woe_f woe_g = Σ over cells of the f × g
 * table. A cell that privacy noise made negative counts as it is: sums of such cells are right on average.
 * @param weights each feature's weight of evidence by bin
 * @param pair the f × g table, f < g (rows: bins of f)
 * @param label the f × label table (columns: good, bad)
 */
export function momentsOf(weights: readonly ArrayLike<number>[], label: (f: number) => Table, pair: (f: number, g: number) => Table): Moments {
  const size = weights.length + 1;
  const second = square(size);
  const withLabel = new Float64Array(size);
  let goodAll = 0;
  let badAll = 0;
  weights.forEach((woe, f) => {
    const table = label(f);
    let first = 0;
    let squares = 0;
    let labelled = 0;
    for (let bin = 0; bin < table.rows; bin += 1) {
      const good = cell(table, bin, 0);
      const bad = cell(table, bin, 1);
      const weight = woe[bin] as number;
      first += weight * (good + bad);
      squares += weight * weight * (good + bad);
      labelled += (weight * (bad - good)) / 2;
      goodAll += good / weights.length; // every label table counts everybody: their mean is the least noisy total
      badAll += bad / weights.length;
    }
    set(second, 0, f + 1, first);
    set(second, f + 1, f + 1, squares);
    withLabel[f + 1] = labelled;
    for (let g = f + 1; g < weights.length; g += 1) set(second, f + 1, g + 1, crossMoment(pair(f, g), woe, weights[g] as ArrayLike<number>));
  });
  set(second, 0, 0, goodAll + badAll);
  withLabel[0] = (badAll - goodAll) / 2;
  return { second, withLabel, n: goodAll + badAll };
}

function crossMoment(table: Table, rowWeights: ArrayLike<number>, columnWeights: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < table.rows; row += 1) {
    for (let column = 0; column < table.columns; column += 1) sum += (rowWeights[row] as number) * (columnWeights[column] as number) * cell(table, row, column);
  }
  return sum;
}

function set(matrix: Square, row: number, column: number, value: number): void {
  matrix.values[row * matrix.size + column] = value;
  matrix.values[column * matrix.size + row] = value;
}

/**
 * Logistic regression with the loss's Taylor expansion at 0 (log 2 − x/2 + x²/8; Aono et al. 2016): one linear system
 * ¼ (Σ z zᵀ + λ) β = Σ z (y − ½), the intercept without penalty. No second round, so nothing leaks round by round.
 * @param ridge λ, in units of enterprises
 * @param least eigenvalues below it are raised to it; set it when the moments hold noise. In units of enterprises
 */
export function oneShot(moments: Moments, ridge: number, least = 0): OneShotFit {
  const { second, withLabel } = moments;
  const size = second.size - 1;
  const n = second.values[0] as number;
  // the intercept is solved for first: what is left is centred, and the ridge does not touch it
  const centred = square(size);
  const right = new Float64Array(size);
  const mean = (f: number) => (second.values[f + 1] as number) / n;
  for (let f = 0; f < size; f += 1) {
    for (let g = 0; g < size; g += 1) centred.values[f * size + g] = (second.values[(f + 1) * second.size + g + 1] as number) - n * mean(f) * mean(g);
    right[f] = 4 * ((withLabel[f + 1] as number) - mean(f) * (withLabel[0] as number));
  }
  const usable = least > 0 ? clippedPositive(centred, least) : centred;
  for (let f = 0; f < size; f += 1) usable.values[f * size + f] = (usable.values[f * size + f] as number) + ridge;
  const coefficients = solvePositive(usable, right);
  const intercept = (4 * (withLabel[0] as number)) / n - coefficients.reduce((sum, coefficient, f) => sum + coefficient * mean(f), 0);
  return { intercept, coefficients };
}

/**
 * How large the privacy noise in the second moments is: the greatest root of a row's summed noise variances, which
 * bounds the spectral norm of such a matrix up to a small factor (Bandeira and van Handel 2016). A ridge of about
 * twice this keeps noise from posing as signal; measured on the credit set (docs/performance.md).
 * @param weights each feature's weight of evidence by bin
 * @param variance σ² of the noise in each cell of the f × g table; 0 where both sides are the partner's own
 * @returns in units of enterprises
 */
export function noiseNorm(weights: readonly ArrayLike<number>[], variance: (f: number, g: number) => number): number {
  const squares = weights.map((woe) => Array.from(woe).reduce((sum, weight) => sum + weight * weight, 0));
  const rows = squares.map((own, f) => squares.reduce((sum, other, g) => (g === f ? sum : sum + own * other * variance(Math.min(f, g), Math.max(f, g))), 0));
  return Math.sqrt(Math.max(0, ...rows));
}
