import { toBase64 } from '../../audit/bytes.ts';
import { isoTime, systemClock } from '../../clock.ts';
import { Button, PageLink } from '../parts/button.tsx';
import { download } from '../parts/download.ts';
import { GoodNote } from '../parts/notes.tsx';
import { Digest, Facts } from '../parts/table.tsx';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import type { LogMemory } from './log-memory.ts';
import type { Outcome } from './verification-run.ts';
import { faultWords, verificationTexts } from './verification-texts.ts';

/** What came of a verification, impossible to overlook when it is bad. */
export function Verdict({ outcome, memory }: { readonly outcome: Outcome; readonly memory: LogMemory }) {
  return outcome.kind === 'sound' ? <Sound outcome={outcome} /> : <NotSound outcome={outcome} memory={memory} />;
}

function Sound({ outcome: { checkpoint, since, looked } }: { readonly outcome: Extract<Outcome, { readonly kind: 'sound' }> }) {
  const t = useTexts(verificationTexts);
  const { number } = useFormats();
  return (
    <GoodNote>
      <p className="note-title">{t('sound')}</p>
      <p>{since === null ? t('soundFirst') : t('soundContinuation')}</p>
      {looked !== null && <p>{looked.from === checkpoint.size ? t('nothingNew') : t('soundEntries', { from: number(looked.from) })}</p>}
      <Facts items={[
        [t('entries'), number(checkpoint.size)], [t('root'), <Digest key="root" value={toBase64(checkpoint.root)} />],
        ...(since === null ? [] : [[t('continues'), t('continuesOf', { count: number(since) })] as const]),
        ...(looked === null ? [] : [[t('records'), number(looked.records.verified)] as const, [t('erased'), number(looked.records.erased)] as const]),
      ]} />
    </GoodNote>
  );
}

function NotSound({ outcome: { fault, note }, memory }: { readonly outcome: Extract<Outcome, { readonly kind: 'unsound' }>; readonly memory: LogMemory }) {
  const t = useTexts(verificationTexts);
  const words = useWords();
  const evidence = () => {
    const found = { found_at: isoTime(systemClock.nowMs()), fault, trusted_keys: memory.keys, remembered: memory.checkpoint, served: note };
    download('log-evidence.json', 'application/json', JSON.stringify(found, null, 2));
  };
  return (
    <div className="note bad verdict" role="alert">
      <p className="note-title">{t('unsound')}</p>
      <p>{t('unsoundLead')}</p>
      <Facts items={[[t('whatFault'), words(faultWords[fault.kind])], [t('where'), <Where key="where" fault={fault} />]]} />
      <p>{t('keptBefore')}</p>
      <Button look="danger" onPress={evidence}>{t('evidence')}</Button>
    </div>
  );
}

function Where({ fault: { index, until } }: Pick<Extract<Outcome, { readonly kind: 'unsound' }>, 'fault'>) {
  const t = useTexts(verificationTexts);
  if (index === null) return t('wholeLog');
  if (until === null || until === index + 1) return <PageLink to={`/audit/entries/${index}`}>{t('whichEntry', { index })}</PageLink>;
  return t('whichEntries', { index, last: until - 1 });
}
