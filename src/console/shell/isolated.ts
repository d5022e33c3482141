/** Letters that are written from right to left: Hebrew, Arabic and their neighbours. */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * A text that stands within another one, as `<bdi>` would hold it, for labels, titles and sentences too, where no element
 * can stand: first strong isolate and its end around a text that runs from right to left, so that numbers and brackets
 * beside it stay where they belong.
 */
export function isolated(text: string): string {
  return rightToLeft.test(text) ? `\u2068${text}\u2069` : text;
}
