import type { Use } from '../../vocabulary.ts';
import { namesMatching } from '../pattern.ts';
import { consentTiers, uses, type ConsentTier } from '../rule.ts';
import type { EffectText, RuleText } from '../text.ts';

/** Cells of one field and use that rules are to leave. */
export type Region = {
  /** Name within the dataset. */
  readonly name: string;
  readonly use: Use;
  readonly purposes: ReadonlySet<string>;
  readonly classes: ReadonlySet<string>;
  readonly tiers: ReadonlySet<ConsentTier>;
};

/** What patterns and `*` stand for at this moment. */
export type World = { readonly names: readonly string[]; readonly purposes: readonly string[]; readonly classes: readonly string[] };

/**
 * A rule without the region: a rule is a box of fields × purposes × classes × uses × reaches of consent, so what is left is at most five
 * boxes, each narrower than the rule in one more dimension. All but the first are about the one field.
 * @returns undefined when the rule does not meet the region; an empty list when nothing is left
 */
export function carve(rule: RuleText, region: Region, world: World): RuleText[] | undefined {
  const purposes = expanded(rule.purposes, world.purposes);
  const classes = expanded(rule.institution_classes, world.classes);
  const ruleUses = usesOf(rule.effect);
  const meets = rule.fields.some((pattern) => namesMatching(pattern, [region.name]).length > 0)
    && purposes.some((each) => region.purposes.has(each)) && classes.some((each) => region.classes.has(each))
    && ruleUses.includes(region.use) && rule.consent.some((tier) => region.tiers.has(tier));
  if (!meets) return undefined;

  const inPurposes = purposes.filter((each) => region.purposes.has(each));
  const inClasses = classes.filter((each) => region.classes.has(each));
  const own = { ...rule, fields: [region.name] };
  const boxes: RuleText[] = [
    { ...rule, fields: fieldsWithout(rule.fields, region.name, world.names) },
    { ...own, purposes: purposes.filter((each) => !region.purposes.has(each)) },
    { ...own, purposes: inPurposes, institution_classes: classes.filter((each) => !region.classes.has(each)) },
    { ...own, purposes: inPurposes, institution_classes: inClasses, consent: consentTiers.filter((tier) => rule.consent.includes(tier) && !region.tiers.has(tier)) },
  ];
  const otherUses = ruleUses.filter((use) => use !== region.use);
  const closed: RuleText[] = otherUses.length === 0 ? [] : [
    { ...own, purposes: inPurposes, institution_classes: inClasses, consent: rule.consent.filter((tier) => region.tiers.has(tier)), effect: { deny: otherUses } },
  ];
  return [...boxes.filter(isBox), ...closed];
}

function isBox({ fields, purposes, institution_classes: classes, consent }: RuleText): boolean {
  return [fields, purposes, classes, consent].every((each) => each.length > 0);
}

function expanded(listed: readonly string[], all: readonly string[]): readonly string[] {
  return listed.includes('*') ? all : listed;
}

/** Uses a rule is about; more than one only when it denies. */
export function usesOf(effect: EffectText): readonly Use[] {
  if (effect === 'deny') return uses;
  return 'deny' in effect ? effect.deny : [effect.use];
}

/** Patterns that stand for the field among others give way to the others' names; the rest stays as it is. */
function fieldsWithout(patterns: readonly string[], name: string, names: readonly string[]): string[] {
  return [...new Set(patterns.flatMap((pattern) => {
    const found = namesMatching(pattern, names);
    return found.includes(name) ? found.filter((each) => each !== name) : [pattern];
  }))];
}
