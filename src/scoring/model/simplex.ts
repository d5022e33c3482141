/**
 * The largest value of `objective · x` with x ≥ 0 and `rows · x ≤ limits`, all limits above zero: x = 0 is feasible and
 * no step is empty. Dense tableau, largest coefficient first. undefined when it did not end in `pivotsMax` steps
 * or has no bound.
 */
export function maximise(objective: readonly number[], rows: readonly (readonly number[])[], limits: readonly number[], pivotsMax = 5000): number | undefined {
  const width = objective.length;
  const tableau = rows.map((row, at) => Float64Array.of(...row, limits[at] as number));
  const cost = Float64Array.of(...objective.map((value) => -value), 0);
  for (let turn = 0; turn < pivotsMax; turn += 1) {
    let column = -1;
    let steepest = -1e-11;
    for (let at = 0; at < width; at += 1) if ((cost[at] as number) < steepest) [column, steepest] = [at, cost[at] as number];
    if (column < 0) return cost[width];
    let leaving = -1;
    let tightest = Infinity;
    for (let at = 0; at < tableau.length; at += 1) {
      const row = tableau[at] as Float64Array;
      const slope = row[column] as number;
      if (slope > 1e-11 && (row[width] as number) / slope < tightest) [leaving, tightest] = [at, (row[width] as number) / slope];
    }
    if (leaving < 0) return undefined;
    pivot(tableau, cost, leaving, column);
  }
  return undefined;
}

/** Exchanges the variable of a row against that of a column; the column then stands for the row's slack. */
function pivot(tableau: readonly Float64Array[], cost: Float64Array, leaving: number, column: number): void {
  const row = tableau[leaving] as Float64Array;
  const corner = row[column] as number;
  for (let at = 0; at < row.length; at += 1) row[at] = (row[at] as number) / corner;
  row[column] = 1 / corner;
  for (const other of [...tableau, cost]) {
    if (other === row) continue;
    const factor = other[column] as number;
    if (factor === 0) continue;
    for (let at = 0; at < other.length; at += 1) other[at] = (other[at] as number) - factor * (row[at] as number);
    other[column] = -factor / corner;
  }
}
