import { useState } from 'react';
import { objectionsClient, type ObjectionState, type ObjectionSummary } from '../../sdk/objections.ts';
import { Button, PageLink } from '../parts/button.tsx';
import { Checkbox, FieldRow, Select } from '../parts/fields.tsx';
import { Read } from '../parts/notes.tsx';
import { PageBody } from '../parts/page.tsx';
import { usePages } from '../parts/pager.tsx';
import { Table } from '../parts/table.tsx';
import { Tag, type Tone } from '../parts/tag.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { objectionTexts } from './objection-texts.ts';
import '../style/compliance.css';

const states = ['', 'submitted', 'accepted', 'returned', 'corrected', 'remedied', 'rejected', 'closed'] as const;
const tones: Readonly<Record<ObjectionState, Tone>> = { submitted: 'warning', accepted: 'accent', returned: 'neutral', corrected: 'good', remedied: 'good', rejected: 'bad', closed: 'neutral' };

export default function Objections() {
  const titles = useTexts(complianceArea.titles);
  const t = useTexts(objectionTexts);
  const frame = useTexts(frameTexts);
  const { time } = useFormats();
  const [state, setState] = useState<(typeof states)[number]>('');
  const [overdue, setOverdue] = useState(false);
  const pages = usePages<string>();
  const after = pages.cursor;
  const found = useRead(['objections', 'list', state, overdue, after], (calls) =>
    objectionsClient(calls).list({ ...(state === '' ? {} : { state }), ...(overdue ? { overdue } : {}), ...(after === undefined ? {} : { after }) }), { keepPrevious: true });
  return (
    <PageBody title={titles('objections')} lead={t('lead')}>
      <FieldRow>
        <Select label={frame('state')} value={state} options={states.map((value) => ({ value, label: value === '' ? frame('all') : t(value) }))}
          onChange={(value) => { setState(value); pages.restart(); }} />
        <Checkbox value={overdue} onChange={(on) => { setOverdue(on); pages.restart(); }}>{t('overdueOnly')}</Checkbox>
      </FieldRow>
      <Read of={found}>{({ objections, next }) => (
        <>
          <Table caption={t('objections')} empty={state === '' && !overdue ? t('none') : frame('nothingFound')} rows={objections} keyOf={({ id }) => id} columns={[
            { id: 'subject', title: frame('enterprise'), cell: ({ id, subject }) => <PageLink to={`/compliance/objections/${encodeURIComponent(id)}`}>{subject}</PageLink> },
            { id: 'state', title: frame('state'), cell: (each) => <ObjectionTag state={each.state} /> },
            { id: 'about', title: t('about'), cell: ({ about, field, fault, entry }) =>
              <>{t(about)}<span className="more">{field === null ? `${t('entry')} ${entry ?? ''}` : <code>{field}</code>} {fault !== null && t(fault)}</span></> },
            { id: 'submitted', title: t('submittedAt'), cell: ({ submitted_at: at }) => time(at) },
            { id: 'due', title: t('due'), cell: (each) => <Due objection={each} /> },
          ]} />
          <div className="buttons">
            {pages.number > 1 && <Button onPress={pages.newer}>{frame('back')}</Button>}
            {next !== null && <Button onPress={() => pages.older(next)}>{frame('more')}</Button>}
          </div>
        </>
      )}</Read>
    </PageBody>
  );
}

export function ObjectionTag({ state }: { readonly state: ObjectionState }) {
  const t = useTexts(objectionTexts);
  return <Tag tone={tones[state]}>{t(state)}</Tag>;
}

export function Due({ objection: { due_on: due, working_days_left: left, overdue } }: { readonly objection: ObjectionSummary }) {
  const t = useTexts(objectionTexts);
  const { day } = useFormats();
  if (due === null || left === null) return '–';
  return <>{day(due)} <Tag tone={overdue ? 'bad' : 'neutral'}>{left < 0 ? t('late', { days: -left }) : t('left', { days: left })}</Tag></>;
}
