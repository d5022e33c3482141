import type { SubjectId } from './vocabulary.ts';

/**
 * Unified social credit code, GB 32100-2015: two characters for the registering department and kind of body,
 * six digits for the administrative division, nine characters of organisation code, one check character.
 * I, O, S, V and Z do not occur.
 */
const alphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';
const shape = /^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$/;
/** 3^position mod 31, section 6 of the standard. */
const weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28] as const;

/** Length of every code. */
export const usccLength = 18;

/**
 * The check character that belongs to the first 17 characters of a code.
 * @returns one character, or undefined when `first17` is not 17 characters of the standard's alphabet
 */
export function usccCheckDigit(first17: string): string | undefined {
  if (first17.length !== usccLength - 1) return undefined;
  let sum = 0;
  for (let at = 0; at < weights.length; at += 1) {
    const digit = alphabet.indexOf(first17.charAt(at));
    if (digit < 0) return undefined;
    sum += digit * (weights[at] as number);
  }
  return alphabet.charAt((31 - (sum % 31)) % 31);
}

/** True for a well-formed code with the right check character. Upper case only: one enterprise, one spelling. */
export function isUscc(text: unknown): text is SubjectId {
  return typeof text === 'string' && shape.test(text) && usccCheckDigit(text.slice(0, -1)) === text.charAt(usccLength - 1);
}
