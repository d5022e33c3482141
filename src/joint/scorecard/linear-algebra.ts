/** Small symmetric matrices, row by row in one array: enough for a regression on some dozen columns. */
export type Square = { readonly size: number; readonly values: Float64Array };

export function square(size: number): Square {
  return { size, values: new Float64Array(size * size) };
}

/**
 * x with A x = b for a symmetric positive definite A, by Cholesky's factorisation (Golub and Van Loan, 4.2).
 * Errors: RangeError when A is not positive definite.
 */
export function solvePositive({ size, values }: Square, b: Float64Array): Float64Array {
  const factor = new Float64Array(size * size);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      let left = values[row * size + column] as number;
      for (let k = 0; k < column; k += 1) left -= (factor[row * size + k] as number) * (factor[column * size + k] as number);
      if (row !== column) factor[row * size + column] = left / (factor[column * size + column] as number);
      else if (left > 0) factor[row * size + row] = Math.sqrt(left);
      else throw new RangeError('the matrix is not positive definite');
    }
  }
  const solved = Float64Array.from(b);
  for (let row = 0; row < size; row += 1) {
    for (let k = 0; k < row; k += 1) solved[row] = (solved[row] as number) - (factor[row * size + k] as number) * (solved[k] as number);
    solved[row] = (solved[row] as number) / (factor[row * size + row] as number);
  }
  for (let row = size - 1; row >= 0; row -= 1) {
    for (let k = row + 1; k < size; k += 1) solved[row] = (solved[row] as number) - (factor[k * size + row] as number) * (solved[k] as number);
    solved[row] = (solved[row] as number) / (factor[row * size + row] as number);
  }
  return solved;
}

/** Eigenvalues and orthonormal eigenvectors (columns) of a symmetric matrix, by Jacobi's rotations (Golub and Van Loan, 8.5). */
export function eigen({ size, values }: Square): { readonly values: Float64Array; readonly vectors: Square } {
  const a = Float64Array.from(values);
  const vectors = square(size);
  for (let at = 0; at < size; at += 1) vectors.values[at * size + at] = 1;
  const scale = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let sweep = 0; sweep < 100; sweep += 1) {
    let off = 0;
    for (let p = 0; p < size; p += 1) for (let q = p + 1; q < size; q += 1) off = Math.max(off, Math.abs(a[p * size + q] as number));
    if (off <= scale * 1e-15) break;
    for (let p = 0; p < size; p += 1) for (let q = p + 1; q < size; q += 1) rotate(a, vectors.values, size, p, q);
  }
  return { values: Float64Array.from({ length: size }, (_, at) => a[at * size + at] as number), vectors };
}

function rotate(a: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const apq = a[p * size + q] as number;
  if (apq === 0) return;
  const theta = ((a[q * size + q] as number) - (a[p * size + p] as number)) / (2 * apq);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < size; k += 1) turn(a, k * size + p, k * size + q, c, s);
  for (let k = 0; k < size; k += 1) turn(a, p * size + k, q * size + k, c, s);
  for (let k = 0; k < size; k += 1) turn(vectors, k * size + p, k * size + q, c, s);
}

function turn(values: Float64Array, at: number, other: number, c: number, s: number): void {
  const first = values[at] as number;
  const second = values[other] as number;
  values[at] = c * first - s * second;
  values[other] = s * first + c * second;
}

/**
 * The nearest matrix (Frobenius norm) whose eigenvalues are at least `least` (Higham 1988): what noise made
 * indefinite can be inverted again.
 */
export function clippedPositive(matrix: Square, least: number): Square {
  const { size } = matrix;
  const { values, vectors } = eigen(matrix);
  const clipped = square(size);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      let entry = 0;
      for (let k = 0; k < size; k += 1) entry += Math.max(values[k] as number, least) * (vectors.values[row * size + k] as number) * (vectors.values[column * size + k] as number);
      clipped.values[row * size + column] = entry;
      clipped.values[column * size + row] = entry;
    }
  }
  return clipped;
}
