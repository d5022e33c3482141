import type { Frequency } from '../vocabulary.ts';
import type { Risk } from './diff.ts';
import type { Fact } from './facts.ts';
import type { CompiledPolicy } from './policy.ts';
import { compareText } from './problem.ts';
import type { Purpose } from './purpose.ts';
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
    ...keysChanged(before.purposes, after.purposes, ['purposes.yaml', 'purposes']),
    ...keysChanged(before.institutionClasses, after.institutionClasses, ['purposes.yaml', 'institution_classes']),
    ...[...before.purposes.values()].flatMap((purpose) => {
      const next = after.purposes.get(purpose.code);
      return next === undefined ? [] : purposeChanges(purpose, next);
    }),
    ...factChanges(before.facts, after.facts),
    ...fieldChanges(before, after),
  ];
}

function change(risk: Risk, path: readonly string[], before: SettingChange['before'], after: SettingChange['after']): SettingChange {
  const name = path.slice(1).join('.');
  const words = before === null ? { en: `${name}: added (${after})`, zh: `新增${name}（${after}）` }
    : after === null ? { en: `${name}: removed (was ${before})`, zh: `删除${name}（原为${before}）` }
      : { en: `${name}: ${after} instead of ${before}`, zh: `${name}：由${before}改为${after}` };
  return { risk, path, before, after, words };
}

function keysChanged(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>, path: readonly string[]): SettingChange[] {
  const added = [...after.keys()].filter((key) => !before.has(key)).map((key) => change('loosened', path, null, key));
  const removed = [...before.keys()].filter((key) => !after.has(key)).map((key) => change('tightened', path, key, null));
  return [...added, ...removed];
}

function purposeChanges(before: Purpose, after: Purpose): SettingChange[] {
  const path = ['purposes.yaml', 'purposes', before.code];
  const limits: [string[], number, number][] = [
    [['caps', 'validity_days_max'], before.caps.validityDaysMax, after.caps.validityDaysMax],
    [['caps', 'uses_max'], before.caps.usesMax, after.caps.usesMax],
    [['caps', 'data_life_days_max'], before.caps.dataLifeDaysMax, after.caps.dataLifeDaysMax],
    [['caps', 'data_period_years_max'], before.caps.dataPeriodYearsMax, after.caps.dataPeriodYearsMax],
    [['verification', 'attempts_max'], before.verificationAttemptsMax, after.verificationAttemptsMax],
  ];
  return [
    ...limits.filter(([, from, to]) => from !== to).map(([keys, from, to]) => change(to > from ? 'loosened' : 'tightened', [...path, ...keys], from, to)),
    ...frequencyChange(before.caps.frequencyMax, after.caps.frequencyMax, [...path, 'caps', 'frequency_max']),
    ...setChanges(before.uses, after.uses, [...path, 'uses']),
    ...setChanges(before.caps.kinds, after.caps.kinds, [...path, 'caps', 'kinds']),
    ...setChanges(before.caps.fields, after.caps.fields, [...path, 'minimum']),
  ];
}

const days: Readonly<Record<Frequency['per'], number>> = { day: 1, week: 7, month: 30 };

function frequencyChange(before: Frequency, after: Frequency, path: readonly string[]): SettingChange[] {
  if (before.max === after.max && before.per === after.per) return [];
  const rate = ({ max, per }: Frequency) => max / days[per];
  const risk = before.per === after.per ? (after.max > before.max ? 'loosened' : 'tightened')
    : rate(after) > rate(before) || after.max > before.max ? 'mixed' : 'tightened';
  return [change(risk, path, `${before.max} per ${before.per}`, `${after.max} per ${after.per}`)];
}

function setChanges(before: Iterable<string>, after: Iterable<string>, path: readonly string[]): SettingChange[] {
  const from = new Set(before);
  const to = new Set(after);
  const added = [...to].filter((one) => !from.has(one)).toSorted(compareText);
  const removed = [...from].filter((one) => !to.has(one)).toSorted(compareText);
  return [
    ...(added.length === 0 ? [] : [change('loosened', path, null, added.join(', '))]),
    ...(removed.length === 0 ? [] : [change('tightened', path, removed.join(', '), null)]),
  ];
}

/** Declarations decide what counts as missing; what that does to decisions is compared with the conditions. */
function factChanges(before: ReadonlyMap<string, Fact>, after: ReadonlyMap<string, Fact>): SettingChange[] {
  const form = (fact: Fact | undefined) => (fact === undefined ? null
    : [fact.type, fact.min === undefined ? '' : `from ${fact.min}`, fact.max === undefined ? '' : `to ${fact.max}`, (fact.codes ?? []).join(' | ')].filter((part) => part !== '').join(' '));
  return [...new Set([...before.keys(), ...after.keys()])].toSorted(compareText).flatMap((name) => {
    const from = form(before.get(name));
    const to = form(after.get(name));
    return from === to ? [] : [change('altered', ['purposes.yaml', 'facts', name], from, to)];
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
