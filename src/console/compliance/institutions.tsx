import { useState } from 'react';
import type { InstitutionStatus } from '../../sdk/officer.ts';
import { PageLink } from '../parts/button.tsx';
import { CutNote } from '../parts/cut-note.tsx';
import { FieldRow, SearchField, Select } from '../parts/fields.tsx';
import { Read } from '../parts/notes.tsx';
import { PageBody } from '../parts/page.tsx';
import { Table } from '../parts/table.tsx';
import { useInstitutions } from '../parts/use-institutions.ts';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { complianceArea } from './area.ts';
import { StatusTag } from './institution-status.tsx';
import { institutionTexts } from './institution-texts.ts';

const states = ['', 'applied', 'assessed', 'approved', 'suspended', 'revoked'] as const satisfies readonly (InstitutionStatus | '')[];

export default function Institutions() {
  const titles = useTexts(complianceArea.titles);
  const t = useTexts(institutionTexts);
  const frame = useTexts(frameTexts);
  const words = useWords();
  const { day } = useFormats();
  const [status, setStatus] = useState<(typeof states)[number]>('');
  const [text, setText] = useState('');
  const found = useInstitutions();
  return (
    <PageBody title={titles('institutions')} lead={t('lead')}>
      <FieldRow>
        <Select label={frame('state')} value={status} options={states.map((value) => ({ value, label: value === '' ? frame('all') : t(value) }))} onChange={setStatus} />
        <SearchField label={frame('search')} value={text} onChange={setText} />
      </FieldRow>
      <CutNote of={found.data} />
      <Read of={found}>{({ rows }) => (
        <Table caption={t('institutions')} empty={rows.length === 0 ? t('none') : frame('nothingFound')} keyOf={({ id }) => id}
          rows={rows.filter((each) => (status === '' || each.status === status) && `${each.id} ${each.name.en} ${each.name.zh}`.toLowerCase().includes(text.trim().toLowerCase()))} columns={[
            { id: 'name', title: frame('institution'),
              cell: ({ id, name }) => <PageLink to={`/compliance/institutions/${encodeURIComponent(id)}`}>{words(name)}<span className="more">{id}</span></PageLink> },
            { id: 'status', title: frame('state'), cell: (each) => <StatusTag status={each.status} /> },
            { id: 'class', title: t('class'), cell: (each) => each.class },
            { id: 'level', title: t('level'), cell: ({ assessment }) => (assessment === null ? '–' : `${assessment.level} · ${t(assessment.passed ? 'passed' : 'failed')}`) },
            { id: 'until', title: t('validUntil'), cell: ({ assessment }) => (assessment === null ? '–' : day(assessment.valid_until)) },
          ]} />
      )}</Read>
    </PageBody>
  );
}
