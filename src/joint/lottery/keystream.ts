import sodium from 'libsodium-wrappers-sumo';

/** Fills what it is given with the next bytes of a key stream. */
export type Keystream = (bytes: Uint8Array) => void;

export const seedBytes = 32;

/** Call once before the others of this folder: libsodium is WebAssembly. */
export const lotteryReady: Promise<void> = sodium.ready;

export function newSeed(): Uint8Array {
  return sodium.randombytes_buf(seedBytes);
}

/**
 * BLAKE2b keyed with the seed, in counter mode: block i is BLAKE2b-512(key = seed, purpose ‖ i). Two purposes of one
 * seed have nothing to do with each other.
 */
export function keystreamOf(seed: Uint8Array, purpose: string): Keystream {
  if (seed.length !== seedBytes) throw new RangeError('a seed has 32 bytes');
  const label = new TextEncoder().encode(purpose);
  const message = new Uint8Array(label.length + 8);
  message.set(label);
  const counter = new DataView(message.buffer, label.length);
  let block: Uint8Array = new Uint8Array(0);
  let used = 0;
  let next = 0n;
  return (bytes) => {
    for (let at = 0; at < bytes.length;) {
      if (used === block.length) {
        counter.setBigUint64(0, next);
        block = sodium.crypto_generichash(64, message, seed);
        used = 0;
        next += 1n;
      }
      const taken = Math.min(bytes.length - at, block.length - used);
      bytes.set(block.subarray(used, used + taken), at);
      at += taken;
      used += taken;
    }
  };
}

/** `count` bins, each uniform in 0..bins − 1, by rejection. @param bins at most 256 */
export function uniformBins(count: number, bins: number, fill: Keystream): Uint8Array {
  const limit = 256 - (256 % bins);
  const drawn = new Uint8Array(count);
  const source = new Uint8Array(1024);
  for (let filled = 0; filled < count;) {
    fill(source);
    for (const byte of source) {
      if (byte < limit && filled < count) {
        drawn[filled] = byte % bins;
        filled += 1;
      }
    }
  }
  return drawn;
}

/** SHA-256 over parts that come one after another. */
export type RunningDigest = { readonly update: (bytes: Uint8Array) => void; /** Lower-case hex; ends it. */ readonly hex: () => string };

export function startDigest(): RunningDigest {
  const state = sodium.crypto_hash_sha256_init();
  return {
    update: (bytes) => sodium.crypto_hash_sha256_update(state, bytes),
    hex: () => sodium.to_hex(sodium.crypto_hash_sha256_final(state)),
  };
}
