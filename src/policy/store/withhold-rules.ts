import { parseDocument, isSeq } from 'yaml';
import type { FieldRef, PurposeCode } from '../../vocabulary.ts';
import type { Pack } from './pack.ts';

/** A field that is closed for a purpose, whatever the rules say. */
export type Closing = { readonly id: string; readonly field: FieldRef; readonly purpose: PurposeCode; readonly reason: string };

/** Id of the rule that a withhold stands for: decisions and log entries name it. */
export function closingRule(id: string): string {
  return `emergency-${id}`;
}

/**
 * The pack with a deny for each closing, as a person would have written it; comments and order stay. A rule of the
 * same id gives way. What the pack has no rules for is closed already.
 */
export function withheldFiles(pack: Pack, closings: readonly Closing[]): Pack {
  const byFile = Map.groupBy(closings, ({ field }) => `rules/${field.slice(0, field.indexOf('.'))}.yaml`);
  return { ...pack, ...Object.fromEntries([...byFile].flatMap(([file, denied]) => {
    const text = pack[file];
    return text === undefined ? [] : [[file, withDenies(text, denied)]];
  })) };
}

function withDenies(text: string, closings: readonly Closing[]): string {
  const document = parseDocument(text);
  const rules = document.get('rules');
  if (!isSeq(rules)) return text; // the loader says what is wrong
  const ids = new Set(closings.map(({ id }) => closingRule(id)));
  rules.items = rules.items.filter((item) => !ids.has(String((item as { get?: (key: string) => unknown }).get?.('id'))));
  for (const { id, field, purpose, reason } of closings) {
    rules.add(document.createNode({
      id: closingRule(id),
      description: { en: `Withheld in an emergency: ${reason}.`, zh: `紧急停止披露：${reason}。` },
      fields: [field.slice(field.indexOf('.') + 1)],
      purposes: [purpose],
      institution_classes: ['*'],
      consent: ['desensitised', 'original'],
      effect: 'deny',
    }));
  }
  return document.toString({ lineWidth: 0 });
}
