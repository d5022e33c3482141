import { useState } from 'react';
import { useParams } from 'react-router';
import { objectionsClient, type ObjectionView } from '../../sdk/objections.ts';
import { Button, PageLink } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { Confirm } from '../parts/dialog.tsx';
import { GoodNote, Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Digest, Facts, Table, type Column } from '../parts/table.tsx';
import { useOnceKey } from '../parts/use-once-key.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { enterpriseArea } from './area.ts';
import { useInstitutionNames } from './institution-names.ts';
import { ObjectionSteps } from './objection-steps.tsx';
import { objectionTexts } from './objection-texts.ts';
import { Deadline, useObjectionAbout } from './objection-words.tsx';
import { StateTag } from './state-tag.tsx';
import { dispositions, faults, objectionStates, wordsFor } from './words.ts';

/** One objection: its life step by step, its deadlines, and who was told. */
export default function Objection() {
  const t = useTexts(objectionTexts);
  const titles = useTexts(enterpriseArea.titles);
  const aboutOf = useObjectionAbout();
  const { objection: id = '' } = useParams();
  const objection = useRead(['objections', 'one', id], (calls) => objectionsClient(calls).read(id));
  return (
    <PageBody title={objection.data === undefined ? titles('objection') : t('objectionTo', { what: aboutOf(objection.data) })}>
      <Read of={objection}>{(found) => <>
        {found.state === 'closed' && <GoodNote><p>{t('closed1')}</p></GoodNote>}
        <Section title={t('summary')} actions={found.actions.includes('close') && <Closing objection={found} />}><ObjectionFacts objection={found} /></Section>
        <Section title={t('life')}><ObjectionSteps objection={found} /></Section>
        {found.state === 'returned' && <p><PageLink className="button" to={`/enterprise/objections/new?again=${found.id}`}>{t('again')}</PageLink></p>}
        {found.steps.some(({ action }) => action === 'correct') && <Section title={t('notified')}><Notified notified={found.notified ?? []} /></Section>}
      </>}</Read>
    </PageBody>
  );
}

function ObjectionFacts({ objection }: { readonly objection: ObjectionView }) {
  const t = useTexts(objectionTexts);
  const words = useWords();
  const { time } = useFormats();
  const catalogue = useCatalogueWords();
  return (
    <Facts items={[
      [t('state'), <StateTag key="state" of={objectionStates} state={objection.state} />],
      [t('submitted'), time(objection.submitted_at)],
      [t('due'), <Deadline key="due" objection={objection} />],
      ...(objection.field === null ? [] : [[t('field'), catalogue.field(objection.field)] as const, [t('source'), catalogue.datasetOf(objection.field)] as const]),
      ...(objection.row === null ? [] : [[t('row1'), objection.row] as const]),
      ...(objection.fault === null ? [] : [[t('fault'), words(wordsFor(faults, objection.fault))] as const]),
      ...(objection.entry === null ? [] : [[t('entry'), <PageLink key="entry" to={`/enterprise/history/${objection.entry}`}>{t('openAccess')}</PageLink>] as const]),
      [t('id'), <Digest key="id" value={objection.id} characters={22} />],
    ]} />
  );
}

function Closing({ objection }: { readonly objection: ObjectionView }) {
  const t = useTexts(objectionTexts);
  const [open, setOpen] = useState(false);
  const key = useOnceKey({ close: objection.id, state: objection.state });
  const close = useChange((calls, text: string) => objectionsClient(calls).take(objection.id, 'close', text === '' ? undefined : text, key), [['objections'], ['accesses']]);
  const isOpen = objection.state === 'submitted' || objection.state === 'accepted';
  return (
    <>
      <Button onPress={() => { close.reset(); setOpen(true); }}>{t('close')}</Button>
      <Confirm
        title={t('closeTitle')} open={open} onClose={() => setOpen(false)} action={t('close')} danger={isOpen} busy={close.busy} error={close.error}
        text={{ label: t('closeText'), maxLength: 2000, required: false }} onConfirm={(text) => close.run(text, () => setOpen(false))}
      >
        <p>{isOpen ? t('closeOpen') : t('closeAnswered')}</p>
      </Confirm>
    </>
  );
}

type Told = NonNullable<ObjectionView['notified']>[number];

function Notified({ notified }: { readonly notified: readonly Told[] }) {
  const t = useTexts(objectionTexts);
  const words = useWords();
  const { time, number } = useFormats();
  const nameOf = useInstitutionNames(notified.map(({ institution }) => institution));
  const columns: readonly Column<Told>[] = [
    { id: 'institution', title: t('institution'), cell: ({ institution, grant }) => <PageLink to={`/enterprise/grants/${grant}`}>{nameOf(institution)}</PageLink> },
    { id: 'received', title: t('received'), numeric: true, cell: ({ received }) => number(received) },
    { id: 'how', title: t('how'), cell: (told) => <ul className="plain-list">{told.dispositions.map((disposition) => <li key={disposition}>{words(wordsFor(dispositions, disposition))}</li>)}</ul> },
    { id: 'acknowledged', title: t('acknowledged'), cell: ({ acknowledged_at: at }) => (at === null ? t('notYet') : time(at)) },
  ];
  return <Table caption={t('notifiedCaption')} columns={columns} rows={notified} keyOf={({ institution, grant }) => `${institution} ${grant}`} empty={t('noneNotified')} />;
}
