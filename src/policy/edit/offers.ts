import type { Comparison, Field, Treatment, Use } from '../../vocabulary.ts';
import { fieldGuards, ruleGuards } from '../guards.ts';
import type { CompiledPolicy } from '../policy.ts';
import { consentTiers, effectOf, type ConsentTier, type Rule } from '../rule.ts';
import type { OpeningText } from '../text.ts';

/** Something a cell may be set to, with parameters to begin with, and the reaches of consent at which it may. */
export type Offer = { readonly opening: OpeningText; readonly tiers: readonly ConsentTier[] };

/**
 * What the guards let a rule open for one field, purpose and use: nothing else need be offered. Parameters are those that
 * the policy uses for the field already, else plain ones that fit its type.
 */
export function offersFor(policy: CompiledPolicy, field: Field, purpose: string, use: Use): Offer[] {
  const used = [...policy.rules.values()].filter((rule) => rule.fields.has(field.ref)).flatMap(({ effect }) => (effect.kind === 'open' && effect.opening.use === use ? [effect.opening] : []));
  const known = candidates(field, use).map((opening): OpeningText => {
    const like = used.find((each) => each.disposition === dispositionOf(opening) && (each.treatment ?? each.comparison)?.method === methodOf(opening));
    if (like?.treatment !== undefined && opening.use === 'read') return { ...opening, treatment: like.treatment };
    return like?.comparison !== undefined && opening.use === 'verify' ? { ...opening, comparison: like.comparison } : opening;
  });
  return known.flatMap((opening) => {
    const tiers = consentTiers.filter((tier) => isAllowed(policy, field, purpose, opening, tier));
    return tiers.length === 0 ? [] : [{ opening, tiers }];
  });
}

function isAllowed(policy: CompiledPolicy, field: Field, purpose: string, opening: OpeningText, tier: ConsentTier): boolean {
  const words = { en: '', zh: '' };
  const text = { id: 'offer', description: words, fields: [field.name], purposes: [purpose], institution_classes: [], consent: [tier], effect: opening };
  const rule: Rule = {
    id: 'offer', description: words, path: [], fields: new Set([field.ref]), purposes: new Set([purpose]), institutionClasses: new Set(), consent: new Set([tier]),
    effect: effectOf(opening), when: null, pointer: '', text,
  };
  return ruleGuards(rule, policy.purposes).length === 0 && fieldGuards(rule, field, policy.purposes).length === 0;
}

function dispositionOf(opening: OpeningText): string {
  return opening.use === 'read' ? opening.disposition : opening.use;
}

function methodOf(opening: OpeningText): string | undefined {
  if (opening.use === 'read') return opening.treatment?.method;
  return opening.use === 'verify' ? opening.comparison.method : undefined;
}

function candidates(field: Field, use: Use): OpeningText[] {
  switch (use) {
    case 'read': return [
      { use, disposition: 'clear' },
      ...masks(field).map((treatment): OpeningText => ({ use, disposition: 'mask', treatment })),
      { use, disposition: 'band', treatment: { method: 'band', edges: edges(field) } },
      { use, disposition: 'token', treatment: { method: 'token' } },
      { use, disposition: 'token', treatment: { method: 'format_preserving_token', alphabet: 'digits' } },
    ];
    case 'verify': return comparisons(field).map((comparison): OpeningText => ({ use, comparison }));
    case 'score':
    case 'aggregate': return [{ use }];
    default: return use satisfies never;
  }
}

function masks(field: Field): Treatment[] {
  const [bottom = 0, top = 1] = [edges(field)[0], edges(field).at(-1)];
  return [
    { method: 'chinese_name' }, { method: 'phone' }, { method: 'identity_number' }, { method: 'email' }, { method: 'address', level: 'city' }, { method: 'bank_account' },
    { method: 'keep_ends', first: 1, last: 1 }, { method: 'mask_range', from: 1, to: Math.max(2, (field.maxLength ?? 12) - 1) }, { method: 'class_preserving' },
    ...groups(field), { method: 'round', to: roundTo(field) }, { method: 'year' }, { method: 'clamp', bottom, top },
    { method: 'fixed', text: '***' }, { method: 'suppress' },
  ];
}

/** The first half of the codes in one group, all others in another. Texts have no list of values to group. */
function groups(field: Field): Treatment[] {
  const codes = Object.keys(field.codes ?? {});
  if (codes.length < 2) return [];
  const half = codes.slice(0, Math.ceil(codes.length / 2));
  return [{ method: 'generalise', groups: Object.fromEntries(half.map((code) => [code, 'a'])), otherwise: codes.length === 2 ? 'a' : 'b' }];
}

function comparisons(field: Field): Comparison[] {
  return [{ method: 'equal' }, { method: 'within_percent', percent: 5 }, { method: 'within_absolute', amount: roundTo(field) }, { method: 'same_band', edges: edges(field) }];
}

/** Amounts of money in steps of ten from 10,000 yuan on; other numbers in quarters of their range. */
function edges(field: Field): number[] {
  const { min = 0, max = 1_000_000 } = field;
  if (field.unit === 'CNY cent') return [1e6, 1e7, 1e8, 1e9, 1e10].filter((edge) => edge > min && edge < max);
  const fine = field.type === 'decimal' ? 10 ** (field.scale ?? 0) : 1;
  const quarters = [1, 2, 3].map((part) => Math.round((min + ((max - min) * part) / 4) * fine) / fine);
  return [...new Set(quarters)].filter((edge) => edge > min && edge <= max);
}

function roundTo(field: Field): number {
  if (field.unit === 'CNY cent') return 1_000_000;
  return field.type === 'decimal' ? 1 : 10;
}
