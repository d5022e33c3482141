import { useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { policyCellsClient, type PolicyFieldView, type PolicyMatrixView, type PolicyTier, type PolicyUse } from '../../sdk/policy-cells.ts';
import { policiesClient } from '../../sdk/policies.ts';
import { Checkbox, SearchField, Select } from '../parts/fields.tsx';
import { EmptyNote, Read } from '../parts/notes.tsx';
import { PageBody } from '../parts/page.tsx';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { frameTexts } from '../shell/frame-texts.ts';
import { complianceArea } from './area.ts';
import { CellDialog } from './cell-dialog.tsx';
import { editOf, useDraft } from './draft.ts';
import { DraftBar } from './draft-bar.tsx';
import { Grid, look, name, type GridRow } from './grid.tsx';
import { gridTexts } from './grid-texts.ts';
import { useVersionInForce } from './version-in-force.ts';
import '../style/compliance.css';

const uses = ['read', 'verify', 'score', 'aggregate'] as const;
const tiers = ['original', 'desensitised'] as const;
const shownDispositions = ['clear', 'mask', 'band', 'token', 'verify', 'score', 'aggregate', 'withhold'] as const;

export default function Policy() {
  const t = useTexts(complianceArea.titles);
  const g = useTexts(gridTexts);
  const inForce = useVersionInForce();
  return (
    <PageBody title={t('policy')} lead={g('lead')}>
      <DraftBar />
      <Read of={inForce}>{(version) => (version === undefined ? <EmptyNote /> : <PolicyGrid version={version.version} since={version.in_force_at ?? version.proposed_at} />)}</Read>
    </PageBody>
  );
}

/** What is chosen stands in the address: a reload or a link shows the same. */
function useChoice() {
  const [search, setSearch] = useSearchParams();
  // the address follows what is typed, and is too slow to be typed into
  const [text, setText] = useState(search.get('text') ?? '');
  const set = (name: string, value: string) => setSearch((now) => {
    const next = new URLSearchParams(now);
    if (value === '') next.delete(name);
    else next.set(name, value);
    return next;
  }, { replace: true });
  const get = (name: string, otherwise: string) => search.get(name) ?? otherwise;
  return {
    institutionClass: search.get('class') ?? undefined,
    use: uses.find((each) => each === search.get('use')) ?? 'read' satisfies PolicyUse,
    consent: tiers.find((each) => each === search.get('consent')) ?? 'original' satisfies PolicyTier,
    text, type: (value: string) => { setText(value); set('text', value); }, dataset: get('dataset', ''), level: get('level', ''), kind: get('kind', ''), says: get('says', ''),
      purpose: get('purpose', ''), mine: get('mine', '') !== '',
    set,
  };
}
type Choice = ReturnType<typeof useChoice>;

function PolicyGrid({ version, since }: { readonly version: number; readonly since: string }) {
  const g = useTexts(gridTexts);
  const { time } = useFormats();
  const choice = useChoice();
  const matrix = useRead(['policies', 'matrix', version, choice.institutionClass, choice.use, choice.consent], (calls) =>
    policyCellsClient(calls).matrix(version, choice.institutionClass, choice.use, choice.consent), { keepPrevious: true });
  return (
    <>
      <p className="hint">{g('version', { version, time: time(since) })}</p>
      <Read of={matrix}>{(found) => <Choosing matrix={found} version={version} choice={choice} />}</Read>
    </>
  );
}

function Choosing({ matrix, version, choice }: { readonly matrix: PolicyMatrixView; readonly version: number; readonly choice: Choice }) {
  const g = useTexts(gridTexts);
  const frame = useTexts(frameTexts);
  const words = useWords();
  const { draft } = useDraft();
  const [open, setOpen] = useState<{ readonly field: PolicyFieldView; readonly purpose: string }>();
  const withholds = useRead(['policies', 'withholds'], (calls) => policiesClient(calls).withholds());
  const holding = useMemo(() => new Set((withholds.data?.withholds ?? []).filter(({ ending }) => ending === null).map(({ field, purpose }) => `${field} ${purpose}`)), [withholds.data]);
  const isEdited = (field: string, purpose: string) => editOf(draft, field, matrix.use, purpose, matrix.institution_class) !== undefined;
  const markOf = (field: string, purpose: string) => (holding.has(`${field} ${purpose}`) ? 'withheldNow' : isEdited(field, purpose) ? 'edited' : undefined);
  const columns = matrix.purposes.flatMap(({ code }, at) => (choice.purpose === '' || choice.purpose === code ? [at] : []));
  const rows = useMemo(() => rowsOf(matrix, choice, columns, isEdited), [matrix, choice.text, choice.dataset, choice.level, choice.kind, choice.says, choice.purpose, choice.mine, draft]);
  const shown = rows.filter((row) => 'field' in row).length;
  const all = { value: '', label: frame('all') };
  return (
    <>
      <div className="grid-filters" role="search" aria-label={g('filters')}>
        <Select label={g('institutionClass')} value={matrix.institution_class} options={matrix.classes.map(({ code, title }) => ({ value: code, label: words(title) }))}
          onChange={(value) => choice.set('class', value)} />
        <Select label={g('use')} value={choice.use} options={uses.map((value) => ({ value, label: g(value) }))} onChange={(value) => choice.set('use', value)} />
        <Select label={g('consent')} value={choice.consent} options={tiers.map((value) => ({ value, label: g(value) }))} onChange={(value) => choice.set('consent', value)} />
        <Select label={frame('dataset')} value={choice.dataset} options={[all, ...matrix.datasets.map(({ dataset, title }) => ({ value: dataset, label: words(title) }))]}
          onChange={(value) => choice.set('dataset', value)} />
        <Select label={frame('purpose')} value={choice.purpose} options={[all, ...matrix.purposes.map(({ code, title }) => ({ value: code, label: words(title) }))]}
          onChange={(value) => choice.set('purpose', value)} />
        <Select label={g('disposition')} value={choice.says} options={[all, ...shownDispositions.map((value) => ({ value, label: g(name({ disposition: value, reason: 'no_rule' })) }))]}
          onChange={(value) => choice.set('says', value)} />
        <Select label={g('level')} value={choice.level} options={[all, ...['1', '2', '3', '4', '5'].map((value) => ({ value, label: g('levelOf', { level: value }) }))]}
          onChange={(value) => choice.set('level', value)} />
        <Select label={g('kind')} value={choice.kind} options={[all, ...(['public', 'commercial_secret', 'personal'] as const).map((value) => ({ value, label: g(value) }))]}
          onChange={(value) => choice.set('kind', value)} />
        <SearchField label={frame('search')} value={choice.text} onChange={choice.type} />
      </div>
      {draft.edits.length > 0 && <Checkbox value={choice.mine} onChange={(on) => choice.set('mine', on ? 'yes' : '')}>{g('changesOnly')}</Checkbox>}
      <ul className="legend" aria-label={g('legend')}>
        {[...shownDispositions.map((disposition) => ({ disposition, reason: 'no_rule' })), { disposition: 'withhold', reason: 'not_minimum_for_purpose' }].map((each) => <li key={look(each)}
          className={look(each)}>{g(name(each))}</li>)}
      </ul>
      <p className="hint" role="status">{g('shown', { shown, count: matrix.fields.length })} {g('keys')}</p>
      {shown === 0
        ? <EmptyNote>{frame('nothingFound')}</EmptyNote>
        : <Grid matrix={matrix} rows={rows} columns={columns}
          markOf={markOf} isCovered={open !== undefined} onOpen={(field, purpose) => setOpen({ field, purpose })} />}
      {open !== undefined && <CellDialog key={`${open.field.field} ${open.purpose}`} version={version} matrix={matrix} field={open.field} purpose={open.purpose} onClose={() => setOpen(undefined)} />}
    </>
  );
}

/** Fields that fit what is chosen, each dataset's under its heading. */
function rowsOf(matrix: PolicyMatrixView, { text, dataset, level, kind, says, mine }: Choice, columns: readonly number[], isEdited: (field: string, purpose: string) => boolean): GridRow[] {
  const wanted = text.trim().toLowerCase();
  const titles = new Map(matrix.datasets.map((each) => [each.dataset, each.title]));
  let last = '';
  return matrix.fields.flatMap((field, index): GridRow[] => {
    const at = index * matrix.purposes.length;
    const of = field.field.slice(0, field.field.indexOf('.'));
    const fits = (dataset === '' || of === dataset) && (level === '' || String(field.level) === level) && (kind === '' || field.kind === kind)
      && (wanted === '' || `${field.field} ${field.title.en} ${field.title.zh}`.toLowerCase().includes(wanted))
      && (says === '' || columns.some((column) => matrix.outcomes[matrix.cells[at + column] ?? -1]?.disposition === says))
      && (!mine || columns.some((column) => isEdited(field.field, matrix.purposes[column]?.code ?? '')));
    if (!fits) return [];
    const title = titles.get(of);
    const heading = of === last || title === undefined ? [] : [{ dataset: of, title }];
    last = of;
    return [...heading, { field, at }];
  });
}
