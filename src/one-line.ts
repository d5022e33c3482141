/**
 * What people type on one line and others read: titles, names, units, codes. It shows something, ends no line, and holds
 * nothing that cannot be seen or that turns what stands around it: no control and format characters (among them
 * zero-width ones, bidirectional controls and tags), no line or paragraph separators, no half characters.
 * The schemas in policies/schema carry it letter by letter, so that editors know it too.
 */
export const oneLinePattern = '^(?=.*\\S)[^\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]*$';

/** What is said of a text that is not; the text itself is repeated nowhere. */
export const oneLineProblem = 'must be one line of text that shows, without control characters and others that cannot be seen';

const grammar = new RegExp(oneLinePattern, 'u');

/** Whether a text is such a line of at most `lengthMax` UTF-16 code units. */
export function isOneLine(text: string, lengthMax: number): boolean {
  return text.length <= lengthMax && grammar.test(text);
}
