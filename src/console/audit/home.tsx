import { shanghaiDate } from '../../calendar.ts';
import { reportsClient } from '../../sdk/reports.ts';
import { PageLink } from '../parts/button.tsx';
import { GoodNote, Loading, Read, WarningNote } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { auditArea } from './area.ts';
import { EntryTable } from './entry-table.tsx';
import { homeTexts } from './home-texts.ts';
import { searchAddress } from './log-search.ts';
import { useLogMemory } from './log-memory.ts';
import { ReportFigures } from './report-sections.tsx';
import '../style/audit.css';

const newestShown = 5;

export default function Home() {
  const t = useTexts(homeTexts);
  const title = useTexts(auditArea.titles);
  const { clock } = useSession();
  const month = shanghaiDate(clock.nowMs()).slice(0, 7);
  const report = useRead(['work report', month], (calls) => reportsClient(calls).workReport(month));
  const refusals = useRead(['log entries', 'newest refusals'], (calls) => reportsClient(calls).entries({ outcome: 'refused' }, { limit: newestShown }));
  return (
    <PageBody title={title('home')} lead={t('lead')}>
      <Section title={t('log')} actions={<PageLink to="/audit/verification" className="button primary">{t('toVerification')}</PageLink>}><LogStanding /></Section>
      <Section title={t('month')} actions={<PageLink to={`/audit/reports?month=${month}`}>{t('toReport')}</PageLink>}>
        <Read of={report}>{(view) => <ReportFigures report={view.report} />}</Read>
      </Section>
      <Section title={t('refusals')} actions={<PageLink to={searchAddress({ outcome: 'refused' })}>{t('toLog')}</PageLink>}>
        <Read of={refusals}>{({ entries }) => <EntryTable entries={entries} caption={t('refusals')} empty={t('noRefusals')} />}</Read>
      </Section>
    </PageBody>
  );
}

/** What this browser knows of the log. */
function LogStanding() {
  const t = useTexts(homeTexts);
  const { time, number } = useFormats();
  const { memory, isPending } = useLogMemory();
  if (isPending) return <Loading />;
  if (memory === undefined || memory === 'unreadable') return <WarningNote><p>{t(memory === undefined ? 'unknown' : 'unreadable')}</p></WarningNote>;
  if (memory.checkpoint === null) return <WarningNote><p>{t('neverVerified')}</p></WarningNote>;
  return <GoodNote><p>{t('verified', { time: time(memory.checkpoint.at), size: number(memory.checkpoint.size) })}</p></GoodNote>;
}
