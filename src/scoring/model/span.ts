import type { FeatureId } from '../protocol.ts';

/** A vector over features as exact integers. */
export type Vector = readonly bigint[];

/**
 * Parts a span of vectors into spans that have no field in common, each with a basis of integer vectors in echelon form.
 * Exact: fraction-free elimination, pivots where a vector weighs most.
 * @param ranges how far one unit of weight on a feature moves a number, for the choice of pivots
 * @param fieldOf index of the field each feature belongs to
 */
export function independentSpans(vectors: readonly Vector[], ranges: readonly number[], fieldOf: readonly number[]): Vector[][] {
  const rows = echelon(vectors, ranges);
  const fieldsOf = rows.map((row) => new Set(fieldOf.filter((_, at) => row[at] !== 0n)));
  const spans: { rows: Vector[]; fields: Set<number> }[] = [];
  for (const [at, row] of rows.entries()) {
    const fields = new Set(fieldsOf[at]);
    const joined = { rows: [row] as Vector[], fields };
    for (let index = spans.length - 1; index >= 0; index -= 1) {
      const span = spans[index] as { rows: Vector[]; fields: Set<number> };
      if ([...span.fields].every((field) => !joined.fields.has(field))) continue;
      joined.rows.push(...span.rows);
      for (const field of span.fields) joined.fields.add(field);
      spans.splice(index, 1);
    }
    spans.push(joined);
  }
  return spans.map((span) => span.rows);
}

/** Reduced echelon form, each row divided by its common divisor. Rows that depend on others are gone. */
function echelon(vectors: readonly Vector[], ranges: readonly number[]): bigint[][] {
  const rest = vectors.map((vector) => [...vector]);
  const done: { row: bigint[]; pivot: number }[] = [];
  for (;;) {
    const next = heaviest(rest, ranges);
    if (next === undefined) return done.map(({ row }) => row);
    const row = shortened(rest.splice(next.row, 1)[0] as bigint[]);
    for (const other of [...rest, ...done.map((each) => each.row)]) eliminate(other, row, next.pivot);
    done.push({ row, pivot: next.pivot });
  }
}

/** The largest entry relative to its row: no later entry outweighs its pivot by much. */
function heaviest(rows: readonly bigint[][], ranges: readonly number[]): { readonly row: number; readonly pivot: number } | undefined {
  let best: { row: number; pivot: number; weight: number } | undefined;
  for (const [index, row] of rows.entries()) {
    const weights = row.map((entry, at) => Math.abs(Number(entry)) * (ranges[at] as number) + (entry === 0n ? 0 : 1e-9));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [pivot, weight] of weights.entries()) if (weight > 0 && (best === undefined || weight / total > best.weight)) best = { row: index, pivot, weight: weight / total };
  }
  return best;
}

function eliminate(row: bigint[], by: readonly bigint[], pivot: number): void {
  const [factor, divisor] = [row[pivot] as bigint, by[pivot] as bigint];
  if (factor === 0n) return;
  for (let at = 0; at < row.length; at += 1) row[at] = (row[at] as bigint) * divisor - (by[at] as bigint) * factor;
  const short = shortened(row);
  for (let at = 0; at < row.length; at += 1) row[at] = short[at] as bigint;
}

function shortened(row: readonly bigint[]): bigint[] {
  const divisor = row.reduce((common, entry) => gcd(common, entry), 0n);
  return divisor === 0n ? [...row] : row.map((entry) => entry / divisor);
}

function gcd(one: bigint, other: bigint): bigint {
  let [a, b] = [one < 0n ? -one : one, other < 0n ? -other : other];
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/**
 * Integer combinations of the vectors that span the same lattice and are short: those whose numbers are small tell most
 * by their digits. Pairs are reduced against each other (Lagrange) until none gets shorter.
 */
export function reduced(vectors: readonly Vector[], ranges: readonly number[]): Vector[] {
  const short = vectors.map((vector) => [...vector]);
  const product = (one: Vector, other: Vector) => one.reduce((sum, entry, at) => sum + Number(entry) * Number(other[at] as bigint) * (ranges[at] as number) ** 2, 0);
  for (let turn = 0; turn < 1000; turn += 1) {
    let changed = false;
    for (const [index, row] of short.entries()) {
      for (const [other, by] of short.entries()) {
        const size = product(by, by);
        if (index === other || size === 0) continue;
        const times = BigInt(Math.round(product(row, by) / size));
        if (times === 0n) continue;
        const next = row.map((entry, at) => entry - times * (by[at] as bigint));
        if (product(next, next) >= product(row, row) * (1 - 1e-9)) continue;
        row.splice(0, row.length, ...next);
        changed = true;
      }
    }
    if (!changed) break;
  }
  return short.filter((row) => row.some((entry) => entry !== 0n));
}

/** A vector as terms, in the order of `features`. */
export function termsOf(vector: Vector, features: readonly FeatureId[]): { readonly feature: FeatureId; readonly weight: number }[] {
  return features.map((feature, at) => ({ feature, weight: Number(vector[at] as bigint) })).filter(({ weight }) => weight !== 0);
}
