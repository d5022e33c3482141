/**
 * Text as its reader sees it: user-perceived characters (extended grapheme clusters, UAX #29), so that a mask
 * neither splits an emoji nor counts an accent as a character of its own.
 */

/** Longer texts are never shown in part. In UTF-16 code units. */
export const partlyShownLengthMax = 4096;

/** One code unit is one character here: printable ASCII, CJK ideographs and punctuation, full-width forms. */
const plain = /^[\u0020-\u007e\u3001-\u3020\u4e00-\u9fff\uff01-\uff5e]*$/;
const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** A text cut by characters. A text of one code unit each is its own cutting, which most are. */
export type Characters = { readonly length: number; readonly slice: (from: number, to?: number) => string };

export function charactersOf(text: string): Characters {
  if (plain.test(text)) return text;
  const parts = listCharacters(text);
  return { length: parts.length, slice: (from, to) => parts.slice(from, to).join('') };
}

/** The characters of a text, in order; joined they are the text. */
export function listCharacters(text: string): readonly string[] {
  return plain.test(text) ? text.split('') : Array.from(segmenter.segment(text), (part) => part.segment);
}
