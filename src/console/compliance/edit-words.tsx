import type { PolicyEdit, PolicySetting } from '../../sdk/policy-cells.ts';
import { useTexts } from '../shell/language.tsx';
import { cellTexts } from './cell-texts.ts';
import { openingText } from './openings.ts';
import { proposalTexts } from './proposal-texts.ts';

/** An edit in words: what each reach of consent is to open, for whom. */
export function EditWords({ edit }: { readonly edit: PolicyEdit }) {
  const t = useTexts(proposalTexts);
  const c = useTexts(cellTexts);
  const what = (setting: PolicySetting) => {
    if (setting === null) return t('nothing');
    return [c(openingText(setting.opening)), ...(setting.when === undefined ? [] : [t('when')])].join(' · ');
  };
  return (
    <>
      <strong><code>{edit.field}</code> · {edit.purposes.join(', ')} · {edit.use}</strong>
      {edit.desensitised !== undefined && <span className="more">{t('desensitised', { what: what(edit.desensitised) })}</span>}
      {edit.original !== undefined && <span className="more">{t('original', { what: what(edit.original) })}</span>}
      <span className="more">{t('forClasses', { classes: edit.institution_classes.join(', ') })}</span>
    </>
  );
}
