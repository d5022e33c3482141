import { useParams } from 'react-router';
import { officerClient, type InstitutionView } from '../../sdk/officer.ts';
import { EmptyNote, Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Digest, Facts, Table } from '../parts/table.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { AssessmentForm } from './assessment-form.tsx';
import { InstitutionActions } from './institution-actions.tsx';
import { StatusTag } from './institution-status.tsx';
import { institutionTexts } from './institution-texts.ts';
import '../style/compliance.css';

export default function InstitutionPage() {
  const titles = useTexts(complianceArea.titles);
  const words = useWords();
  const id = useParams()['institution'] ?? '';
  const found = useRead(['institutions', 'one', id], (calls) => officerClient(calls).institution(id));
  return <PageBody title={found.data === undefined ? titles('institution') : words(found.data.name)}><Read of={found}>{(institution) => <Institution institution={institution} />}</Read></PageBody>;
}

function Institution({ institution }: { readonly institution: InstitutionView }) {
  const t = useTexts(institutionTexts);
  const frame = useTexts(frameTexts);
  const { time, number } = useFormats();
  const { scopes } = useSession();
  const limit = (value: number | undefined) => (value === undefined ? t('unlimited') : number(value));
  return (
    <>
      <Section title={frame('details')} actions={<StatusTag status={institution.status} />}>
        <Facts items={[
          [t('id'), <code key="id">{institution.id}</code>], [t('class'), institution.class], [t('country'), institution.country], [t('registered'), time(institution.registered_at)],
          [t('approvedBy'), institution.approved_by ?? '–'],
          ...(institution.status_reason === null ? [] : [[t('statusReason'), institution.status_reason]] as const),
          [t('perSecond'), limit(institution.limits.requests_per_second)], [t('perDay'), limit(institution.limits.queries_per_day)], [t('scopes'), institution.scopes.join(', ') || '–'],
          [t('redirects'), institution.redirect_uris.map((uri) => <span key={uri} className="more">{uri}</span>)],
        ]} />
      </Section>
      <Section title={t('assessment')}>
        <Assessment institution={institution} />
        {scopes.includes('compliance') && institution.status !== 'revoked' && <AssessmentForm institution={institution.id} />}
      </Section>
      <Section title={t('keys')}>
        <Table caption={t('keys')} rows={institution.keys} keyOf={({ thumbprint }) => thumbprint} columns={[
          { id: 'thumbprint', title: t('thumbprint'), cell: ({ thumbprint }) => <Digest value={thumbprint} /> }, { id: 'kid', title: 'kid', cell: ({ kid }) => kid },
          { id: 'use', title: t('use'), cell: ({ use }) => t(use) }, { id: 'retired', title: frame('state'), cell: ({ retired }) => t(retired ? 'retired' : 'active') },
        ]} />
      </Section>
      <InstitutionActions institution={institution} />
    </>
  );
}

function Assessment({ institution: { assessment } }: { readonly institution: InstitutionView }) {
  const t = useTexts(institutionTexts);
  const { day } = useFormats();
  if (assessment === null) return <EmptyNote>{t('assessmentNone')}</EmptyNote>;
  return <Facts items={[[t('level'), assessment.level], [t('outcome'), t(assessment.passed ? 'passed' : 'failed')], [t('assessor'), assessment.assessor],
    [t('validUntil'), day(assessment.valid_until)]]} />;
}
