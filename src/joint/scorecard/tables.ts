/**
 * Counts of enterprises by the bins of two features, or of one feature and the label: all a scorecard is made from.
 * A table that came with privacy noise holds whole numbers that may be negative.
 */
export type Table = {
  /** counts[a × columns + b] */
  readonly counts: Float64Array;
  readonly rows: number;
  readonly columns: number;
};

/** Counts pairs; both lists are aligned and hold bin numbers. */
export function countPairs(a: ArrayLike<number>, rows: number, b: ArrayLike<number>, columns: number): Table {
  if (a.length !== b.length) throw new RangeError('the two columns are not aligned');
  const counts = new Float64Array(rows * columns);
  for (let at = 0; at < a.length; at += 1) {
    const cell = (a[at] as number) * columns + (b[at] as number);
    counts[cell] = (counts[cell] as number) + 1;
  }
  return { counts, rows, columns };
}

export function cell(table: Table, row: number, column: number): number {
  return table.counts[row * table.columns + column] as number;
}

export function rowSums({ counts, rows, columns }: Table): Float64Array {
  const sums = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) sums[row] = (sums[row] as number) + (counts[row * columns + column] as number);
  }
  return sums;
}

export function columnSums(table: Table): Float64Array {
  return rowSums(transposed(table));
}

export function total({ counts }: Table): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

export function transposed({ counts, rows, columns }: Table): Table {
  const turned = new Float64Array(counts.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) turned[column * rows + row] = counts[row * columns + column] as number;
  }
  return { counts: turned, rows: columns, columns: rows };
}
