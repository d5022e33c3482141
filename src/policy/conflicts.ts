import type { PolicyDocument } from './document.ts';
import { compareText, type Problem } from './problem.ts';
import { openingKey, type Opening, type Rule } from './rule.ts';
import { excludeEachOther } from './situations.ts';

/**
 * Two rules that can open the same field at once with the same disposition but in different ways: neither is
 * more restrictive than the other, so no order of rules could be meant. Refused, unless their conditions
 * exclude each other. Named at the rule with the larger id.
 */
export function conflictProblems(rules: readonly Rule[], documents: ReadonlyMap<string, PolicyDocument>): Problem[] {
  const problems: Problem[] = [];
  const opening = rules.filter((rule) => rule.effect.kind === 'open').toSorted((a, b) => compareText(a.id, b.id));
  for (const group of Map.groupBy(opening, groupKey).values()) {
    for (const [at, later] of group.entries()) {
      for (const earlier of group.slice(0, at)) {
        const field = conflictingField(earlier, later);
        if (field === undefined || excludeEachOther(earlier.when, later.when)) continue;
        const document = documents.get(later.path[0] as string);
        const problem = `conflicts with the rule "${earlier.id}": both open ${field} by "${openingOf(later).disposition}" for the same purpose, class and consent, but differently; make them equal or let their conditions exclude each other`;
        if (document !== undefined) problems.push(document.problemAt(`${later.pointer}/effect`, problem));
      }
    }
  }
  return problems;
}

function groupKey(rule: Rule): string {
  return `${rule.path[0]} ${openingOf(rule).disposition}`;
}

function openingOf(rule: Rule): Opening {
  if (rule.effect.kind !== 'open') throw new TypeError('a deny opens nothing');
  return rule.effect.opening;
}

function conflictingField(a: Rule, b: Rule): string | undefined {
  if (openingKey(openingOf(a)) === openingKey(openingOf(b))) return undefined;
  const meet = common(a.purposes, b.purposes) && common(a.institutionClasses, b.institutionClasses) && common(a.consent, b.consent);
  return meet ? common(a.fields, b.fields) : undefined;
}

function common<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): T | undefined {
  for (const one of a) if (b.has(one)) return one;
  return undefined;
}

/** Ids are names in decisions and in the log: one id, one rule. */
export function duplicateIdProblems(rules: readonly Rule[], documents: ReadonlyMap<string, PolicyDocument>): Problem[] {
  const problems: Problem[] = [];
  for (const [id, group] of Map.groupBy(rules, (rule) => rule.id)) {
    const [first, ...others] = group.toSorted((a, b) => compareText(a.path[0] as string, b.path[0] as string));
    if (first === undefined) continue;
    const firstLine = documents.get(first.path[0] as string)?.problemAt(`${first.pointer}/id`, '').line;
    for (const rule of others) {
      const document = documents.get(rule.path[0] as string);
      if (document !== undefined) problems.push(document.problemAt(`${rule.pointer}/id`, `the rule id "${id}" is already used in ${first.path[0] as string}, line ${firstLine}`));
    }
  }
  return problems;
}
