import type { Comparison, Disposition, Treatment } from '../vocabulary.ts';
import { amountsWords, amountWords, cents } from './amount-words.ts';
import type { Condition } from './condition.ts';
import type { Fact } from './facts.ts';
import type { Opening } from './rule.ts';
import type { ConditionText, Words } from './text.ts';

/** How a value that is read will look, for a person who has not read the policy. @param unit of the field; absent: bounds are bare numbers */
export function treatmentWords(treatment: Treatment, unit?: string): Words {
  switch (treatment.method) {
    case 'suppress': return { en: 'hidden entirely', zh: '完全隐藏' };
    case 'fixed': return { en: `replaced by "${treatment.text}"`, zh: `替换为“${treatment.text}”` };
    case 'keep_ends': return { en: `only the first ${treatment.first} and last ${treatment.last} characters shown`, zh: `仅显示前${treatment.first}位和后${treatment.last}位` };
    case 'mask_range': return { en: `characters ${treatment.from + 1} to ${treatment.to} hidden`, zh: `隐藏第${treatment.from + 1}至${treatment.to}位` };
    case 'class_preserving': return { en: 'every character replaced by another of its kind', zh: '逐字符以同类字符替换' };
    case 'email': return { en: 'e-mail address masked', zh: '邮箱脱敏' };
    case 'phone': return { en: 'telephone number masked', zh: '电话号码脱敏' };
    case 'identity_number': return { en: 'identity number masked', zh: '身份证号脱敏' };
    case 'chinese_name': return { en: 'name masked', zh: '姓名脱敏' };
    case 'address': return { en: `address down to the ${treatment.level} only`, zh: `地址仅到${{ province: '省', city: '市', district: '区县' }[treatment.level]}级` };
    case 'bank_account': return { en: 'account number masked', zh: '银行账号脱敏' };
    case 'token': return { en: 'replaced by a token that only this institution gets for this purpose', zh: '替换为仅限该机构该用途的令牌' };
    case 'format_preserving_token': return { en: 'replaced by a token of the same form', zh: '替换为同格式令牌' };
    case 'band': {
      const edges = amountsWords(treatment.edges, unit);
      return { en: `shown as one of ${treatment.edges.length + 1} bands with the edges ${edges.en}`, zh: `以${treatment.edges.length + 1}个区间显示，分界点为${edges.zh}` };
    }
    case 'generalise': return { en: 'shown as a wider group', zh: '归并为更大的类别' };
    case 'round': return { en: `rounded to ${amountWords(treatment.to, unit).en}`, zh: `按${amountWords(treatment.to, unit).zh}取整` };
    case 'year': return { en: 'only the year shown', zh: '仅显示年份' };
    case 'clamp': {
      const [bottom, top] = [amountWords(treatment.bottom, unit), amountWords(treatment.top, unit)];
      return { en: `cut off below ${bottom.en} and above ${top.en}`, zh: `低于${bottom.zh}或高于${top.zh}的值截断` };
    }
    default: return treatment satisfies never;
  }
}

export function comparisonWords(comparison: Comparison, unit?: string): Words {
  switch (comparison.method) {
    case 'equal': return { en: 'equal or not', zh: '是否相等' };
    case 'within_percent': return { en: `equal within ${comparison.percent} percent`, zh: `误差${comparison.percent}%以内是否相符` };
    case 'within_absolute': return { en: `equal within ${amountWords(comparison.amount, unit).en}`, zh: `误差${amountWords(comparison.amount, unit).zh}以内是否相符` };
    case 'same_band': return { en: `in the same band (edges ${amountsWords(comparison.edges, unit).en})`, zh: `是否在同一区间（分界点${amountsWords(comparison.edges, unit).zh}）` };
    default: return comparison satisfies never;
  }
}

const dispositions: Readonly<Record<Disposition, Words>> = {
  clear: { en: 'clear', zh: '原始值' },
  mask: { en: 'masked', zh: '脱敏' },
  band: { en: 'banded', zh: '区间' },
  token: { en: 'a token', zh: '令牌' },
  verify: { en: 'verifiable', zh: '可核验' },
  score: { en: 'usable in scores', zh: '可用于评分' },
  aggregate: { en: 'usable in aggregates', zh: '可用于汇总' },
  withhold: { en: 'withheld', zh: '不提供' },
};

export function dispositionWords(disposition: Disposition): Words {
  return dispositions[disposition];
}

/** `masked (only the first 2 and last 2 characters shown)`. @param unit of the field; absent: bounds are bare numbers */
export function openingWords(opening: Pick<Opening, 'treatment' | 'comparison'> & { readonly disposition: Disposition }, unit?: string): Words {
  const name = dispositions[opening.disposition];
  const more = opening.treatment !== undefined ? treatmentWords(opening.treatment, unit)
    : opening.comparison !== undefined ? comparisonWords(opening.comparison, unit) : undefined;
  return more === undefined ? name : { en: `${name.en} (${more.en})`, zh: `${name.zh}（${more.zh}）` };
}

/** A condition as a clause: `Institution's security level is at least 3 and …`; amounts of money in yuan. */
export function conditionWords(condition: Condition): Words {
  const facts = new Map(condition.atoms.map(({ fact }) => [fact.name, fact]));
  return { en: clause(condition.text, 'en', facts), zh: clause(condition.text, 'zh', facts) };
}

const operators = {
  en: { equals: 'is', in: 'is one of', at_least: 'is at least', at_most: 'is at most', before: 'is before', after: 'is after' },
  zh: { equals: '为', in: '为以下之一：', at_least: '不低于', at_most: '不高于', before: '早于', after: '晚于' },
} as const;

function clause(text: ConditionText, language: keyof Words, facts: ReadonlyMap<string, Fact>): string {
  const en = language === 'en';
  const join = (parts: readonly ConditionText[], word: string) =>
    parts.length === 1 ? clause(parts[0] as ConditionText, language, facts) : parts.map((part) => bracketed(part, language, facts)).join(word);
  if ('all' in text) return join(text.all, en ? ' and ' : '且');
  if ('any' in text) return join(text.any, en ? ' or ' : '或');
  if ('not' in text) return en ? `not (${clause(text.not, language, facts)})` : `非（${clause(text.not, language, facts)}）`;
  const fact = facts.get(text.fact);
  const word = (value: unknown) => (typeof value === 'number' ? amountWords(value, fact?.unit)[language] : String(value));
  const value = Array.isArray(text.value) ? text.value.map(word).join(en ? (fact?.unit === cents ? '; ' : ', ') : '、') : word(text.value);
  const space = en ? ' ' : '';
  return `${fact?.title[language] ?? text.fact}${space}${operators[language][text.op]}${space}${value}`;
}

function bracketed(part: ConditionText, language: keyof Words, facts: ReadonlyMap<string, Fact>): string {
  const inner = clause(part, language, facts);
  return 'fact' in part || 'not' in part ? inner : language === 'en' ? `(${inner})` : `（${inner}）`;
}
