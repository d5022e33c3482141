import type { GrantChoice, GrantOfferView } from '../../sdk/grant-requests.ts';
import type { ConsentCeiling } from '../../vocabulary.ts';

/** What somebody has chosen so far; numbers and days as they stand in their fields. */
export type Draft = {
  readonly fields: Readonly<Record<string, ConsentCeiling | 'out'>>;
  readonly validDays: string;
  readonly usesMax: string;
  readonly frequencyMax: string;
  readonly lifeDays: string;
  readonly dataFrom: string;
};

type Terms = GrantOfferView['terms'];
type Limit = 'validDays' | 'usesMax' | 'frequencyMax' | 'lifeDays';

const usesHighest = 1_000_000;

/** Everything as asked. */
export function draftOf(terms: Terms): Draft {
  return {
    fields: Object.fromEntries(terms.fields.map(({ field, ceiling }) => [field, ceiling])),
    validDays: String(terms.valid_days), usesMax: terms.uses_max === undefined ? '' : String(terms.uses_max), frequencyMax: terms.frequency === undefined ? '' : String(terms.frequency.max),
    lifeDays: String(terms.data_life_days), dataFrom: terms.data_from ?? '',
  };
}

/** The same choices under other terms, as far as they are still possible. */
export function carriedOver(draft: Draft, before: Terms, now: Terms): Draft {
  const [asked, fresh] = [draftOf(before), draftOf(now)];
  const kept = <Name extends Limit | 'dataFrom'>(name: Name) => (draft[name] === asked[name] ? fresh[name] : draft[name]);
  return {
    fields: Object.fromEntries(now.fields.map(({ field, ceiling }) => {
      const chosen = draft.fields[field];
      return [field, chosen === undefined || (chosen === 'original' && ceiling !== 'original') ? ceiling : chosen];
    })),
    validDays: kept('validDays'), usesMax: kept('usesMax'), frequencyMax: kept('frequencyMax'), lifeDays: kept('lifeDays'), dataFrom: kept('dataFrom'),
  };
}

/** Highest value of each number; all begin with 1. */
export function limitsOf(terms: Terms): Readonly<Record<Limit, number>> {
  return { validDays: terms.valid_days, usesMax: terms.uses_max ?? usesHighest, frequencyMax: terms.frequency?.max ?? 0, lifeDays: terms.data_life_days };
}

export type DraftFaults = { readonly fields: boolean; readonly dataFrom: boolean } & Readonly<Record<Limit, boolean>>;

/** What cannot be sent. */
export function faultsOf(draft: Draft, terms: Terms): DraftFaults {
  const limits = limitsOf(terms);
  const outside = (name: Limit) => !/^[1-9][0-9]{0,6}$/.test(draft[name]) || Number(draft[name]) > limits[name];
  return {
    fields: Object.values(draft.fields).every((chosen) => chosen === 'out'),
    validDays: outside('validDays'),
    usesMax: (draft.usesMax !== '' || terms.uses_max !== undefined) && outside('usesMax'),
    frequencyMax: terms.frequency !== undefined && outside('frequencyMax'),
    lifeDays: outside('lifeDays'),
    dataFrom: draft.dataFrom === '' ? terms.data_from !== undefined : terms.data_from !== undefined && draft.dataFrom < terms.data_from,
  };
}

export const isFaulty = (faults: DraftFaults) => Object.values(faults).some((fault) => fault);

/** What is said to the gateway: only what is less than asked. */
export function choiceOf(draft: Draft, terms: Terms): GrantChoice {
  const asked = draftOf(terms);
  const changed = (name: Limit | 'dataFrom') => draft[name] !== '' && draft[name] !== asked[name];
  const fields = terms.fields.flatMap(({ field }) => {
    const ceiling = draft.fields[field] ?? 'out';
    return ceiling === 'out' ? [] : [{ field, ceiling }];
  });
  return {
    ...(terms.fields.some(({ field, ceiling }) => draft.fields[field] !== ceiling) ? { fields } : {}),
    ...(changed('validDays') ? { valid_days: Number(draft.validDays) } : {}),
    ...(changed('usesMax') ? { uses_max: Number(draft.usesMax) } : {}),
    ...(changed('frequencyMax') && terms.frequency !== undefined ? { frequency: { ...terms.frequency, max: Number(draft.frequencyMax) } } : {}),
    ...(changed('lifeDays') ? { data_life_days: Number(draft.lifeDays) } : {}),
    ...(changed('dataFrom') ? { data_from: draft.dataFrom } : {}),
  };
}

export type Difference = { readonly name: string; readonly before: string; readonly now: string };

/** What two offers of one request say differently; names are of terms, of parts of the description, or of fields. */
export function differencesOf(before: GrantOfferView, now: GrantOfferView, language: 'en' | 'zh'): Difference[] {
  const compared = ['purpose', 'valid_days', 'uses_max', 'data_life_days', 'data_from', 'data_to'] as const;
  const terms = compared.map((name): Difference => ({ name, before: shown(before.terms[name]), now: shown(now.terms[name]) }));
  const { institution: asker, purpose: aim } = before.description[language];
  const { institution: askerNow, purpose: aimNow } = now.description[language];
  const words: readonly Difference[] = [
    { name: 'institution', before: asker.name, now: askerNow.name }, { name: 'kind', before: asker.kind, now: askerNow.kind }, { name: 'why', before: aim.text, now: aimNow.text },
    { name: 'caps', before: before.description[language].caps.join(' '), now: now.description[language].caps.join(' ') },
  ];
  const gets = (offer: GrantOfferView) => new Map(offer.description[language].fields.map((field) => [field.ref, field]));
  const [then, today] = [gets(before), gets(now)];
  const fields = now.terms.fields.map(({ field, ceiling }): Difference => ({ name: field, before: then.get(field)?.gets[ceiling] ?? '–', now: today.get(field)?.gets[ceiling] ?? '–' }));
  return [...words, ...terms, ...fields].filter((one) => one.before !== one.now);
}

function shown(value: string | number | undefined): string {
  return value === undefined ? '–' : String(value);
}
