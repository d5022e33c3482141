import type { Value } from '../../vocabulary.ts';
import type { Feature } from '../protocol.ts';
import { featureEncoder, type EncodingFault } from './encode.ts';

/** Why a row was refused: its number, the feature, never the value. */
export type RowFault = { readonly row: number; readonly feature?: string; readonly reason: EncodingFault | 'duplicate' };

/** One column of one block in clear, on its way to encryption: 0 where no enterprise is. */
export type ClearColumn = { readonly values: Int32Array<ArrayBuffer>; readonly filled: Uint8Array<ArrayBuffer> };

/**
 * Gathers encoded rows into columns. Holds two bytes for each value (four where a feature's range needs them), whatever
 * the order of the rows: a million enterprises with 20 features are 40 MB.
 */
export type ColumnBuilder = {
  /** @param place block × slots + slot; @param values in the order of the builder's features */
  readonly add: (row: number, place: number, values: readonly (Value | undefined)[]) => void;
  /** Numbers of the blocks that hold an enterprise, ascending. */
  readonly blocks: () => readonly number[];
  /** A block's column of the feature at this index; all empty when the block has no enterprise. */
  readonly column: (block: number, feature: number) => ClearColumn;
  /** Enterprises that have a slot in the column of the feature at this index. */
  readonly filledOf: (feature: number) => number;
  readonly rows: () => number;
  /** Up to faultsMax. */
  readonly faults: readonly RowFault[];
  readonly faultCount: () => number;
};

export const faultsMax = 100;
const shortMax = 32_767;

type Block = { readonly seen: Uint8Array; readonly values: readonly (Int16Array | Int32Array)[]; readonly filled: readonly Uint8Array<ArrayBuffer>[] };

export function columnBuilder(features: readonly Feature[], slots: number): ColumnBuilder {
  const encoders = features.map(featureEncoder);
  const blocks = new Map<number, Block>();
  const faults: RowFault[] = [];
  const filled = features.map(() => 0);
  let faultCount = 0;
  let rows = 0;
  const fault = (one: RowFault) => {
    faultCount += 1;
    if (faults.length < faultsMax) faults.push(one);
  };
  const blockOf = (number: number): Block => {
    const known = blocks.get(number);
    if (known !== undefined) return known;
    const made: Block = {
      seen: new Uint8Array(slots / 8),
      values: features.map(({ low, high }) => (Math.max(-low, high) <= shortMax ? new Int16Array(slots) : new Int32Array(slots))),
      filled: features.map(() => new Uint8Array(slots / 8)),
    };
    blocks.set(number, made);
    return made;
  };
  return {
    faults,
    faultCount: () => faultCount,
    rows: () => rows,
    filledOf: (feature) => filled[feature] ?? 0,
    add(row, place, values) {
      rows += 1;
      const slot = place % slots;
      const block = blockOf((place - slot) / slots);
      if (!setBit(block.seen, slot)) {
        fault({ row, reason: 'duplicate' });
        return;
      }
      for (let at = 0; at < encoders.length; at += 1) {
        const encoded = (encoders[at] as (typeof encoders)[number])(values[at]);
        if (typeof encoded === 'number') {
          (block.values[at] as Int32Array)[slot] = encoded;
          setBit(block.filled[at] as Uint8Array, slot);
          filled[at] = (filled[at] as number) + 1;
        } else if (encoded !== 'absent') {
          fault({ row, feature: (features[at] as Feature).id, reason: encoded });
        }
      }
    },
    blocks: () => [...blocks.keys()].sort((a, b) => a - b),
    column(number, feature) {
      const block = blocks.get(number);
      return {
        values: block === undefined ? new Int32Array(slots) : Int32Array.from(block.values[feature] as Int16Array),
        filled: block?.filled[feature] ?? new Uint8Array(slots / 8),
      };
    },
  };
}

/** @returns whether the bit was clear */
function setBit(bits: Uint8Array, at: number): boolean {
  const byte = bits[at >> 3] as number;
  const bit = 1 << (at & 7);
  bits[at >> 3] = byte | bit;
  return (byte & bit) === 0;
}
