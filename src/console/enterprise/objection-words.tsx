import type { ObjectionSummary } from '../../sdk/objections.ts';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { Tag } from '../parts/tag.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { objectionTexts } from './objection-texts.ts';

/** What an objection is about, in one phrase. */
export function useObjectionAbout(): (objection: Pick<ObjectionSummary, 'about' | 'field' | 'row' | 'entry'>) => string {
  const t = useTexts(objectionTexts);
  const { number } = useFormats();
  const catalogue = useCatalogueWords();
  return ({ field, row, entry }) => {
    if (field === null) return t('aboutEntry', { index: number(entry ?? 0) });
    const titles = { field: catalogue.field(field), dataset: catalogue.datasetOf(field) };
    return row === null ? t('aboutField', titles) : t('aboutRow', { ...titles, row });
  };
}

/** Until when the next step is due, and how many working days that is. */
export function Deadline({ objection }: { readonly objection: Pick<ObjectionSummary, 'due_on' | 'working_days_left' | 'overdue'> }) {
  const t = useTexts(objectionTexts);
  const { day, number } = useFormats();
  const { due_on: due, working_days_left: left, overdue } = objection;
  if (due === null || left === null) return <>{t('noDeadline')}</>;
  const words = left > 0 ? t('daysLeft', { day: day(due), count: number(left) }) : left === 0 ? t('today', { day: day(due) }) : t('daysOver', { day: day(due), count: number(-left) });
  return <>{words} {overdue && <Tag tone="bad">{t('overdue')}</Tag>}</>;
}
