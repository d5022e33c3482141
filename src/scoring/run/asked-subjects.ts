import { usccLength } from '../../uscc.ts';
import type { SubjectId } from '../../vocabulary.ts';

/** Enterprises that a bank asked for, to find them among what comes back: made once for a list, looked at for every one of its parts. */
export type AskedSubjects = {
  /** @returns which of the list each of these joined codes is; undefined when there is one that none is. One that is listed twice is always the same one */
  readonly findAll: (codes: string) => Uint32Array | undefined;
  readonly subject: (index: number) => SubjectId;
};

/** Characters of one byte; whether it is a code was looked at by whoever made the list. */
const codeShape = new RegExp(`^[0-9A-Z]{${usccLength}}$`);
/** A code is four words of four bytes and one of two. */
const words = [0, 4, 8, 12] as const;
const lastWord = 16;

/**
 * Codes lie packed, 18 bytes each, in a table of their own, and are compared as words: a Set would make and compare a string for
 * each enterprise of each part, which took a third of what opening takes. Portable.
 */
export function askedSubjects(subjects: readonly SubjectId[]): AskedSubjects {
  const known = new DataView(new ArrayBuffer(subjects.length * usccLength));
  const packed = new Uint8Array(known.buffer);
  /** Index + 1 of a code, at its hash or the next free place behind; at most half full. */
  const bits = Math.ceil(Math.log2(2 * subjects.length + 2));
  const table = new Int32Array(2 ** bits);
  /** The place of the code that stands at `from`, or the free one where it would be. */
  const placeOf = (codes: DataView, from: number): number => {
    let place = hashOf(codes, from) >>> (32 - bits);
    for (let index = table[place]!; index !== 0 && !isSame(known, (index - 1) * usccLength, codes, from); index = table[place]!) place = (place + 1) & (table.length - 1);
    return place;
  };
  for (const [index, code] of subjects.entries()) {
    if (!codeShape.test(code)) continue; // never found
    for (let at = 0; at < usccLength; at += 1) packed[index * usccLength + at] = code.charCodeAt(at);
    const place = placeOf(known, index * usccLength);
    if (table[place] === 0) table[place] = index + 1;
  }
  return {
    findAll: (codes) => {
      if (codes.length % usccLength !== 0) return undefined;
      const bytes = bytesOf(codes);
      const found = new Uint32Array(codes.length / usccLength);
      for (let at = 0; at < found.length; at += 1) {
        const index = table[placeOf(bytes, at * usccLength)]!;
        if (index === 0) return undefined;
        found[at] = index - 1;
      }
      return found;
    },
    subject: (index) => subjects[index] as SubjectId,
  };
}

const encoder = new TextEncoder();

/** One byte for each character, as far as they are those of codes: what others become, and all behind it, is in no code. */
function bytesOf(text: string): DataView {
  const bytes = new Uint8Array(text.length);
  encoder.encodeInto(text, bytes);
  return new DataView(bytes.buffer);
}

function hashOf(codes: DataView, from: number): number {
  let hash = codes.getUint16(from + lastWord, true);
  for (const at of words) {
    hash = Math.imul(hash ^ codes.getInt32(from + at, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash, 0x85ebca6b);
}

function isSame(one: DataView, at: number, other: DataView, from: number): boolean {
  for (const word of words) if (one.getInt32(at + word, true) !== other.getInt32(from + word, true)) return false;
  return one.getUint16(at + lastWord, true) === other.getUint16(from + lastWord, true);
}
