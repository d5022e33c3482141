import { useState } from 'react';
import { useParams } from 'react-router';
import { objectionsClient, type ObjectionStepName, type ObjectionView } from '../../sdk/objections.ts';
import { Button } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Facts, Table } from '../parts/table.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { objectionTexts } from './objection-texts.ts';
import { Due, ObjectionTag } from './objections.tsx';
import '../style/compliance.css';

export default function ObjectionPage() {
  const titles = useTexts(complianceArea.titles);
  const t = useTexts(objectionTexts);
  const id = useParams()['objection'] ?? '';
  const found = useRead(['objections', 'one', id], (calls) => objectionsClient(calls).read(id));
  const title = found.data === undefined ? titles('objection') : t('title', { subject: found.data.subject });
  return <PageBody title={title}><Read of={found}>{(objection) => <Objection objection={objection} />}</Read></PageBody>;
}

function Objection({ objection }: { readonly objection: ObjectionView }) {
  const t = useTexts(objectionTexts);
  const frame = useTexts(frameTexts);
  const { time, number } = useFormats();
  return (
    <>
      <Section title={frame('details')} actions={<ObjectionTag state={objection.state} />}>
        <Facts items={[
          [t('about'), t(objection.about)], ...(objection.field === null ? [] : [[frame('field'), <code key="field">{objection.field}</code>]] as const),
          ...(objection.row === null ? [] : [[t('row'), objection.row]] as const),
          ...(objection.fault === null ? [] : [[t('fault'), t(objection.fault)]] as const), ...(objection.department === null ? [] : [[t('department'), objection.department]] as const),
          ...(objection.entry === null ? [] : [[t('entry'), objection.entry]] as const),
          [t('submittedAt'), time(objection.submitted_at)], [t('due'), <Due key="due" objection={objection} />],
        ]} />
      </Section>
      <Section title={t('steps')}>
        <Table caption={t('steps')} rows={objection.steps} keyOf={({ entry }) => String(entry)} columns={[
          { id: 'state', title: frame('state'), cell: ({ state }) => <ObjectionTag state={state} /> }, { id: 'at', title: frame('time'), cell: ({ at }) => time(at) },
          { id: 'by', title: t('by'), cell: ({ role, by }) => <>{t(role)}{by !== null && <span className="more">{by}</span>}</> },
          { id: 'said', title: t('said'), cell: ({ text }) => <p className="quote" dir="auto">{text ?? '–'}</p> },
        ]} />
      </Section>
      {objection.notified !== undefined && objection.notified.length > 0 && (
        <Section title={t('notified')}>
          <Table caption={t('notified')} rows={objection.notified} keyOf={({ institution, grant }) => `${institution} ${grant}`} columns={[
            { id: 'institution', title: frame('institution'), cell: ({ institution }) => institution },
            { id: 'received', title: t('received'), numeric: true, cell: ({ received }) => number(received) },
            { id: 'acknowledged', title: t('acknowledged'), cell: ({ acknowledged_at: at }) => (at === null ? t('notYet') : time(at)) },
          ]} />
        </Section>
      )}
      {objection.actions.length > 0 && <Steps objection={objection} />}
    </>
  );
}

const silent: readonly ObjectionStepName[] = ['accept', 'close'];

function Steps({ objection: { id, actions } }: { readonly objection: ObjectionView }) {
  const t = useTexts(objectionTexts);
  const [open, setOpen] = useState<ObjectionStepName>();
  const [key, setKey] = useState(() => crypto.randomUUID());
  const step = useChange((calls, { action, text }: { readonly action: ObjectionStepName; readonly text: string }) => objectionsClient(calls).take(id, action, text === '' ? undefined : text, key),
    [['objections']]);
  const choose = (action: ObjectionStepName) => { step.reset(); setKey(crypto.randomUUID()); setOpen(action); };
  return (
    <Section title={t('actions')}>
      <div className="buttons">{actions.map((action) => <Button key={action} look={action === 'accept' || action === 'remedy' ? 'primary' : 'plain'}
        onPress={() => choose(action)}>{t(action)}</Button>)}</div>
      {open !== undefined && (
        <Confirm title={t(open)} open onClose={() => setOpen(undefined)} action={t(open)} busy={step.busy} error={step.error}
          {...(silent.includes(open) ? {} : { text: { label: t('text'), maxLength: 2000, required: true } })}
          onConfirm={(text) => step.run({ action: open, text }, () => setOpen(undefined))}>
          {open === 'accept' && <p>{t('acceptQuestion')}</p>}
        </Confirm>
      )}
    </Section>
  );
}
