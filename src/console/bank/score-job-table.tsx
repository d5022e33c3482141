import { useEffect, useState } from 'react';
import type { SigningCalls } from '../../sdk/connection.ts';
import { scoreJobsClient, type ScoreJob, type Unscored } from '../../sdk/score-jobs.ts';
import { unscoredLines } from '../../sdk/score-job-results.ts';
import { scoreListOf } from '../../sdk/score-list.ts';
import { Button } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { Confirm, Dialog } from '../parts/dialog.tsx';
import { download } from '../parts/download.ts';
import { FileField } from '../parts/fields.tsx';
import { ErrorNote, GoodNote, Loading, Read, WarningNote } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { Table } from '../parts/table.tsx';
import { Tag, type Tone } from '../parts/tag.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useChange, useKept, useRead } from '../shell/use-gateway.ts';
import { isListOf, keptJobs, openResults, readUnscored, type KeptJob } from './score-job.ts';
import { scoreListTexts, scoreTexts } from './score-texts.ts';
import { platformKeysBy } from './platform-keys.ts';
import { bankTexts, useCodes } from './texts.ts';

const pollMs = 3000;
/** Shown of those who were not scored; the file has all. */
const shownMax = 200;
const tones: Readonly<Record<ScoreJob['state'], Tone>> = { open: 'warning', planning: 'accent', running: 'accent', done: 'good', cancelled: 'neutral', stopped: 'bad' };
const isUnderWay = ({ state }: ScoreJob) => state === 'open' || state === 'planning' || state === 'running';

type Shown = { readonly kind: 'cancel' | 'report' | 'results'; readonly job: ScoreJob };

/** Jobs, newest first, watched while one is under way. */
export function ScoreJobs({ calls }: { readonly calls: SigningCalls }) {
  const s = useTexts(scoreListTexts);
  const common = useTexts(frameTexts);
  const { time, number } = useFormats();
  const { purpose } = useCatalogueWords();
  const [shown, setShown] = useState<Shown>();
  const jobs = useRead(['score jobs'], () => scoreJobsClient(calls).list());
  const cancelling = useChange((_calls, job: string) => scoreJobsClient(calls).cancel(job), [['score jobs']]);
  const { refetch } = jobs;
  const isWatched = jobs.data?.some(isUnderWay) === true;
  useEffect(() => {
    if (!isWatched) return undefined;
    const timer = setInterval(() => void refetch(), pollMs);
    return () => clearInterval(timer);
  }, [isWatched, refetch]);
  const close = () => setShown(undefined);
  return (
    <Section title={s('jobs')}>
      <Read of={jobs}>{(rows) => (
        <Table caption={s('jobs')} rows={rows} keyOf={({ job }) => job} empty={s('noJobs')} columns={[
          { id: 'created', title: s('created'), cell: (job) => <>{time(job.created_at)} <code>{job.job.slice(0, 8)}</code></> },
          { id: 'model', title: s('model'), cell: (job) => <><code>{job.model}</code> {purpose(job.purpose)}</> },
          { id: 'state', title: common('state'), cell: (job) => <><Tag tone={tones[job.state]}>{s(job.state)}</Tag>{job.reason !== null && <Reason code={job.reason} />}</> },
          { id: 'progress', title: s('progress'), cell: (job) => <Progress job={job} /> },
          { id: 'until', title: s('until'), cell: (job) => (job.results_until === null ? '' : time(job.results_until)) },
          { id: 'actions', title: common('actions'), cell: (job) => (
            <span className="buttons">
              {isUnderWay(job) && <Button onPress={() => setShown({ kind: 'cancel', job })}>{s('cancel')}</Button>}
              {job.parts.released > 0 && <Button onPress={() => setShown({ kind: 'results', job })}>{s('results')}</Button>}
              {job.unscored > 0 && <Button onPress={() => setShown({ kind: 'report', job })}>{s('report')}</Button>}
            </span>
          ) },
        ]} />
      )}</Read>
      <Confirm title={s('cancelTitle')} open={shown?.kind === 'cancel'} onClose={close} action={s('cancel')} danger busy={cancelling.busy} error={cancelling.error}
        onConfirm={() => { if (shown !== undefined) cancelling.run(shown.job.job, close); }}>
        <p>{s('cancelText')}</p><p>{s('scored', { scored: number(shown?.job.scored ?? 0), unscored: number(shown?.job.unscored ?? 0), count: number(shown?.job.list.count ?? 0) })}</p>
      </Confirm>
      <Dialog title={s('report')} open={shown?.kind === 'report'} onClose={close} wide>{shown !== undefined && <Report calls={calls} job={shown.job} />}<CloseButton onPress={close} /></Dialog>
      <Dialog title={s('resultsTitle')} open={shown?.kind === 'results'} onClose={close}>{shown !== undefined && <Results calls={calls} job={shown.job} />}<CloseButton onPress={close} /></Dialog>
    </Section>
  );
}

function CloseButton({ onPress }: { readonly onPress: () => void }) {
  const common = useTexts(frameTexts);
  return <div className="buttons"><Button onPress={onPress}>{common('close')}</Button></div>;
}

function Progress({ job: { scored, unscored, list: { count } } }: { readonly job: ScoreJob }) {
  const s = useTexts(scoreListTexts);
  const { number } = useFormats();
  const words = s('scored', { scored: number(scored), unscored: number(unscored), count: number(count) });
  return <><progress value={scored + unscored} max={Math.max(1, count)} aria-label={words} /> <span>{words}</span></>;
}

/** A code in words, where there are some. */
function Reason({ code }: { readonly code: string }) {
  const s = useTexts(scoreTexts);
  const codes = useCodes();
  return <> {Object.hasOwn(scoreTexts.en, code) ? s(code as keyof typeof scoreTexts.en) : codes(code)}</>;
}

function Report({ calls, job: { job } }: { readonly calls: SigningCalls; readonly job: ScoreJob }) {
  const s = useTexts(scoreListTexts);
  const { number } = useFormats();
  const report = useRead(['score jobs', 'report', job], () => readUnscored(calls, job));
  return (
    <Read of={report}>{(unscored: readonly Unscored[]) => (
      <>
        <p><Button onPress={() => download(`not-scored-${job}.csv`, 'text/csv', unscoredLines(unscored))}>{s('reportDownload')}</Button></p>
        {unscored.length > shownMax && <p className="hint">{s('reportCut', { count: number(shownMax) })}</p>}
        <Table caption={s('report')} rows={unscored.slice(0, shownMax)} keyOf={({ subject, reason }) => `${subject} ${reason}`} empty={s('reportNone')} columns={[
          { id: 'subject', title: s('subject'), cell: ({ subject }) => <code>{subject}</code> },
          { id: 'why', title: s('why'), cell: ({ reason }) => <><Reason code={reason} /> <code>{reason}</code></> },
        ]} />
      </>
    )}</Read>
  );
}

function Results({ calls, job: { job } }: { readonly calls: SigningCalls; readonly job: ScoreJob }) {
  const s = useTexts(scoreListTexts);
  const { kept, isPending } = useKept(['kept job', job], async () => (await keptJobs.get(job)) ?? null);
  if (isPending) return <Loading />;
  if (kept === undefined) return <WarningNote><p>{s('resultsHere')}</p></WarningNote>;
  return <OpenResults calls={calls} kept={kept} />;
}

function OpenResults({ calls, kept }: { readonly calls: SigningCalls; readonly kept: KeptJob }) {
  const t = useTexts(bankTexts);
  const s = useTexts(scoreListTexts);
  const { number } = useFormats();
  const [part, setPart] = useState(0);
  const opening = useChange(async (_calls, file: File) => {
    const subjects = scoreListOf(await file.text());
    if (!await isListOf(kept, subjects)) return undefined;
    const { csv, count } = await openResults(calls, kept, subjects, await platformKeysBy(calls), setPart);
    download(`scores-${kept.job}.csv`, 'text/csv', csv);
    return count;
  });
  return (
    <>
      <p>{s('resultsLead')}</p>
      <FileField label={s('listFile')} accept="text/csv,.csv" onFile={(file) => opening.run(file)} />
      {opening.busy && <p role="status">{part === 0 ? t('asked') : s('opening', { part: number(part) })}</p>}
      {opening.error !== null && <ErrorNote error={opening.error} />}
      {opening.done && (opening.answer === undefined ? <WarningNote answers><p>{s('otherList')}</p></WarningNote> : <GoodNote><p>{s('opened', { count: number(opening.answer) })}</p></GoodNote>)}
    </>
  );
}
