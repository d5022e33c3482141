import type { FieldRef, PolicyVersion, Use } from '../vocabulary.ts';
import { closedCell, conditionsOf, decideOutcome, decisionKey, outcomeKey, withheld, type Outcome } from './cell.ts';
import { regionsOf, type CellChange } from './diff-regions.ts';
import { settingChanges, type SettingChange } from './diff-settings.ts';
import { changeWords, viewOf, type Called, type OutcomeView } from './diff-words.ts';
import type { CompiledPolicy } from './policy.ts';
import { consentTiers, opennessOf, uses, type ConsentTier } from './rule.ts';
import { situationsFor } from './situations.ts';
import { stricterTreatment } from './strictness.ts';
import type { Words } from './text.ts';

/**
 * - `loosened`  in at least one situation more is disclosed, in none less
 * - `tightened` the other way round
 * - `mixed`     more in one situation, less or otherwise in another, or too many situations to try them all
 * - `altered`   as open as before, but in a form that cannot be ranked
 */
export type Risk = 'loosened' | 'tightened' | 'mixed' | 'altered';

/** One group of cells that change in the same way: every combination of the lists. */
export type PolicyChange = {
  readonly risk: Risk;
  readonly use: Use;
  readonly fields: readonly FieldRef[];
  readonly purposes: readonly string[];
  readonly institutionClasses: readonly string[];
  readonly consent: readonly ConsentTier[];
  readonly before: OutcomeView;
  readonly after: OutcomeView;
  readonly words: Words;
};

export type PolicyDiff = {
  readonly before: PolicyVersion;
  readonly after: PolicyVersion;
  /** Field × purpose × class × consent × use combinations that were compared, and that differ. */
  readonly combinations: number;
  readonly combinationsChanged: number;
  readonly changes: readonly PolicyChange[];
  /** Caps, limits, minimums, purposes, classes, facts, classification. */
  readonly settings: readonly SettingChange[];
  readonly summary: Words;
};

/**
 * Compares two policies exhaustively over field × purpose × institution class × consent × use (consent `none`
 * discloses nothing under any policy). Conditions are compared by what they do in every situation they can tell
 * apart, not by how they are written.
 */
export function diffPolicies(before: CompiledPolicy, after: CompiledPolicy): PolicyDiff {
  const all = {
    fields: union(before.fields.keys(), after.fields.keys()),
    purposes: union(before.purposes.keys(), after.purposes.keys()),
    classes: union(before.institutionClasses.keys(), after.institutionClasses.keys()),
  };
  const judge = judgeOnce();
  const cells: CellChange[] = [];
  const pairs = new Map<string, { before: Outcome; after: Outcome; risk: Risk }>();
  let changed = 0;
  for (const field of all.fields) {
    for (const use of uses) {
      for (const purpose of all.purposes) {
        for (const consent of consentTiers) {
          const classesByChange = new Map<string, string[]>();
          for (const institutionClass of all.classes) {
            const from = outcomeAt(before, purpose, institutionClass, field, use, consent);
            const to = outcomeAt(after, purpose, institutionClass, field, use, consent);
            const judged = judge(from, to);
            if (judged === null) continue;
            changed += 1;
            pairs.set(judged.key, { before: from, after: to, risk: judged.risk });
            const classes = classesByChange.get(judged.key);
            if (classes === undefined) classesByChange.set(judged.key, [institutionClass]);
            else classes.push(institutionClass);
          }
          for (const [change, institutionClasses] of classesByChange) cells.push({ change, field, use, purpose, consent, institutionClasses });
        }
      }
    }
  }
  const called: Called = {
    fields: new Map([...before.fields, ...after.fields]), purposes: new Map([...before.purposes, ...after.purposes]), classes: new Map([...before.institutionClasses, ...after.institutionClasses]),
  };
  const changes = regionsOf(cells).map(({ change, ...region }): PolicyChange => {
    const pair = pairs.get(change) as { before: Outcome; after: Outcome; risk: Risk };
    return { risk: pair.risk, ...region, before: viewOf(pair.before), after: viewOf(pair.after), words: changeWords(region, pair.before, pair.after, called) };
  }).toSorted((a, b) => riskOrder[a.risk] - riskOrder[b.risk]);
  const settings = settingChanges(before, after);
  return {
    before: before.version,
    after: after.version,
    combinations: all.fields.length * all.purposes.length * all.classes.length * consentTiers.length * uses.length,
    combinationsChanged: changed,
    changes,
    settings,
    summary: summaryOf(before.version === after.version, changes, settings),
  };
}

const riskOrder: Readonly<Record<Risk, number>> = { loosened: 0, mixed: 1, altered: 2, tightened: 3 };

function union<T extends string>(a: Iterable<T>, b: Iterable<T>): T[] {
  return [...new Set([...a, ...b])];
}

const nothing = closedCell(withheld('' as FieldRef, 'read', 'not_available')).original;

function outcomeAt(policy: CompiledPolicy, purpose: string, institutionClass: string, field: FieldRef, use: Use, consent: ConsentTier): Outcome {
  return policy.cell(purpose, institutionClass, field, use)?.[consent] ?? nothing;
}

/** Judges each pair of outcomes once: there are few different ones. Null when they do the same. */
function judgeOnce(): (before: Outcome, after: Outcome) => { key: string; risk: Risk } | null {
  const judged = new Map<string, { key: string; risk: Risk } | null>();
  return (before, after) => {
    const from = outcomeKey(before);
    const to = outcomeKey(after);
    if (from === to && conditionsOf(before).length === 0) return null;
    const key = `${from} → ${to}`;
    let result = judged.get(key);
    if (result === undefined) {
      const risk = riskOf(before, after);
      result = risk === null ? null : { key, risk };
      judged.set(key, result);
    }
    return result;
  };
}

/** True when the two disclose the same in every situation. */
export function sameOutcome(a: Outcome, b: Outcome): boolean {
  return (outcomeKey(a) === outcomeKey(b) && conditionsOf(a).length === 0) || riskOf(a, b) === null;
}

function riskOf(before: Outcome, after: Outcome): Risk | null {
  const situations = situationsFor([...conditionsOf(before), ...conditionsOf(after)]);
  if (situations === undefined) return outcomeKey(before) === outcomeKey(after) ? null : 'mixed';
  const seen = { more: false, less: false, other: false };
  for (const facts of situations) {
    const from = decideOutcome(before, facts);
    const to = decideOutcome(after, facts);
    if (decisionKey(from) === decisionKey(to)) continue;
    const difference = opennessOf(to.disposition) - opennessOf(from.disposition) || stricterTreatment(from, to);
    if (difference > 0) seen.more = true;
    else if (difference < 0) seen.less = true;
    else seen.other = true;
  }
  const [kind, ...others] = (['more', 'less', 'other'] as const).filter((one) => seen[one]);
  if (kind === undefined) return null;
  return others.length > 0 ? 'mixed' : ({ more: 'loosened', less: 'tightened', other: 'altered' } as const)[kind];
}

function summaryOf(sameVersion: boolean, changes: readonly PolicyChange[], settings: readonly SettingChange[]): Words {
  if (sameVersion) return { en: 'The two policies are the same.', zh: '两份策略相同。' };
  const all = [...changes, ...settings];
  if (all.length === 0) return { en: 'What is disclosed does not change: only texts, names or layout differ.', zh: '披露内容没有变化，仅文字、名称或排版不同。' };
  const count = (risk: Risk) => all.filter((change) => change.risk === risk).length;
  return {
    en: `${count('loosened')} loosened, ${count('mixed')} mixed, ${count('altered')} altered, ${count('tightened')} tightened.`,
    zh: `放宽${count('loosened')}项，有宽有严${count('mixed')}项，形式变更${count('altered')}项，收紧${count('tightened')}项。`,
  };
}
