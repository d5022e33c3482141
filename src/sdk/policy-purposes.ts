import type { Connection } from './connection.ts';
import type { PolicyFieldView, PolicyUse } from './policy-cells.ts';

type Words = { readonly en: string; readonly zh: string };
export type PolicyGrantKind = 'one_time' | 'periodic';
export type PolicyCaps = {
  /** Days. */
  readonly validity_days_max: number;
  readonly uses_max: number;
  readonly frequency_max: { readonly max: number; readonly per: 'day' | 'week' | 'month' };
  /** Days until the institution must delete. */
  readonly data_life_days_max: number;
  /** Years the data may reach back. */
  readonly data_period_years_max: number;
  readonly kinds: readonly PolicyGrantKind[];
};
export type PolicyLimit = 'validity_days_max' | 'uses_max' | 'frequency_max' | 'data_life_days_max' | 'data_period_years_max' | 'attempts_max';

/** What is to hold for one purpose. What is absent stays as it is; of the minimum only the fields named change. */
export type PolicyPurposeEdit = {
  readonly purpose: string;
  /** The purpose is made, and every other member is there. */
  readonly is_new?: boolean;
  readonly title?: Words; readonly description?: Words; readonly uses?: readonly PolicyUse[]; readonly caps?: Partial<PolicyCaps>;
  /** For each subject, field and grant. */
  readonly attempts_max?: number;
  readonly minimum?: { readonly add: readonly string[]; readonly remove: readonly string[] };
};

export type PolicyFact = {
  readonly type: 'integer' | 'text' | 'code' | 'boolean' | 'date'; readonly title: Words; readonly unit?: string;
  /** Whole numbers; a value outside counts as missing. */
  readonly min?: number; readonly max?: number;
  readonly codes?: readonly string[];
};
/** A fact as it is to be declared; null: no longer. */
export type PolicyFactEdit = { readonly fact: string; readonly declared: PolicyFact | null };

export type PolicyPurposeField = PolicyFieldView & {
  readonly in_minimum: boolean;
  /** Some rule opens it to somebody for the purpose, or would if it were in the minimum. */
  readonly opened: boolean;
};

export type PolicyPurposeView = {
  readonly version: number; readonly digest: string; readonly purpose: string; readonly title: Words; readonly description: Words; readonly uses: readonly PolicyUse[];
  readonly caps: PolicyCaps; readonly attempts_max: number;
  /** The least and the most that may be set. */
  readonly bounds: Readonly<Record<PolicyLimit, { readonly min: number; readonly max: number }>>;
  /** Every field of the catalogue. */
  readonly datasets: readonly { readonly dataset: string; readonly title: Words; readonly fields: readonly PolicyPurposeField[] }[];
  /** On what answers for the purpose hang besides consent. */
  readonly conditions: readonly { readonly words: Words; readonly rules: readonly string[]; readonly facts: readonly string[] }[];
  /** All facts the policy declares, with the number of its rules that ask about each. */
  readonly facts: readonly { readonly fact: string; readonly declared: PolicyFact; readonly rules: number }[];
};

/** The policy purpose by purpose, for people who read and change it. Edits are judged with those of cells. Errors: those of the gateway, POLICY_*. */
export function policyPurposesClient({ call }: Pick<Connection, 'call'>) {
  return {
    purpose: (version: number, purpose: string) => call<PolicyPurposeView>({ method: 'GET', path: `/v1/policies/${version}/purposes/${encodeURIComponent(purpose)}` }),
  };
}
