import type { ConsentCeiling, FieldDecision, FieldRef, InstitutionClass, PolicyVersion, PurposeCode, Use } from '../vocabulary.ts';
import type { Cell } from './cell.ts';
import { isFactValue, type Facts } from './facts.ts';
import type { CompiledPolicy, DecisionRequest } from './policy.ts';
import { opennessOf } from './rule.ts';
import type { Words } from './text.ts';
import { conditionWords, openingWords } from './words.ts';

export type FieldExplanation = {
  readonly field: FieldRef;
  readonly use: Use;
  /** null where the field is not available: it must look as if it did not exist. */
  readonly title: Words | null;
  /** The decision as things stand. */
  readonly now: FieldDecision;
  /** The decisions if the enterprise consented to the desensitised form, or to the original. */
  readonly desensitised: FieldDecision;
  readonly original: FieldDecision;
  /** The least consent that gives the most open result, when that is more than what there is; else null. */
  readonly consentNeeded: ConsentCeiling | null;
  /** Facts that conditions ask for and that are missing or of the wrong type. */
  readonly missingFacts: readonly string[];
  readonly words: Words;
};

export type Explanation = {
  readonly policy: PolicyVersion;
  readonly purpose: PurposeCode;
  readonly institutionClass: InstitutionClass;
  readonly fields: readonly FieldExplanation[];
  /** The grant to ask the enterprise for so that everything is as open as the policy allows; null when none would help. */
  readonly grantNeeded: { readonly purpose: PurposeCode; readonly fields: Readonly<Record<string, ConsentCeiling>> } | null;
};

/**
 * Says for each field what would be disclosed how, what consent is missing for more, and why. Spends nothing.
 * `audience: 'compliance'` may be told apart what the caller may not: a field that does not exist, and one that
 * nothing opens to this class. Errors: POLICY_PURPOSE_UNKNOWN.
 */
export function explain(policy: CompiledPolicy, request: DecisionRequest, options: { readonly audience?: 'caller' | 'compliance' } = {}): Explanation {
  const now = policy.decide(request).fields;
  const desensitised = decideAs(policy, request, 'desensitised');
  const original = decideAs(policy, request, 'original');
  const needed: Record<string, ConsentCeiling> = {};
  const fields = request.asked.map(({ field, use }, at): FieldExplanation => {
    const decisions = { now: now[at] as FieldDecision, desensitised: desensitised[at] as FieldDecision, original: original[at] as FieldDecision };
    const consentNeeded = leastConsentForBest(decisions);
    if (consentNeeded !== null && needed[field] !== 'original') needed[field] = consentNeeded;
    const cell = policy.cell(request.purpose, request.institutionClass, field, use);
    const hidden = decisions.now.reason === 'not_available';
    const title = hidden && options.audience !== 'compliance' ? null : policy.fields.get(field)?.title ?? null;
    const missingFacts = cell === undefined ? [] : factsMissing(cell, request.facts);
    const words = hidden ? hiddenWords(policy, field, options.audience) : fieldWords(policy, cell, { ...decisions, consentNeeded, missingFacts });
    return { field, use, title, ...decisions, consentNeeded, missingFacts, words };
  });
  return {
    policy: policy.version,
    purpose: request.purpose,
    institutionClass: request.institutionClass,
    fields,
    grantNeeded: Object.keys(needed).length === 0 ? null : { purpose: request.purpose, fields: needed },
  };
}

function decideAs(policy: CompiledPolicy, request: DecisionRequest, ceiling: ConsentCeiling): readonly FieldDecision[] {
  return policy.decide({ ...request, consent: new Map(request.asked.map(({ field }) => [field, ceiling])) }).fields;
}

type Decisions = Pick<FieldExplanation, 'now' | 'desensitised' | 'original'>;

function leastConsentForBest({ now, desensitised, original }: Decisions): ConsentCeiling | null {
  const best = opennessOf(original.disposition);
  if (best <= opennessOf(now.disposition)) return null;
  return opennessOf(desensitised.disposition) === best ? 'desensitised' : 'original';
}

function factsMissing(cell: Cell, facts: Facts): string[] {
  const missing = new Set<string>();
  for (const { when } of cell.rules) {
    if (when === null || when.test(facts) !== undefined) continue;
    for (const { fact } of when.atoms) if (!isFactValue(fact, facts.get(fact.name))) missing.add(fact.name);
  }
  return [...missing].toSorted();
}

function hiddenWords(policy: CompiledPolicy, field: FieldRef, audience: 'caller' | 'compliance' | undefined): Words {
  if (audience !== 'compliance') return { en: 'Not available.', zh: '不可用。' };
  return policy.fields.has(field)
    ? { en: 'In the catalogue, but no rule opens it to this institution class for any purpose; the caller is told "not available".', zh: '目录中有此字段，但没有规则对该类机构开放；对调用方显示“不可用”。' }
    : { en: 'The catalogue has no such field; the caller is told "not available".', zh: '目录中没有此字段；对调用方显示“不可用”。' };
}

function fieldWords(policy: CompiledPolicy, cell: Cell | undefined, facts: Decisions & Pick<FieldExplanation, 'consentNeeded' | 'missingFacts'>): Words {
  const { now, desensitised, original, consentNeeded, missingFacts } = facts;
  const parts: Words[] = [nowWords(policy, now, missingFacts)];
  if (consentNeeded !== null) {
    const better = openingWords(consentNeeded === 'original' ? original : desensitised, unitOf(policy, now));
    parts.push(consentNeeded === 'original'
      ? { en: `With the enterprise's consent to the original: ${better.en}.`, zh: `企业授权提供原始值后：${better.zh}。` }
      : { en: `With the enterprise's consent to the desensitised form: ${better.en}.`, zh: `企业授权提供脱敏值后：${better.zh}。` });
  } else if (now.disposition === 'withhold' && ['no_valid_grant', 'not_consented'].includes(now.reason)) {
    parts.push({ en: `Consent alone would not open it: ${reasonClause(original, 'en')}.`, zh: `仅凭授权也不会开放：${reasonClause(original, 'zh')}。` });
  }
  const conditions = [...new Map((cell?.rules ?? []).flatMap(({ when }) => (when === null ? [] : [[when.key, when] as const]))).values()];
  if (conditions.length > 0) {
    const words = conditions.map(conditionWords);
    parts.push({ en: `Depends on: ${words.map(({ en }) => en).join('; ')}.`, zh: `取决于：${words.map(({ zh }) => zh).join('；')}。` });
  }
  return { en: parts.map(({ en }) => en).join(' '), zh: parts.map(({ zh }) => zh).join('') };
}

function nowWords(policy: CompiledPolicy, now: FieldDecision, missingFacts: readonly string[]): Words {
  if (now.disposition === 'withhold') {
    const facts = now.reason === 'condition_not_evaluable' && missingFacts.length > 0 ? missingFacts.join(', ') : '';
    return {
      en: `Withheld: ${reasonClause(now, 'en')}${facts === '' ? '' : ` (${facts})`}.`,
      zh: `不提供：${reasonClause(now, 'zh')}${facts === '' ? '' : `（${facts}）`}。`,
    };
  }
  const opening = openingWords(now, unitOf(policy, now));
  const rule = policy.rules.get(now.rule ?? '');
  return {
    en: `${opening.en.charAt(0).toUpperCase()}${opening.en.slice(1)}, by the rule ${now.rule ?? ''}${rule === undefined ? '' : ` (${rule.description.en})`}.`,
    zh: `${opening.zh}，依据规则${now.rule ?? ''}${rule === undefined ? '' : `（${rule.description.zh}）`}。`,
  };
}

function unitOf(policy: CompiledPolicy, { field }: FieldDecision): string | undefined {
  return policy.fields.get(field)?.unit;
}

function reasonClause(decision: FieldDecision, language: keyof Words): string {
  const rule = decision.rule ?? '';
  switch (decision.reason) {
    case 'permitted': return { en: 'permitted', zh: '允许' }[language];
    case 'not_available': return { en: 'not available', zh: '不可用' }[language];
    case 'not_minimum_for_purpose': return { en: 'the purpose does not need it', zh: '该用途不需要此字段' }[language];
    case 'no_valid_grant': return { en: 'there is no valid grant', zh: '没有有效授权' }[language];
    case 'not_consented': return { en: 'the enterprise has not consented to it', zh: '企业未授权此字段' }[language];
    case 'denied_by_rule': return { en: `the rule ${rule} denies it`, zh: `规则${rule}禁止` }[language];
    case 'no_rule': return { en: 'no rule opens it for this use', zh: '没有规则开放此用法' }[language];
    case 'condition_not_met': return { en: `a condition of the rule ${rule} is not met`, zh: `不满足规则${rule}的条件` }[language];
    case 'condition_not_evaluable': return { en: `a condition of the rule ${rule} cannot be evaluated, facts are missing`, zh: `缺少信息，无法判断规则${rule}的条件` }[language];
    default: return decision.reason satisfies never;
  }
}
