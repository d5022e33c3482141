import { useEffect, useRef, useState } from 'react';
import { isoTime, systemClock } from '../../clock.ts';
import { logClient } from '../../sdk/log.ts';
import { Button } from '../parts/button.tsx';
import { Choices } from '../parts/fields.tsx';
import { ErrorNote, Loading, Read, WarningNote } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { auditArea } from './area.ts';
import { FirstKey, ForgetLog, RememberedLog } from './log-key.tsx';
import { useLogMemory, type LogMemory } from './log-memory.ts';
import { Verdict } from './verdict.tsx';
import { entriesMax, verifyRemembered, type Depth, type Outcome } from './verification-run.ts';
import { verificationTexts } from './verification-texts.ts';
import '../style/audit.css';

/** The log, checked by the auditor's own browser against what that browser remembers. */
export default function Verification() {
  const t = useTexts(verificationTexts);
  const title = useTexts(auditArea.titles);
  const { memory, isPending, forget } = useLogMemory();
  const published = useRead(['log key'], (calls) => logClient(calls).key());
  return (
    <PageBody title={title('verification')} lead={t('lead')}>
      {isPending ? <Loading /> : memory === 'unreadable' ? <WarningNote><p>{t('unreadable')}</p><ForgetLog onForget={forget} /></WarningNote>
        : memory === undefined ? <Read of={published}>{(key) => <FirstKey published={key} />}</Read>
          : <><RememberedLog memory={memory} published={published.data} /><VerifyNow memory={memory} /></>}
    </PageBody>
  );
}

type State =
  | { readonly kind: 'idle' | 'stopped' } | { readonly kind: 'running'; readonly done: number; /** Undefined before the size is known. */ readonly all: number | undefined }
  | { readonly kind: 'failed'; readonly error: unknown } | { readonly kind: 'done'; readonly outcome: Outcome };

function VerifyNow({ memory }: { readonly memory: LogMemory }) {
  const t = useTexts(verificationTexts);
  const { number } = useFormats();
  const [depth, setDepth] = useState<Depth>('since');
  const [state, start, stop] = useVerification(memory);
  const isRunning = state.kind === 'running';
  return (
    <Section title={t('verify')}>
      <Choices
        label={t('depth')} value={depth} onChange={setDepth} disabled={isRunning}
        options={[{ value: 'continuation', label: t('continuation') }, { value: 'since', label: t('sinceLast') }, { value: 'whole', label: t('whole', { max: number(entriesMax) }) }]}
      />
      <div className="buttons spaced">
        <Button look="primary" busy={isRunning} onPress={() => start(depth)}>{t('start')}</Button>
        {isRunning && <Button onPress={stop}>{t('stop')}</Button>}
      </div>
      {isRunning && <Progress done={state.done} all={state.all} />}
      {state.kind === 'stopped' && <p role="status">{t('stopped')}</p>}
      {state.kind === 'failed' && <ErrorNote error={state.error} />}
      {state.kind === 'done' && <Verdict outcome={state.outcome} memory={memory} />}
    </Section>
  );
}

function Progress({ done, all }: { readonly done: number; readonly all: number | undefined }) {
  const t = useTexts(verificationTexts);
  const { number } = useFormats();
  return (
    <p className="progress">
      <progress aria-label={t('progress')} {...(all === undefined ? {} : { value: done, max: Math.max(all, 1) })} />
      <span>{all === undefined ? t('starting') : t('done', { done: number(done), all: number(all) })}</span>
    </p>
  );
}

/** One run at a time; it ends with the page. A log that is not sound changes nothing of what is remembered. */
function useVerification(memory: LogMemory): readonly [State, (depth: Depth) => void, () => void] {
  const { calls } = useSession();
  const { keepCheckpoint } = useLogMemory();
  const [state, setState] = useState<State>({ kind: 'idle' });
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const start = (depth: Depth) => {
    if (running.current !== undefined) return;
    const run = new AbortController();
    running.current = run;
    setState({ kind: 'running', done: 0, all: undefined });
    verifyRemembered({
      calls, logUrl: `${location.origin}/console/api/v1/log`, memory, depth, signal: run.signal,
      onProgress: (done, all) => { if (!run.signal.aborted) setState({ kind: 'running', done, all }); },
    }).then((outcome) => {
      if (outcome.kind === 'sound') keepCheckpoint(outcome.checkpoint, isoTime(systemClock.nowMs()), outcome.looked === null ? 0 : outcome.checkpoint.size);
      setState({ kind: 'done', outcome });
    }, (error: unknown) => setState(run.signal.aborted ? { kind: 'stopped' } : { kind: 'failed', error })).finally(() => { running.current = undefined; });
  };
  return [state, start, () => running.current?.abort()];
}
