import { frameTexts } from './frame-texts.ts';
import { useTexts } from './language.tsx';
import { signInAddress, useSession } from './session.tsx';

/** The session ended while a page was open: nothing typed is thrown away. Wherever one types: in the page and in a dialog over it. */
export function SessionOver() {
  const t = useTexts(frameTexts);
  const { over } = useSession();
  if (!over) return null;
  return (
    <div className="note warning" role="alert">
      <p className="note-title">{t('overTitle')}</p>
      <p>{t('over')}</p>
      <p className="buttons"><a className="button primary" href={signInAddress()} target="_blank" rel="noreferrer">{t('signInNewTab')}</a></p>
    </div>
  );
}
