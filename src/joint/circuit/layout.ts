/**
 * Where things stand in polynomials when an encrypted one-hot column meets a column of the platform. Pure index
 * arithmetic in Z[X]/(X^N + 1); what is encrypted and what is clear does not matter here.
 *
 * The partner's column has B bins. Row i of a chunk owns W = 2B coefficients, of which it uses the first B: its pad,
 * a one-hot vector at a random bin r, encrypted. Publicly it says the shift s = (bin − r) mod B. The platform puts
 * x_i · X^(s) mirrored at the row's place. In the product, coefficient c of the window collects x_i from every row
 * with r + s = c: bin c for c < B and bin c − B for c ≥ B, so bin b is window[b] + window[b + B]. Rows do not reach
 * into each other's windows because r + s ≤ 2B − 2 < W.
 */

/** How rows of one partner column are laid into polynomials. */
export type Layout = {
  /** N: coefficients of a polynomial, a power of two. */
  readonly degree: number;
  /** B: bins of the partner's column, 2 or more. */
  readonly bins: number;
  /** W = 2B: coefficients a row owns. */
  readonly width: number;
  readonly rowsPerChunk: number;
};

export function layoutOf(degree: number, bins: number): Layout {
  if (!Number.isInteger(bins) || bins < 2) throw new RangeError('a one-hot column has at least two bins');
  const width = 2 * bins;
  const rowsPerChunk = Math.floor(degree / width);
  if (rowsPerChunk < 1) throw new RangeError('a row does not fit into a polynomial');
  return { degree, bins, width, rowsPerChunk };
}

/** Polynomials that `rows` rows take. */
export function chunksFor(layout: Layout, rows: number): number {
  return Math.ceil(rows / layout.rowsPerChunk);
}

/** First and one-past-last row of a chunk. */
export function chunkRows(layout: Layout, chunk: number, rows: number): { readonly from: number; readonly to: number } {
  const from = chunk * layout.rowsPerChunk;
  return { from, to: Math.min(rows, from + layout.rowsPerChunk) };
}

/** Coefficient of the partner's polynomial that says "the pad of row `local` is bin r". */
export function padIndex(layout: Layout, local: number, r: number): number {
  return local * layout.width + r;
}

/** First coefficient of the product's window; the window is `width` long and ends below N. */
export function windowStart(layout: Layout): number {
  return (layout.rowsPerChunk - 1) * layout.width;
}

/** Coefficient of the platform's polynomial that holds x of row `local`, whose shift is s: mirrored, so that products of one row meet in the window. */
export function clearIndex(layout: Layout, local: number, shift: number): number {
  return (layout.rowsPerChunk - 1 - local) * layout.width + shift;
}

/** The shift the partner says in clear: a one-time pad over the bins. */
export function shiftOf(layout: Layout, bin: number, pad: number): number {
  return (bin - pad + layout.bins) % layout.bins;
}

/** The platform's polynomial of one chunk: Σ x_i X^clearIndex. @param values bounded integers of the chunk's rows */
export function clearPolynomial(layout: Layout, values: ArrayLike<number>, shifts: ArrayLike<number>): Int32Array {
  const coefficients = new Int32Array(layout.degree);
  for (let local = 0; local < values.length; local += 1) coefficients[clearIndex(layout, local, shifts[local] as number)] = values[local] as number;
  return coefficients;
}

/** The partner's polynomial of one chunk: Σ X^padIndex. */
export function padPolynomial(layout: Layout, pads: ArrayLike<number>): Int32Array {
  const coefficients = new Int32Array(layout.degree);
  for (let local = 0; local < pads.length; local += 1) coefficients[padIndex(layout, local, pads[local] as number)] = 1;
  return coefficients;
}

/** Sums by bin from the product's window, before any reduction mod t. @param window `width` coefficients from windowStart on */
export function sumsOf(layout: Layout, window: ArrayLike<number>): number[] {
  return Array.from({ length: layout.bins }, (_, bin) => (window[bin] as number) + (window[bin + layout.bins] as number));
}
