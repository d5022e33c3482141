import type { Frequency } from '../vocabulary.ts';
import type { Risk } from './diff.ts';
import type { Fact } from './facts.ts';
import type { CompiledPolicy } from './policy.ts';
import { compareText } from './problem.ts';
import type { Purpose } from './purpose.ts';
import { allowedWords, factWords, frequencyWords, limitWords, minimumWords, namingWords, presenceWords, type LimitName } from './setting-words.ts';
import type { Words } from './text.ts';

/** A change outside the decisions themselves, named by where it stands. */
export type SettingChange = {
  readonly risk: Risk;
  /** File, then keys. */
  readonly path: readonly string[];
  readonly before: string | number | null;
  readonly after: string | number | null;
  readonly words: Words;
};

export function settingChanges(before: CompiledPolicy, after: CompiledPolicy): SettingChange[] {
  return [
    ...keysChanged(before.purposes, after.purposes, ['purposes.yaml', 'purposes'], { en: 'purpose', zh: '用途' }),
    ...keysChanged(before.institutionClasses, after.institutionClasses, ['purposes.yaml', 'institution_classes'], { en: 'class of institutions', zh: '机构类别' }),
    ...[...before.purposes.values()].flatMap((purpose) => {
      const next = after.purposes.get(purpose.code);
      return next === undefined ? [] : purposeChanges(purpose, next, after.fields);
    }),
    ...factChanges(before.facts, after.facts),
    ...fieldChanges(before, after),
  ];
}

function change(risk: Risk, path: readonly string[], before: SettingChange['before'], after: SettingChange['after'], words = plainWords(path, before, after)): SettingChange {
  return { risk, path, before, after, words };
}

function plainWords(path: readonly string[], before: SettingChange['before'], after: SettingChange['after']): Words {
  const name = path.slice(1).join('.');
  if (before === null) return { en: `${name}: added (${after})`, zh: `新增${name}（${after}）` };
  return after === null ? { en: `${name}: removed (was ${before})`, zh: `删除${name}（原为${before}）` } : { en: `${name}: ${after} instead of ${before}`, zh: `${name}：由${before}改为${after}` };
}

type Titled = { readonly title: Words; readonly code: string };

function keysChanged(before: ReadonlyMap<string, Titled>, after: ReadonlyMap<string, Titled>, path: readonly string[], what: Words): SettingChange[] {
  const named = ({ title, code }: Titled): Words => ({ en: `${title.en} (${code})`, zh: `${title.zh}（${code}）` });
  const added = [...after.values()].filter(({ code }) => !before.has(code)).map((each) => change('loosened', path, null, each.code, presenceWords(what, named(each), true)));
  const removed = [...before.values()].filter(({ code }) => !after.has(code)).map((each) => change('tightened', path, each.code, null, presenceWords(what, named(each), false)));
  return [...added, ...removed];
}

function purposeChanges(before: Purpose, after: Purpose, fields: CompiledPolicy['fields']): SettingChange[] {
  const path = ['purposes.yaml', 'purposes', before.code];
  const limits: [LimitName, number, number][] = [
    ['validity_days_max', before.caps.validityDaysMax, after.caps.validityDaysMax],
    ['uses_max', before.caps.usesMax, after.caps.usesMax],
    ['data_life_days_max', before.caps.dataLifeDaysMax, after.caps.dataLifeDaysMax],
    ['data_period_years_max', before.caps.dataPeriodYearsMax, after.caps.dataPeriodYearsMax],
    ['attempts_max', before.verificationAttemptsMax, after.verificationAttemptsMax],
  ];
  return [
    ...limits.filter(([, from, to]) => from !== to).map(([name, from, to]) =>
      change(to > from ? 'loosened' : 'tightened', [...path, name === 'attempts_max' ? 'verification' : 'caps', name], from, to, limitWords(before, name, from, to))),
    ...frequencyChange(before, after, [...path, 'caps', 'frequency_max']),
    ...setChanges(before.uses, after.uses, [...path, 'uses'], (names, isAdded) => allowedWords(before, 'uses', names, isAdded)),
    ...setChanges(before.caps.kinds, after.caps.kinds, [...path, 'caps', 'kinds'], (names, isAdded) => allowedWords(before, 'kinds', names, isAdded)),
    ...setChanges(before.caps.fields, after.caps.fields, [...path, 'minimum'], (refs, isAdded) => minimumWords(before, fields, refs, isAdded)),
    ...(['title', 'description'] as const).filter((of) => before[of].en !== after[of].en || before[of].zh !== after[of].zh).map((of) =>
      change('altered', [...path, of], before[of].en, after[of].en, namingWords(before, of, before[of], after[of]))),
  ];
}

const days: Readonly<Record<Frequency['per'], number>> = { day: 1, week: 7, month: 30 };

function frequencyChange(purpose: Purpose, { caps: { frequencyMax: after } }: Purpose, path: readonly string[]): SettingChange[] {
  const before = purpose.caps.frequencyMax;
  if (before.max === after.max && before.per === after.per) return [];
  const rate = ({ max, per }: Frequency) => max / days[per];
  const risk = before.per === after.per ? (after.max > before.max ? 'loosened' : 'tightened')
    : rate(after) > rate(before) || after.max > before.max ? 'mixed' : 'tightened';
  return [change(risk, path, `${before.max} per ${before.per}`, `${after.max} per ${after.per}`, frequencyWords(purpose, before, after))];
}

function setChanges(before: Iterable<string>, after: Iterable<string>, path: readonly string[], wordsOf: (names: readonly string[], isAdded: boolean) => Words): SettingChange[] {
  const from = new Set(before);
  const to = new Set(after);
  const added = [...to].filter((one) => !from.has(one)).toSorted(compareText);
  const removed = [...from].filter((one) => !to.has(one)).toSorted(compareText);
  return [
    ...(added.length === 0 ? [] : [change('loosened', path, null, added.join(', '), wordsOf(added, true))]),
    ...(removed.length === 0 ? [] : [change('tightened', path, removed.join(', '), null, wordsOf(removed, false))]),
  ];
}

/** Declarations decide what counts as missing; what that does to decisions is compared with the conditions. */
function factChanges(before: ReadonlyMap<string, Fact>, after: ReadonlyMap<string, Fact>): SettingChange[] {
  const form = (fact: Fact | undefined) => (fact === undefined ? null
    : [fact.type, fact.min === undefined ? '' : `from ${fact.min}`, fact.max === undefined ? '' : `to ${fact.max}`, (fact.codes ?? []).join(' | '), fact.unit === undefined ? '' : `in ${fact.unit}`, `“${fact.title.en}” (${fact.title.zh})`]
      .filter((part) => part !== '').join(' '));
  return [...new Set([...before.keys(), ...after.keys()])].toSorted(compareText).flatMap((name) => {
    const from = form(before.get(name));
    const to = form(after.get(name));
    return from === to ? [] : [change('altered', ['purposes.yaml', 'facts', name], from, to, factWords(name, { before: from, after: to }))];
  });
}

function fieldChanges(before: CompiledPolicy, after: CompiledPolicy): SettingChange[] {
  return [...new Set([...before.fields.keys(), ...after.fields.keys()])].flatMap((ref): SettingChange[] => {
    const from = before.fields.get(ref);
    const to = after.fields.get(ref);
    const path = [`catalogue/${ref.slice(0, ref.indexOf('.'))}.yaml`, 'fields', ref];
    if (from === undefined || to === undefined) return [change('altered', path, from === undefined ? null : from.type, to === undefined ? null : to.type)];
    const form = ({ type, classification }: typeof from) => `${type}, level ${classification.level}, ${classification.kind}`;
    if (form(from) === form(to)) return [];
    const lowered = to.classification.level < from.classification.level || (from.classification.kind !== 'public' && to.classification.kind === 'public');
    return [change(lowered ? 'loosened' : 'altered', path, form(from), form(to))];
  });
}
