import type { ReactNode } from 'react';
import { isVeilgateError } from '../../errors.ts';
import { frameTexts } from '../shell/frame-texts.ts';
import { useLanguage, useTexts } from '../shell/language.tsx';
import { Button } from './button.tsx';
import { problemsInChinese } from './problem-words.ts';

export function Loading() {
  const t = useTexts(frameTexts);
  return <p className="loading" role="status">{t('loading')}</p>;
}

/** Says what happened and what to do next: in the gateway's own words and, where Chinese is read, in Chinese before them. */
export function ErrorNote({ error, again }: { readonly error: unknown; readonly again?: () => void }) {
  const t = useTexts(frameTexts);
  const { language } = useLanguage();
  const known = isVeilgateError(error);
  return (
    <div className="note bad" role="alert">
      <p className="note-title">{t('errorTitle')}</p>
      {known && language === 'zh' && <p>{problemsInChinese[error.code]}</p>}
      <p {...(known ? { lang: 'en' } : {})}>{known ? error.message : t('fault')}</p>
      {known && <p className="note-code">{t('errorCode', { code: error.code })}</p>}
      {again !== undefined && <Button onPress={again}>{t('again')}</Button>}
    </div>
  );
}

export function EmptyNote({ children }: { readonly children?: ReactNode }) {
  const t = useTexts(frameTexts);
  return <p className="empty">{children ?? t('empty')}</p>;
}

export function GoodNote({ children }: { readonly children: ReactNode }) {
  return <div className="note good" role="status">{children}</div>;
}

/** @param answers it says what came of what was just done: read out at once */
export function WarningNote({ children, answers = false }: { readonly children: ReactNode; readonly answers?: boolean }) {
  return <div className="note warning" role={answers ? 'alert' : 'note'}>{children}</div>;
}

type Reading<Answer> = { readonly data: Answer | undefined; readonly error: unknown; readonly isPending: boolean; readonly refetch: () => unknown };

/** Something read of the gateway: waiting, failed, or there. */
export function Read<Answer>({ of, children }: { readonly of: Reading<Answer>; readonly children: (answer: Answer) => ReactNode }) {
  if (of.data !== undefined) return children(of.data);
  if (of.error !== null && of.error !== undefined) return <ErrorNote error={of.error} again={() => void of.refetch()} />;
  return <Loading />;
}
