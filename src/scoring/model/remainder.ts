import type { FeatureId } from '../protocol.ts';
import type { Terms } from './functional.ts';
import { dot } from './range.ts';
import { fieldShapes, type FeatureSpace, type FieldShape } from './space.ts';

/**
 * Released numbers are exact, so remainders tell: of 7·a + 100·b + 100·c, the remainder by 100 is 7·a. Several numbers
 * together lie on a lattice. What all fields but one can add spans a lattice L; the one field is told up to L whatever
 * the others are: exactly its bin when no two of its bins differ by a vector of L. Exact, over any number of functions.
 */
export type Remainder = { readonly shape: FieldShape; /** Groups of the field's values that the numbers tell apart for certain; 1: none. Counted to `classesMax`. */ readonly classes: number };

const classesMax = 64;

/** The field that remainders tell most of. Errors: none; features that are not declared are left out. */
export function largestRemainder(functionals: readonly { readonly terms: Terms }[], space: FeatureSpace): Remainder | undefined {
  const shapes = fieldShapes(functionals.flatMap(({ terms }) => terms.map(({ feature }) => feature)), space);
  const weights = functionals.map(({ terms }) => new Map(terms.map(({ feature, weight }) => [feature, weight])));
  const moves = shapes.map((shape) => movesOf(shape, weights));
  let largest: Remainder | undefined;
  for (const [at, shape] of shapes.entries()) {
    const lattice = createLattice(functionals.length);
    for (const [other, { generators }] of moves.entries()) if (other !== at) for (const generator of generators) lattice.add(generator);
    const classes = countClasses(moves[at] as Moves, lattice);
    if (largest === undefined || classes > largest.classes) largest = { shape, classes };
  }
  return largest;
}

/** What a field adds to each number: from where, in which steps, how often; and the differences between all of these. */
type Moves = { readonly runs: readonly { readonly start: readonly bigint[]; readonly step: readonly bigint[]; readonly count: number }[]; readonly generators: readonly (readonly bigint[])[] };

function movesOf(shape: FieldShape, weights: readonly ReadonlyMap<FeatureId, number>[]): Moves {
  const ofField = weights.map((of) => shape.features.map((feature) => of.get(feature) ?? 0));
  const added = (point: readonly number[]) => ofField.map((of) => BigInt(dot(of, point)));
  const runs = shape.stretches.map(({ first, last, count }) => {
    const [start, end] = [added(first), added(last)];
    const whole = count > 1 && end.every((value, at) => (value - (start[at] as bigint)) % BigInt(count - 1) === 0n);
    // uneven steps: any of the values between may occur, and the ends stand for them
    return whole ? { start, step: end.map((value, at) => (value - (start[at] as bigint)) / BigInt(count - 1)), count } : { start, step: end.map((value, at) => value - (start[at] as bigint)), count: count > 1 ? 2 : 1 };
  });
  const origin = runs[0]?.start ?? [];
  return { runs, generators: runs.flatMap(({ start, step, count }) => [start.map((value, at) => value - (origin[at] as bigint)), ...(count > 1 ? [step] : [])]) };
}

function countClasses({ runs }: Moves, lattice: Lattice): number {
  const classes = new Set<string>();
  for (const { start, step, count } of runs) {
    for (let turn = 0; turn < Math.min(count, classesMax); turn += 1) {
      classes.add(lattice.residue(start.map((value, at) => value + (step[at] as bigint) * BigInt(turn))).join());
      if (classes.size >= classesMax) return classesMax;
    }
  }
  return Math.max(1, classes.size);
}

type Lattice = { readonly add: (vector: readonly bigint[]) => void; /** The same for vectors that differ by one of the lattice. */ readonly residue: (vector: readonly bigint[]) => bigint[] };

/** A lattice by a triangular basis: one row for each coordinate at most, which is the first that is not zero in it. */
function createLattice(dimension: number): Lattice {
  const rows: (bigint[] | undefined)[] = Array.from({ length: dimension });
  const residue = (vector: readonly bigint[]) => {
    const rest = [...vector];
    for (const [at, row] of rows.entries()) {
      if (row === undefined) continue;
      const pivot = row[at] as bigint;
      const over = (rest[at] as bigint) % pivot;
      subtract(rest, row, ((rest[at] as bigint) - (over < 0n ? over + pivot : over)) / pivot);
    }
    return rest;
  };
  return {
    residue,
    add(vector) {
      let rest = residue(vector);
      for (let at = 0; at < dimension; at += 1) {
        if (rest[at] === 0n) continue;
        let row = rows[at] ?? [];
        if (row.length === 0) {
          rows[at] = (rest[at] as bigint) < 0n ? rest.map((value) => -value) : rest;
          return;
        }
        while (rest[at] !== 0n) { // Euclid on the first coordinate, carried through the whole rows
          subtract(row, rest, (row[at] as bigint) / (rest[at] as bigint));
          [row, rest] = [rest, row];
        }
        rows[at] = (row[at] as bigint) < 0n ? row.map((value) => -value) : row;
      }
    },
  };
}

function subtract(from: bigint[], row: readonly bigint[], times: bigint): void {
  for (let at = 0; at < from.length; at += 1) from[at] = (from[at] as bigint) - times * (row[at] as bigint);
}
