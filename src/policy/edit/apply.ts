import { canonicalJson } from '../../canonical.ts';
import type { Catalogue, DatasetId, FieldRef } from '../../vocabulary.ts';
import { openCell } from '../cell.ts';
import { compileCondition } from '../condition.ts';
import { diffPolicies, sameOutcome } from '../diff.ts';
import type { CompiledPolicy } from '../policy.ts';
import { consentTiers, effectOf, type ConsentTier, type Rule } from '../rule.ts';
import { changedPack, compilePack, type Pack, type PackChanges } from '../store/pack.ts';
import type { RuleText, Words } from '../text.ts';
import { openingWords } from '../words.ts';
import { carve, type World } from './carve.ts';
import { covers, expectedRules, requireKnown, settingRules, tiersOf, type CellEdit } from './cell-edit.ts';
import { emptyRules, readRules, withRules, type ChangedRule } from './rules-text.ts';

export type EditedPack = { readonly pack: Pack; readonly policy: CompiledPolicy; readonly changes: PackChanges };

/**
 * A pack in which the cells of the edits are as they say, and every other cell is as it was. Of edits of the same cell the
 * last one counts.
 * @param policy the pack, compiled
 * Errors: REQUEST_INVALID for cells there are not, POLICY_BROKEN for what no policy may say.
 */
export function editPack(pack: Pack, policy: CompiledPolicy, catalogue: Catalogue, edits: readonly CellEdit[]): EditedPack {
  edits.forEach((edit, at) => { requireKnown(policy, edit, at); });
  const ids = new Set(policy.rules.keys());
  const changed = [...Map.groupBy(edits, ({ field }) => `rules/${field.slice(0, field.indexOf('.'))}.yaml`)].flatMap(([file, own]): [string, string][] => {
    const dataset = file.slice('rules/'.length, -'.yaml'.length);
    const text = pack[file] ?? emptyRules(dataset);
    const world: World = {
      names: catalogue.datasets.get(dataset as DatasetId)?.fields.map((field) => field.name) ?? [], purposes: [...policy.purposes.keys()], classes: [...policy.institutionClasses.keys()],
    };
    const before = readRules(text).rules.map((rule, from): ChangedRule => ({ rule, from }));
    const after = withRules(text, own.reduce<readonly ChangedRule[]>((rules, edit) => withEdit(rules, policy, world, edit, ids), before));
    return after === text ? [] : [[file, after]];
  });
  const changes = Object.fromEntries(changed);
  const edited = changedPack(pack, changes);
  const after = changed.length === 0 ? policy : compilePack(edited, catalogue);
  requireExact(policy, after, edits);
  return { pack: edited, policy: after, changes };
}

function withEdit(before: readonly ChangedRule[], policy: CompiledPolicy, world: World, edit: CellEdit, ids: Set<string>): ChangedRule[] {
  const name = edit.field.slice(edit.field.indexOf('.') + 1);
  const region = { name, use: edit.use, purposes: new Set(edit.purposes), classes: new Set(edit.institution_classes), tiers: new Set<ConsentTier>(tiersOf(edit)) };
  const rules: ChangedRule[] = [];
  for (const { rule, from } of before) {
    const left = carve(rule, region, world) ?? [rule];
    left.forEach((piece, at) => rules.push(at === 0 ? { rule: piece, from } : { rule: { ...piece, id: freeId(rule.id, ids) }, from: null }));
  }
  for (const made of settingRules(edit, name)) {
    const twin = rules.findIndex(({ rule }) => boxKey(rule) === boxKey(made));
    const found = rules[twin];
    // what is said already about other fields is said about this one too
    if (found !== undefined) rules[twin] = { ...found, rule: { ...found.rule, fields: [...found.rule.fields, name] } };
    else rules.push({ from: null, rule: { id: freeId(`${edit.field}-${edit.use}`.replaceAll(/[._]/g, '-'), ids), description: description(policy, edit.field, made), ...made } });
  }
  return rules;
}

/** Equal for rules that differ in their fields and names alone. */
function boxKey({ purposes, institution_classes: classes, consent, effect, when }: Omit<RuleText, 'id' | 'description'>): string {
  return canonicalJson([purposes.toSorted(), classes.toSorted(), consent.toSorted(), effect, when ?? null]);
}

const idLengthMax = 64;

function freeId(wished: string, ids: Set<string>): string {
  const stem = wished.slice(0, idLengthMax - 5);
  let id = stem;
  for (let at = 2; ids.has(id); at += 1) id = `${stem}-${at}`;
  ids.add(id);
  return id;
}

function description(policy: CompiledPolicy, field: FieldRef, made: Omit<RuleText, 'id' | 'description'>): Words {
  const { title, unit } = policy.fields.get(field) ?? { title: { en: field, zh: field } };
  const effect = effectOf(made.effect);
  const words = effect.kind === 'open' ? openingWords(effect.opening, unit) : { en: 'withheld', zh: '不提供' };
  return { en: `${title.en}: ${words.en}.`.slice(0, 500), zh: `${title.zh}：${words.zh}。`.slice(0, 500) };
}

/**
 * The edits are judged by what they did, not by how: every cell of theirs is what it was asked to be, and no other cell
 * decides differently. Throws a TypeError otherwise: nothing of it must reach a proposal.
 */
function requireExact(before: CompiledPolicy, after: CompiledPolicy, edits: readonly CellEdit[]): void {
  const expected = new Map<string, { readonly edit: CellEdit; readonly purpose: string; readonly institutionClass: string; readonly rules: readonly Rule[] }>();
  for (const edit of edits) {
    const made = settingRules(edit, '').map((text) => expectedRule(before, edit, text));
    for (const purpose of edit.purposes) {
      for (const institutionClass of edit.institution_classes) {
        const key = `${edit.field} ${edit.use} ${purpose} ${institutionClass}`;
        const rules = expected.get(key)?.rules ?? rulesOfCell(before, edit, purpose, institutionClass);
        expected.set(key, { edit, purpose, institutionClass, rules: expectedRules(rules, edit, made) });
      }
    }
  }
  for (const { edit: { field, use }, purpose, institutionClass, rules } of expected.values()) {
    const minimum = after.purposes.get(purpose)?.caps.fields.has(field) === true;
    const asked = openCell(field, use, '', minimum ? rules : []);
    const cell = after.cell(purpose, institutionClass, field, use);
    for (const tier of consentTiers) {
      if (cell === undefined || !sameOutcome(cell[tier], asked[tier])) throw new TypeError(`an edit of ${field} did not do what it said`);
    }
  }
  const { changes, settings } = diffPolicies(before, after);
  const strays = changes.some(({ fields, use, purposes, institutionClasses }) => fields.some((field) => purposes.some((purpose) => institutionClasses.some((each) =>
    !edits.some((edit) => covers(edit, field, use, purpose, each))))));
  if (strays || settings.length > 0) throw new TypeError('an edit changed more than it said');
}

/** A field's rules for a purpose and class, whether or not they open anything at present. */
function rulesOfCell(policy: CompiledPolicy, { field, use }: CellEdit, purpose: string, institutionClass: string): Rule[] {
  return [...policy.rules.values()].filter((rule) => rule.fields.has(field) && rule.purposes.has(purpose) && rule.institutionClasses.has(institutionClass)
    && (rule.effect.kind === 'deny' ? rule.effect.uses.has(use) : rule.effect.opening.use === use));
}

function expectedRule(policy: CompiledPolicy, edit: CellEdit, text: Omit<RuleText, 'id' | 'description'>): Rule {
  const words = { en: '', zh: '' };
  const when = text.when === undefined ? undefined : compileCondition(text.when, policy.facts, (_at, problem) => { throw new TypeError(problem); });
  return {
    id: 'edit', description: words, path: [], fields: new Set([edit.field]), purposes: new Set(text.purposes), institutionClasses: new Set(text.institution_classes),
    consent: new Set(text.consent), effect: effectOf(text.effect), when: when ?? null, pointer: '', text: { id: 'edit', description: words, ...text },
  };
}
