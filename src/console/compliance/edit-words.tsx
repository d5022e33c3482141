import { policyCellsClient, type PolicyCondition, type PolicyEdit, type PolicySetting } from '../../sdk/policy-cells.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { cellTexts } from './cell-texts.ts';
import { knownConditions } from './conditions.ts';
import { gridTexts } from './grid-texts.ts';
import { openingText } from './openings.ts';
import { proposalTexts } from './proposal-texts.ts';

/** An edit in words: what each reach of consent is to open, for whom. */
export function EditWords({ edit, version }: { readonly edit: PolicyEdit; readonly version: number }) {
  const t = useTexts(proposalTexts);
  const c = useTexts(cellTexts);
  const g = useTexts(gridTexts);
  const { day } = useFormats();
  const titleOf = useTitles(version);
  const conditionWords = (when: PolicyCondition | undefined) => {
    if (when === undefined) return [];
    const { level, until } = knownConditions(when);
    return level === undefined && until === undefined ? [t('when')] : [...(level === undefined ? [] : [t('fromLevel', { level })]), ...(until === undefined ? [] : [t('endsOn', { day: day(until) })])];
  };
  const what = (setting: PolicySetting) => {
    if (setting === null) return t('nothing');
    return [c(openingText(setting.opening)), ...conditionWords(setting.when)].join(' · ');
  };
  return (
    <>
      <strong>{titleOf(edit.field)} · {edit.purposes.map(titleOf).join(', ')} · {g(edit.use)}</strong> <code>{edit.field}</code>
      {edit.desensitised !== undefined && <span className="more">{t('desensitised', { what: what(edit.desensitised) })}</span>}
      {edit.original !== undefined && <span className="more">{t('original', { what: what(edit.original) })}</span>}
      <span className="more">{t('forClasses', { classes: edit.institution_classes.map(titleOf).join(', ') })}</span>
    </>
  );
}

/** What fields, purposes and classes are called in a version; their codes until that is read. */
export function useTitles(version: number): (code: string) => string {
  const words = useWords();
  const { data } = useRead(['policies', 'matrix', version, undefined, 'read', 'original'], (calls) => policyCellsClient(calls).matrix(version, undefined, 'read', 'original'));
  const named = [...(data?.fields ?? []).map(({ field, title }) => ({ code: field, title })), ...(data?.purposes ?? []), ...(data?.classes ?? [])];
  const titles = new Map(named.map(({ code, title }) => [code, title]));
  return (code) => words(titles.get(code) ?? { en: code, zh: code });
}
