import type { GrantOfferView } from '../../sdk/grant-requests.ts';
import { Button } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { WarningNote } from '../parts/notes.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { useLanguage, useTexts, type Words } from '../shell/language.tsx';
import { differencesOf, type Difference } from './request-draft.ts';
import { requestTexts } from './request-texts.ts';

const termWords: Readonly<Record<string, Words>> = {
  institution: { en: 'Institution', zh: '机构' }, kind: { en: 'Kind of institution', zh: '机构类别' }, why: { en: 'Why', zh: '申请用途' }, caps: { en: 'At most', zh: '政策上限' },
  purpose: { en: 'Purpose', zh: '用途' }, valid_days: { en: 'Days of validity', zh: '有效天数' }, uses_max: { en: 'Answers altogether', zh: '总次数' },
  data_life_days: { en: 'Days until deletion', zh: '删除期限（天）' }, data_from: { en: 'Data from', zh: '数据起始日期' }, data_to: { en: 'Data until', zh: '数据截止日期' },
};

/** Both sides of an offer that changed while it was read. */
export function RequestChanged({ before, now, onTake }: { readonly before: GrantOfferView; readonly now: GrantOfferView; readonly onTake: () => void }) {
  const t = useTexts(requestTexts);
  const { language } = useLanguage();
  const catalogue = useCatalogueWords();
  const columns: readonly Column<Difference>[] = [
    { id: 'term', title: t('term'), cell: ({ name }) => termWords[name]?.[language] ?? catalogue.field(name) },
    { id: 'before', title: t('before'), cell: (difference) => difference.before },
    { id: 'now', title: t('now'), cell: (difference) => difference.now },
  ];
  return (
    <WarningNote>
      <p className="note-title">{t('changedTitle')}</p>
      <p>{t('changedText')}</p>
      <Table caption={t('changedTitle')} columns={columns} rows={differencesOf(before, now, language)} keyOf={({ name }) => name} empty={t('changedElse')} />
      <Button onPress={onTake}>{t('takeNow')}</Button>
    </WarningNote>
  );
}
