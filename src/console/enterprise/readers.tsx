import { readersClient, type FieldUseView, type ReaderView } from '../../sdk/readers.ts';
import { PageLink } from '../parts/button.tsx';
import { EmptyNote, Read, WarningNote } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Pager, usePages } from '../parts/pager.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { periodText } from './grant.tsx';
import { grantTexts } from './grant-texts.ts';
import { readerTexts } from './reader-texts.ts';
import { reasons, refusals, wordsFor } from './words.ts';
import '../style/enterprise.css';

const pageLength = 5;

/** "Who could access me now, and why": every usable grant, decided as a query of this moment would be. */
export default function Readers() {
  const t = useTexts(readerTexts);
  const words = useWords();
  const { time } = useFormats();
  const pages = usePages<string>();
  const asked = { limit: pageLength, ...(pages.cursor === undefined ? {} : { after: pages.cursor }) };
  const found = useRead(['readers', asked], (calls) => readersClient(calls).readers(asked), { keepPrevious: true });
  return (
    <PageBody title={t('title')} lead={t('lead')}>
      <Read of={found}>{({ at, readers, next, without_grant: without }) => <>
        <p className="hint">{t('asOf', { time: time(at) })}</p>
        {readers.length === 0 && <Section title={t('nobody')}><EmptyNote>{words(without)}</EmptyNote></Section>}
        {readers.map((reader) => <Reader key={reader.grant} reader={reader} />)}
        <Pager pages={pages} next={next} />
        {readers.length > 0 && <p>{words(without)}</p>}
      </>}</Read>
    </PageBody>
  );
}

function Reader({ reader }: { readonly reader: ReaderView }) {
  const t = useTexts(readerTexts);
  const g = useTexts(grantTexts);
  const words = useWords();
  const { day, number } = useFormats();
  const institution = reader.institution.name === null ? reader.institution.id : words(reader.institution.name);
  const purpose = reader.purpose.title === null ? reader.purpose.code : words(reader.purpose.title);
  const open = reader.fields.filter((field) => field.uses.some(isOpen));
  const hiddenCount = t('hidden', { count: number(reader.fields.length - open.length) });
  return (
    <Section title={institution} actions={<PageLink className="button" to={`/enterprise/grants/${reader.grant}`}>{t('openGrant')}</PageLink>}>
      <p>{t('why', { until: day(reader.valid_until), purpose })}</p>
      <p className="hint">
        {reader.uses_left === null ? t('usesOpen') : t('usesLeft', { count: number(reader.uses_left) })} · {t('period', { period: periodText(g, reader.data_from, reader.data_to) })}
      </p>
      {reader.blocked_by !== null && <WarningNote><p>{t('blocked', { reason: words(wordsFor(refusals, reader.blocked_by)) })}</p></WarningNote>}
      <FieldTable caption={t('caption', { institution })} fields={open} />
      {open.length < reader.fields.length && <details>
        <summary>{hiddenCount}</summary>
        <FieldTable caption={hiddenCount} fields={reader.fields.filter((field) => !open.includes(field))} />
      </details>}
      {reader.models.length > 0 && <><h3>{t('models')}</h3><ul>{reader.models.map((model) => <li key={model}>{model}</li>)}</ul></>}
      {reader.cohorts.length > 0 && <>
        <h3>{t('cohorts')}</h3>
        <ul>{reader.cohorts.map(({ cohort, size, formed_at: at }) => <li key={cohort}>{t('cohort', { size: number(size), day: day(at) })}</li>)}</ul>
      </>}
    </Section>
  );
}

type ReadField = ReaderView['fields'][number];

const isOpen = ({ disposition, conditional }: FieldUseView) => disposition !== 'withhold' || conditional;

function FieldTable({ caption, fields }: { readonly caption: string; readonly fields: readonly ReadField[] }) {
  const t = useTexts(readerTexts);
  const words = useWords();
  const shown = ({ uses }: ReadField) => (uses.some(isOpen) ? uses.filter(isOpen) : uses.slice(0, 1));
  const columns: readonly Column<ReadField>[] = [
    { id: 'field', title: t('field'), cell: ({ field, title }) => (title === null ? field : words(title)) },
    { id: 'dataset', title: t('dataset'), cell: ({ dataset }) => (dataset === null ? '' : words(dataset)) },
    { id: 'gets', title: t('gets'), cell: (field) => <ul className="plain-list">{shown(field).map((use) => <li key={use.use}><UseWords use={use} /></li>)}</ul> },
  ];
  return <Table caption={caption} columns={columns} rows={fields} keyOf={({ field }) => field} empty={t('noFields')} />;
}

function UseWords({ use }: { readonly use: FieldUseView }) {
  const t = useTexts(readerTexts);
  const words = useWords();
  if (!isOpen(use)) return <>{t('nothing', { reason: words(wordsFor(reasons, use.reason)) })}</>;
  return <>{words(use.words)}{use.conditional && <> ({t('conditional')})</>}</>;
}
