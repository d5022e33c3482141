import { useState } from 'react';
import { officerClient, type StaffView } from '../../sdk/officer.ts';
import { allPages } from '../parts/all-pages.ts';
import { Button } from '../parts/button.tsx';
import { CutNote } from '../parts/cut-note.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Table } from '../parts/table.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { StatusTag } from './institution-status.tsx';
import { institutionTexts } from './institution-texts.ts';
import { EnterpriseForm, PartyForm } from './register-forms.tsx';
import '../style/compliance.css';

export default function People() {
  const titles = useTexts(complianceArea.titles);
  const t = useTexts(institutionTexts);
  const { scopes } = useSession();
  const staff = useRead(['staff'], (calls) => allPages(async (after: string | undefined) => {
    const { staff: rows, next } = await officerClient(calls).staff(after);
    return { rows, next };
  }));
  return (
    <PageBody title={titles('people')} lead={t('peopleLead')}>
      <Section title={t('staff')}><CutNote of={staff.data} /><Read of={staff}>{({ rows }) => <Staff staff={rows} />}</Read></Section>
      {scopes.includes('registry') && (
        <Section title={t('register')}>
          <Tabs label={t('register')} parts={[
            { id: 'officer', title: t('registerOfficer'), content: <PartyForm kind="officer" /> },
            { id: 'department', title: t('registerDepartment'), content: <PartyForm kind="department" /> },
            { id: 'enterprise', title: t('registerEnterprise'), content: <EnterpriseForm /> },
          ]} />
        </Section>
      )}
    </PageBody>
  );
}

function Staff({ staff }: { readonly staff: readonly StaffView[] }) {
  const t = useTexts(institutionTexts);
  const frame = useTexts(frameTexts);
  const words = useWords();
  const { time } = useFormats();
  const [approving, setApproving] = useState<string>();
  const approval = useChange((calls, id: string) => officerClient(calls).approveOfficer(id), [['staff']]);
  return (
    <>
      <Table caption={t('staff')} rows={staff} keyOf={({ id }) => id} columns={[
        { id: 'id', title: t('id'), cell: ({ id, name }) => <>{name === null ? id : words(name)}<span className="more">{id}</span></> },
        { id: 'kind', title: t('roles'), cell: ({ kind, roles }) => (kind === 'department' ? t('department') : roles.map((role) => t(role as 'registrar' | 'compliance' | 'auditor')).join(' · ')) },
        { id: 'status', title: frame('state'), cell: ({ status }) => <StatusTag status={status} /> },
        { id: 'by', title: t('registeredBy'), cell: ({ registered_by: by, registered_at: at }) => <>{by ?? t('first')}<span className="more">{time(at)}</span></> },
        { id: 'actions', title: frame('actions'), cell: ({ id, kind, status }) => (kind !== 'officer' || status !== 'applied' ? '–' : (
          <Button label={`${t('approveOfficer')}: ${id}`} onPress={() => { approval.reset(); setApproving(id); }}>{t('approveOfficer')}</Button>
        )) },
      ]} />
      <Confirm title={t('approveOfficer')} open={approving !== undefined} onClose={() => setApproving(undefined)} action={t('approveOfficer')} busy={approval.busy} error={approval.error}
        onConfirm={() => { if (approving !== undefined) approval.run(approving, () => setApproving(undefined)); }}><p>{t('approveOfficerQuestion')}</p></Confirm>
    </>
  );
}
