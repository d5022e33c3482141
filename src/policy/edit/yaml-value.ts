import { isDeepStrictEqual } from 'node:util';
import { isMap, isNode, isPair, isScalar, isSeq, parseDocument, visit, type Node, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { applied, blankBefore, dashOf, flow, leafEnd, lineEnd, lineStart, type Splice } from './yaml-splices.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type JsonMap = { readonly [key: string]: Json };

/**
 * The YAML text of another value, of which only what differs is written: comments on lines of their own, order, blank lines
 * and the way things are written stay to the letter. What is noted at the end of a line that goes, goes with it.
 * @param text a file that was checked before: it loads
 * @param wanted plain JSON
 * Throws a TypeError where the text would not say what is wanted: nothing of it must reach a proposal.
 */
export function withValue(text: string, wanted: unknown): string {
  if (isDeepStrictEqual(parseDocument(text).toJS(), wanted)) return text;
  const attempts = [laidOut(text, (source) => /\s#/.test(source)), laidOut(text, () => true)];
  const written = attempts.map((source) => spliced(source, wanted as Json)).find((result) => saysExactly(result, wanted));
  if (written === undefined) throw new TypeError('a value cannot be written into its file');
  return written;
}

function saysExactly(text: string, wanted: unknown): boolean {
  const document = parseDocument(text);
  return document.errors.length === 0 && isDeepStrictEqual(document.toJS(), wanted);
}

/** Lists and mappings in brackets that hold comments stand on lines of their own afterwards: only lines can be taken out without them. */
function laidOut(text: string, wanted: (source: string) => boolean): string {
  const document = parseDocument(text);
  let changed = false;
  visit(document, {
    Collection(_key, node) {
      if (node.flow !== true || node.range === undefined || node.range === null || !wanted(text.slice(node.range[0], node.range[1]))) return;
      node.flow = false;
      changed = true;
    },
  });
  return changed ? document.toString({ lineWidth: 0 }) : text;
}

function spliced(text: string, wanted: Json): string {
  const document = parseDocument(text);
  return applied(text, changes(text, document.contents, document.toJS() as Json, wanted));
}

function changes(text: string, node: unknown, before: Json, wanted: Json): Splice[] {
  if (isDeepStrictEqual(before, wanted)) return [];
  if (isMap(node) && isJsonMap(before) && isJsonMap(wanted)) return mapChanges(text, node, before, wanted);
  if (isSeq(node) && node.flow !== true && Array.isArray(wanted) && wanted.length > 0) return listChanges(text, node, before as readonly Json[], wanted as readonly Json[]);
  return replacement(text, node, wanted);
}

function isJsonMap(value: Json): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One value in the place of another, on one line. */
function replacement(text: string, node: unknown, wanted: Json): Splice[] {
  if (!isNode(node) || !node.range) throw new TypeError('a value is not where it was read');
  const to = leafEnd(node) ?? node.range[1];
  return [{ from: node.range[0], to, text: `${flow(wanted)}${text[to - 1] === '\n' ? '\n' : ''}` }];
}

function mapChanges(text: string, map: YAMLMap, before: JsonMap, wanted: JsonMap): Splice[] {
  const pairs = map.items.filter(isPair);
  const kept = pairs.filter((pair) => nameOf(pair) in wanted);
  const added = Object.keys(wanted).filter((name) => !(name in before));
  const reshaped = added.length > 0 || kept.length < pairs.length;
  const last = kept.at(-1);
  if (reshaped && (map.flow === true || last === undefined)) return replacement(text, map, wanted);
  const within = kept.flatMap((pair) => changes(text, pair.value, before[nameOf(pair)] ?? null, wanted[nameOf(pair)] ?? null));
  const removed = pairs.filter((pair) => !kept.includes(pair)).map((pair) => ({ from: blankBefore(text, keyLine(text, pair)), to: lineEnd(text, pair.value), text: '' }));
  if (last === undefined || added.length === 0) return [...within, ...removed];
  const at = lineEnd(text, last.value);
  const indent = text.slice(keyLine(text, last), keyStart(last));
  const isSpaced = kept.length > 1 && blankBefore(text, keyLine(text, last)) < keyLine(text, last);
  const lines = added.map((name) => `${isSpaced ? '\n' : ''}${indent}${written(name, wanted[name] ?? null, indent)}\n`).join('');
  return [...within, ...removed, { from: at, to: at, text: `${text[at - 1] === '\n' ? '' : '\n'}${lines}` }];
}

function nameOf({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key);
}

function keyStart({ key }: Pair): number {
  return isNode(key) ? key.range?.[0] ?? 0 : 0;
}

function keyLine(text: string, pair: Pair): number {
  return lineStart(text, keyStart(pair));
}

/** Items that stay keep their lines; the others lose or get one. Items are compared by what they say. */
function listChanges(text: string, seq: YAMLSeq, before: readonly Json[], wanted: readonly Json[]): Splice[] {
  const items = seq.items as readonly Node[];
  const first = items[0];
  if (first === undefined) return replacement(text, seq, wanted);
  const kept = new Set<number>();
  const indent = text.slice(lineStart(text, dashOf(text, first)), dashOf(text, first));
  const splices: Splice[] = [];
  let behind = lineStart(text, dashOf(text, first));
  let from = 0;
  for (const item of wanted) {
    const found = before.findIndex((each, at) => at >= from && isDeepStrictEqual(each, item));
    const node = items[found];
    if (node === undefined) {
      splices.push({ from: behind, to: behind, text: `${behind === 0 || text[behind - 1] === '\n' ? '' : '\n'}${indent}- ${flow(item)}\n` });
    } else {
      kept.add(found);
      from = found + 1;
      behind = lineEnd(text, node);
    }
  }
  const removed = items.flatMap((node, at) => (kept.has(at) ? [] : [{ from: lineStart(text, dashOf(text, node)), to: lineEnd(text, node), text: '' }]));
  return [...splices, ...removed];
}

const lineLength = 120;

/** A key with its value as people write it: short ones on one line. */
function written(name: string, value: Json, indent: string): string {
  const short = flow({ [name]: value }).slice(2, -2);
  if (short.length <= lineLength || typeof value !== 'object' || value === null) return short;
  const deeper = `${indent}  `;
  const head = short.slice(0, short.indexOf(':') + 1);
  const lines = isJsonMap(value) ? Object.entries(value).map(([key, each]) => written(key, each, deeper)) : value.map((each) => `- ${flow(each)}`);
  return [head, ...lines.map((line) => `${deeper}${line}`)].join('\n');
}
