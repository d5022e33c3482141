import { bytesOf, type HeContext, type SealPlaintext } from './runtime.ts';

/** Where the coefficients begin in a serialised plaintext: header 16, parms id 32, count 8, scale 8, header 16, count 8. */
const plaintextPrefixBytes = 88;

/** Slots ↔ the coefficients of a plaintext (BFV batching). Not to be used by two callers at once: it reuses its handles. */
export type SlotCoder = {
  /** The coefficients, as pairs of 32-bit words, of the plaintext that holds these values; missing slots are 0. */
  readonly coefficients: (values: Int32Array | Uint32Array) => Uint32Array;
  /** The slots of a plaintext, 0..t − 1. */
  readonly slots: (plaintext: SealPlaintext) => Uint32Array<ArrayBuffer>;
  readonly close: () => void;
};

export function createSlotCoder(context: HeContext, slots: number): SlotCoder {
  const encoder = new context.seal.BatchEncoder(context.context);
  const plaintext = new context.seal.Plaintext();
  return {
    coefficients: (values) => {
      // 64-bit integers written as two words each: making 4096 BigInts would cost more than encoding them
      const wide = new BigInt64Array(slots);
      const words = new Int32Array(wide.buffer);
      const signed = values instanceof Int32Array;
      for (let slot = 0; slot < values.length; slot++) {
        const value = values[slot] ?? 0;
        words[2 * slot] = value;
        words[2 * slot + 1] = signed && value < 0 ? -1 : 0;
      }
      encoder.encode(wide, plaintext);
      return new Uint32Array(bytesOf(context, plaintext).slice(plaintextPrefixBytes).buffer);
    },
    slots: (decrypted) => {
      const wide = encoder.decodeBigUint64(decrypted) as BigUint64Array;
      const words = new Uint32Array(wide.buffer, wide.byteOffset, 2 * slots);
      const values = new Uint32Array(slots);
      for (let slot = 0; slot < slots; slot++) values[slot] = words[2 * slot] ?? 0;
      return values;
    },
    close: () => {
      plaintext.delete();
      encoder.delete();
    },
  };
}
