import type { Comparison, Frequency, Treatment, Use, Value } from '../vocabulary.ts';

/** The shapes of the files, exactly as policies/schema/*.json describes them. */

export type Words = { readonly en: string; readonly zh: string };

export type FactText = {
  readonly type: 'integer' | 'text' | 'code' | 'boolean' | 'date';
  readonly title: Words;
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  readonly codes?: readonly string[];
};

export type PurposeText = {
  readonly title: Words;
  readonly description: Words;
  readonly uses: readonly Use[];
  readonly caps: {
    readonly validity_days_max: number;
    readonly uses_max: number;
    readonly frequency_max: Frequency;
    readonly data_life_days_max: number;
    readonly data_period_years_max: number;
    readonly kinds: readonly ('one_time' | 'periodic')[];
  };
  readonly verification: { readonly attempts_max: number };
  readonly minimum: readonly string[];
};

export type PurposesText = {
  readonly institution_classes: Readonly<Record<string, { readonly title: Words; readonly description?: Words }>>;
  readonly facts: Readonly<Record<string, FactText>>;
  readonly purposes: Readonly<Record<string, PurposeText>>;
};

export type OpeningText =
  | { readonly use: 'read'; readonly disposition: 'clear' | 'mask' | 'band' | 'token'; readonly treatment?: Treatment }
  | { readonly use: 'verify'; readonly comparison: Comparison }
  | { readonly use: 'score' }
  | { readonly use: 'aggregate' };

export type EffectText = 'deny' | { readonly deny: readonly Use[] } | OpeningText;

export type ConditionText =
  | { readonly all: readonly ConditionText[] }
  | { readonly any: readonly ConditionText[] }
  | { readonly not: ConditionText }
  | { readonly fact: string; readonly op: Operator; readonly value: string | number | boolean | readonly (string | number | boolean)[] };

export type Operator = 'equals' | 'in' | 'at_least' | 'at_most' | 'before' | 'after';

export type RuleText = {
  readonly id: string;
  readonly description: Words;
  readonly fields: readonly string[];
  readonly purposes: readonly string[];
  readonly institution_classes: readonly string[];
  readonly consent: readonly ('desensitised' | 'original')[];
  readonly effect: EffectText;
  readonly when?: ConditionText;
};

export type RulesText = { readonly dataset: string; readonly rules: readonly RuleText[] };

export type TestText = {
  readonly name: string;
  readonly purpose: string;
  readonly institution_class: string;
  readonly consent: 'no_grant' | Readonly<Record<string, 'none' | 'desensitised' | 'original'>>;
  readonly facts?: Readonly<Record<string, Value>>;
  readonly expect: readonly {
    readonly field: string;
    readonly use: Use;
    readonly disposition: string;
    readonly reason?: string;
    readonly rule?: string;
    readonly treatment?: string;
    readonly comparison?: string;
  }[];
};

export type TestsText = { readonly tests: readonly TestText[] };
