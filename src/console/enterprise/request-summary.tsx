import { dayMs } from '../../calendar.ts';
import type { GrantOfferView } from '../../sdk/grant-requests.ts';
import { useFormats, useLanguage, useTexts } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import type { Draft } from './request-draft.ts';
import { requestTexts } from './request-texts.ts';

/** What would follow from agreeing, without anything left out: each field with what the institution would get of it. */
export function RequestSummary({ offer, draft, institution }: { readonly offer: GrantOfferView; readonly draft: Draft; readonly institution: string }) {
  const t = useTexts(requestTexts);
  const { language } = useLanguage();
  const { day, number } = useFormats();
  const { clock } = useSession();
  const described = offer.description[language];
  const chosen = described.fields.map((field) => ({ ...field, ceiling: draft.fields[field.ref] ?? 'out' }));
  const count = (ceiling: string) => chosen.filter((field) => field.ceiling === ceiling).length;
  const [original, desensitised, out] = [count('original'), count('desensitised'), count('out')];
  return (
    <>
      <ul>
        {original > 0 && <li>{t('sumOriginal', { count: number(original), institution })}</li>}
        {desensitised > 0 && <li>{t('sumDesensitised', { count: number(desensitised) })}</li>}
        {out > 0 && <li>{t('sumOut', { count: number(out) })}</li>}
        <li>{t('sumUntil', { day: day(clock.nowMs() + Number(draft.validDays) * dayMs), purpose: described.purpose.title })}</li>
        <li>{draft.usesMax === '' ? t('sumUnlimited') : t('sumUses', { count: draft.usesMax })}</li>
        <li>{t('sumLife', { days: draft.lifeDays })}</li>
      </ul>
      <details>
        <summary>{t('fieldByField')}</summary>
        <ul>{chosen.filter(({ ceiling }) => ceiling !== 'out').map(({ ref, title, dataset, gets, ceiling }) => (
          <li key={ref}>{t('sumField', { field: title, dataset, gets: ceiling === 'out' ? '' : gets[ceiling] })}</li>
        ))}</ul>
      </details>
    </>
  );
}
