import type { ClearColumn } from '../circuit/table.ts';
import type { ColumnPlan, Factor } from './compile.ts';
import type { ScoreTerms } from './statement.ts';

/** Bins or steps of the platform columns over the cohort, by name, in the order of positions. */
export type EncodedColumns = ReadonlyMap<string, Int16Array>;

/** A planned column's values: what the circuit sums. */
export function clearColumn(plan: ColumnPlan, encoded: EncodedColumns, rows: number): ClearColumn {
  switch (plan.kind) {
    case 'product': return { values: products(plan.factors, encoded, rows), bound: plan.bound };
    case 'score': return { values: Int32Array.from(scores(plan.terms, encoded, rows)), bound: plan.bound };
    case 'band': return { values: Int32Array.from(scores(plan.terms, encoded, rows), (score) => (score >= plan.from && score < plan.to ? 1 : 0)), bound: plan.bound };
    default: return plan satisfies never;
  }
}

function products(factors: readonly Factor[], encoded: EncodedColumns, rows: number): Int32Array {
  const values = new Int32Array(rows).fill(1);
  for (const { column, bin } of factors) {
    const from = valuesOf(encoded, column);
    for (let row = 0; row < rows; row += 1) {
      const value = from[row] as number;
      values[row] = (values[row] as number) * (bin === null ? value : value === bin ? 1 : 0);
    }
  }
  return values;
}

/** Scores are whole and far below 2^53. */
function scores(terms: ScoreTerms, encoded: EncodedColumns, rows: number): Float64Array {
  const values = new Float64Array(rows);
  for (const { column, weights } of terms) {
    const from = valuesOf(encoded, column);
    const single = weights.length === 1 ? weights[0] : undefined;
    for (let row = 0; row < rows; row += 1) {
      const value = from[row] as number;
      values[row] = (values[row] as number) + (single === undefined ? (weights[value] as number) : single * value);
    }
  }
  return values;
}

function valuesOf(encoded: EncodedColumns, column: string): Int16Array {
  const values = encoded.get(column);
  if (values === undefined) throw new RangeError(`column ${column} was not read`);
  return values;
}
