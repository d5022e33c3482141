import { useParams } from 'react-router';
import { auditorClient, type EntryView } from '../../sdk/auditor.ts';
import { proveEntry } from '../../sdk/entry-proof.ts';
import { Button, PageLink } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { download } from '../parts/download.ts';
import { EmptyNote, ErrorNote, GoodNote, Read, WarningNote } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Digest, Facts, Table, type Column } from '../parts/table.tsx';
import { Tag } from '../parts/tag.tsx';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { enterpriseArea } from './area.ts';
import { factsOf, type EntryFacts } from './entry-facts.ts';
import { Result } from './entry-list.tsx';
import { historyTexts } from './history-texts.ts';
import { useInstitutionNames } from './institution-names.ts';
import { dispositions, entryKinds, reasons, uses, wordsFor } from './words.ts';

/** One entry: what was asked and given, how each field was treated, proof of it, and the way to object. */
export default function Access() {
  const t = useTexts(historyTexts);
  const titles = useTexts(enterpriseArea.titles);
  const words = useWords();
  const { time, number } = useFormats();
  const { entry: index = '' } = useParams();
  const entry = useRead(['accesses', 'one', index], (calls) => auditorClient(calls).entry(Number(index)));
  const title = entry.data === undefined ? titles('access') : t('entryTitle', { what: words(wordsFor(entryKinds, entry.data.kind)), time: time(entry.data.at) });
  return (
    <PageBody title={title}>
      <Read of={entry}>{(found) => {
        const facts = factsOf(found);
        return (
          <>
            {facts.erased && <WarningNote><p>{t('erased')}</p></WarningNote>}
            <Section title={t('entry', { index: number(facts.index) })}><EntryFactList entry={facts} /></Section>
            {facts.isAccess && <Section title={t('how')}><Treatments entry={facts} /></Section>}
            {facts.isAccess && <Section title={t('object')}>
              <p>{t('objectLead')}</p>
              <PageLink className="button" to={`/enterprise/objections/new?entry=${facts.index}`}>{t('object')}</PageLink>
            </Section>}
            <Section title={t('receipt')}><Proof entry={found} isReceipted={facts.isAccess && !facts.erased} /></Section>
          </>
        );
      }}</Read>
    </PageBody>
  );
}

function EntryFactList({ entry }: { readonly entry: EntryFacts }) {
  const t = useTexts(historyTexts);
  const { time, number } = useFormats();
  const { party } = useSession();
  const catalogue = useCatalogueWords();
  const nameOf = useInstitutionNames([entry.institution, entry.actor]);
  const by = entry.actor === party ? t('you') : entry.actor === 'platform' ? t('platform') : nameOf(entry.actor);
  return (
    <Facts items={[
      [t('time'), time(entry.at)],
      [t('by'), by],
      ...(entry.institution === null ? [] : [[t('institution'), nameOf(entry.institution)] as const]),
      ...(entry.purpose === undefined ? [] : [[t('purpose'), catalogue.purpose(entry.purpose)] as const]),
      ...(entry.grant === undefined ? [] : [[t('grant'), <PageLink key="grant" to={`/enterprise/grants/${entry.grant}`}>{t('openGrant')}</PageLink>] as const]),
      ...(entry.model === undefined ? [] : [[t('model'), entry.model] as const]),
      ...(entry.isAccess ? [[t('result'), <Result key="result" entry={entry} />] as const] : []),
      ...(entry.rows.length === 0 ? [] : [[t('rows'), <RowCounts key="rows" rows={entry.rows} />] as const]),
      ...(entry.policy === undefined ? [] : [[t('policy'), <Digest key="policy" value={entry.policy} />] as const]),
      [t('number'), number(entry.index)],
    ]} />
  );
}

function RowCounts({ rows: counts }: Pick<EntryFacts, 'rows'>) {
  const t = useTexts(historyTexts);
  const { number } = useFormats();
  const catalogue = useCatalogueWords();
  return <ul className="plain-list">{counts.map(({ dataset, rows }) => <li key={dataset}>{t('rowsOf', { dataset: catalogue.dataset(dataset), rows: number(rows) })}</li>)}</ul>;
}

type Treated = { readonly field: string; readonly use: string; readonly disposition: string; readonly reason: string; readonly disputed: boolean };

function Treatments({ entry }: { readonly entry: EntryFacts }) {
  const t = useTexts(historyTexts);
  const words = useWords();
  const catalogue = useCatalogueWords();
  const disputed = new Set(entry.disputed);
  const rows = entry.outcomes.flatMap(({ use, disposition, reason, fields }) => fields.map((field): Treated => ({ field, use, disposition, reason, disputed: disputed.has(field) })));
  // the record of a list says nothing of single fields
  if (rows.length === 0) return disputed.size === 0 ? <EmptyNote>{t('noFields')}</EmptyNote> : <MarkedFields fields={[...disputed]} />;
  const columns: readonly Column<Treated>[] = [
    { id: 'field', title: t('field'), cell: ({ field, disputed: marked }) => <>{catalogue.field(field)} {marked && <Tag tone="warning">{t('disputedField')}</Tag>}</> },
    { id: 'dataset', title: t('dataset'), cell: ({ field }) => catalogue.datasetOf(field) },
    { id: 'use', title: t('use'), cell: ({ use }) => words(wordsFor(uses, use)) },
    { id: 'treated', title: t('treated'), cell: ({ disposition }) => words(wordsFor(dispositions, disposition)) },
    { id: 'why', title: t('why'), cell: ({ reason }) => words(wordsFor(reasons, reason)) },
  ];
  return <Table caption={t('howCaption')} columns={columns} rows={rows} keyOf={({ field, use }) => `${use} ${field}`} />;
}

function MarkedFields({ fields }: { readonly fields: readonly string[] }) {
  const t = useTexts(historyTexts);
  const catalogue = useCatalogueWords();
  return <ul className="plain-list">{fields.map((field) => <li key={field}>{catalogue.datasetOf(field)} · {catalogue.field(field)} <Tag tone="warning">{t('disputedField')}</Tag></li>)}</ul>;
}

function Proof({ entry, isReceipted }: { readonly entry: EntryView; readonly isReceipted: boolean }) {
  const t = useTexts(historyTexts);
  const { number } = useFormats();
  const { run, busy, error, answer } = useChange((calls) => proveEntry(calls, entry));
  const receipt = useChange((calls) => auditorClient(calls).entryReceipt(entry.index));
  const keep = (proof: object) => download(`veilgate-entry-${entry.index}.json`, 'application/json', JSON.stringify(proof, null, 2));
  return (
    <>
      <p>{t('receiptLead')}</p>
      {error !== null && <><ErrorNote error={error} /><p className="hint">{t('notYet')}</p></>}
      {answer !== undefined && <GoodNote><p>{t('proven', { size: number(answer.size) })}</p></GoodNote>}
      {receipt.error !== null && <ErrorNote error={receipt.error} />}
      <div className="buttons">
        {isReceipted && <Button busy={receipt.busy} onPress={() => receipt.run(undefined, (text) => download(`receipt-${entry.index}.jws`, 'application/jose', text))}>{t('receiptFile')}</Button>}
        <Button busy={busy} onPress={() => run(undefined)}>{t('check')}</Button>
        <Button disabled={answer === undefined} onPress={() => { if (answer !== undefined) keep(answer.proof); }}>{t('download')}</Button>
      </div>
      <details><summary>{t('raw')}</summary><pre tabIndex={0}>{JSON.stringify(entry.record, null, 2)}</pre></details>
    </>
  );
}
