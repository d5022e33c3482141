import { useMemo } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { reportsClient, type EntryQuery } from '../../sdk/reports.ts';
import { Read, WarningNote } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Pager, usePages } from '../parts/pager.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { auditArea } from './area.ts';
import { EntryTable } from './entry-table.tsx';
import { LogFilters } from './log-filters.tsx';
import { queryOf, searchAddress, searchOf } from './log-search.ts';
import { logTexts } from './log-texts.ts';
import '../style/audit.css';

const pageLength = 25;

/** The log by what its entries are about. */
export default function Entries() {
  const t = useTexts(logTexts);
  const title = useTexts(auditArea.titles);
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const address = params.toString();
  const search = useMemo(() => searchOf(new URLSearchParams(address)), [address]);
  const { query, wrong } = queryOf(search);
  return (
    <PageBody title={title('entries')} lead={t('lead')}>
      <Section title={t('filters')}><LogFilters search={search} onApply={(chosen) => void navigate(searchAddress(chosen))} /></Section>
      {/* an address that asks for nonsense finds nothing, rather than everything */}
      {wrong.length === 0 && <Section title={t('caption')}><Found key={address} query={query} /></Section>}
    </PageBody>
  );
}

/** Another query is another list: give it another key. */
function Found({ query }: { readonly query: EntryQuery }) {
  const t = useTexts(logTexts);
  const { number } = useFormats();
  const pages = usePages<number>();
  const page = { limit: pageLength, ...(pages.cursor === undefined ? {} : { before: pages.cursor }) };
  const found = useRead(['log entries', query, page], (calls) => reportsClient(calls).entries(query, page), { keepPrevious: true });
  const none = pages.number > 1 ? t('noMore') : Object.keys(query).length === 0 ? t('none') : t('nothing');
  return (
    <Read of={found}>{({ entries, next, behind }) => (
      <>
        {behind > 0 && <WarningNote><p>{t('behind', { count: number(behind) })}</p></WarningNote>}
        <EntryTable entries={entries} caption={t('caption')} empty={next === null ? none : t('goOn')} />
        <Pager pages={pages} next={next} />
      </>
    )}</Read>
  );
}
