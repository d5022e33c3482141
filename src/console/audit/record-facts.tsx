import type { FieldOutcome, RowCount } from '../../audit/entry.ts';
import { PageLink } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { Digest, Facts } from '../parts/table.tsx';
import { Tag } from '../parts/tag.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { RefusalCode } from './entry-table.tsx';
import { ceilingWords, dispositionWords, entryTexts, fieldUseWords, memberWords, reasonWords, wordsFor } from './entry-texts.ts';
import { searchAddress } from './log-search.ts';
import { LongTable } from './long-table.tsx';
import { toneOf } from './tones.ts';

type LogRecord = Readonly<Record<string, unknown>>;
/** Shown above the record, or in tables of their own. */
const shownElsewhere: ReadonlySet<string> = new Set(['v', 'kind', 'at', 'actor', 'institution', 'outcomes', 'rows', 'fields']);

/** What a record says, member by member: kinds that are not known here have members too. */
export function RecordFacts({ record }: { readonly record: LogRecord }) {
  const words = useWords();
  const members = Object.entries(record).filter(([name]) => !shownElsewhere.has(name)).toSorted(([one], [other]) => placeOf(one) - placeOf(other));
  const items = members.map(([name, value]) => [words(wordsFor(memberWords, name)), <Value key={name} name={name} value={value} />] as const);
  return (
    <>
      <Facts items={items} />
      <Outcomes outcomes={listOf<FieldOutcome>(record['outcomes'])} />
      <RowCounts rows={listOf<RowCount>(record['rows'])} />
      <Ceilings groups={listOf<{ readonly ceiling: string; readonly fields: readonly string[] }>(record['fields'])} />
    </>
  );
}

/** Members that have words come first, in the order of the words. */
const named = Object.keys(memberWords);
const placeOf = (name: string) => (named.includes(name) ? named.indexOf(name) : named.length);

/** The gateway wrote the record itself, and the commitment shows that nobody changed it. */
const listOf = <Item,>(value: unknown) => (Array.isArray(value) ? value as readonly Item[] : []);

function Value({ name, value }: { readonly name: string; readonly value: unknown }) {
  const t = useTexts(entryTexts);
  const catalogue = useCatalogueWords();
  if (value === null) return '–';
  if (typeof value === 'string') {
    if (name === 'policy') return <><Digest value={value} /> <PageLink to={searchAddress({ policy: value })}>{t('samePolicy')}</PageLink></>;
    if (name === 'code') return <RefusalCode code={value} />;
    if (name === 'purpose') return <>{catalogue.purpose(value)} <code>{value}</code></>;
    return value.length > 40 ? <Digest value={value} characters={16} /> : <code>{value}</code>;
  }
  if (name === 'entry' && typeof value === 'number') return <PageLink to={`/audit/entries/${value}`}>{t('older', { index: value })}</PageLink>;
  return <code>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</code>;
}

function Outcomes({ outcomes }: { readonly outcomes: readonly FieldOutcome[] }) {
  const t = useTexts(entryTexts);
  const words = useWords();
  const catalogue = useCatalogueWords();
  if (outcomes.length === 0) return null;
  const rows = outcomes.flatMap(({ fields, ...how }) => fields.map((field) => ({ field, ...how })));
  return (
    <LongTable showCaption caption={t('fields')} rows={rows} keyOf={({ field, use }) => `${field} ${use}`} columns={[
      { id: 'field', title: t('field'), cell: ({ field }) => <>{catalogue.field(field)} <code>{field}</code></> },
      { id: 'dataset', title: t('dataset'), cell: ({ field }) => catalogue.datasetOf(field) },
      { id: 'use', title: t('use'), cell: ({ use }) => words(wordsFor(fieldUseWords, use)) },
      { id: 'treated', title: t('treated'), cell: ({ disposition }) => <Tag tone={toneOf(disposition)}>{words(wordsFor(dispositionWords, disposition))}</Tag> },
      { id: 'why', title: t('why'), cell: ({ reason }) => words(wordsFor(reasonWords, reason)) },
    ]} />
  );
}

function RowCounts({ rows }: { readonly rows: readonly RowCount[] }) {
  const t = useTexts(entryTexts);
  const catalogue = useCatalogueWords();
  if (rows.length === 0) return null;
  return (
    <LongTable showCaption caption={t('rows')} rows={rows} keyOf={({ dataset }) => dataset} columns={[
      { id: 'dataset', title: t('dataset'), cell: ({ dataset }) => catalogue.dataset(dataset) }, { id: 'rows', title: t('count'), cell: (row) => row.rows, numeric: true },
    ]} />
  );
}

function Ceilings({ groups }: { readonly groups: readonly { readonly ceiling: string; readonly fields: readonly string[] }[] }) {
  const t = useTexts(entryTexts);
  const words = useWords();
  const catalogue = useCatalogueWords();
  const rows = groups.flatMap(({ ceiling, fields }) => listOf<string>(fields).map((field) => ({ field, ceiling })));
  if (rows.length === 0) return null;
  return (
    <LongTable showCaption caption={t('ceilings')} rows={rows} keyOf={({ field }) => field} columns={[
      { id: 'field', title: t('field'), cell: ({ field }) => <>{catalogue.field(field)} <code>{field}</code></> },
      { id: 'ceiling', title: t('ceiling'), cell: ({ ceiling }) => words(wordsFor(ceilingWords, ceiling)) },
    ]} />
  );
}
