import type { DecisionRequest } from '../../src/policy/policy.ts';
import type { ConditionText, PurposesText, RuleText } from '../../src/policy/text.ts';
import type { DecisionReason, Use, Value } from '../../src/vocabulary.ts';

/**
 * The meaning of a policy, read straight from the rules at every request: slow, plain, and written from
 * docs/formats/policy.md without looking at the compiler. Field lists must be written out (no patterns).
 */
export type Plain = { readonly fields: readonly string[]; readonly rules: readonly RuleText[]; readonly dataset: (rule: RuleText) => string; readonly purposes: PurposesText };

export type PlainDecision = { readonly disposition: string; readonly reason: DecisionReason; readonly rule: string | null };

const openness: Readonly<Record<string, number>> = { withhold: 0, token: 1, band: 2, mask: 3, clear: 4, verify: 1, score: 1, aggregate: 1 };

export function plainDecision(plain: Plain, request: DecisionRequest, field: string, use: Use): PlainDecision {
  const closed = (reason: DecisionReason, rule: string | null = null): PlainDecision => ({ disposition: 'withhold', reason, rule });
  if (!plain.fields.includes(field) || !openToClass(plain, field, request.institutionClass)) return closed('not_available');
  if (!minimum(plain, request.purpose, field)) return closed('not_minimum_for_purpose');
  if (request.consent === null) return closed('no_valid_grant');
  const consent = request.consent.get(field as never);
  if (consent !== 'original' && consent !== 'desensitised') return closed('not_consented');

  const rules = matching(plain, field, request.purpose, request.institutionClass, use);
  const facts = Object.fromEntries(request.facts);
  const value = (rule: RuleText) => (rule.when === undefined ? true : evaluate(rule.when, facts, plain.purposes));
  const unevaluable = rules.find((rule) => value(rule) === undefined);
  const tiers = consent === 'original' ? (['original', 'desensitised'] as const) : (['desensitised'] as const);
  const results = tiers.map((tier): PlainDecision => {
    const standing = rules.filter((rule) => rule.consent.includes(tier));
    const deny = standing.find((rule) => dispositionOf(rule) === 'withhold' && value(rule) === true);
    if (deny !== undefined) return closed('denied_by_rule', deny.id);
    if (unevaluable !== undefined) return closed('condition_not_evaluable', unevaluable.id);
    const opens = standing.filter((rule) => dispositionOf(rule) !== 'withhold').toSorted((a, b) => (openness[dispositionOf(a)] as number) - (openness[dispositionOf(b)] as number));
    const open = opens.find((rule) => value(rule) === true);
    if (open !== undefined) return { disposition: dispositionOf(open), reason: 'permitted', rule: open.id };
    return opens[0] === undefined ? closed('no_rule') : closed('condition_not_met', opens[0].id);
  });
  const said = ['no_rule', 'condition_not_met', 'condition_not_evaluable', 'denied_by_rule', 'permitted'];
  return results.toSorted((a, b) => (openness[b.disposition] as number) - (openness[a.disposition] as number) || said.indexOf(b.reason) - said.indexOf(a.reason))[0] as PlainDecision;
}

function matching(plain: Plain, field: string, purpose: string, institutionClass: string, use: Use): RuleText[] {
  return plain.rules
    .filter((rule) => rule.fields.some((name) => `${plain.dataset(rule)}.${name}` === field))
    .filter((rule) => names(rule.purposes, purpose) && names(rule.institution_classes, institutionClass))
    .filter(({ effect }) => (effect === 'deny' ? true : 'deny' in effect ? effect.deny.includes(use) : effect.use === use))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function names(list: readonly string[], name: string): boolean {
  return list.includes('*') || list.includes(name);
}

function dispositionOf({ effect }: RuleText): string {
  if (effect === 'deny' || 'deny' in effect) return 'withhold';
  return effect.use === 'read' ? effect.disposition : effect.use;
}

function minimum(plain: Plain, purpose: string, field: string): boolean {
  return (plain.purposes.purposes[purpose]?.minimum ?? []).some((pattern) => pattern === field || (pattern.endsWith('.*') && field.startsWith(pattern.slice(0, -1))));
}

function openToClass(plain: Plain, field: string, institutionClass: string): boolean {
  return Object.keys(plain.purposes.purposes).some((purpose) => minimum(plain, purpose, field)
    && (['read', 'verify', 'score', 'aggregate'] as const).some((use) => (['original', 'desensitised'] as const).some((tier) => {
      const standing = matching(plain, field, purpose, institutionClass, use).filter((rule) => rule.consent.includes(tier));
      return standing.some((rule) => dispositionOf(rule) !== 'withhold') && !standing.some((rule) => dispositionOf(rule) === 'withhold' && rule.when === undefined);
    })));
}

function evaluate(text: ConditionText, facts: Readonly<Record<string, Value>>, purposes: PurposesText): boolean | undefined {
  if ('not' in text) {
    const value = evaluate(text.not, facts, purposes);
    return value === undefined ? undefined : !value;
  }
  if ('all' in text || 'any' in text) {
    const decisive = 'any' in text;
    const values = ('any' in text ? text.any : text.all).map((part) => evaluate(part, facts, purposes));
    if (values.includes(decisive)) return decisive;
    return values.includes(undefined) ? undefined : !decisive;
  }
  const given = facts[text.fact];
  const declared = purposes.facts[text.fact];
  if (declared === undefined || given === undefined || given === null) return undefined;
  if (declared.type === 'integer' && (!Number.isSafeInteger(given) || Number(given) < (declared.min ?? -Infinity) || Number(given) > (declared.max ?? Infinity))) return undefined;
  if (declared.type === 'boolean' && typeof given !== 'boolean') return undefined;
  if (declared.type === 'code' && !(declared.codes ?? []).includes(String(given))) return undefined;
  switch (text.op) {
    case 'equals': return given === text.value;
    case 'in': return (text.value as readonly unknown[]).includes(given);
    case 'at_least': return given >= text.value;
    case 'at_most': return given <= text.value;
    case 'before': return given < text.value;
    case 'after': return given > text.value;
    default: return undefined;
  }
}
