import { useEffect, useState } from 'react';
import { useSearchParams } from 'react-router';
import { isIsoDate } from '../../calendar.ts';
import { reportsClient } from '../../sdk/reports.ts';
import { Button } from '../parts/button.tsx';
import { FieldRow, Select, TextField } from '../parts/fields.tsx';
import { EmptyNote, Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { useInstitutionOptions } from '../parts/use-institutions.ts';
import { useTexts } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { auditArea } from './area.ts';
import { IncidentReport } from './incident-report.tsx';
import { incidentTexts } from './incident-texts.ts';
import '../style/audit.css';

type Asked = { readonly institution: string; readonly from: string; readonly to: string };
const names = ['institution', 'from', 'to'] as const;

/** What one institution did. */
export default function Incidents() {
  const t = useTexts(incidentTexts);
  const title = useTexts(auditArea.titles);
  const [params, setParams] = useSearchParams();
  const asked: Asked = { institution: params.get('institution') ?? '', from: params.get('from') ?? '', to: params.get('to') ?? '' };
  const isRight = asked.institution !== '' && isDay(asked.from) && isDay(asked.to);
  return (
    <PageBody title={title('incidents')} lead={t('lead')}>
      <Section title={t('choose')}><AskForm asked={asked} onAsk={(chosen) => setParams(names.flatMap((name): [string, string][] => (chosen[name] === '' ? [] : [[name, chosen[name]]])))} /></Section>
      {isRight ? <Review key={params.toString()} asked={asked} /> : <EmptyNote>{t('none')}</EmptyNote>}
    </PageBody>
  );
}

const isDay = (day: string) => day === '' || isIsoDate(day);

function AskForm({ asked, onAsk }: { readonly asked: Asked; readonly onAsk: (asked: Asked) => void }) {
  const t = useTexts(incidentTexts);
  const institutions = useInstitutionOptions();
  const hint = institutions.options.length === 0 ? t('noInstitutions') : institutions.hint;
  const [typed, setTyped] = useState(asked);
  const [isSent, setSent] = useState(false);
  const { institution, from, to } = asked;
  useEffect(() => setTyped({ institution, from, to }), [institution, from, to]);
  const set = (name: keyof Asked) => (value: string) => setTyped({ ...typed, [name]: value });
  const isRight = typed.institution !== '' && isDay(typed.from) && isDay(typed.to);
  return (
    <form onSubmit={(event) => { event.preventDefault(); setSent(true); if (isRight) onAsk(typed); }}>
      <FieldRow>
        <Select
          label={t('institution')} value={typed.institution} onChange={set('institution')} required error={isSent && typed.institution === '' ? t('pickNeeded') : undefined}
          options={institutions.options} {...(hint === undefined ? {} : { hint })}
        />
        <TextField label={t('from')} type="date" value={typed.from} onChange={set('from')} error={isSent && !isDay(typed.from) ? t('dayWrong') : undefined} />
        <TextField label={t('to')} type="date" value={typed.to} onChange={set('to')} error={isSent && !isDay(typed.to) ? t('dayWrong') : undefined} />
      </FieldRow>
      <div className="buttons"><Button type="submit" look="primary">{t('show')}</Button></div>
    </form>
  );
}

function Review({ asked: { institution, from, to } }: { readonly asked: Asked }) {
  const days = { ...(from === '' ? {} : { from }), ...(to === '' ? {} : { to }) };
  const report = useRead(['institution report', institution, days], (calls) => reportsClient(calls).institutionReport(institution, days));
  return <Read of={report}>{(found) => <IncidentReport report={found} />}</Read>;
}
