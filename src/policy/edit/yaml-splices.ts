import { isMap, isNode, isPair, isSeq, type Node } from 'yaml';

/** Text to put in the place of what stands between two offsets. */
export type Splice = { readonly from: number; readonly to: number; readonly text: string };

/** Where the last value within a node ends: a block's own range goes on over comments and blank lines. */
export function leafEnd(node: unknown): number | undefined {
  if (isMap(node) && node.flow !== true) return leafEnd(node.items.findLast(isPair)?.value);
  if (isSeq(node) && node.flow !== true) return leafEnd(node.items.at(-1));
  return isNode(node) ? node.range?.[1] : undefined;
}

/** Start of the line on which a place is. */
export function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

/** Behind the last line of a node, with what is noted at its end. */
export function lineEnd(text: string, node: unknown): number {
  const end = leafEnd(node) ?? 0;
  if (text[end - 1] === '\n') return end;
  const next = text.indexOf('\n', end);
  return next < 0 ? text.length : next + 1;
}

/** Start of the blank lines in front of a place. */
export function blankBefore(text: string, at: number): number {
  const blank = /\n[ \t]*\n[ \t]*$/.exec(text.slice(0, at));
  return blank === null ? at : blank.index + 1;
}

/** The dash in front of an item of a list. */
export function dashOf(text: string, item: Node): number {
  return text.lastIndexOf('-', (item.range?.[0] ?? 0) - 1);
}

/** The text with all splices done. Of two at the same place the first comes first. */
export function applied(text: string, splices: readonly Splice[]): string {
  const ordered = splices.map((splice, at) => ({ splice, at })).toSorted((a, b) => a.splice.from - b.splice.from || a.at - b.at);
  let result = '';
  let done = 0;
  for (const { splice: { from, to, text: inserted } } of ordered) {
    result += text.slice(done, Math.max(from, done)) + inserted;
    done = Math.max(to, done);
  }
  return result + text.slice(done);
}

/** One line, `{ use: read, disposition: clear }`. */
export function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return `{ ${Object.entries(value).map(([key, each]) => `${plain(key)}: ${flow(each)}`).join(', ')} }`;
  return typeof value === 'string' ? plain(value) : JSON.stringify(value);
}

/** Words stand bare; whatever YAML could take for something else is quoted. */
function plain(text: string): string {
  return /^[a-z][a-z0-9_.-]*$/i.test(text) && !/^(true|false|null)$/i.test(text) ? text : JSON.stringify(text);
}
