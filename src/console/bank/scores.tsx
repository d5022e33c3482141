import { useState } from 'react';
import type { SigningCalls } from '../../sdk/connection.ts';
import { modelsClient, type ModelSummary } from '../../sdk/models.ts';
import { scoresClient, type ScoreAsk } from '../../sdk/scores.ts';
import { isUscc } from '../../uscc.ts';
import { Button } from '../parts/button.tsx';
import { FieldRow, Select, TextField } from '../parts/fields.tsx';
import { EmptyNote, ErrorNote, GoodNote, Read, WarningNote } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Facts } from '../parts/table.tsx';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { bankArea } from './area.ts';
import { WithOwnKey } from './own-keys.tsx';
import { RequestGrant } from './request-grant.tsx';
import { bankTexts } from './texts.ts';

/** One enterprise's score under an approved model, opened here. */
export default function Scores() {
  const t = useTexts(bankTexts);
  const title = useTexts(bankArea.titles);
  const models = useRead(['models', 'approved'], (calls) => modelsClient(calls).list({ state: 'approved' }));
  return (
    <PageBody title={title('scores')} lead={t('scoresLead')}>
      <WithOwnKey>{(calls) => <Read of={models}>{({ models: approved }) => approved.length === 0 ? <EmptyNote>{t('noModels')}</EmptyNote> : <ScoreForm calls={calls} models={approved} />}</Read>}</WithOwnKey>
    </PageBody>
  );
}

function ScoreForm({ calls, models }: { readonly calls: SigningCalls; readonly models: readonly ModelSummary[] }) {
  const t = useTexts(bankTexts);
  const words = useWords();
  const [subject, setSubject] = useState('');
  const [model, setModel] = useState(models[0]?.ref ?? '');
  const purposes = models.find(({ ref }) => ref === model)?.purposes ?? [];
  const [chosen, setPurpose] = useState('');
  const purpose = purposes.includes(chosen) ? chosen : purposes[0] ?? '';
  const code = subject.trim().toUpperCase();
  const ask: ScoreAsk = { subject: code, model, purpose };
  const client = scoresClient(calls);
  const explaining = useChange((_calls, asked: ScoreAsk) => client.explain(asked));
  const scoring = useChange((_calls, asked: ScoreAsk) => client.score(asked), [['grants']]);
  const isWhole = isUscc(code);
  return (
    <Section title={t('model')}>
      <FieldRow>
        <TextField label={t('subject')} value={subject} onChange={setSubject} maxLength={18} required error={code.length === 18 && !isWhole ? t('subjectWrong') : undefined} />
        <Select label={t('model')} value={model} onChange={setModel} options={models.map(({ ref, title }) => ({ value: ref, label: `${words(title)} (${ref})` }))} />
        <Select label={t('purpose')} value={purpose} onChange={setPurpose} options={purposes.map((one) => ({ value: one, label: one }))} />
      </FieldRow>
      <div className="buttons">
        <Button disabled={!isWhole} busy={explaining.busy} onPress={() => explaining.run(ask)}>{t('explainScore')}</Button>
        <Button look="primary" disabled={!isWhole} busy={scoring.busy} onPress={() => scoring.run(ask)}>{t('scoreNow')}</Button>
      </div>
      {explaining.error !== null && <ErrorNote error={explaining.error} />}
      {explaining.answer !== undefined && (explaining.answer.ready
        ? <GoodNote><p>{t('scoreReady')}</p></GoodNote>
        : <WarningNote><p>{t('scoreNotReady', { missing: explaining.answer.missing.join(', ') })}</p>{explaining.answer.grant_needed?.map((needed) => <RequestGrant key={needed.purpose} subject={code} needed={{ ...needed, fields: needed.fields.map(({ field }) => ({ field, ceiling: 'desensitised' as const })) }} />)}</WarningNote>)}
      {scoring.error !== null && <ErrorNote error={scoring.error} />}
      {scoring.answer !== undefined && <ScoreResult score={scoring.answer.score} band={scoring.answer.band} reasons={scoring.answer.reasons} entry={scoring.answer.exchange.answer.entry.index} />}
    </Section>
  );
}

function ScoreResult({ score, band, reasons, entry }: { readonly score: number; readonly band: string; readonly reasons: readonly string[]; readonly entry: number }) {
  const t = useTexts(bankTexts);
  const { number } = useFormats();
  return (
    <div role="status">
      <h3>{t('scoreResult')}</h3>
      <div className="figures"><div className="figure"><b>{number(score)}</b><span>{t('score')}</span></div><div className="figure"><b>{band}</b><span>{t('band')}</span></div></div>
      <Facts items={[[t('reasons'), reasons.length === 0 ? '–' : reasons.join(', ')], [t('entry'), String(entry)]]} />
    </div>
  );
}
