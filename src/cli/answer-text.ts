import type { OpenedAnswer, OpenedValue, QueryExplanation } from '../sdk/bank.ts';
import type { DecisionReason } from '../vocabulary.ts';
import { clean, pairs, table } from './table.ts';

const reasons: Readonly<Record<DecisionReason, string>> = {
  permitted: 'permitted',
  not_available: 'not available to you',
  not_minimum_for_purpose: 'not in the minimum for this purpose',
  no_valid_grant: 'no valid grant',
  not_consented: 'the enterprise has not consented to this field',
  denied_by_rule: 'a rule denies it',
  no_rule: 'no rule opens it',
  condition_not_met: 'a condition is not met',
  condition_not_evaluable: 'a fact that a condition needs is missing: state it with --fact',
};

/** The reason of a decision in words; a code of a newer gateway is shown as it is. */
export function reasonWords(reason: string): string {
  return Object.hasOwn(reasons, reason) ? reasons[reason as DecisionReason] : reason;
}

/** An opened answer for people: fields with how they came and their values, comparisons, and what was withheld. */
export function answerText(answer: OpenedAnswer): string {
  const rows = Object.entries(answer.data).flatMap(([dataset, found]) =>
    found.flatMap((row, at) => Object.entries(row).map(([field, value]) => [`${dataset}.${field}`, found.length > 1 ? at + 1 : '', how(value), text(value)])));
  const parts = [
    rows.length === 0 ? '' : table(['field', 'row', 'how', 'value'], rows),
    answer.verified.length === 0 ? '' : table(['verified', 'outcome'], answer.verified.map(({ field, outcome }) => [field, outcome.replaceAll('_', ' ')])),
    answer.withheld.length === 0 ? '' : table(['withheld', 'use', 'reason', 'rule'], answer.withheld.map(({ field, use, reason, rule }) => [field, use, reasonWords(reason), rule ?? ''])),
    pairs({ disputed: answer.disputed, grant: answer.grant, policy: answer.policy, 'log entry': answer.entry.index }),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function how(value: OpenedValue): string {
  switch (value.kind) {
    case 'clear': return 'original';
    case 'masked': return 'masked';
    case 'banded': return 'band';
    case 'token': return 'token';
    case 'absent': return 'no value';
    default: return clean(String((value satisfies never as { readonly kind: string }).kind));
  }
}

function text(value: OpenedValue): string {
  switch (value.kind) {
    case 'banded': return `${value.from ?? '…'} to ${value.to ?? '…'}`;
    case 'absent': return '';
    default: return value.value === null ? '' : String(value.value);
  }
}

/** What a query would disclose, for people. */
export function explanationText({ policy, grant, grant_problem: problem, fields }: QueryExplanation): string {
  return `${table(['field', 'use', 'now', 'reason', 'if desensitised', 'if original', 'missing facts'], fields.map((one) => [
    one.field, one.use, one.disposition, reasonWords(one.reason), one.with_desensitised_consent, one.with_original_consent, one.missing_facts.join(', '),
  ]))}\n${pairs({ grant: grant ?? `none usable${problem === null ? '' : ` (${problem})`}`, policy })}`;
}
