import { auditorClient, type AccessFilter } from '../../sdk/auditor.ts';
import { PageLink } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { Read } from '../parts/notes.tsx';
import { Pager, usePages } from '../parts/pager.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { Tag } from '../parts/tag.tsx';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { countOutcomes, factsOf, type EntryFacts } from './entry-facts.ts';
import { historyTexts } from './history-texts.ts';
import { useInstitutionNames } from './institution-names.ts';
import { entryKinds, refusals, wordsFor } from './words.ts';
import '../style/enterprise.css';

export type EntryFilter = Omit<AccessFilter, 'before' | 'limit'>;
type EntryListProps = {
  readonly filter: EntryFilter; readonly caption: string; readonly empty: string; readonly length?: number;
  /** Only the newest, without pages. */
  readonly newestOnly?: boolean;
};

/** Entries about this enterprise, newest first, page by page. Another filter is another list: give it another key. */
export function EntryList({ filter, caption, empty, length = 25, newestOnly = false }: EntryListProps) {
  const pages = usePages<number>();
  const asked = { ...filter, limit: length, ...(pages.cursor === undefined ? {} : { before: pages.cursor }) };
  const page = useRead(['accesses', asked], (calls) => auditorClient(calls).accesses(asked), { keepPrevious: true });
  return (
    <Read of={page}>{({ accesses }) => <>
      <EntryTable entries={accesses.map(factsOf)} caption={caption} empty={empty} />
      {!newestOnly && <Pager pages={pages} next={accesses.length === length ? (accesses.at(-1)?.index ?? null) : null} />}
    </>}</Read>
  );
}

function EntryTable({ entries, caption, empty }: { readonly entries: readonly EntryFacts[]; readonly caption: string; readonly empty: string }) {
  const t = useTexts(historyTexts);
  const words = useWords();
  const { time } = useFormats();
  const catalogue = useCatalogueWords();
  const nameOf = useInstitutionNames(entries.map(({ institution }) => institution));
  const columns: readonly Column<EntryFacts>[] = [
    { id: 'what', title: t('what'), cell: ({ index, kind }) => <PageLink to={`/enterprise/history/${index}`}>{words(wordsFor(entryKinds, kind))}</PageLink> },
    { id: 'time', title: t('time'), cell: ({ at }) => time(at) },
    { id: 'institution', title: t('institution'), cell: ({ institution }) => (institution === null ? '–' : nameOf(institution)) },
    { id: 'purpose', title: t('purpose'), cell: ({ purpose }) => (purpose === undefined ? '–' : catalogue.purpose(purpose)) },
    { id: 'result', title: t('result'), cell: (entry) => <Result entry={entry} /> },
  ];
  return <Table caption={caption} columns={columns} rows={entries} keyOf={({ index }) => String(index)} empty={empty} />;
}

/** What was given, in one glance. */
export function Result({ entry }: { readonly entry: EntryFacts }) {
  const t = useTexts(historyTexts);
  const words = useWords();
  if (entry.code !== undefined) return <span className="tags"><Tag tone="neutral">{t('refusedFor', { reason: words(wordsFor(refusals, entry.code)) })}</Tag></span>;
  const { original, desensitised, compared, withheld } = countOutcomes(entry.outcomes);
  const disputed = entry.disputed.length;
  if (original + desensitised + compared + withheld + disputed === 0) return <>–</>;
  return (
    <span className="tags">
      {original > 0 && <Tag tone="open">{t('countOriginal', { count: original })}</Tag>}
      {desensitised > 0 && <Tag tone="partly">{t('countDesensitised', { count: desensitised })}</Tag>}
      {compared > 0 && <Tag tone="closed">{t('countCompared', { count: compared })}</Tag>}
      {withheld > 0 && <Tag>{t('countWithheld', { count: withheld })}</Tag>}
      {disputed > 0 && <Tag tone="warning">{t('disputed', { count: disputed })}</Tag>}
    </span>
  );
}
