import type { FieldRef, Frequency } from '../vocabulary.ts';
import type { CompiledPolicy } from './policy.ts';
import type { Words } from './text.ts';

/** Changes of purposes in plain words: `Review before a loan (pre_loan_review): a grant is valid for at most 60 days instead of 90 days`. */

type Change = { readonly before: string | number | null; readonly after: string | number | null };
type Unit = 'days' | 'years' | 'times';
export type LimitName = 'validity_days_max' | 'uses_max' | 'data_life_days_max' | 'data_period_years_max' | 'attempts_max';

const limits: Readonly<Record<LimitName, { readonly label: Words; readonly unit: Unit }>> = {
  validity_days_max: { label: { en: 'a grant is valid for at most', zh: '授权有效期最长' }, unit: 'days' },
  uses_max: { label: { en: 'a grant may be used at most', zh: '授权最多可使用' }, unit: 'times' },
  data_life_days_max: { label: { en: 'data must be deleted after at most', zh: '数据最长保存' }, unit: 'days' },
  data_period_years_max: { label: { en: 'data reaches back at most', zh: '数据最多追溯' }, unit: 'years' },
  attempts_max: { label: { en: 'each field of a grant may be verified at most', zh: '每项授权的每个字段最多可核验' }, unit: 'times' },
};
const units: Readonly<Record<Unit, { readonly one: string; readonly many: string; readonly zh: string }>> = {
  days: { one: 'day', many: 'days', zh: '天' }, years: { one: 'year', many: 'years', zh: '年' }, times: { one: 'time', many: 'times', zh: '次' },
};
const uses: Readonly<Record<string, Words>> = {
  read: { en: 'read', zh: '查询' }, verify: { en: 'verify', zh: '核验' }, score: { en: 'score', zh: '评分' }, aggregate: { en: 'aggregate', zh: '汇总' },
};
const kinds: Readonly<Record<string, Words>> = { one_time: { en: 'for one time', zh: '一次性授权' }, periodic: { en: 'for a period', zh: '持续性授权' } };
const periods: Readonly<Record<Frequency['per'], Words>> = { day: { en: 'day', zh: '天' }, week: { en: 'week', zh: '周' }, month: { en: 'month', zh: '月' } };

/** `Title (code): …`. */
function about({ title, code }: { readonly title: Words; readonly code: string }, what: Words): Words {
  return { en: `${title.en} (${code}): ${what.en}`, zh: `${title.zh}（${code}）：${what.zh}` };
}

type Named = { readonly title: Words; readonly code: string };

export function limitWords(purpose: Named, name: LimitName, from: number, to: number): Words {
  const { label, unit } = limits[name];
  const { one, many, zh } = units[unit];
  const en = (value: number) => `${value} ${value === 1 ? one : many}`;
  return about(purpose, { en: `${label.en} ${en(to)} instead of ${en(from)}`, zh: `${label.zh}由${from}${zh}改为${to}${zh}` });
}

export function frequencyWords(purpose: Named, from: Frequency, to: Frequency): Words {
  return about(purpose, {
    en: `at most ${to.max} answers per ${periods[to.per].en} instead of ${from.max} per ${periods[from.per].en}`,
    zh: `查询频次由每${periods[from.per].zh}最多${from.max}次改为每${periods[to.per].zh}最多${to.max}次`,
  });
}

/** Uses or kinds of grants that are allowed from now on, or no longer. */
export function allowedWords(purpose: Named, of: 'uses' | 'kinds', names: readonly string[], isAdded: boolean): Words {
  const words = of === 'uses' ? uses : kinds;
  const listed = (language: keyof Words) => names.map((name) => words[name]?.[language] ?? name).join(language === 'en' ? ', ' : '、');
  const what: Words = of === 'uses' ? { en: 'uses', zh: '使用方式' } : { en: 'grants', zh: '授权' };
  return about(purpose, isAdded ? { en: `${what.en} allowed from now on: ${listed('en')}`, zh: `新增允许的${what.zh}：${listed('zh')}` }
    : { en: `${what.en} no longer allowed: ${listed('en')}`, zh: `不再允许的${what.zh}：${listed('zh')}` });
}

/** Fields that a purpose's minimum has from now on, or no longer. */
export function minimumWords(purpose: Named, fields: CompiledPolicy['fields'], refs: readonly string[], isAdded: boolean): Words {
  const listed = (language: keyof Words) => refs.map((ref) => {
    const title = fields.get(ref as FieldRef)?.title[language];
    if (title === undefined) return ref;
    return language === 'en' ? `${title} (${ref})` : `${title}（${ref}）`;
  }).join(language === 'en' ? ', ' : '、');
  const count = refs.length === 1 ? '1 field' : `${refs.length} fields`;
  return about(purpose, isAdded ? { en: `the minimum has ${count} more: ${listed('en')}`, zh: `最小必要范围新增${refs.length}个字段：${listed('zh')}` }
    : { en: `the minimum has ${count} less: ${listed('en')}`, zh: `最小必要范围移除${refs.length}个字段：${listed('zh')}` });
}

/** What enterprises read when they are asked to consent. */
export function namingWords(purpose: Named, of: 'title' | 'description', from: Words, to: Words): Words {
  const what: Words = of === 'title' ? { en: 'title', zh: '名称' } : { en: 'description', zh: '说明' };
  return about(purpose, {
    en: `the ${what.en} that enterprises read is “${to.en}” (${to.zh}) instead of “${from.en}” (${from.zh})`, zh: `企业看到的${what.zh}由“${from.zh}”（${from.en}）改为“${to.zh}”（${to.en}）`,
  });
}

/** A purpose, class or fact that there is from now on, or no longer. */
export function presenceWords(what: Words, name: Words, isAdded: boolean): Words {
  return isAdded ? { en: `New ${what.en}: ${name.en}`, zh: `新增${what.zh}：${name.zh}` } : { en: `No longer a ${what.en}: ${name.en}`, zh: `删除${what.zh}：${name.zh}` };
}

export function factWords(name: string, { before, after }: Change): Words {
  const what: Words = { en: 'fact', zh: '条件要素' };
  if (before === null) return presenceWords(what, { en: `${name} (${after})`, zh: `${name}（${after}）` }, true);
  if (after === null) return presenceWords(what, { en: `${name} (${before})`, zh: `${name}（${before}）` }, false);
  return { en: `Fact ${name}: ${after} instead of ${before}`, zh: `条件要素${name}：由“${before}”改为“${after}”` };
}
