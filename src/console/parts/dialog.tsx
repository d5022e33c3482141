import { useEffect, useState, type ReactNode } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { frameTexts } from '../shell/frame-texts.ts';
import { useTexts } from '../shell/language.tsx';
import { SessionOver } from '../shell/session-over.tsx';
import { Button } from './button.tsx';
import { TextField } from './fields.tsx';
import { ErrorNote } from './notes.tsx';

type DialogProps = { readonly title: string; readonly open: boolean; readonly onClose: () => void; readonly children: ReactNode; readonly wide?: boolean };

/** Over the page, with the keyboard kept inside; Escape closes it. What the page says of a session that ended cannot be reached behind it: it is said here too. */
export function Dialog({ title, open, onClose, children, wide = false }: DialogProps) {
  return (
    <ModalOverlay className="overlay" isOpen={open} onOpenChange={(isOpen) => { if (!isOpen) onClose(); }} isDismissable>
      <Modal className={wide ? 'modal wide' : 'modal'}>
        <AriaDialog className="dialog"><Heading slot="title" level={2}>{title}</Heading><SessionOver />{children}</AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

type ConfirmProps = {
  readonly title: string; readonly open: boolean; readonly onClose: () => void; readonly children?: ReactNode;
  /** What the button says: what it does. */
  readonly action: string; readonly danger?: boolean; readonly busy: boolean; readonly error: unknown;
  /** Asks for a text, up to so many characters; `problem` says what is wrong with one. */
  readonly text?: { readonly label: string; readonly maxLength: number; readonly required: boolean; readonly problem?: (typed: string) => string | undefined };
  readonly onConfirm: (text: string) => void;
};

/** Asks before something is done, and keeps what was typed when it fails. */
export function Confirm({ title, open, onClose, children, action, danger = false, busy, error, text, onConfirm }: ConfirmProps) {
  const t = useTexts(frameTexts);
  const [typed, setTyped] = useState('');
  const [wrong, setWrong] = useState<string>();
  useEffect(() => { if (!open) { setTyped(''); setWrong(undefined); } }, [open]);
  const confirm = () => {
    const found = text?.required === true && typed.trim() === '' ? t('fieldNeeded') : text?.problem?.(typed.trim());
    setWrong(found);
    if (found === undefined) onConfirm(typed.trim());
  };
  return (
    <Dialog title={title} open={open} onClose={onClose}>
      <form onSubmit={(event) => { event.preventDefault(); confirm(); }}>
        {children}
        {text !== undefined && <TextField label={text.label} value={typed} onChange={setTyped} lines={3} maxLength={text.maxLength} required={text.required} error={wrong} />}
        {error !== null && error !== undefined && <ErrorNote error={error} />}
        <div className="buttons"><Button type="submit" look={danger ? 'danger' : 'primary'} busy={busy}>{action}</Button><Button onPress={onClose}>{t('cancel')}</Button></div>
      </form>
    </Dialog>
  );
}
