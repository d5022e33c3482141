import { usccLength } from '../../uscc.ts';
import type { SubjectId } from '../../vocabulary.ts';

/** Enterprises that a bank asked for, to find them among what comes back: made once for a list, looked at for every one of its parts. */
export type AskedSubjects = {
  /** @returns which of the list has the code that stands at `from` in `codes`; undefined when none has. One that is listed twice is always the same one */
  readonly find: (codes: string, from: number) => number | undefined;
  readonly subject: (index: number) => SubjectId;
};

/** Characters of one byte; whether it is a code was looked at by whoever made the list. */
const codeShape = new RegExp(`^[0-9A-Z]{${usccLength}}$`);

/**
 * Codes lie packed, 18 bytes each, in a table of their own: a Set would make and compare a string for each enterprise of
 * each part, which took a third of what opening takes. Portable.
 */
export function askedSubjects(subjects: readonly SubjectId[]): AskedSubjects {
  const packed = new Uint8Array(subjects.length * usccLength);
  /** Index + 1 of a code, at its hash or the next free place behind; at most half full. */
  const bits = Math.ceil(Math.log2(2 * subjects.length + 2));
  const table = new Int32Array(2 ** bits);
  const isAt = (index: number, codes: string, from: number): boolean => {
    for (let at = 0, byte = index * usccLength; at < usccLength; at += 1, byte += 1) if (packed[byte] !== codes.charCodeAt(from + at)) return false;
    return true;
  };
  /** The place of the code, or the free one where it would be. */
  const placeOf = (codes: string, from: number): number => {
    let hash = 0;
    for (let at = 0; at < usccLength; at += 1) hash = Math.imul(hash, 31) + codes.charCodeAt(from + at) | 0;
    let place = Math.imul(hash, 0x9e3779b1) >>> (32 - bits);
    for (let index = table[place] as number; index !== 0 && !isAt(index - 1, codes, from); index = table[place] as number) place = (place + 1) & (table.length - 1);
    return place;
  };
  for (const [index, code] of subjects.entries()) {
    if (!codeShape.test(code)) continue; // never found
    const place = placeOf(code, 0);
    if (table[place] !== 0) continue;
    for (let at = 0; at < usccLength; at += 1) packed[index * usccLength + at] = code.charCodeAt(at);
    table[place] = index + 1;
  }
  return {
    find: (codes, from) => {
      const index = table[placeOf(codes, from)] as number;
      return index === 0 ? undefined : index - 1;
    },
    subject: (index) => subjects[index] as SubjectId,
  };
}
