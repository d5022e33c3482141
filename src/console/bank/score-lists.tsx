import { useRef, useState } from 'react';
import { listSubjectsMax, chunksOf } from '../../scoring/job/list-digest.ts';
import type { SigningCalls } from '../../sdk/connection.ts';
import type { ModelSummary } from '../../sdk/models.ts';
import type { ListedSubject } from '../../sdk/score-jobs.ts';
import { scoreListOf } from '../../sdk/score-list.ts';
import { Button } from '../parts/button.tsx';
import { FieldRow, FileField } from '../parts/fields.tsx';
import { EmptyNote, ErrorNote, GoodNote, Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { bankArea } from './area.ts';
import { WithOwnKey } from './own-keys.tsx';
import { scoreList } from './score-job.ts';
import { ScoreJobs } from './score-job-table.tsx';
import { scoreListTexts } from './score-texts.ts';
import { ModelFields, useApprovedModels, useModelChoice } from './scores.tsx';
import { bankTexts } from './texts.ts';
import '../style/bank.css';

/** Many enterprises at once: lists that are scored, how far they are, what came of them. */
export default function ScoreLists() {
  const t = useTexts(bankTexts);
  const s = useTexts(scoreListTexts);
  const title = useTexts(bankArea.titles);
  const models = useApprovedModels();
  return (
    <PageBody title={title('scoreLists')} lead={s('lead')}>
      <WithOwnKey>{(calls) => (
        <>
          <Read of={models}>{({ models: approved }) => approved.length === 0 ? <EmptyNote>{t('noModels')}</EmptyNote> : <Begin calls={calls} models={approved} />}</Read>
          <ScoreJobs calls={calls} />
        </>
      )}</WithOwnKey>
    </PageBody>
  );
}

type Chosen = { readonly subjects: readonly ListedSubject[]; /** The job that was opened for it, once there is one. */ readonly opened: { job?: string } };

function Begin({ calls, models }: { readonly calls: SigningCalls; readonly models: readonly ModelSummary[] }) {
  const s = useTexts(scoreListTexts);
  const { number } = useFormats();
  const choice = useModelChoice(models);
  const [sent, setSent] = useState(0);
  const reading = useChange(async (_calls, file: File): Promise<Chosen> => ({ subjects: scoreListOf(await file.text()), opened: {} }));
  const list = reading.answer;
  // an interrupted list goes on in its own job; under another model or purpose it is another job
  const askedFor = useRef('');
  const starting = useChange(async (_calls, { subjects, opened }: Chosen) => {
    const ask = { model: choice.model, purpose: choice.purpose };
    if (askedFor.current !== JSON.stringify(ask)) delete opened.job;
    askedFor.current = JSON.stringify(ask);
    return scoreList(calls, ask, subjects, opened, setSent);
  }, [['score jobs']]);
  const begin = (chosen: Chosen) => {
    setSent(0);
    starting.run(chosen, () => { delete chosen.opened.job; });
  };
  return (
    <Section title={s('begin')}>
      <FieldRow><ModelFields models={models} choice={choice} /></FieldRow>
      <FileField label={s('listFile')} hint={s('listHint', { max: number(listSubjectsMax) })} accept="text/csv,.csv" onFile={(file) => { starting.reset(); reading.run(file); }} />
      {reading.error !== null && <ErrorNote error={reading.error} />}
      {list !== undefined && <p role="status">{s('listRead', { count: number(list.subjects.length) })}</p>}
      <div className="buttons"><Button look="primary" disabled={list === undefined} busy={starting.busy} onPress={() => { if (list !== undefined) begin(list); }}>{s('start')}</Button></div>
      {starting.busy && list !== undefined && <p role="status">{s('sending', { sent, chunks: chunksOf(list.subjects.length) })}</p>}
      {starting.error !== null && <ErrorNote error={starting.error} />}
      {starting.done && <GoodNote><p>{s('started')}</p></GoodNote>}
    </Section>
  );
}
