/** The clear twin of the evaluator: offset + Σ weights[j] × columns[j], slot by slot. */
export function clearWeightedSum(columns: readonly Int32Array[], weights: readonly number[], offset: number): Int32Array {
  const length = columns[0]?.length ?? 0;
  return Int32Array.from({ length }, (_, slot) => columns.reduce((sum, column, at) => sum + (column[slot] ?? 0) * (weights[at] ?? 0), offset));
}
