import type { PolicyFactEdit, PolicyPurposeEdit } from '../../sdk/policy-purposes.ts';
import { useTexts, useWords } from '../shell/language.tsx';
import { useTitles } from './edit-words.tsx';
import { gridTexts } from './grid-texts.ts';
import { purposeTexts } from './purpose-texts.ts';

/** What an edit makes of a purpose, in words. */
export function PurposeEditWords({ edit, version }: { readonly edit: PolicyPurposeEdit; readonly version: number }) {
  const t = useTexts(purposeTexts);
  const g = useTexts(gridTexts);
  const words = useWords();
  const titleOf = useTitles(version);
  const { purpose, is_new: isNew, title, description, uses, caps = {}, attempts_max: attempts, minimum } = edit;
  const figures = [
    ...(['validity_days_max', 'uses_max', 'data_life_days_max', 'data_period_years_max'] as const).flatMap((name) => (caps[name] === undefined ? [] : [`${t(name)} ${caps[name]}`])),
    ...(caps.frequency_max === undefined ? [] : [`${t('frequency_max')} ${caps.frequency_max.max} ${t('per')} ${t(caps.frequency_max.per)}`]),
    ...(caps.kinds === undefined ? [] : [`${t('kinds')} ${caps.kinds.map((kind) => t(kind)).join(', ')}`]), ...(attempts === undefined ? [] : [`${t('attempts_max')} ${attempts}`]),
  ];
  const fields = (list: readonly string[]) => list.map(titleOf).join(', ');
  return (
    <>
      <strong>{isNew === true && title !== undefined ? words(title) : titleOf(purpose)}</strong> <code>{purpose}</code>
      {isNew === true && <span className="more">{t('isNew')}</span>}
      {minimum !== undefined && minimum.add.length > 0 && <span className="more">{t('addsFields', { fields: fields(minimum.add) })}</span>}
      {minimum !== undefined && minimum.remove.length > 0 && <span className="more">{t('removesFields', { fields: fields(minimum.remove) })}</span>}
      {figures.length > 0 && <span className="more">{t('setsCaps', { caps: figures.join('; ') })}</span>}
      {uses !== undefined && <span className="more">{t('setsUses', { uses: uses.map((use) => g(use)).join(', ') })}</span>}
      {(title !== undefined || description !== undefined) && <span className="more">{t('setsNaming')}</span>}
    </>
  );
}

/** What an edit makes of a fact, in words. */
export function FactEditWords({ edit: { fact, declared } }: { readonly edit: PolicyFactEdit }) {
  const t = useTexts(purposeTexts);
  const words = useWords();
  return <><strong>{t(declared === null ? 'takesAway' : 'declares', { fact: declared === null ? fact : words(declared.title) })}</strong> <code>{fact}</code></>;
}
