import type { ListedEntry } from '../../sdk/reports.ts';
import { PageLink } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { Table, type Column } from '../parts/table.tsx';
import { Tag } from '../parts/tag.tsx';
import { useInstitutionName } from '../parts/use-institutions.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { kindName } from './kind-words.ts';
import { codeWords, logTexts } from './log-texts.ts';

type EntryTableProps = {
  readonly entries: readonly ListedEntry[]; readonly caption: string; readonly empty: string;
  /** False where single entries are not for the person who looks. */
  readonly linked?: boolean;
  /** Columns shown, where the others would say the same of every entry. */
  readonly only?: readonly ColumnId[];
};

type ColumnId = 'event' | 'number' | 'time' | 'institution' | 'purpose' | 'result' | 'datasets' | 'subject' | 'by';

/** Entries as the log lists them. */
export function EntryTable({ entries, caption, empty, linked = true, only }: EntryTableProps) {
  const t = useTexts(logTexts);
  const words = useWords();
  const { time } = useFormats();
  const nameOf = useInstitutionName();
  const catalogue = useCatalogueWords();
  const columns: readonly (Column<ListedEntry> & { readonly id: ColumnId })[] = [
    { id: 'event', title: t('event'), cell: ({ index, kind }) => (linked ? <PageLink to={`/audit/entries/${index}`}>{words(kindName(kind))}</PageLink> : words(kindName(kind))) },
    { id: 'number', title: t('number'), cell: ({ index }) => index, numeric: true },
    { id: 'time', title: t('time'), cell: ({ at }) => <span className="when">{time(at)}</span> },
    { id: 'institution', title: t('institution'), cell: ({ institution }) => <bdi>{nameOf(institution)}</bdi> },
    { id: 'purpose', title: t('purpose'), cell: ({ purpose }) => (purpose === null ? '–' : catalogue.purpose(purpose)) },
    { id: 'result', title: t('result'), cell: (entry) => <Result entry={entry} /> },
    { id: 'datasets', title: t('datasets'), cell: ({ datasets }) => (datasets.length === 0 ? '–' : datasets.map(catalogue.dataset).join(t('listed'))) },
    { id: 'subject', title: t('subject'), cell: ({ subject }) => (subject === null ? '–' : <code title={subject}>{subject.slice(0, 8)}</code>) },
    { id: 'by', title: t('by'), cell: ({ actor }) => <code>{actor}</code> },
  ];
  const shown = only === undefined ? columns : columns.filter(({ id }) => only.includes(id));
  return <div className="long-table"><Table caption={caption} columns={shown} rows={entries} keyOf={({ index }) => String(index)} empty={empty} /></div>;
}

function Result({ entry: { outcome, code, erased } }: { readonly entry: ListedEntry }) {
  const t = useTexts(logTexts);
  return (
    <span className="result">
      {outcome === null ? (!erased && '–') : <Tag tone={outcome === 'released' ? 'accent' : 'neutral'}>{t(outcome)}</Tag>}
      {code !== null && <RefusalCode code={code} />}
      {erased && <Tag tone="warning">{t('erased')}</Tag>}
    </span>
  );
}

/** Why something was refused: in words where there are some, and always the code itself. */
export function RefusalCode({ code }: { readonly code: string }) {
  const words = useWords();
  const named = Object.hasOwn(codeWords, code) ? codeWords[code] : undefined;
  return <>{named !== undefined && <>{words(named)} </>}<code>{code}</code></>;
}
