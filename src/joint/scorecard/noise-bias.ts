/**
 * What privacy noise adds to figures that are not linear in the counts. Squares of noise add up in the stability index;
 * the greatest of noisy distances is greater than the greatest distance. Both grow a figure on average, and the
 * noise is known exactly, so what it adds is estimated and taken off. Sampling noise is left in, as everywhere.
 */

/** Variances of noise added, in shares of what the counts hold already; and draws of each, with their mirror images. */
const levels = [0.5, 1, 1.5, 2];
const drawsOfEach = 150;

/**
 * What noise adds to a greatest distance, by adding yet more of it and following the rise back to none (simulation and
 * extrapolation: Cook and Stefanski 1994). Between equally great distances the rise goes with the noise's root, which is
 * the form followed here; a single high peak rises less, and is then taken down a little too far or too little.
 * @param counts noisy counts, each with noise of its own
 * @param variance σ² of that noise; 0: nothing is added
 * @param figureOf from counts in the same order; NaN where they have none
 */
export function riseByNoise(counts: readonly number[], variance: number, figureOf: (counts: readonly number[]) => number): number {
  if (variance === 0) return 0;
  const told = figureOf(counts);
  const normal = repeatableNormals();
  const rises = levels.map(() => ({ sum: 0, draws: 0 }));
  for (let draw = 0; draw < drawsOfEach; draw += 1) {
    const noise = counts.map(() => normal() * Math.sqrt(variance)); // the same for all levels: what differs is the level
    levels.forEach((level, at) => {
      const rise = rises[at] as { sum: number; draws: number };
      for (const sign of [1, -1]) { // with its mirror image: what is linear in the noise cancels out and leaves the mean alone
        const figure = figureOf(counts.map((count, place) => count + sign * (noise[place] as number) * Math.sqrt(level)));
        if (!Number.isNaN(figure)) [rise.sum, rise.draws] = [rise.sum + figure - told, rise.draws + 1];
      }
    });
  }
  // least squares of a·(√(1 + λ) − 1), which at λ = −1, without any noise, is −a
  const shapes = levels.map((level) => Math.sqrt(1 + level) - 1);
  const along = shapes.reduce((sum, shape, at) => sum + shape * ((rises[at]?.sum ?? 0) / Math.max(1, rises[at]?.draws ?? 0)), 0);
  return Math.max(0, along / shapes.reduce((sum, shape) => sum + shape * shape, 0));
}

/** A group of a distribution: its noisy count, and how many noisy cells it was added up from. */
export type NoisyGroup = { readonly count: number; readonly cells: number };

export type StabilityNoise = {
  /** What the noise adds to the index on average, to second order. */
  readonly rise: number;
  /** Half-width of the 95 % interval: sampling and noise together. */
  readonly margin: number;
};

const z95 = 1.959963984540054;

/**
 * For Σ (a − e) ln(a / e) over the shares of two distributions. @param variance σ² of the noise in each cell
 */
export function stabilityNoise(expected: readonly NoisyGroup[], actual: readonly NoisyGroup[], variance: number): StabilityNoise {
  const [e, a] = [sharesOf(expected, variance), sharesOf(actual, variance)];
  let [rise, squared] = [0, 0];
  a.forEach((one, group) => {
    const other = e[group] as Share;
    for (const [p, q] of [[one, other], [other, one]] as const) {
      // of (p − q) ln(p / q) by p: slope and curvature
      const slope = Math.log(p.share / q.share) + 1 - q.share / p.share;
      const curve = 1 / p.share + q.share / p.share ** 2;
      rise += curve * p.byNoise / 2;
      squared += slope ** 2 * (p.byNoise + p.bySampling) + (curve * (p.byNoise + p.bySampling)) ** 2 / 2;
    }
  });
  return { rise, margin: z95 * Math.sqrt(squared) };
}

/** A share, and how far it varies. */
type Share = { readonly share: number; readonly byNoise: number; readonly bySampling: number };

/** Groups that noise emptied count as half an enterprise, as in the index. */
function sharesOf(groups: readonly NoisyGroup[], variance: number): Share[] {
  const counts = groups.map(({ count }) => Math.max(count, 0.5));
  const all = counts.reduce((sum, count) => sum + count, 0);
  const cellsOfAll = groups.reduce((sum, { cells }) => sum + cells, 0);
  return groups.map(({ cells }, group) => {
    const share = (counts[group] as number) / all;
    return { share, byNoise: variance * (cells * (1 - 2 * share) + cellsOfAll * share ** 2) / all ** 2, bySampling: share * (1 - share) / all };
  });
}

/** Standard normals, the same ones every time: the same answer is judged alike whoever looks. Not for keeping secrets. */
function repeatableNormals(): () => number {
  let state = 0x2545f491;
  const uniform = () => { // xorshift32 (Marsaglia 2003), which never comes to 0
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
