import type { Disclosure, Value, VerificationOutcome } from '../vocabulary.ts';
import type { Connection } from './connection.ts';
import type { PolicyReviewView } from './policies.ts';
import type { PolicyFactEdit, PolicyPurposeEdit } from './policy-purposes.ts';

type Words = { readonly en: string; readonly zh: string };
export type PolicyUse = 'read' | 'verify' | 'score' | 'aggregate';
export type PolicyTier = 'desensitised' | 'original';
/** What a rule opens, as rule files write it; `treatment` and `comparison` name a method and its parameters. */
export type PolicyMethod = { readonly method: string } & Readonly<Record<string, unknown>>;
export type PolicyOpening = { readonly use: PolicyUse; readonly disposition?: 'clear' | 'mask' | 'band' | 'token'; readonly treatment?: PolicyMethod; readonly comparison?: PolicyMethod };
export type PolicyCondition = Readonly<Record<string, unknown>>;
export type PolicySetting = { readonly opening: PolicyOpening; readonly when?: PolicyCondition } | null;

/** What is to hold for one field × use for every one of these purposes and classes. A reach of consent that is absent stays as it is. */
export type PolicyEdit = {
  readonly field: string; readonly use: PolicyUse; readonly purposes: readonly string[]; readonly institution_classes: readonly string[];
  readonly desensitised?: PolicySetting; readonly original?: PolicySetting;
};

export type PolicyFieldView = { readonly field: string; readonly title: Words; readonly type: string; readonly level: number; readonly kind: 'public' | 'commercial_secret' | 'personal' };
export type PolicyOutcomeView = { readonly disposition: string; readonly conditional: boolean; readonly reason: string; readonly words: Words };

export type PolicyMatrixView = {
  readonly version: number; readonly digest: string; readonly institution_class: string; readonly use: PolicyUse; readonly consent: PolicyTier;
  readonly classes: readonly { readonly code: string; readonly title: Words }[];
  readonly purposes: readonly { readonly code: string; readonly title: Words; readonly uses: readonly PolicyUse[] }[];
  readonly datasets: readonly { readonly dataset: string; readonly title: Words }[];
  readonly fields: readonly PolicyFieldView[];
  readonly outcomes: readonly PolicyOutcomeView[];
  /** Positions in `outcomes`: field by field, purpose by purpose. */
  readonly cells: readonly number[];
};

export type PolicyTierView = {
  readonly words: Words; readonly opening: PolicyOpening | null; readonly when: PolicyCondition | null;
  /** False: several rules or a prohibition stand there. */
  readonly simple: boolean;
};
export type PolicyOffer = { readonly opening: PolicyOpening; readonly consent: readonly PolicyTier[] };

export type PolicyCellView = {
  readonly version: number; readonly digest: string; readonly purpose: string; readonly in_minimum: boolean; readonly uses: readonly PolicyUse[];
  readonly field: PolicyFieldView & {
    readonly dataset: string; readonly dataset_title: Words; readonly unit?: string; readonly codes?: Readonly<Record<string, string>>;
    readonly min?: number; readonly max?: number; readonly max_length?: number; readonly scale?: number;
  };
  readonly cells: readonly { readonly use: PolicyUse; readonly institution_class: string; readonly desensitised: PolicyTierView; readonly original: PolicyTierView;
    readonly rules: readonly string[] }[];
  readonly rules: readonly { readonly id: string; readonly description: Words; readonly denies: boolean; readonly condition: Words | null }[];
  readonly offers: Readonly<Record<PolicyUse, readonly PolicyOffer[]>>;
};

export type StaleExpectationView = {
  readonly file: string; readonly test: string; readonly purpose: string; readonly institution_class: string; readonly field: string; readonly use: PolicyUse;
  readonly expected: string; readonly got: string; readonly kind: 'renamed' | 'edited' | 'promised' | 'other';
};

export type JudgedEditsView = {
  readonly version: number; readonly digest: string;
  /** Files to propose: with them the policy is what the edits say. */
  readonly changes: Readonly<Record<string, string | null>>;
  readonly summary: Words; readonly combinations: number; readonly combinations_changed: number;
  readonly differences: PolicyReviewView['changes'];
  /** Purposes, facts: what is not a cell. */
  readonly settings: PolicyReviewView['settings'];
  readonly tests: { readonly run: number; readonly failing: number; /** Expectations that were brought up to date. */ readonly adjusted: number; readonly stale: readonly StaleExpectationView[] };
};

/** What an institution would see of a made-up value. */
export type ShownSample =
  | { readonly kind: 'disclosure'; readonly disclosure: Disclosure }
  | { readonly kind: 'verification'; readonly claimed: Value; readonly outcome: VerificationOutcome }
  | { readonly kind: 'clear' | 'computed' | 'withheld' };
export type PolicySamplesView = { readonly values: readonly Value[]; readonly shown: readonly (readonly ShownSample[])[] };

/** The policy as a grid of fields × purposes, for people who read and change it cell by cell. Errors: those of the gateway, POLICY_*. */
export function policyCellsClient({ call }: Pick<Connection, 'call'>) {
  const get = <Result>(version: number, noun: string, query: Readonly<Record<string, string>>) =>
    call<Result>({ method: 'GET', path: `/v1/policies/${version}/${noun}?${new URLSearchParams(query)}` });
  return {
    /** Everything the version says to one class of institutions, the first where none is named, about one use at one reach of consent. */
    matrix: (version: number, institutionClass: string | undefined, use: PolicyUse, consent: PolicyTier) =>
      get<PolicyMatrixView>(version, 'matrix', { ...(institutionClass === undefined ? {} : { institution_class: institutionClass }), use, consent }),
    /** One field for one purpose: what every class gets, by which rules, and what may be set. */
    cell: (version: number, field: string, purpose: string) => get<PolicyCellView>(version, 'cell', { field, purpose }),
    /** What edits would make of the version; nothing is kept. Purposes and facts come first: cells may lie in fields that a minimum has only then. */
    judge: (version: number, edits: readonly PolicyEdit[], adjustTests = false, settings: { readonly purposes?: readonly PolicyPurposeEdit[]; readonly facts?: readonly PolicyFactEdit[] } = {}) =>
      call<JudgedEditsView>({ method: 'POST', path: `/v1/policies/${version}/edits`, json: { edits, ...settings, adjust_tests: adjustTests } }),
    /** How made-up values of a field look under each opening; null is withheld. */
    samples: (field: string, openings: readonly (PolicyOpening | null)[]) => call<PolicySamplesView>({ method: 'POST', path: '/v1/policy-samples', json: { field, openings } }),
  };
}
