import type { Comparison, Disposition, Field, FieldDecision, Treatment } from '../vocabulary.ts';
import { casesOf, type Case, type Outcome } from './cell.ts';
import type { Region } from './diff-regions.ts';
import type { ConsentTier } from './rule.ts';
import type { ConditionText, Words } from './text.ts';
import { conditionWords, dispositionWords, openingWords } from './words.ts';

/** One thing an outcome may be, for machines: without `when` it holds in every situation. */
export type OutcomeCase = {
  readonly disposition: Disposition;
  readonly treatment?: Treatment;
  readonly comparison?: Comparison;
  readonly when?: ConditionText;
};
/** Most restrictive first; of those whose conditions hold the most restrictive counts, and none means withhold. */
export type OutcomeView = readonly OutcomeCase[];

export function viewOf(outcome: Outcome): OutcomeView {
  return casesOf(outcome).map(({ decision: { disposition, treatment, comparison }, when }) => ({
    disposition,
    ...(treatment === undefined ? {} : { treatment }),
    ...(comparison === undefined ? {} : { comparison }),
    ...(when === null ? {} : { when: when.text }),
  }));
}

const namesMax = 12;

/** What the two policies call things; the later one where they differ. */
export type Called = { readonly fields: ReadonlyMap<string, Pick<Field, 'title' | 'unit'>>; readonly purposes: ReadonlyMap<string, Titled>; readonly classes: ReadonlyMap<string, Titled> };
type Titled = { readonly title: Words };

/** `3 fields newly clear for 2 institution classes: Bank (bank), …; for Review (review); with consent to the original: Revenue (tax.revenue), …`. */
export function changeWords(region: Omit<Region, 'change'>, before: Outcome, after: Outcome, called: Called): Words {
  const { fields, purposes, institutionClasses, consent } = region;
  const verb = verbWords(before, after, commonUnit(fields, called));
  return {
    en: `${count(fields.length, 'field')} ${verb.en} for ${count(institutionClasses.length, 'institution class', 'institution classes')}: ${titled(institutionClasses, called.classes, 'en')}; for ${titled(purposes, called.purposes, 'en')}; with consent to ${consentWords(consent).en}: ${names(fields, called, 'en')}`,
    zh: `${fields.length}个字段对${institutionClasses.length}类机构（${titled(institutionClasses, called.classes, 'zh')}）${verb.zh}，用途：${titled(purposes, called.purposes, 'zh')}，授权范围：${consentWords(consent).zh}：${names(fields, called, 'zh')}`,
  };
}

/** Undefined when the fields have several: bounds are bare numbers then. */
function commonUnit(fields: readonly string[], called: Called): string | undefined {
  const units = new Set(fields.map((field) => called.fields.get(field)?.unit));
  return units.size === 1 ? [...units][0] : undefined;
}

function verbWords(before: Outcome, after: Outcome, unit: string | undefined): Words {
  const openings: Naming = (decision) => openingWords(decision, unit);
  if (isWithheld(before)) return framed(outcomeWords(after, openings), (to) => `newly ${to}`, (to) => `新开放：${to}`);
  if (isWithheld(after)) return framed(outcomeWords(before, nameWords), (from) => `no longer ${from}`, (from) => `不再开放（原为${from}）`);
  const [full, fullAfter] = [outcomeWords(before, openings), outcomeWords(after, openings)];
  if (full.en === fullAfter.en) return { en: `still ${full.en}, but depending on other facts`, zh: `仍为${full.zh}，但所依据的条件不同` };
  // the details of treatments only where the names alone do not tell the two apart
  const named = outcomeWords(before, nameWords).en !== outcomeWords(after, nameWords).en;
  const from = outcomeWords(before, named ? nameWords : openings);
  const to = outcomeWords(after, named ? nameWords : openings);
  return { en: `now ${to.en} instead of ${from.en}`, zh: `由${from.zh}改为${to.zh}` };
}

function framed(words: Words, en: (words: string) => string, zh: (words: string) => string): Words {
  return { en: en(words.en), zh: zh(words.zh) };
}

/** Everything an outcome may be, with its conditions: `clear if the security level is at least 4`. @param unit of the field; absent: bounds are bare numbers */
export function wordsOf(outcome: Outcome, unit?: string): Words {
  return outcomeWords(outcome, (decision) => openingWords(decision, unit));
}

function isWithheld(outcome: Outcome): boolean {
  return outcome.fixed?.disposition === 'withhold';
}

type Naming = (decision: FieldDecision) => Words;

const nameWords: Naming = ({ disposition }) => dispositionWords(disposition);

function outcomeWords(outcome: Outcome, naming: Naming): Words {
  const cases = casesOf(outcome).map((one) => caseWords(one, naming));
  return { en: cases.map(({ en }) => en).join(', or '), zh: cases.map(({ zh }) => zh).join('，或') };
}

function caseWords({ decision, when }: Case, naming: Naming): Words {
  const opening = naming(decision);
  if (when === null) return opening;
  const condition = conditionWords(when);
  return { en: `${opening.en} if ${condition.en}`, zh: `${condition.zh}时${opening.zh}` };
}

function consentWords(consent: readonly ConsentTier[]): Words {
  if (consent.length === 2) return { en: 'the original or the desensitised form', zh: '原始值或脱敏值' };
  return consent[0] === 'original' ? { en: 'the original', zh: '原始值' } : { en: 'the desensitised form', zh: '脱敏值' };
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function titled(codes: readonly string[], of: ReadonlyMap<string, Titled>, language: keyof Words): string {
  return codes.map((code) => {
    const title = of.get(code)?.title[language];
    if (title === undefined) return code;
    return language === 'en' ? `${title} (${code})` : `${title}（${code}）`;
  }).join(language === 'en' ? ', ' : '、');
}

function names(fields: readonly string[], called: Called, language: keyof Words): string {
  const shown = titled(fields.slice(0, namesMax), called.fields, language);
  const more = fields.length - namesMax;
  if (more <= 0) return shown;
  return language === 'en' ? `${shown} and ${more} more` : `${shown}等${fields.length}个`;
}
