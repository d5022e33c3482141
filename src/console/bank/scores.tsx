import type { JSONWebKeySet } from 'jose';
import { useState } from 'react';
import type { SigningCalls } from '../../sdk/connection.ts';
import { modelsClient, type ModelSummary } from '../../sdk/models.ts';
import { scoreFileLengthMax, scoreFileOf, scoreFormat, type ScoreFile } from '../../sdk/score-file.ts';
import { scoresClient, type ScoreAsk, type ScoreExplanation, type SignedScoreRequest } from '../../sdk/scores.ts';
import { isUscc } from '../../uscc.ts';
import { Button } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { FieldRow, FileField, Select, TextField } from '../parts/fields.tsx';
import { EmptyNote, ErrorNote, GoodNote, Read, WarningNote } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { bankArea } from './area.ts';
import { jsonIn } from './json-file.ts';
import { WithOwnKey } from './own-keys.tsx';
import { platformKeysBy } from './platform-keys.ts';
import { queryTexts } from './query-texts.ts';
import { RequestGrant } from './request-grant.tsx';
import { KeepScore, openKeptScore, ShownScore } from './score-answer.tsx';
import { scoreTexts } from './score-texts.ts';
import { bankTexts } from './texts.ts';
import { useSignedOnce } from './use-signed-once.ts';
import '../style/bank.css';

/** One enterprise's score under an approved model, opened here. */
export default function Scores() {
  const t = useTexts(bankTexts);
  const title = useTexts(bankArea.titles);
  const models = useApprovedModels();
  return (
    <PageBody title={title('scores')} lead={t('scoresLead')}>
      <WithOwnKey>{(calls) => (
        <>
          <Read of={models}>{({ models: approved }) => approved.length === 0 ? <EmptyNote>{t('noModels')}</EmptyNote> : <ScoreForm calls={calls} models={approved} />}</Read>
          <KeptScore calls={calls} />
        </>
      )}</WithOwnKey>
    </PageBody>
  );
}

/** Models that the institution may use. */
export const useApprovedModels = () => useRead(['models', 'approved'], (calls) => modelsClient(calls).list({ state: 'approved' }));

/** Which model, and for which of its purposes. */
export function useModelChoice(models: readonly ModelSummary[]) {
  const [model, setModel] = useState(models[0]?.ref ?? '');
  const [chosen, setPurpose] = useState('');
  const purposes = models.find(({ ref }) => ref === model)?.purposes ?? [];
  return { model, setModel, purposes, purpose: purposes.includes(chosen) ? chosen : purposes[0] ?? '', setPurpose };
}

export function ModelFields({ models, choice: { model, setModel, purposes, purpose, setPurpose } }: { readonly models: readonly ModelSummary[]; readonly choice: ReturnType<typeof useModelChoice> }) {
  const t = useTexts(bankTexts);
  const words = useWords();
  const { purpose: titleOf } = useCatalogueWords();
  return (
    <>
      <Select label={t('model')} value={model} onChange={setModel} options={models.map(({ ref, title }) => ({ value: ref, label: `${words(title)} (${ref})` }))} />
      <Select label={t('purpose')} value={purpose} onChange={setPurpose} options={purposes.map((one) => ({ value: one, label: titleOf(one) }))} />
    </>
  );
}

type Signed = { readonly signed: SignedScoreRequest; readonly keys: JSONWebKeySet; readonly openable: ScoreFile['openable'] };

/** Keys and model are read first: without them a score could be had, and spent, but neither read nor proven. */
async function sign(calls: SigningCalls, ask: ScoreAsk): Promise<Signed> {
  const client = scoresClient(calls);
  const [keys, openable] = await Promise.all([platformKeysBy(calls), client.openable(ask.model)]);
  return { signed: await client.sign(ask), keys, openable };
}

async function send(calls: SigningCalls, { signed, keys, openable }: Signed): Promise<ScoreFile> {
  return { format: scoreFormat, gateway: calls.gateway, institution: calls.credentials.party, ...await scoresClient(calls).exchangeSigned(signed), openable, keys };
}

function ScoreForm({ calls, models }: { readonly calls: SigningCalls; readonly models: readonly ModelSummary[] }) {
  const t = useTexts(bankTexts);
  const s = useTexts(scoreTexts);
  const q = useTexts(queryTexts);
  const [subject, setSubject] = useState('');
  const choice = useModelChoice(models);
  const code = subject.trim().toUpperCase();
  const ask: ScoreAsk = { subject: code, model: choice.model, purpose: choice.purpose };
  const explaining = useChange((_calls, asked: ScoreAsk) => scoresClient(calls).explain(asked));
  const scoring = useSignedOnce((asked: ScoreAsk) => sign(calls, asked), (signed) => send(calls, signed), [['grants']]);
  const opening = useChange((_calls, kept: ScoreFile) => openKeptScore(kept, calls, kept.keys));
  const isWhole = isUscc(code);
  const score = () => {
    opening.reset();
    scoring.run(ask, (kept) => opening.run(kept));
  };
  return (
    <>
      <Section title={s('one')}>
        <FieldRow>
          <TextField label={t('subject')} value={subject} onChange={setSubject} maxLength={18} required error={code.length === 18 && !isWhole ? t('subjectWrong') : undefined} />
          <ModelFields models={models} choice={choice} />
        </FieldRow>
        <div className="buttons ask">
          <Button disabled={!isWhole} busy={explaining.busy} onPress={() => explaining.run(ask)}>{t('explainScore')}</Button>
          <Button look="primary" disabled={!isWhole} busy={scoring.busy || opening.busy} onPress={score}>{t('scoreNow')}</Button>
          <span className="hint">{s('askAgain')}</span>
        </div>
        {explaining.error !== null && <ErrorNote error={explaining.error} />}
        {explaining.answer !== undefined && <Missing explanation={explaining.answer} subject={code} />}
        {scoring.error !== null && <ErrorNote error={scoring.error} />}
        {scoring.unsure && <WarningNote><p>{q('unsure')}</p></WarningNote>}
        {opening.error !== null && scoring.answer !== undefined && <><ErrorNote error={opening.error} /><KeepScore kept={scoring.answer} /></>}
      </Section>
      {opening.answer !== undefined && <ShownScore of={opening.answer} />}
    </>
  );
}

/** What stands between the bank and a score, with the way to ask for it. */
function Missing({ explanation: { ready, missing, functionals, grant_needed: needed }, subject }: { readonly explanation: ScoreExplanation; readonly subject: string }) {
  const t = useTexts(bankTexts);
  const s = useTexts(scoreTexts);
  const counted = functionals !== null && <p className="hint">{s('functionals', { obtained: functionals.obtained, added: functionals.added })}</p>;
  if (ready) return <GoodNote><p>{t('scoreReady')}</p>{counted}</GoodNote>;
  return (
    <WarningNote>
      <p className="note-title">{s('notYet')}</p>
      <ul>{missing.map((code) => <li key={code}>{Object.hasOwn(scoreTexts.en, code) ? s(code as keyof typeof scoreTexts.en) : code}</li>)}</ul>
      {counted}
      {needed?.map((each) => <RequestGrant key={each.purpose} subject={subject} needed={{ ...each, fields: each.fields.map(({ field }) => ({ field, ceiling: 'desensitised' as const })) }} />)}
    </WarningNote>
  );
}

/** A score that was kept earlier, by this page or by the command line. */
function KeptScore({ calls }: { readonly calls: SigningCalls }) {
  const s = useTexts(scoreTexts);
  const opening = useChange(async (_calls, file: File) => {
    const kept = scoreFileOf(await jsonIn(file, scoreFileLengthMax));
    return openKeptScore(kept, calls, await platformKeysBy(calls));
  });
  return (
    <>
      <Section title={s('showKept')}>
        <FileField label={s('keptFile')} hint={s('keptHint')} accept="application/json,.json" onFile={(file) => opening.run(file)} />
        {opening.error !== null && <ErrorNote error={opening.error} />}
      </Section>
      {opening.answer !== undefined && <ShownScore of={opening.answer} />}
    </>
  );
}
