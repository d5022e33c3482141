import { texts, useFormats, useTexts } from '../shell/language.tsx';
import type { Listed } from './all-pages.ts';
import { WarningNote } from './notes.tsx';

export const cutTexts = texts(
  { cut: 'The list goes on: only the first {count} are here. Those behind them are found by their identifier.' },
  { cut: '列表未完：此处仅为前 {count} 项，其余请按标识查找。' },
);

/** Says so where a list was too long to be read to its end. */
export function CutNote({ of }: { readonly of: Listed<unknown> | undefined }) {
  const t = useTexts(cutTexts);
  const { number } = useFormats();
  return of?.isCut === true ? <WarningNote><p>{t('cut', { count: number(of.rows.length) })}</p></WarningNote> : null;
}
