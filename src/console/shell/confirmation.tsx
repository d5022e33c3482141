import { useState } from 'react';
import { confirmSession, type SessionView } from '../../sdk/session.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { TextField } from '../parts/fields.tsx';
import { ErrorNote } from '../parts/notes.tsx';
import { frameTexts } from './frame-texts.ts';
import { useTexts } from './language.tsx';

type Props = {
  readonly base: string;
  readonly session: SessionView;
  /** `true`: confirmed, what was asked for is sent again. */
  readonly onDone: (confirmed: boolean) => void;
};

/** Asks for the one-time password once more, before what lets others in; whoever has none signs in again beside it. */
export function Confirmation({ base, session, onDone }: Props) {
  const t = useTexts(frameTexts);
  const [typed, setTyped] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const confirm = () => {
    if (busy) return;
    setBusy(true);
    confirmSession({ base, session }, typed.trim()).then(() => onDone(true), (refusal: unknown) => { setError(refusal); setBusy(false); });
  };
  return (
    <Dialog title={t('confirmTitle')} open onClose={() => onDone(false)}>
      <form onSubmit={(event) => { event.preventDefault(); confirm(); }}>
        <p>{t('confirmWhy')}</p>
        <TextField label={t('oneTimePassword')} required maxLength={16} value={typed} onChange={setTyped} />
        <p className="hint">{t('confirmPasskey')}</p>
        {error !== null && <ErrorNote error={error} />}
        <div className="buttons"><Button type="submit" look="primary" busy={busy}>{t('confirm')}</Button><Button onPress={() => onDone(false)}>{t('cancel')}</Button></div>
      </form>
    </Dialog>
  );
}
