import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useCallback, useEffect, useRef, useState, type CSSProperties, type KeyboardEvent } from 'react';
import type { PolicyFieldView, PolicyMatrixView, PolicyOutcomeView } from '../../sdk/policy-cells.ts';
import { useTexts, useWords, type Words } from '../shell/language.tsx';
import { gridTexts } from './grid-texts.ts';

/** A row is a field or, above its fields, a dataset. */
export type GridRow = { readonly dataset: string; readonly title: Words } | { readonly field: PolicyFieldView; /** Position of its first cell. */ readonly at: number };
export type CellMark = 'edited' | 'withheldNow' | undefined;

type GridProps = {
  readonly matrix: PolicyMatrixView;
  readonly rows: readonly GridRow[];
  /** Positions of the purposes shown. */
  readonly columns: readonly number[];
  /** What is special about a cell at this moment. */
  readonly markOf: (field: string, purpose: string) => CellMark;
  /** Something lies over the grid; when it is gone, the focus comes back to the active cell. */
  readonly isCovered: boolean;
  readonly onOpen: (field: PolicyFieldView, purpose: string) => void;
};

const rowPixels = 56;
const headPixels = 36;

/** An ARIA grid of which only the rows in sight are in the page: thousands of fields scroll as easily as ten. */
export function Grid({ matrix, rows, columns, markOf, isCovered, onOpen }: GridProps) {
  const t = useTexts(gridTexts);
  const words = useWords();
  const frame = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState({ row: 0, column: 0 });
  const moved = useRef(false);
  const virtual = useVirtualizer({
    count: rows.length, getScrollElement: () => frame.current, overscan: 6, scrollPaddingStart: 64,
    estimateSize: (index) => (isDataset(rows[index]) ? headPixels : rowPixels),
  });
  const row = nearestField(rows, active.row);
  const column = Math.min(active.column, columns.length - 1);

  useEffect(() => { virtual.measure(); }, [rows, virtual]);
  useEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    virtual.scrollToIndex(row);
    focusActive(frame.current);
    requestAnimationFrame(() => focusActive(frame.current)); // the row may come into the page only now
  }, [row, column, virtual]);
  useEffect(() => {
    if (!isCovered) return undefined;
    // a dialog gives the focus back a frame after it closed, to the very element that had it: rows drawn anew since have others
    return () => afterFrames(2, () => { if (document.activeElement === document.body) focusActive(frame.current); });
  }, [isCovered]);

  const move = (event: KeyboardEvent) => {
    const shown = rows[row];
    if ((event.key === 'Enter' || event.key === ' ') && shown !== undefined && !isDataset(shown)) {
      event.preventDefault();
      onOpen(shown.field, matrix.purposes[columns[column] ?? -1]?.code ?? '');
      return;
    }
    const target = moveTo(event, rows, { row, column }, columns.length);
    if (target === undefined) return;
    event.preventDefault();
    moved.current = true;
    setActive(target);
  };

  const pick = useCallback((at: { readonly row: number; readonly column: number }, field: PolicyFieldView, purpose: string) => {
    setActive(at);
    onOpen(field, purpose);
  }, [onOpen]);

  return (
    // rows and cells are told apart by role: a table could not be cut to what is in sight
    <div className="grid-frame" ref={frame}>
      <div role="grid" aria-label={t('grid')} aria-rowcount={rows.length + 1} aria-colcount={columns.length + 1} className="policy-grid" style={{ '--columns': columns.length } as CSSProperties}
        onKeyDown={move}>
        <div role="row" aria-rowindex={1} className="grid-row grid-head">
          <div role="columnheader" aria-colindex={1} className="grid-name">{t('field')}</div>
          {columns.map((each, at) => <div key={each} role="columnheader" aria-colindex={at + 2} className="grid-cell">{words(matrix.purposes[each]?.title ?? { en: '', zh: '' })}</div>)}
        </div>
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map(({ index, start, size }) => {
            const shown = rows[index];
            if (shown === undefined) return null;
            const place = { transform: `translateY(${start}px)`, height: size } as const;
            if (isDataset(shown)) {
              return <div key={shown.dataset} role="row" aria-rowindex={index + 2} className="grid-row grid-dataset" style={place}>
                <div role="rowheader" aria-colindex={1} aria-colspan={columns.length + 1}>{words(shown.title)} <code>{shown.dataset}</code></div></div>;
            }
            return <FieldCells key={shown.field.field} matrix={matrix} shown={shown} index={index} start={start} size={size} columns={columns} markOf={markOf} active={index === row ? column : -1}
              onPick={pick} />;
          })}
        </div>
      </div>
    </div>
  );
}

type FieldProps = Pick<GridProps, 'matrix' | 'columns' | 'markOf'> & {
  readonly shown: Extract<GridRow, { readonly field: PolicyFieldView }>; readonly index: number; readonly start: number; readonly size: number;
  /** Column of the active cell; -1 in all rows but one. */
  readonly active: number;
  readonly onPick: (at: { readonly row: number; readonly column: number }, field: PolicyFieldView, purpose: string) => void;
};

/** A row that stays in sight while the grid is scrolled is not worked out again. */
const FieldCells = memo(function FieldCells({ matrix, shown: { field, at }, index, start, size, columns, markOf, active, onPick }: FieldProps) {
  return (
    <div role="row" aria-rowindex={index + 2} className="grid-row" style={{ transform: `translateY(${start}px)`, height: size }}>
      <div role="rowheader" aria-colindex={1} className="grid-name"><FieldName field={field} /></div>
      {columns.map((each, column) => {
        const purpose = matrix.purposes[each]?.code ?? '';
        const outcome = matrix.outcomes[matrix.cells[at + each] ?? -1];
        return <Cell key={each} column={column} outcome={outcome} mark={markOf(field.field, purpose)} active={column === active} onPress={() => onPick({ row: index, column }, field, purpose)} />;
      })}
    </div>
  );
});

function FieldName({ field: { field, title, level, kind } }: { readonly field: PolicyFieldView }) {
  const t = useTexts(gridTexts);
  const words = useWords();
  return (
    <>
      <span className="grid-title">{words(title)}</span>
      <span className="grid-more"><span className={`level level-${level}`}>{t('levelOf', { level })}</span> {t(kind)} <code>{field.slice(field.indexOf('.') + 1)}</code></span>
    </>
  );
}

type CellProps = { readonly column: number; readonly outcome: PolicyOutcomeView | undefined; readonly mark: CellMark; readonly active: boolean; readonly onPress: () => void };

function Cell({ column, outcome, mark, active, onPress }: CellProps) {
  const t = useTexts(gridTexts);
  if (outcome === undefined) return null;
  return (
    <div role="gridcell" aria-colindex={column + 2} tabIndex={active ? 0 : -1} className={`grid-cell says ${look(outcome)} ${mark ?? ''}`} onClick={onPress}
      {...(active ? { 'data-active': '' } : {})}>
      <span>{t(name(outcome))}</span>
      {outcome.conditional && <span className="grid-more">{t('conditional')}</span>}
      {mark !== undefined && <span className="grid-mark">{t(mark)}</span>}
    </div>
  );
}

/** Which of the eight looks a cell has: closed in three ways, or open in one. */
export function look({ disposition, reason }: Pick<PolicyOutcomeView, 'disposition' | 'reason'>): string {
  if (disposition !== 'withhold') return `says-${disposition}`;
  return reason === 'not_minimum_for_purpose' || reason === 'not_available' ? 'says-never' : 'says-withhold';
}

const names = { clear: 'clear', mask: 'mask', band: 'band', token: 'token', verify: 'verifyShort', score: 'scoreShort', aggregate: 'aggregateShort', withhold: 'withhold' } as const;

/** The short word for what a cell says. */
export function name({ disposition, reason }: Pick<PolicyOutcomeView, 'disposition' | 'reason'>): (typeof names)[keyof typeof names] | 'not_minimum_for_purpose' | 'not_available' {
  if (disposition === 'withhold' && (reason === 'not_minimum_for_purpose' || reason === 'not_available')) return reason;
  return names[disposition as keyof typeof names] ?? 'withhold';
}

function focusActive(frame: HTMLElement | null): void {
  frame?.querySelector<HTMLElement>('[data-active]')?.focus();
}

function afterFrames(frames: number, act: () => void): void {
  requestAnimationFrame(() => (frames === 1 ? act() : afterFrames(frames - 1, act)));
}

function isDataset(row: GridRow | undefined): row is Extract<GridRow, { dataset: string }> {
  return row !== undefined && 'dataset' in row;
}

function nearestField(rows: readonly GridRow[], at: number): number {
  const from = Math.min(at, rows.length - 1);
  const found = rows.findIndex((row, index) => index >= from && !isDataset(row));
  return found < 0 ? rows.findLastIndex((row) => !isDataset(row)) : found;
}

type Place = { readonly row: number; readonly column: number };

function moveTo({ key, ctrlKey }: KeyboardEvent, rows: readonly GridRow[], { row, column }: Place, columns: number): Place | undefined {
  const step = (by: number) => {
    let at = row;
    for (let left = Math.abs(by); left > 0;) {
      const next = at + Math.sign(by);
      if (next < 0 || next >= rows.length) break;
      at = next;
      if (!isDataset(rows[at])) left -= 1;
    }
    return isDataset(rows[at]) ? row : at;
  };
  switch (key) {
    case 'ArrowDown': return { row: step(1), column };
    case 'ArrowUp': return { row: step(-1), column };
    case 'PageDown': return { row: step(10), column };
    case 'PageUp': return { row: step(-10), column };
    case 'ArrowRight': return { row, column: Math.min(column + 1, columns - 1) };
    case 'ArrowLeft': return { row, column: Math.max(column - 1, 0) };
    case 'Home': return ctrlKey ? { row: nearestField(rows, 0), column: 0 } : { row, column: 0 };
    case 'End': return ctrlKey ? { row: rows.findLastIndex((each) => !isDataset(each)), column: columns - 1 } : { row, column: columns - 1 };
    default: return undefined;
  }
}
