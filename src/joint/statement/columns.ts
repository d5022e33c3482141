import type { ClearColumn } from '../circuit/table.ts';
import type { ColumnPlan } from './compile.ts';

/** Bins or steps of the platform columns over the cohort, by name, in the order of positions. */
export type EncodedColumns = ReadonlyMap<string, Int16Array>;

/** A planned column's values: what the circuit sums. */
export function clearColumn(plan: ColumnPlan, encoded: EncodedColumns, rows: number): ClearColumn {
  const values = new Int32Array(rows);
  if (plan.kind === 'product') {
    values.fill(1);
    for (const { column, bin } of plan.factors) {
      const from = valuesOf(encoded, column);
      for (let row = 0; row < rows; row += 1) {
        const value = from[row] as number;
        values[row] = (values[row] as number) * (bin === null ? value : value === bin ? 1 : 0);
      }
    }
  } else {
    for (const { column, weights } of plan.terms) {
      const from = valuesOf(encoded, column);
      const single = weights.length === 1 ? weights[0] : undefined;
      for (let row = 0; row < rows; row += 1) {
        const value = from[row] as number;
        values[row] = (values[row] as number) + (single === undefined ? (weights[value] as number) : single * value);
      }
    }
  }
  return { values, bound: plan.bound };
}

function valuesOf(encoded: EncodedColumns, column: string): Int16Array {
  const values = encoded.get(column);
  if (values === undefined) throw new RangeError(`column ${column} was not read`);
  return values;
}
