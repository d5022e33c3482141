import type { FieldRef } from '../../vocabulary.ts';
import { mayOpen, openCell } from '../cell.ts';
import type { Fact } from '../facts.ts';
import type { CompiledPolicy } from '../policy.ts';
import { concerns, consentTiers, uses, type Rule } from '../rule.ts';
import type { Words } from '../text.ts';
import { conditionWords } from '../words.ts';

/** A condition of the rules about a purpose, with the facts it asks about. */
export type PurposeCondition = { readonly words: Words; readonly rules: readonly string[]; readonly facts: readonly string[] };
export type DeclaredFact = { readonly fact: Fact; /** Rules of the whole policy that ask about it. */ readonly rules: number };

/** Fields that some rule opens to somebody for a purpose, or would if they were in its minimum. */
export function openedFields(policy: CompiledPolicy, purpose: string): Set<FieldRef> {
  const about = rulesAbout(policy, purpose);
  const byField = new Map<FieldRef, Rule[]>();
  for (const rule of about) for (const field of rule.fields) byField.set(field, [...byField.get(field) ?? [], rule]);
  return new Set([...byField].filter(([field, rules]) => isOpened(field, rules)).map(([field]) => field));
}

function isOpened(field: FieldRef, rules: readonly Rule[]): boolean {
  const classes = new Set(rules.filter(({ effect }) => effect.kind === 'open').flatMap(({ institutionClasses }) => [...institutionClasses]));
  return [...classes].some((institutionClass) => uses.some((use) => {
    const cell = openCell(field, use, '', rules.filter((rule) => rule.institutionClasses.has(institutionClass) && concerns(rule, use)));
    return consentTiers.some((tier) => mayOpen(cell, tier));
  }));
}

function rulesAbout(policy: CompiledPolicy, purpose: string): Rule[] {
  return [...policy.rules.values()].filter((rule) => rule.purposes.has(purpose));
}

/** On what the answers for a purpose hang besides consent: each condition once. */
export function conditionsAbout(policy: CompiledPolicy, purpose: string): PurposeCondition[] {
  const conditional = rulesAbout(policy, purpose).flatMap(({ id, when }) => (when === null ? [] : [{ id, when }]));
  return [...Map.groupBy(conditional, ({ when }) => when.key).values()].flatMap((same) => {
    const when = same[0]?.when;
    return when === undefined ? [] : [{ words: conditionWords(when), rules: same.map(({ id }) => id), facts: factsOf(when) }];
  });
}

function factsOf(condition: NonNullable<Rule['when']>): string[] {
  return [...new Set(condition.atoms.map(({ fact }) => fact.name))];
}

export function declaredFacts(policy: CompiledPolicy): DeclaredFact[] {
  const asked = [...policy.rules.values()].flatMap(({ when }) => (when === null ? [] : factsOf(when)));
  return [...policy.facts.values()].map((fact) => ({ fact, rules: asked.filter((name) => name === fact.name).length }));
}
