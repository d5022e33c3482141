/** Fills new bytes from a cryptographic source. */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

/** WebCrypto gives no more at once. */
const chunkBytes = 65_536;

export const webRandomBytes: RandomBytes = (length) => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += chunkBytes) crypto.getRandomValues(bytes.subarray(at, at + chunkBytes));
  return bytes;
};

/** `count` integers, each uniform in 0..modulus − 1: 32-bit words above the largest multiple of the modulus are drawn again. */
export function uniformIntegers(count: number, modulus: number, random: RandomBytes): Uint32Array<ArrayBuffer> {
  const limit = 2 ** 32 - (2 ** 32 % modulus);
  const drawn = new Uint32Array(count);
  let filled = 0;
  while (filled < count) {
    for (const word of new Uint32Array(random(4 * (count - filled)).buffer)) {
      if (word < limit) drawn[filled++] = word % modulus;
    }
  }
  return drawn;
}
