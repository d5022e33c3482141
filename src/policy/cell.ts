import { canonicalJson } from '../canonical.ts';
import type { DecisionReason, FieldDecision, FieldRef, Use } from '../vocabulary.ts';
import type { Condition } from './condition.ts';
import type { Facts } from './facts.ts';
import { compareText } from './problem.ts';
import { consentTiers, openingKey, opennessOf, type ConsentTier, type Rule } from './rule.ts';

/**
 * What the policy says about one field × use for one purpose and one institution class, made ready: every
 * decision that can come out exists already, so that deciding is choosing one of them.
 */
export type Cell = {
  readonly noGrant: FieldDecision;
  readonly notConsented: FieldDecision;
  readonly desensitised: Outcome;
  readonly original: Outcome;
  /** The rules behind it; empty when the cell is closed to any rule. */
  readonly rules: readonly Rule[];
};

/** Fixed whatever the facts are, or to be resolved with them. */
export type Outcome =
  | { readonly fixed: FieldDecision; readonly program: null }
  | { readonly fixed: null; readonly program: Program };

type Bound = {
  readonly rule: Rule;
  readonly openness: number;
  readonly applies: FieldDecision;
  readonly unmet: FieldDecision;
  readonly unevaluable: FieldDecision;
};

type Tier = { readonly denies: readonly Bound[]; readonly opens: readonly Bound[] };

type Program = {
  /** Every rule with a condition, by id. */
  readonly conditional: readonly Bound[];
  /** Widest consent first. */
  readonly tiers: readonly Tier[];
  readonly noRule: FieldDecision;
};

/** A decision that nothing is disclosed. Frozen: decisions are shared between requests. */
export function withheld(field: FieldRef, use: Use, reason: DecisionReason, rule: string | null = null, path: readonly string[] = []): FieldDecision {
  return Object.freeze({ field, use, disposition: 'withhold', reason, rule, path: Object.freeze([...path]) });
}

/** A cell that gives the same answer whatever consent and facts are. */
export function closedCell(decision: FieldDecision): Cell {
  const outcome: Outcome = { fixed: decision, program: null };
  return { noGrant: decision, notConsented: decision, desensitised: outcome, original: outcome, rules: [] };
}

/** @param rules those that match field, purpose and class and concern the use; in any order */
export function openCell(field: FieldRef, use: Use, file: string, rules: readonly Rule[]): Cell {
  const bounds = rules.map((rule) => bind(field, use, rule));
  return {
    noGrant: withheld(field, use, 'no_valid_grant'),
    notConsented: withheld(field, use, 'not_consented'),
    desensitised: outcomeOf(bounds, ['desensitised'], field, use, file),
    original: outcomeOf(bounds, ['original', 'desensitised'], field, use, file),
    rules,
  };
}

function bind(field: FieldRef, use: Use, rule: Rule): Bound {
  const whenPath = [...rule.path, 'when'];
  const base = { rule, unmet: withheld(field, use, 'condition_not_met', rule.id, whenPath), unevaluable: withheld(field, use, 'condition_not_evaluable', rule.id, whenPath) };
  const path = Object.freeze([...rule.path, 'effect']);
  if (rule.effect.kind === 'deny') return { ...base, openness: 0, applies: withheld(field, use, 'denied_by_rule', rule.id, path) };
  const { use: _use, ...opening } = rule.effect.opening;
  return { ...base, openness: opennessOf(opening.disposition), applies: Object.freeze({ field, use, reason: 'permitted', rule: rule.id, path, ...opening }) };
}

function outcomeOf(bounds: readonly Bound[], tiers: readonly ConsentTier[], field: FieldRef, use: Use, file: string): Outcome {
  const byId = bounds.toSorted((a, b) => compareText(a.rule.id, b.rule.id));
  const program: Program = {
    conditional: byId.filter(({ rule }) => rule.when !== null),
    tiers: tiers.map((tier) => {
      const standing = byId.filter(({ rule }) => rule.consent.has(tier));
      return {
        denies: standing.filter(({ rule }) => rule.effect.kind === 'deny'),
        // stable sort: of equally restrictive rules the smallest id decides
        opens: standing.filter(({ rule }) => rule.effect.kind === 'open').toSorted((a, b) => a.openness - b.openness),
      };
    }),
    noRule: withheld(field, use, 'no_rule', null, [file]),
  };
  return program.conditional.length === 0 ? { fixed: resolve(program, noFacts), program: null } : { fixed: null, program };
}

const noFacts: Facts = new Map();

/**
 * The decision of a program. Consent to the original includes consent to the desensitised form: each reach of
 * consent is decided on its own and the most open result counts. Within one, a deny overrides, then the most
 * restrictive rule decides. One condition that cannot be evaluated closes the field at every reach, so that
 * neither leaving a fact out nor narrowing consent ever discloses more.
 */
export function resolve(program: Program, facts: Facts): FieldDecision {
  let unevaluable: FieldDecision | null = null;
  for (const bound of program.conditional) {
    if (bound.rule.when?.test(facts) === undefined) {
      unevaluable = bound.unevaluable;
      break;
    }
  }
  let best: FieldDecision | null = null;
  for (const tier of program.tiers) {
    const decision = resolveTier(tier, facts, unevaluable, program.noRule);
    if (best === null || moreTelling(decision, best)) best = decision;
  }
  return best ?? program.noRule;
}

function resolveTier(tier: Tier, facts: Facts, unevaluable: FieldDecision | null, noRule: FieldDecision): FieldDecision {
  for (const deny of tier.denies) if (deny.rule.when === null || deny.rule.when.test(facts) === true) return deny.applies;
  if (unevaluable !== null) return unevaluable;
  for (const open of tier.opens) if (open.rule.when === null || open.rule.when.test(facts) === true) return open.applies;
  return tier.opens[0]?.unmet ?? noRule;
}

const telling: Partial<Record<DecisionReason, number>> = { denied_by_rule: 3, condition_not_evaluable: 2, condition_not_met: 1 };

/** Between reaches of consent: the more open one; if nothing opens, the reason that says most. */
function moreTelling(a: FieldDecision, b: FieldDecision): boolean {
  const difference = opennessOf(a.disposition) - opennessOf(b.disposition);
  if (difference !== 0) return difference > 0;
  return a.disposition === 'withhold' && (telling[a.reason] ?? 0) > (telling[b.reason] ?? 0);
}

/** True when some facts may open the field at this reach of consent. */
export function mayOpen(cell: Cell, tier: ConsentTier): boolean {
  const outcome = cell[tier];
  if (outcome.fixed !== null) return outcome.fixed.disposition !== 'withhold';
  return outcome.program.tiers.some(({ denies, opens }) => opens.length > 0 && !denies.some(({ rule }) => rule.when === null));
}

const keys = new WeakMap<Outcome, string>();

/** Equal keys mean equal outcomes whatever the facts are; names of fields and rules do not matter. */
export function outcomeKey(outcome: Outcome): string {
  let key = keys.get(outcome);
  if (key === undefined) {
    key = outcome.fixed === null ? programKey(outcome.program) : decisionKey(outcome.fixed);
    keys.set(outcome, key);
  }
  return key;
}

/** Equal keys mean that the same leaves in the same form. */
export function decisionKey({ disposition, treatment, comparison }: FieldDecision): string {
  return disposition === 'withhold' ? 'withhold' : openingKey({ disposition, treatment, comparison });
}

function programKey({ tiers, conditional }: Program): string {
  const keyOf = ({ rule, applies }: Bound) => canonicalJson([decisionKey(applies), rule.when?.key ?? null]);
  const keysOf = (bounds: readonly Bound[]) => [...new Set(bounds.map(keyOf))].toSorted();
  // two reaches of consent with the same rules do what one of them does, and one that opens nothing adds nothing
  const tierKeys = new Set(tiers.filter(({ opens }) => opens.length > 0).map(({ denies, opens }) => canonicalJson([keysOf(denies), keysOf(opens)])));
  return canonicalJson([[...tierKeys], [...new Set(conditional.map(({ rule }) => rule.when?.key ?? ''))].toSorted()]);
}

/** What may come out in some situation: each rule's opening or denial with its condition, most restrictive first. */
export type Case = { readonly decision: FieldDecision; readonly when: Condition | null };

export function casesOf(outcome: Outcome): readonly Case[] {
  if (outcome.fixed !== null) return [{ decision: outcome.fixed, when: null }];
  const cases = outcome.program.tiers.flatMap(({ denies, opens }) => [...denies, ...opens].map(({ applies, rule }) => ({ decision: applies, when: rule.when })));
  return [...new Map(cases.map((one) => [canonicalJson([decisionKey(one.decision), one.when?.key ?? null]), one])).values()];
}

/** The decision of an outcome under some facts. */
export function decideOutcome(outcome: Outcome, facts: Facts): FieldDecision {
  return outcome.fixed ?? resolve(outcome.program, facts);
}

/** Conditions the outcome depends on. */
export function conditionsOf(outcome: Outcome): Condition[] {
  return outcome.program === null ? [] : outcome.program.conditional.flatMap(({ rule }) => rule.when ?? []);
}

/** Rules that decide in this cell in at least one situation, deny rules included. */
export function decidingRules(cell: Cell): Set<string> {
  const deciding = new Set<string>();
  for (const tier of consentTiers) {
    const standing = cell.rules.filter((rule) => rule.consent.has(tier));
    const denies = standing.filter((rule) => rule.effect.kind === 'deny');
    for (const rule of denies) deciding.add(rule.id);
    if (denies.some((rule) => rule.when === null)) continue;
    const opens = standing
      .filter((rule) => rule.effect.kind === 'open')
      .toSorted((a, b) => opennessOfRule(a) - opennessOfRule(b) || compareText(a.id, b.id));
    for (const rule of opens) {
      deciding.add(rule.id);
      if (rule.when === null) break;
    }
  }
  return deciding;
}

function opennessOfRule(rule: Rule): number {
  return rule.effect.kind === 'open' ? opennessOf(rule.effect.opening.disposition) : 0;
}
