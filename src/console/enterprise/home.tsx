import type { ReactNode } from 'react';
import { dayMs } from '../../calendar.ts';
import { grantRequestsClient } from '../../sdk/grant-requests.ts';
import { grantsClient } from '../../sdk/grants.ts';
import { objectionsClient } from '../../sdk/objections.ts';
import { PageLink } from '../parts/button.tsx';
import { Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { EntryList } from './entry-list.tsx';
import { GrantTable } from './grants.tsx';
import { homeTexts } from './home-texts.ts';
import { ObjectionTable } from './objections.tsx';
import { RequestTable } from './requests.tsx';

/** Grants that end within so many days are shown. */
const soonDays = 14;
/** As many of each are looked at; beyond them, figures say "at least". */
const lookedAt = 50;
const shownMax = 5;

/** What needs the enterprise's attention, first; then what happened last. */
export default function Home() {
  const t = useTexts(homeTexts);
  const { clock } = useSession();
  const requests = useRead(['grant-requests', 'pending', lookedAt], (calls) => grantRequestsClient(calls).grantRequests({ state: 'pending', limit: lookedAt }));
  const grants = useRead(['grants', 'inForce', lookedAt], (calls) => grantsClient(calls).grants({ inForce: true, limit: lookedAt }));
  const objections = useRead(['objections', 'newest', lookedAt], (calls) => objectionsClient(calls).list({ limit: lookedAt }));
  const underWay = objections.data?.objections.filter(({ state }) => state !== 'closed');
  const soonMs = clock.nowMs() + soonDays * dayMs;
  const ending = grants.data?.grants.filter(({ valid_until: until }) => Date.parse(until) < soonMs).toSorted((one, other) => Date.parse(one.valid_until) - Date.parse(other.valid_until));
  return (
    <PageBody title={t('title')} lead={t('lead')}>
      <div className="figures">
        <Figure to="/enterprise/requests" label={t('pending')} count={requests.data?.requests.length} more={requests.data?.next !== null} />
        <Figure to="/enterprise/objections" label={t('open')} count={underWay?.length} more={objections.data?.next !== null} />
        <Figure to="/enterprise/objections" label={t('overdue')} count={underWay?.filter(({ overdue }) => overdue).length} more={objections.data?.next !== null} />
        <Figure to="/enterprise/grants" label={t('inForce')} count={grants.data?.grants.length} more={grants.data?.next !== null} />
      </div>
      <Section title={t('needs')} actions={<PageLink to="/enterprise/requests?show=all">{t('allRequests')}</PageLink>}>
        <Read of={requests}>{(page) => <RequestTable requests={page.requests.slice(0, shownMax)} empty={t('nothingNeeds')} />}</Read>
      </Section>
      <Section title={t('objections')} actions={<PageLink to="/enterprise/objections">{t('allObjections')}</PageLink>}>
        <Read of={objections}>{() => <ObjectionTable objections={(underWay ?? []).slice(0, shownMax)} empty={t('noObjection')} />}</Read>
      </Section>
      <Section title={t('ending', { days: soonDays })} actions={<PageLink to="/enterprise/grants">{t('allGrants')}</PageLink>}>
        <Read of={grants}>{() => <GrantTable grants={(ending ?? []).slice(0, shownMax)} empty={t('noEnding', { days: soonDays })} />}</Read>
      </Section>
      <Section title={t('last')} actions={<PageLink to="/enterprise/history">{t('allHistory')}</PageLink>}>
        <EntryList filter={{}} length={shownMax} newestOnly caption={t('lastCaption')} empty={t('noneYet')} />
      </Section>
    </PageBody>
  );
}

/** A number that leads to what it counts; a dash while it is not known. */
function Figure({ to, label, count, more }: { readonly to: string; readonly label: ReactNode; readonly count: number | undefined; readonly more: boolean }) {
  const t = useTexts(homeTexts);
  const { number } = useFormats();
  const shown = count === undefined ? '–' : more && count > 0 ? t('more', { count: number(count) }) : number(count);
  return <div className="figure"><b>{shown}</b><PageLink to={to}>{label}</PageLink></div>;
}
