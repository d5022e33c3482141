import { useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { objectionsClient, type ObjectionGiven, type RecordFault } from '../../sdk/objections.ts';
import { Button, PageLink } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { Choices, Select, TextField } from '../parts/fields.tsx';
import { ErrorNote, Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { useOnceKey } from '../parts/use-once-key.ts';
import { useTexts, useWords } from '../shell/language.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { objectionTexts } from './objection-texts.ts';
import { useObjectionAbout } from './objection-words.tsx';
import { faults } from './words.ts';

const textMax = 2000;

/** What is typed so far. */
type Draft = { readonly about: 'record' | 'access'; readonly dataset: string; readonly field: string; readonly row: string; readonly fault: RecordFault; readonly text: string };

/** Objects to a value (`?field=dataset.field`), to an access (`?entry=17`), or once more after an answer (`?again=` that objection's id). */
export default function NewObjection() {
  const t = useTexts(objectionTexts);
  const [search] = useSearchParams();
  const again = search.get('again');
  const [entry, field] = [entryOf(search.get('entry')), search.get('field') ?? ''];
  return (
    <PageBody title={t('newTitle')} lead={t('newLead')}>
      <Section title={t('summary')}>
        {again === null
          ? <ObjectionForm entry={entry} begun={{ about: entry === undefined ? 'record' : 'access', dataset: datasetIn(field), field, row: '', fault: 'wrong', text: '' }} />
          : <AmendedForm id={again} />}
      </Section>
      <Section title={t('deadlines')}><ol><li>{t('next1')}</li><li>{t('next2')}</li><li>{t('next3')}</li><li>{t('next4')}</li></ol></Section>
    </PageBody>
  );
}

/** Begins with what was said before, which is read anew: an address holds no words of anybody. */
function AmendedForm({ id }: { readonly id: string }) {
  const before = useRead(['objections', 'one', id], (calls) => objectionsClient(calls).read(id));
  return <Read of={before}>{({ about, entry, field, row, fault, steps }) => (
    <ObjectionForm entry={entry ?? undefined} begun={{ about, dataset: datasetIn(field ?? ''), field: field ?? '', row: row ?? '', fault: fault ?? 'wrong', text: steps[0]?.text ?? '' }} />
  )}</Read>;
}

/** Nothing typed is lost when sending fails. */
function ObjectionForm({ begun, entry }: { readonly begun: Draft; readonly entry: number | undefined }) {
  const t = useTexts(objectionTexts);
  const words = useWords();
  const catalogue = useCatalogueWords();
  const aboutOf = useObjectionAbout();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(begun);
  const [tried, setTried] = useState(false);
  const given = givenOf(draft, entry);
  const key = useOnceKey(given);
  const submit = useChange((calls, objection: ObjectionGiven) => objectionsClient(calls).submit(objection, key), [['objections'], ['accesses']]);
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const send = () => {
    setTried(true);
    if (given !== undefined) submit.run(given, ({ id }) => navigate(`/enterprise/objections/${id}`));
  };
  const dataset = catalogue.datasets.find(({ id }) => id === draft.dataset);
  return (
    <form onSubmit={(event) => { event.preventDefault(); send(); }}>
      <Choices label={t('what')} value={draft.about} onChange={(about) => set({ about })} options={[{ value: 'record', label: t('toRecord') }, { value: 'access', label: t('toAccess') }]} />
      {draft.about === 'record' && <>
        <Select
          label={t('dataset')} value={draft.dataset} onChange={(id) => set({ dataset: id, field: '', row: '' })} required
          options={catalogue.datasets.map(({ id }) => ({ value: id, label: catalogue.dataset(id) }))}
        />
        <Select
          label={t('field')} value={draft.field} onChange={(ref) => set({ field: ref })} disabled={dataset === undefined} required
          options={(dataset?.fields ?? []).map(({ field: ref }) => ({ value: ref, label: catalogue.field(ref) }))} error={tried && draft.field === '' ? t('choose') : undefined}
        />
        {dataset?.rows === 'per_period' && <TextField label={t('rowPeriod')} type="date" value={draft.row} onChange={(row) => set({ row })} hint={t('rowPeriodHint')} />}
        {dataset?.rows === 'many' && <TextField label={t('row')} value={draft.row} onChange={(row) => set({ row })} maxLength={200} hint={t('rowHint')} />}
        <Choices
          label={t('fault')} value={draft.fault} onChange={(fault) => set({ fault })}
          options={(['wrong', 'outdated', 'incomplete'] as const).map((fault) => ({ value: fault, label: words(faults[fault]) }))}
        />
      </>}
      {draft.about === 'access' && (entry === undefined
        ? <p>{t('pickEntry')} <PageLink to="/enterprise/history">{t('toHistory')}</PageLink></p>
        : <p>{t('entry')}: <PageLink to={`/enterprise/history/${entry}`}>{aboutOf({ about: 'access', field: null, row: null, entry })}</PageLink></p>)}
      <TextField
        label={t('text')} value={draft.text} onChange={(text) => set({ text })} lines={8} maxLength={textMax} hint={t('textHint')} required
        error={tried && draft.text.trim() === '' ? t('textNeeded') : undefined}
      />
      {submit.error !== null && <ErrorNote error={submit.error} />}
      <Button type="submit" look="primary" busy={submit.busy} disabled={draft.about === 'access' && entry === undefined}>{t('send')}</Button>
    </form>
  );
}

const datasetIn = (field: string) => field.split('.')[0] ?? '';

function entryOf(text: string | null): number | undefined {
  return text !== null && /^(0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : undefined;
}

/** What would be sent; undefined while something needed is missing. */
function givenOf({ about, field, row, fault, text: typed }: Draft, entry: number | undefined): ObjectionGiven | undefined {
  const text = typed.trim();
  if (text === '') return undefined;
  if (about === 'access') return entry === undefined ? undefined : { about, entry, text };
  return field === '' ? undefined : { about, field, fault, text, ...(row.trim() === '' ? {} : { row: row.trim() }) };
}
