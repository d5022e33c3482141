import type { JSONWebKeySet } from 'jose';
import { useEffect, useState } from 'react';
import { useSearchParams } from 'react-router';
import { shanghaiDate } from '../../calendar.ts';
import { reportsClient, workReportCsv, type WorkReportView } from '../../sdk/reports.ts';
import { checkWorkReport } from '../../sdk/work-report-check.ts';
import { Button, PageLink } from '../parts/button.tsx';
import { download } from '../parts/download.ts';
import { FieldRow, TextField } from '../parts/fields.tsx';
import { GoodNote, Read, WarningNote } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Digest, Facts } from '../parts/table.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { auditArea } from './area.ts';
import { ReportFigures, ReportSections } from './report-sections.tsx';
import { reportTexts } from './report-texts.ts';
import '../style/audit.css';

const monthForm = /^20[0-9]{2}-(0[1-9]|1[0-2])$/;

/** The platform's work, month by month. */
export default function Reports() {
  const t = useTexts(reportTexts);
  const title = useTexts(auditArea.titles);
  const [params, setParams] = useSearchParams();
  const { clock } = useSession();
  const asked = params.get('month') ?? shanghaiDate(clock.nowMs()).slice(0, 7);
  return (
    <PageBody title={title('reports')} lead={t('lead')}>
      <Section title={t('month')}><MonthForm month={asked} onShow={(month) => setParams({ month })} /></Section>
      {monthForm.test(asked) && <Month key={asked} month={asked} />}
    </PageBody>
  );
}

function MonthForm({ month, onShow }: { readonly month: string; readonly onShow: (month: string) => void }) {
  const t = useTexts(reportTexts);
  const [typed, setTyped] = useState(month);
  useEffect(() => setTyped(month), [month]);
  const isWrong = !monthForm.test(typed);
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (!isWrong) onShow(typed); }}>
      <FieldRow><TextField label={t('month')} type="month" hint={t('monthHint')} value={typed} onChange={setTyped} required error={isWrong ? t('monthWrong') : undefined} /></FieldRow>
      <div className="buttons"><Button type="submit" look="primary">{t('show')}</Button></div>
    </form>
  );
}

function Month({ month }: { readonly month: string }) {
  const report = useRead(['work report', month], (calls) => reportsClient(calls).workReport(month));
  return <Read of={report}>{(view) => <><Standing view={view} /><ReportFigures report={view.report} /><ReportSections report={view.report} /></>}</Read>;
}

/** How far the report is to be relied on, and files to keep. */
function Standing({ view }: { readonly view: WorkReportView }) {
  const t = useTexts(reportTexts);
  const { time, number } = useFormats();
  const { scopes } = useSession();
  const { report, digest, entry, behind } = view;
  const name = `work-report-${report.month}`;
  const isClosed = report.state === 'closed';
  return (
    <Section title={t('reportOf', { month: report.month })} actions={<>
      <Button onPress={() => download(`${name}.json`, 'application/json', JSON.stringify(view, null, 2))}>{t('json')}</Button>
      <Button onPress={() => download(`${name}.csv`, 'text/csv', workReportCsv(report))}>{t('csv')}</Button>
    </>}>
      <p>{t(isClosed ? 'closed' : 'soFar', { time: time(report.made_at) })}</p>
      {behind > 0 && <WarningNote><p>{t('behind', { count: number(behind) })}</p></WarningNote>}
      {isClosed && <Signature view={view} />}
      {digest !== null && entry !== null && (
        <Facts items={[
          [t('digest'), <Digest key="digest" value={digest} />],
          [t('entry'), scopes.includes('audit') ? <PageLink key="entry" to={`/audit/entries/${entry}`}>{t('entryNumber', { index: entry })}</PageLink> : t('entryNumber', { index: entry })],
        ]} />
      )}
    </Section>
  );
}

function Signature({ view }: { readonly view: WorkReportView }) {
  const t = useTexts(reportTexts);
  const { time } = useFormats();
  const { gateway } = useSession();
  const signed = useRead(['work report signature', view], async (calls) => checkWorkReport(view, await calls.call<JSONWebKeySet>({ method: 'GET', path: '/.well-known/jwks.json' }), gateway));
  return <Read of={signed}>{(atS) => <GoodNote><p>{t('signed', { time: time(atS * 1000) })}</p></GoodNote>}</Read>;
}
