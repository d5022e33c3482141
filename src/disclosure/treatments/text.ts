import { charactersOf, listCharacters, partlyShownLengthMax } from '../characters.ts';

/** Stands for hidden characters, always four: its length says nothing about how many it hides. */
export const fill = '****';

/**
 * The one rule of all text masks: what is shown must be less than half of the characters, or nothing is shown.
 * @param shown how many characters would be shown
 * @param of how many there are
 */
export function showsLessThanHalf(shown: number, of: number): boolean {
  return shown * 2 < of;
}

/**
 * First and last characters around the fill: `江苏****公司`. Texts of at most 2 × (first + last) characters, and texts
 * beyond the named maximum, show the fill alone. The length of longer texts is not told.
 */
export function keepEnds(text: string, first: number, last: number): string {
  if (!isCount(first) || !isCount(last) || text.length > partlyShownLengthMax) return fill;
  const characters = charactersOf(text);
  if (!showsLessThanHalf(first + last, characters.length)) return fill;
  return characters.slice(0, first) + fill + characters.slice(characters.length - last);
}

/**
 * Hides the characters at positions `from` up to and without `to`, counted from 0. Where the rest would be half of the
 * text or more, everything is hidden. Tells the length only by what it shows.
 */
export function maskRange(text: string, from: number, to: number): string {
  if (!isCount(from) || !isCount(to) || text.length > partlyShownLengthMax) return fill;
  const characters = charactersOf(text);
  const end = Math.min(to, characters.length);
  const hidden = end - from;
  if (hidden <= 0 || !showsLessThanHalf(characters.length - hidden, characters.length)) return fill;
  return characters.slice(0, from) + fill + characters.slice(end);
}

const digit = /^\p{Nd}/u;
const ideograph = /^\p{Script=Han}/u;
const letter = /^\p{L}/u;

/**
 * The shape of a text without its content: `#` for a digit, `※` for a Chinese character, `@` for another letter,
 * `*` for the rest. This method, alone of the masks, tells the length. None of the four marks is a digit or letter,
 * so no value is its own shape.
 */
export function classPreserving(text: string): string {
  if (text === '' || text.length > partlyShownLengthMax) return fill;
  return listCharacters(text).map(classOf).join('');
}

function classOf(character: string): string {
  if (digit.test(character)) return '#';
  if (ideograph.test(character)) return '※';
  return letter.test(character) ? '@' : '*';
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
