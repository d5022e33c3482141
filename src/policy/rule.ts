import { canonicalJson } from '../canonical.ts';
import type { Comparison, Disposition, FieldRef, Treatment, Use } from '../vocabulary.ts';
import type { Condition } from './condition.ts';
import type { EffectText, RuleText, Words } from './text.ts';

export const uses = ['read', 'verify', 'score', 'aggregate'] as const satisfies readonly Use[];

/** Reaches of consent at which anything may be disclosed, from narrow to wide. At `none` nothing ever is. */
export const consentTiers = ['desensitised', 'original'] as const;
export type ConsentTier = (typeof consentTiers)[number];

/** What a rule opens: one disposition with what belongs to it. */
export type Opening = {
  readonly use: Use;
  readonly disposition: Exclude<Disposition, 'withhold'>;
  readonly treatment?: Treatment;
  readonly comparison?: Comparison;
};

export type Effect =
  | { readonly kind: 'deny'; readonly uses: ReadonlySet<Use> }
  | { readonly kind: 'open'; readonly opening: Opening };

/** A rule with its patterns resolved to what they stand for. */
export type Rule = {
  readonly id: string;
  readonly description: Words;
  /** File, then keys, with the rule's id in place of its position: does not change when rules are reordered. */
  readonly path: readonly string[];
  readonly fields: ReadonlySet<FieldRef>;
  readonly purposes: ReadonlySet<string>;
  readonly institutionClasses: ReadonlySet<string>;
  readonly consent: ReadonlySet<ConsentTier>;
  readonly effect: Effect;
  readonly when: Condition | null;
  /** For problems: where the rule stands in its document. */
  readonly pointer: string;
  readonly text: RuleText;
};

export function effectOf(text: EffectText): Effect {
  if (text === 'deny') return { kind: 'deny', uses: new Set(uses) };
  if ('deny' in text) return { kind: 'deny', uses: new Set(text.deny) };
  switch (text.use) {
    case 'read': {
      const { use, disposition, treatment } = text;
      return { kind: 'open', opening: treatment === undefined ? { use, disposition } : { use, disposition, treatment: frozen(treatment) } };
    }
    case 'verify':
      return { kind: 'open', opening: { use: 'verify', disposition: 'verify', comparison: frozen(text.comparison) } };
    case 'score':
    case 'aggregate':
      return { kind: 'open', opening: { use: text.use, disposition: text.use } };
    default:
      return text satisfies never;
  }
}

/** Decisions share these objects: nobody may change them. */
function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) Object.freeze(part);
  return Object.freeze(value);
}

/** True when the rule has anything to say about a use. */
export function concerns(rule: Rule, use: Use): boolean {
  return rule.effect.kind === 'deny' ? rule.effect.uses.has(use) : rule.effect.opening.use === use;
}

const openness: Readonly<Record<Disposition, number>> = { withhold: 0, token: 1, band: 2, mask: 3, clear: 4, verify: 1, score: 1, aggregate: 1 };

/** How much a disposition lets out, compared with others of the same use; 0 is nothing. */
export function opennessOf(disposition: Disposition): number {
  return openness[disposition];
}

/** Equal texts mean the same opening. */
export function openingKey(opening: { readonly disposition: Disposition; readonly treatment?: Treatment | undefined; readonly comparison?: Comparison | undefined }): string {
  return canonicalJson([opening.disposition, opening.treatment ?? null, opening.comparison ?? null]);
}
