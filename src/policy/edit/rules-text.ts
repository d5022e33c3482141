import { isMap, isNode, isSeq, parseDocument, stringify, type Document, type YAMLMap, type YAMLSeq } from 'yaml';
import type { RulesText, RuleText } from '../text.ts';
import { applied, blankBefore, dashOf, flow, leafEnd, lineEnd, lineStart, type Splice } from './yaml-splices.ts';

/** A rule after a change: the one at position `from` of the file, with what is new in it, or a new one behind it. */
export type ChangedRule = { readonly rule: RuleText; readonly from: number | null };

const changeable = ['fields', 'purposes', 'institution_classes', 'consent', 'effect'] as const;

/** What a rules file says. The text has been checked before: it loads. */
export function readRules(text: string): RulesText {
  return parseDocument(text).toJS() as RulesText;
}

/** The file of a dataset that had no rules yet. */
export function emptyRules(dataset: string): string {
  return `# yaml-language-server: $schema=../schema/rules.schema.json\ndataset: ${dataset}\nrules: []\n`;
}

/**
 * Writes changed rules into the text of their file. Only what differs is touched: comments, order, blank lines and the
 * way things are written stay to the letter.
 * @param rules all rules of the file in their order; one that is absent is taken out
 */
export function withRules(text: string, rules: readonly ChangedRule[]): string {
  const read = parseDocument(text);
  const before = (read.toJS() as RulesText).rules;
  const laidOut = isLaidOut(read) ? text : laidOutText(text);
  const document = laidOut === text ? read : parseDocument(laidOut);
  const seq = rulesOf(document);
  const items = seq.items.filter(isMap);
  const splices: Splice[] = [];
  const kept = new Set(rules.flatMap(({ from }) => from ?? []));
  items.forEach((item, at) => { if (!kept.has(at)) splices.push(removal(laidOut, item)); });
  if (kept.size === 0) splices.push({ from: blankBefore(laidOut, seq.range?.[0] ?? 0), to: seq.range?.[0] ?? 0, text: '' });

  const indent = items[0] === undefined ? '  ' : ' '.repeat(dashOf(laidOut, items[0]) - lineStart(laidOut, dashOf(laidOut, items[0])));
  let behind = items.length === 0 || kept.size === 0 ? undefined : lineEnd(laidOut, items[0] as YAMLMap);
  for (const { rule, from } of rules) {
    if (from !== null) {
      const item = items[from] as YAMLMap;
      splices.push(...memberSplices(item, before[from] as RuleText, rule));
      behind = lineEnd(laidOut, item);
    } else if (behind !== undefined) {
      splices.push({ from: behind, to: behind, text: `${laidOut[behind - 1] === '\n' ? '' : '\n'}\n${ruleText(rule, indent)}` });
    }
  }
  const spliced = applied(laidOut, splices);
  return kept.size > 0 ? spliced : withOnlyNew(spliced, rules);
}

/** The rules of a file none of whose old ones is left: `rules: []`, or the new ones. */
function withOnlyNew(text: string, rules: readonly ChangedRule[]): string {
  const head = text.replace(/^rules:[ \t]*(\[\s*\])?[ \t]*$/m, 'rules:');
  const at = /^rules:$/m.exec(head);
  if (at === null) throw new TypeError('no list of rules in a file that loaded');
  const end = at.index + 'rules:'.length;
  const list = rules.length === 0 ? ' []' : `\n${rules.map(({ rule }) => ruleText(rule, '  ').trimEnd()).join('\n\n')}`;
  return `${head.slice(0, end)}${list}${head.slice(end)}`;
}

function rulesOf(document: Document): YAMLSeq {
  const rules = document.get('rules');
  if (!isSeq(rules)) throw new TypeError('no list of rules in a file that loaded');
  return rules;
}

/** True when each rule stands on lines of its own. */
function isLaidOut(document: Document): boolean {
  const seq = rulesOf(document);
  return (seq.items.length === 0 || seq.flow !== true) && seq.items.every((item) => isMap(item) && item.flow !== true);
}

function laidOutText(text: string): string {
  const document = parseDocument(text);
  const seq = rulesOf(document);
  seq.flow = false;
  for (const item of seq.items) if (isMap(item)) item.flow = false;
  return document.toString({ lineWidth: 0 });
}

function memberSplices(item: YAMLMap, before: RuleText, after: RuleText): Splice[] {
  const splices: Splice[] = [];
  for (const key of changeable) {
    if (JSON.stringify(before[key]) === JSON.stringify(after[key])) continue;
    const value = item.get(key, true);
    if (!isNode(value) || !value.range) throw new TypeError(`no ${key} in a rule that loaded`);
    splices.push({ from: value.range[0], to: leafEnd(value) ?? value.range[1], text: flow(after[key]) });
  }
  return splices;
}

function removal(text: string, item: YAMLMap): Splice {
  const from = blankBefore(text, lineStart(text, dashOf(text, item)));
  return { from, to: lineEnd(text, item), text: '' };
}

/** A rule as people write it. */
function ruleText(rule: RuleText, indent: string): string {
  const { en, zh } = rule.description;
  const lines = [
    `- id: ${rule.id}`, '  description:', `    en: ${scalar(en)}`, `    zh: ${scalar(zh)}`,
    `  fields: ${flow(rule.fields)}`, `  purposes: ${flow(rule.purposes)}`, `  institution_classes: ${flow(rule.institution_classes)}`,
    `  consent: ${flow(rule.consent)}`, `  effect: ${flow(rule.effect)}`, ...(rule.when === undefined ? [] : [`  when: ${flow(rule.when)}`]),
  ];
  return lines.map((line) => `${indent}${line}\n`).join('');
}

function scalar(text: string): string {
  return stringify(text, { lineWidth: 0 }).trimEnd();
}
