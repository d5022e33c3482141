import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit, type Document, type YAMLMap } from 'yaml';
import type { Problem } from './problem.ts';

/** A YAML file as plain JSON values that still knows where each of them stands. */
export type PolicyDocument = {
  readonly file: string;
  readonly value: unknown;
  /** A problem at a JSON Pointer; `key` points at the key instead of its value. */
  readonly problemAt: (pointer: string, problem: string, target?: 'key' | 'value') => Problem;
};

/** Bytes of one policy file. */
export const fileBytesMax = 512 * 1024;
/** Levels of nesting: rules need 9. */
const depthMax = 24;

/** Documents without problems, those read last at the end: of a pack in which one file changed, the others are not parsed again. */
const kept = new Map<string, PolicyDocument>();
/** UTF-16 units of all texts kept: some packs. */
const keptLengthMax = 512 * 1024;
let keptLength = 0;

/**
 * Reads one YAML 1.2 document, strictly: no anchors and aliases (neither bombs nor cycles), no tags, no merge
 * keys, no second document, no duplicate keys; keys are strings. The value is frozen, and undefined when there are problems.
 */
export function readPolicyDocument(file: string, bytes: Uint8Array): { document: PolicyDocument | undefined; problems: Problem[] } {
  const refused = (problem: string) => ({ document: undefined, problems: [{ file, line: 1, column: 1, pointer: '', problem }] });
  if (bytes.byteLength > fileBytesMax) return refused(`the file has ${bytes.byteLength} bytes, more than the allowed ${fileBytesMax}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refused('the file is not UTF-8');
  }
  const name = `${file}\n${text}`;
  const document = kept.get(name) ?? parse(file, text);
  if (Array.isArray(document)) return { document: undefined, problems: document };
  keep(name, document);
  return { document, problems: [] };
}

function keep(name: string, document: PolicyDocument): void {
  if (!kept.delete(name)) keptLength += name.length;
  kept.set(name, document);
  for (const oldest of kept.keys()) {
    if (keptLength <= keptLengthMax) return;
    kept.delete(oldest);
    keptLength -= oldest.length;
  }
}

/** @returns the problems of a text that is no such document */
function parse(file: string, text: string): PolicyDocument | Problem[] {
  const refused = (problem: string) => [{ file, line: 1, column: 1, pointer: '', problem }];
  if (openBracketsMost(text) > openBracketsMax) return refused('the file is nested too deeply');
  const lines = new LineCounter();
  let parsed: Document;
  try {
    parsed = parseDocument(text, {
      version: '1.2', schema: 'core', strict: true, uniqueKeys: false, stringKeys: true, merge: false,
      customTags: null, resolveKnownTags: false, prettyErrors: false, lineCounter: lines, logLevel: 'error',
    });
  } catch (error) {
    if (error instanceof RangeError) return refused('the file is nested too deeply'); // the parser ran out of stack
    throw error;
  }

  const place = (offset: number) => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problems: Problem[] = [...parsed.errors, ...parsed.warnings].slice(0, 100).map((fault) => ({
    file, ...place(fault.pos[0]), pointer: '', problem: yamlProblem(fault.code, fault.message),
  }));
  for (const { index } of text.matchAll(unseen)) problems.push({ file, ...place(index), pointer: '', problem: unseenProblem });
  for (const { offset, problem } of forbiddenNodes(parsed)) problems.push({ file, ...place(offset), pointer: '', problem });
  if (problems.length > 0) return problems;

  const value = frozen(parsed.toJS({ maxAliasCount: 0 }) as unknown);
  const problemAt: PolicyDocument['problemAt'] = (pointer, problem, target = 'value') => ({
    file, ...place(offsetOf(parsed, pointerSegments(pointer), target)), pointer, problem,
  });
  return { file, value, problemAt };
}

/** To the last of its parts: several readers share it. */
function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

/** In comments too: two people decide on what they see of a file. Tabs and line ends are YAML's own. */
const unseen = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const unseenProblem = 'a character that cannot be seen, or turns what stands around it, is not allowed: leave it out';

/** Counted before parsing, in quotes and comments too: parsing thousands of open brackets takes quadratic time. */
const openBracketsMax = 200;

function openBracketsMost(text: string): number {
  let open = 0;
  let most = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) most = Math.max(most, (open += 1));
    else if ((code === 0x5d || code === 0x7d) && open > 0) open -= 1;
  }
  return most;
}

function yamlProblem(code: string, message: string): string {
  switch (code) {
    case 'TAB_AS_INDENT': return 'a tab is used for indentation: use spaces';
    case 'RESOURCE_EXHAUSTION': return 'the file is nested too deeply';
    case 'MULTIPLE_DOCS': return 'a second document starts here: one file holds one document';
    case 'BAD_ALIAS': return 'aliases are not allowed: write the value out';
    case 'TAG_RESOLVE_FAILED': return 'tags are not allowed';
    default: return `not valid YAML: ${message}`;
  }
}

/** What YAML allows and a policy must not hold, and where. */
function forbiddenNodes(parsed: Document): { offset: number; problem: string }[] {
  const found: { offset: number; problem: string }[] = [];
  visit(parsed, {
    Node(_key, node, path) {
      const offset = node.range?.[0] ?? 0;
      if (isMap(node)) found.push(...duplicateKeys(node));
      if (isAlias(node)) found.push({ offset, problem: 'aliases are not allowed: write the value out' });
      else if (node.anchor !== undefined) found.push({ offset, problem: 'anchors are not allowed: write the value out' });
      if (!isAlias(node) && node.tag !== undefined && !implicitTags.has(node.tag)) found.push({ offset, problem: 'tags are not allowed' });
      if (path.length > 2 * depthMax) { // a pair stands between a mapping and its value
        found.push({ offset, problem: `nested deeper than ${depthMax} levels` });
        return visit.BREAK;
      }
      return undefined;
    },
  });
  return found.slice(0, 20);
}

/** The parser's own check compares each key with each other one: minutes for a large hostile file. */
function duplicateKeys(map: YAMLMap): { offset: number; problem: string }[] {
  const keys = new Set<unknown>();
  return map.items.flatMap(({ key }) => {
    const name = isScalar(key) ? key.value : key;
    if (keys.has(name)) return [{ offset: isNode(key) ? key.range?.[0] ?? 0 : 0, problem: 'the same key stands here twice' }];
    keys.add(name);
    return [];
  });
}

const implicitTags = new Set(['tag:yaml.org,2002:map', 'tag:yaml.org,2002:seq', 'tag:yaml.org,2002:str', 'tag:yaml.org,2002:int', 'tag:yaml.org,2002:float', 'tag:yaml.org,2002:bool', 'tag:yaml.org,2002:null']);

/** Segments of an RFC 6901 pointer. */
export function pointerSegments(pointer: string): string[] {
  return pointer === '' ? [] : pointer.slice(1).split('/').map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Joins segments to an RFC 6901 pointer. */
export function pointerOf(...segments: readonly (string | number)[]): string {
  return segments.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Offset of the node a pointer names, or of the nearest one above it. */
function offsetOf(parsed: Document, segments: readonly string[], target: 'key' | 'value'): number {
  let node: unknown = parsed.contents;
  let offset = isNode(node) ? node.range?.[0] ?? 0 : 0;
  for (const [at, segment] of segments.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : String(key)) === segment);
      if (pair === undefined) return offset;
      const wantsKey = target === 'key' && at === segments.length - 1;
      if ((wantsKey || !isNode(pair.value)) && isNode(pair.key)) return pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(segment)];
    } else {
      return offset;
    }
    if (!isNode(node)) return offset;
    offset = node.range?.[0] ?? offset;
  }
  return offset;
}
