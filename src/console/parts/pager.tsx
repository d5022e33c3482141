import { useState } from 'react';
import { texts, useTexts } from '../shell/language.tsx';
import { Button } from './button.tsx';

const pagerTexts = texts({ newer: 'Newer', older: 'Older', page: 'Page {number}', label: 'Pages of the list' }, { newer: '较新', older: '较早', page: '第 {number} 页', label: '列表翻页' });

/**
 * Pages of a list that goes on behind a cursor, newest first.
 * @returns `cursor` of the page to read, undefined for the first
 */
export function usePages<Cursor>() {
  const [cursors, setCursors] = useState<readonly Cursor[]>([]);
  return {
    cursor: cursors.at(-1), number: cursors.length + 1,
    /** A page in sight while the one behind it is on its way does not lead there twice. */
    older: (next: Cursor) => setCursors((known) => (known.at(-1) === next ? known : [...known, next])),
    newer: () => setCursors(cursors.slice(0, -1)),
    /** Filters changed: what follows is another list. */
    restart: () => setCursors([]),
  };
}

type PagerProps<Cursor> = { readonly pages: ReturnType<typeof usePages<Cursor>>; /** Where the list goes on; null at its end. */ readonly next: Cursor | null };

export function Pager<Cursor>({ pages, next }: PagerProps<Cursor>) {
  const t = useTexts(pagerTexts);
  if (pages.number === 1 && next === null) return null;
  return (
    <nav className="buttons" aria-label={t('label')}>
      <Button disabled={pages.number === 1} onPress={pages.newer}>{t('newer')}</Button>
      <span>{t('page', { number: pages.number })}</span>
      <Button disabled={next === null} onPress={() => { if (next !== null) pages.older(next); }}>{t('older')}</Button>
    </nav>
  );
}
