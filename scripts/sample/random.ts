/** Repeatable pseudo-random numbers for made-up data; good for nothing that must be secret. */
export type Random = {
  /** A whole number, 0 to below `bound`. */
  readonly below: (bound: number) => number;
  /** A whole number, `low` to `high`. */
  readonly between: (low: number, high: number) => number;
  /** 0 to below 1. */
  readonly fraction: () => number;
  /** True with the given probability. */
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(list: readonly T[]) => T;
  /** Around 1, log-normal: the median is 1 and `spread` is the standard deviation of its logarithm. */
  readonly factor: (spread: number) => number;
};

/** Equal arguments give an equal sequence (SplitMix32). */
export function randomFor(seed: number, n: number, stream: string): Random {
  let state = seed | 0;
  for (const word of [n, ...[...stream].map((character) => character.charCodeAt(0))]) state = mix((state ^ word) + 0x9e3779b9);
  const fraction = () => {
    state = (state + 0x9e3779b9) | 0;
    return (mix(state) >>> 0) / 4_294_967_296;
  };
  const below = (bound: number) => Math.floor(fraction() * bound);
  return {
    below,
    fraction,
    between: (low, high) => low + below(high - low + 1),
    chance: (probability) => fraction() < probability,
    pick: (list) => list[below(list.length)] as (typeof list)[number],
    factor: (spread) => Math.exp(spread * Math.sqrt(-2 * Math.log(1 - fraction())) * Math.cos(2 * Math.PI * fraction())),
  };
}

function mix(word: number): number {
  let mixed = word | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}
