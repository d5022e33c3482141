import { VeilgateError } from '../../errors.ts';
import type { Cell, Outcome } from '../../policy/cell.ts';
import { wordsOf } from '../../policy/diff-words.ts';
import { matrixOf, type Matrix } from '../../policy/edit/matrix.ts';
import { offersFor, type Offer } from '../../policy/edit/offers.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import { uses, type ConsentTier, type Rule } from '../../policy/rule.ts';
import { compilePack } from '../../policy/store/pack.ts';
import { readVersion, type Version } from '../../policy/store/registry.ts';
import type { OpeningText, Words } from '../../policy/text.ts';
import { conditionWords } from '../../policy/words.ts';
import type { Dataset, Field, FieldRef, Use } from '../../vocabulary.ts';
import { requireStored, type PolicyDesk } from './policy-versions.ts';

/** A version with its files compiled. */
export type ReadyVersion = { readonly version: Version; readonly policy: CompiledPolicy };
export type ReadyVersions = (number: number | 'in_force') => Promise<ReadyVersion>;

/** Versions somebody looked at lately stay compiled: they never change. */
const keptMax = 4;

/** Compiles versions of the policy as they are asked for. Errors: POLICY_IN_FOLDER, POLICY_VERSION_NOT_FOUND, POLICY_BROKEN. */
export function readyVersions(desk: PolicyDesk): ReadyVersions {
  const kept = new Map<string, CompiledPolicy>();
  return async (number) => {
    requireStored(desk);
    const version = await readVersion(desk.database, number);
    const policy = kept.get(version.digest) ?? compilePack(version.files, desk.catalogue);
    kept.delete(version.digest);
    kept.set(version.digest, policy);
    for (const digest of [...kept.keys()].slice(0, -keptMax)) kept.delete(digest);
    return { version, policy };
  };
}

export type MatrixView = Matrix & {
  readonly ready: ReadyVersion; readonly institutionClass: string; readonly use: Use; readonly consent: ConsentTier;
  readonly described: readonly { readonly field: Field; readonly dataset: Dataset }[];
};
export type MatrixChoice = { /** Absent: the first one of the policy. */ readonly institutionClass?: string | undefined; readonly use: Use; readonly consent: ConsentTier };

/** All fields × purposes for one class, use and reach of consent, as the policy itself decides. Errors: REQUEST_INVALID, and those of readyVersions. */
export async function readMatrix(desk: PolicyDesk, versions: ReadyVersions, number: number | 'in_force', { institutionClass: asked, use, consent }: MatrixChoice): Promise<MatrixView> {
  const ready = await versions(number);
  const institutionClass = asked ?? [...ready.policy.institutionClasses.keys()][0] ?? '';
  if (!ready.policy.institutionClasses.has(institutionClass)) throw unknown('institution_class', 'The policy knows no such class of institutions; the answer without one names them.');
  const described = [...desk.catalogue.datasets.values()].flatMap((dataset) => dataset.fields.map((field) => ({ field, dataset })));
  return { ...matrixOf(ready.policy, institutionClass, use, consent), ready, institutionClass, use, consent, described };
}

/** What one reach of consent opens: in words, and as one opening where one rule says it all. */
export type TierView = {
  readonly words: Words;
  /** Where exactly one rule stands at this reach: what it opens. */
  readonly opening: OpeningText | null;
  readonly when: Rule['text']['when'] | null;
  /** False where several rules or a prohibition stand there: setting it anew replaces them all. */
  readonly simple: boolean;
};
export type CellView = { readonly use: Use; readonly institutionClass: string; readonly tiers: Readonly<Record<ConsentTier, TierView>>; readonly rules: readonly string[] };
export type FieldView = {
  readonly ready: ReadyVersion;
  readonly field: Field;
  readonly dataset: Dataset;
  readonly purpose: string;
  readonly inMinimum: boolean;
  /** Uses the purpose allows. */
  readonly uses: readonly Use[];
  readonly cells: readonly CellView[];
  readonly rules: readonly { readonly id: string; readonly description: Words; readonly denies: boolean; readonly condition: Words | null }[];
  readonly offers: Readonly<Record<Use, readonly Offer[]>>;
};

/** Everything about one field and purpose: what every class gets, by which rules, and what may be set. Errors: REQUEST_INVALID, and those of readyVersions. */
export async function readCell(desk: PolicyDesk, versions: ReadyVersions, number: number | 'in_force', ref: string, purpose: string): Promise<FieldView> {
  const ready = await versions(number);
  const { policy } = ready;
  const field = policy.fields.get(ref as FieldRef);
  const dataset = [...desk.catalogue.datasets.values()].find((each) => each.fields.some((one) => one.ref === ref));
  const declared = policy.purposes.get(purpose);
  if (field === undefined || dataset === undefined) throw unknown('field', 'The catalogue has no such field: choose one of the grid.');
  if (declared === undefined) throw unknown('purpose', 'The policy knows no such purpose: choose one of the grid.');
  const allowed = uses.filter((use) => declared.uses.has(use));
  const cells = [...policy.institutionClasses.keys()].flatMap((institutionClass) => allowed.flatMap((use): CellView[] => {
    const cell = policy.cell(purpose, institutionClass, field.ref, use);
    return cell === undefined ? [] : [{ use, institutionClass, tiers: { desensitised: tierView(cell, 'desensitised', field.unit), original: tierView(cell, 'original', field.unit) }, rules: cell.rules.map(({ id }) => id) }];
  }));
  const named = new Set(cells.flatMap(({ rules }) => rules));
  return {
    ready, field, dataset, purpose, inMinimum: declared.caps.fields.has(field.ref), uses: allowed, cells,
    rules: [...named].flatMap((id) => { const rule = policy.rules.get(id); return rule === undefined ? [] : [ruleView(rule)]; }),
    offers: {
      read: offersFor(policy, field, purpose, 'read'), verify: offersFor(policy, field, purpose, 'verify'),
      score: offersFor(policy, field, purpose, 'score'), aggregate: offersFor(policy, field, purpose, 'aggregate'),
    },
  };
}

function ruleView(rule: Rule): FieldView['rules'][number] {
  return { id: rule.id, description: rule.description, denies: rule.effect.kind === 'deny', condition: rule.when === null ? null : conditionWords(rule.when) };
}

function tierView(cell: Cell, tier: ConsentTier, unit: string | undefined): TierView {
  const outcome: Outcome = cell[tier];
  const standing = cell.rules.filter((rule) => rule.consent.has(tier));
  const [only] = standing;
  const effect = only?.text.effect;
  const opens = standing.length === 1 && effect !== undefined && typeof effect !== 'string' && !('deny' in effect) ? effect : null;
  return { words: wordsOf(outcome, unit), opening: opens, when: opens === null ? null : only?.text.when ?? null, simple: standing.length === 0 || opens !== null };
}

/** What the grid's choices are made of. */
export function classesOf(policy: CompiledPolicy): { readonly code: string; readonly title: Words }[] {
  return [...policy.institutionClasses].map(([code, { title }]) => ({ code, title }));
}

function unknown(member: string, detail: string): VeilgateError {
  return new VeilgateError('REQUEST_INVALID', detail, { pointer: `/${member}` });
}
