import { useParams } from 'react-router';
import { auditorClient, type EntryView } from '../../sdk/auditor.ts';
import { PageLink } from '../parts/button.tsx';
import { Read, WarningNote } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Facts } from '../parts/table.tsx';
import { useInstitutionName } from '../parts/use-institutions.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { auditArea } from './area.ts';
import { EntryProofSection } from './entry-proof-section.tsx';
import { entryTexts } from './entry-texts.ts';
import { kindName } from './kind-words.ts';
import { RecordFacts } from './record-facts.tsx';
import { SignedRequest } from './signed-request.tsx';
import '../style/audit.css';

/** One entry: what it says, and that it stands in the log. */
export default function Entry() {
  const t = useTexts(entryTexts);
  const title = useTexts(auditArea.titles);
  const words = useWords();
  const { index: named = '' } = useParams();
  const index = /^\d{1,15}$/.test(named) ? Number(named) : undefined;
  const entry = useRead(['entry', index], (calls) => auditorClient(calls).entry(index ?? -1), { enabled: index !== undefined });
  const heading = entry.data === undefined ? title('entry') : t('title', { index: entry.data.index, kind: words(kindName(entry.data.kind)) });
  return (
    <PageBody title={heading} actions={<PageLink to="/audit/entries" className="button">{t('back')}</PageLink>}>
      {index === undefined ? <WarningNote><p>{t('noSuch')}</p></WarningNote> : <Read of={entry}>{(found) => <Shown key={found.index} entry={found} />}</Read>}
    </PageBody>
  );
}

function Shown({ entry }: { readonly entry: EntryView }) {
  const t = useTexts(entryTexts);
  const { time } = useFormats();
  const nameOf = useInstitutionName();
  const { index, at, actor, institution, record } = entry;
  return (
    <>
      <Section title={t('facts')}>
        <Facts items={[
          [t('number'), String(index)], [t('time'), <span key="at">{time(at)} <code>{at}</code></span>], [t('by'), <code key="by">{actor}</code>],
          ...(institution === null ? [] : [[t('institution'), <bdi key="institution">{nameOf(institution)}</bdi>] as const]),
        ]} />
        {record === null ? <WarningNote><p>{t('erased')}</p></WarningNote> : <RecordFacts record={record} />}
      </Section>
      <EntryProofSection entry={entry} />
      {typeof record?.['request'] === 'string' && institution !== null && <SignedRequest entry={entry} />}
      {record !== null && (
        <section className="section"><details><summary>{t('raw')}</summary><pre tabIndex={0} role="region" aria-label={t('raw')}>{JSON.stringify(record, null, 2)}</pre></details></section>
      )}
    </>
  );
}
