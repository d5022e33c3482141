import { policyCellsClient, type PolicyCellView, type PolicyFieldView, type PolicyMatrixView, type PolicyUse } from '../../sdk/policy-cells.ts';
import { useState } from 'react';
import { PageLink } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Select } from '../parts/fields.tsx';
import { Read, WarningNote } from '../parts/notes.tsx';
import { Facts, Table } from '../parts/table.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { CellEditor } from './cell-editor.tsx';
import { cellTexts } from './cell-texts.ts';
import { useDraft } from './draft.ts';
import { gridTexts } from './grid-texts.ts';

type Props = { readonly version: number; readonly matrix: PolicyMatrixView; readonly field: PolicyFieldView; readonly purpose: string; readonly onClose: () => void };

const types = ['text', 'integer', 'decimal', 'date', 'boolean'] as const;

/** One field for one purpose: what every class gets and why, and the editor. */
export function CellDialog({ version, matrix, field, purpose, onClose }: Props) {
  const t = useTexts(cellTexts);
  const words = useWords();
  const cell = useRead(['policies', 'cell', version, field.field, purpose], (calls) => policyCellsClient(calls).cell(version, field.field, purpose));
  const title = t('title', { field: words(field.title), purpose: words(matrix.purposes.find(({ code }) => code === purpose)?.title ?? { en: purpose, zh: purpose }) });
  return <Dialog title={title} open onClose={onClose} wide><Read of={cell}>{(found) => <Cell cell={found} matrix={matrix} onDone={onClose} />}</Read></Dialog>;
}

function Cell({ cell, matrix, onDone }: { readonly cell: PolicyCellView; readonly matrix: PolicyMatrixView; readonly onDone: () => void }) {
  const t = useTexts(cellTexts);
  const g = useTexts(gridTexts);
  const words = useWords();
  const [use, setUse] = useState<PolicyUse>(cell.uses.includes(matrix.use) ? matrix.use : cell.uses[0] ?? 'read');
  const { draft } = useDraft();
  const minimum = draft.purposes.find(({ purpose }) => purpose === cell.purpose)?.minimum;
  const isNeeded = (cell.in_minimum || minimum?.add.includes(cell.field.field) === true) && minimum?.remove.includes(cell.field.field) !== true;
  const titleOf = (code: string) => words(matrix.classes.find((each) => each.code === code)?.title ?? { en: code, zh: code });
  const rules = new Map(cell.rules.map((rule) => [rule.id, rule]));
  const rows = cell.cells.filter((each) => each.use === use);
  const type = t(cell.field.type === 'code' ? 'code_' : types.find((each) => each === cell.field.type) ?? 'text');
  const standing = [...new Set(rows.flatMap((row) => row.rules))];
  return (
    <>
      <Facts items={[
        [t('code'), <code key="code">{cell.field.field}</code>], [t('classification'), `${g('levelOf', { level: cell.field.level })} · ${g(cell.field.kind)}`],
        [t('type'), cell.field.unit === undefined ? type : `${type} (${cell.field.unit})`],
      ]} />
      <Select label={g('use')} value={use} options={cell.uses.map((value) => ({ value, label: g(value) }))} onChange={setUse} />
      <Table caption={t('now')} showCaption rows={rows} keyOf={(row) => row.institution_class} columns={[
        { id: 'class', title: t('institutionClass'), cell: (row) => titleOf(row.institution_class) },
        { id: 'desensitised', title: t('atDesensitised'), cell: (row) => words(row.desensitised.words) },
        { id: 'original', title: t('atOriginal'), cell: (row) => words(row.original.words) },
      ]} />
      {standing.length > 0 && <><h3>{t('rules')}</h3><ul className="change-list">{standing.map((id) => <li key={id}><RuleName rule={rules.get(id)} /></li>)}</ul></>}
      <p><PageLink to={`/compliance/withholds?${new URLSearchParams({ field: cell.field.field, purpose: cell.purpose })}`}>{t('emergency')}</PageLink></p>
      {isNeeded
        ? <CellEditor key={use} cell={cell} use={use} matrix={matrix} onDone={onDone} />
        : <WarningNote><p>{t('notMinimum')} <PageLink to={`/compliance/purposes/${cell.purpose}`}>{t('toPurpose')}</PageLink></p></WarningNote>}
    </>
  );
}

function RuleName({ rule }: { readonly rule: PolicyCellView['rules'][number] | undefined }) {
  const t = useTexts(cellTexts);
  const words = useWords();
  if (rule === undefined) return null;
  return <>{rule.denies && <strong>{t('denies')} </strong>}{words(rule.description)} {rule.condition !== null && t('condition', { condition: words(rule.condition) })} <code>{rule.id}</code></>;
}
