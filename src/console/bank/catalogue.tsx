import { useMemo, useState } from 'react';
import { catalogueClient } from '../../sdk/catalogue.ts';
import { FieldRow, SearchField } from '../parts/fields.tsx';
import { EmptyNote, Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Table } from '../parts/table.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { bankArea } from './area.ts';
import { fieldTypeCode, matching } from './fields-found.ts';
import { bankTexts, useCodes } from './texts.ts';

export const useCatalogue = () => useRead(['catalogue'], (calls) => catalogueClient(calls).catalogue());

/** What can be asked for at all. */
export default function Catalogue() {
  const t = useTexts(bankTexts);
  const title = useTexts(bankArea.titles);
  const common = useTexts(frameTexts);
  const words = useWords();
  const code = useCodes();
  const [search, setSearch] = useState('');
  const catalogue = useCatalogue();
  const datasets = useMemo(() => matching(catalogue.data?.datasets ?? [], search), [catalogue.data, search]);
  return (
    <PageBody title={title('catalogue')} lead={t('catalogueLead')}>
      <FieldRow><SearchField label={t('findField')} value={search} onChange={setSearch} /></FieldRow>
      <Read of={catalogue}>{() => datasets.length === 0 ? <EmptyNote>{common('nothingFound')}</EmptyNote> : datasets.map((dataset) => (
        <Section key={dataset.id} title={words(dataset.title)}>
          <Table caption={words(dataset.title)} rows={dataset.fields} keyOf={({ field }) => field} columns={[
            { id: 'title', title: common('field'), cell: (field) => words(field.title) },
            { id: 'field', title: 'ID', cell: ({ field }) => <code>{field}</code> },
            { id: 'type', title: t('type'), cell: ({ type, unit }) => <>{code(fieldTypeCode(type))}{unit !== undefined && ` (${unit})`}</> },
            { id: 'classification', title: t('classification'), cell: ({ classification: { kind, level } }) => `${code(kind)}, ${t('level', { level })}` },
          ]} />
        </Section>
      ))}</Read>
    </PageBody>
  );
}
