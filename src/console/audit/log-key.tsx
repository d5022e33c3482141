import { useState } from 'react';
import { isoTime, systemClock } from '../../clock.ts';
import { logTrust } from '../../sdk/log.ts';
import { Button } from '../parts/button.tsx';
import { Confirm, Dialog } from '../parts/dialog.tsx';
import { TextField } from '../parts/fields.tsx';
import { ErrorNote, GoodNote } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { Facts } from '../parts/table.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { useLogMemory, type LogMemory } from './log-memory.ts';
import { verificationTexts } from './verification-texts.ts';

const keyLengthMax = 400;

/** At first use: the key is compared, then remembered. */
export function FirstKey({ published }: { readonly published: string }) {
  const t = useTexts(verificationTexts);
  const { keep } = useLogMemory();
  const remembering = useChange(async (_calls, key: string) => { await logTrust([key]); keep({ keys: [key], since: isoTime(systemClock.nowMs()), checkpoint: null }); });
  return (
    <Section title={t('first')}>
      <p>{t('firstLead')}</p>
      <Facts items={[[t('published'), <code key="key">{published}</code>]]} />
      <CompareKey known={[published]} />
      {remembering.error !== null && <ErrorNote error={remembering.error} />}
      <div className="buttons"><Button look="primary" busy={remembering.busy} onPress={() => remembering.run(published)}>{t('remember')}</Button></div>
    </Section>
  );
}

/** What is remembered, and what may be done with it. @param published undefined while it is not known */
export function RememberedLog({ memory, published }: { readonly memory: LogMemory; readonly published: string | undefined }) {
  const t = useTexts(verificationTexts);
  const { time, number } = useFormats();
  const { forget } = useLogMemory();
  const [key = ''] = memory.keys;
  const [origin = '', id = ''] = key.split('+');
  const checkpoint = memory.checkpoint;
  return (
    <>
      {published !== undefined && !memory.keys.includes(published) && (
        <div className="note bad verdict" role="alert"><p className="note-title">{t('keyChanged')}</p><p>{t('keyChangedLead')}</p><p><code>{published}</code></p></div>
      )}
      <Section title={t('remembered')} actions={<><TrustAnotherKey memory={memory} /><ForgetLog onForget={forget} /></>}>
        <Facts items={[
          [t('origin'), origin], [t('keyId'), <code key="id">{id}</code>], [t('since'), time(memory.since)],
          [t('size'), checkpoint === null ? t('nothingYet') : number(checkpoint.size)], [t('at'), checkpoint === null ? t('nothingYet') : time(checkpoint.at)],
          [t('looked'), checkpoint === null ? t('nothingYet') : number(checkpoint.entries)],
          [t('key'), memory.keys.map((one) => <code key={one} className="log-key">{one}</code>)],
        ]} />
        <CompareKey known={memory.keys} />
      </Section>
    </>
  );
}

function CompareKey({ known }: { readonly known: readonly string[] }) {
  const t = useTexts(verificationTexts);
  const [given, setGiven] = useState('');
  return (
    <>
      <TextField label={t('compare')} hint={t('compareHint')} value={given} onChange={setGiven} maxLength={keyLengthMax} />
      {given.trim() !== '' && (known.includes(given.trim()) ? <GoodNote><p>{t('same')}</p></GoodNote> : <div className="note bad" role="alert"><p>{t('different')}</p></div>)}
    </>
  );
}

/** After the operator changed its key: the old one stays, for what it signed. */
function TrustAnotherKey({ memory }: { readonly memory: LogMemory }) {
  const t = useTexts(verificationTexts);
  const common = useTexts(frameTexts);
  const { keep } = useLogMemory();
  const [isOpen, setOpen] = useState(false);
  const [given, setGiven] = useState('');
  const trusting = useChange(async (_calls, key: string) => {
    const keys = [key, ...memory.keys.filter((one) => one !== key)];
    await logTrust(keys);
    keep({ ...memory, keys, since: isoTime(systemClock.nowMs()) });
  });
  const close = () => { setOpen(false); trusting.reset(); };
  return (
    <>
      <Button onPress={() => setOpen(true)}>{t('trustNew')}</Button>
      <Dialog title={t('trustNewTitle')} open={isOpen} onClose={close}>
        <form onSubmit={(event) => { event.preventDefault(); trusting.run(given.trim(), close); }}>
          <p>{t('trustNewLead')}</p>
          <TextField label={t('newKey')} value={given} onChange={setGiven} maxLength={keyLengthMax} required />
          {trusting.error !== null && <ErrorNote error={trusting.error} />}
          <div className="buttons"><Button type="submit" look="primary" busy={trusting.busy}>{t('trustIt')}</Button><Button onPress={close}>{common('cancel')}</Button></div>
        </form>
      </Dialog>
    </>
  );
}

export function ForgetLog({ onForget }: { readonly onForget: () => void }) {
  const t = useTexts(verificationTexts);
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button onPress={() => setOpen(true)}>{t('forget')}</Button>
      <Confirm title={t('forgetTitle')} open={isOpen} onClose={() => setOpen(false)} action={t('forget')} danger busy={false} error={null} onConfirm={() => { setOpen(false); onForget(); }}>
        <p>{t('forgetLead')}</p>
      </Confirm>
    </>
  );
}
