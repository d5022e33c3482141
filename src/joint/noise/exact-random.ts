/** Random bits from a cryptographic source, handed out exactly: every number asked for is uniform, none is rounded. */

/** Fills the array with uniformly random bytes; at most 65,536 at a time (the Web Cryptography API's limit). */
export type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => void;

export type ExactRandom = {
  /** Uniform in 0..below−1. @param below at least 1 */
  readonly below: (below: bigint) => bigint;
  /** True with probability numerator/denominator. @param numerator 0..denominator */
  readonly bernoulli: (numerator: bigint, denominator: bigint) => boolean;
};

const bufferBytes = 4096;

/**
 * Numbers below a bound by rejection: a draw of as many bits as the bound has is used when it is below it, and drawn
 * anew when not. Never more than two draws on average, and no bias at all.
 */
export function createExactRandom(fill: FillRandom = (bytes) => void crypto.getRandomValues(bytes)): ExactRandom {
  const buffer = new Uint8Array(bufferBytes);
  let used = bufferBytes;
  const nextByte = () => {
    if (used === bufferBytes) {
      fill(buffer);
      used = 0;
    }
    const byte = buffer[used] as number;
    buffer[used] = 0; // what was drawn is nowhere to be found again
    used += 1;
    return byte;
  };
  const bits = (count: number): bigint => {
    let drawn = 0n;
    for (let left = count; left > 0; left -= 8) drawn = (drawn << 8n) | BigInt(nextByte());
    return drawn >> BigInt((8 - (count % 8)) % 8);
  };
  const below = (bound: bigint): bigint => {
    if (bound < 1n) throw new RangeError('a random number needs a bound of at least 1');
    const length = (bound - 1n).toString(2).length;
    for (;;) {
      const drawn = bits(length);
      if (drawn < bound) return drawn;
    }
  };
  return { below, bernoulli: (numerator, denominator) => below(denominator) < numerator };
}
