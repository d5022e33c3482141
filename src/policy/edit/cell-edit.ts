import { VeilgateError } from '../../errors.ts';
import type { Field, FieldRef, Use } from '../../vocabulary.ts';
import type { CompiledPolicy } from '../policy.ts';
import { concerns, consentTiers, type ConsentTier, type Rule } from '../rule.ts';
import type { ConditionText, OpeningText, RuleText } from '../text.ts';

/** What one reach of consent is to open: one thing under at most one condition, or nothing (null). */
export type CellSetting = { readonly opening: OpeningText; readonly when?: ConditionText } | null;

/**
 * What is to hold for one field × use, for every one of these purposes and classes. A reach of consent that is
 * absent keeps its rules. Prohibitions in the way of what is set give way too.
 */
export type CellEdit = {
  readonly field: FieldRef;
  readonly use: Use;
  readonly purposes: readonly string[];
  readonly institution_classes: readonly string[];
  readonly desensitised?: CellSetting;
  readonly original?: CellSetting;
};

/** Reaches of consent that an edit sets anew. */
export function tiersOf(edit: CellEdit): ConsentTier[] {
  return consentTiers.filter((tier) => edit[tier] !== undefined);
}

/** True for the cells an edit is about. */
export function covers(edit: CellEdit, field: string, use: string, purpose: string, institutionClass: string): boolean {
  return edit.field === field && edit.use === use && edit.purposes.includes(purpose) && edit.institution_classes.includes(institutionClass);
}

/** Errors: REQUEST_INVALID for what the policy does not know, or what no rule could open. @returns the field */
export function requireKnown(policy: CompiledPolicy, edit: CellEdit, at: number): Field {
  const refuse = (member: string, detail: string) => new VeilgateError('REQUEST_INVALID', detail, { pointer: `/edits/${at}/${member}` });
  const field = policy.fields.get(edit.field);
  if (field === undefined) throw refuse('field', 'The catalogue has no such field: choose one of the grid.');
  const isKnown = edit.institution_classes.every((each) => policy.institutionClasses.has(each));
  if (!isKnown) throw refuse('institution_classes', 'The policy knows no such class of institutions: choose among those of the grid.');
  for (const code of edit.purposes) {
    const purpose = policy.purposes.get(code);
    if (purpose === undefined) throw refuse('purposes', 'The policy knows no such purpose: choose among those of the grid.');
    const opens = tiersOf(edit).some((tier) => edit[tier] !== null);
    if (opens && !purpose.caps.fields.has(edit.field)) throw refuse('purposes', `${edit.field} is not in the minimum of ${code}: no rule can open it for that purpose.`);
  }
  for (const tier of tiersOf(edit)) {
    const use = edit[tier]?.opening.use;
    if (use !== undefined && use !== edit.use) throw refuse(tier, `This opens the use "${use}", and the cell is about "${edit.use}": choose one of the dispositions offered.`);
  }
  return field;
}

/** The rules a cell is made of, as an edit leaves them: what it does not set, then what it sets. */
export function expectedRules(before: readonly Rule[], edit: CellEdit, made: readonly Rule[]): Rule[] {
  const set = new Set(tiersOf(edit));
  const kept = before.filter((rule) => concerns(rule, edit.use)).flatMap((rule) => {
    const consent = new Set([...rule.consent].filter((tier) => !set.has(tier)));
    return consent.size === 0 ? [] : [{ ...rule, consent }];
  });
  return [...kept, ...made];
}

/** What is set, as the one or two rules that say it; their ids and words are the caller's. */
export function settingRules(edit: CellEdit, name: string): Omit<RuleText, 'id' | 'description'>[] {
  const settings = tiersOf(edit).flatMap((tier) => {
    const setting = edit[tier];
    return setting === null || setting === undefined ? [] : [{ tier, setting }];
  });
  const [first, second] = settings;
  const same = first !== undefined && second !== undefined && JSON.stringify(first.setting) === JSON.stringify(second.setting);
  const parts = same ? [{ consent: [first.tier, second.tier], setting: first.setting }] : settings.map(({ tier, setting }) => ({ consent: [tier], setting }));
  return parts.map(({ consent, setting: { opening, when } }) => ({
    fields: [name], purposes: edit.purposes, institution_classes: edit.institution_classes, consent, effect: opening, ...(when === undefined ? {} : { when }),
  }));
}
