import type { ReactNode } from 'react';
import { frameTexts } from '../shell/frame-texts.ts';
import { useTexts } from '../shell/language.tsx';
import { EmptyNote } from './notes.tsx';

export type Column<Row> = {
  readonly id: string;
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  /** Figures stand on the right. */
  readonly numeric?: boolean;
};

type TableProps<Row> = {
  /** What the table is about, for those who cannot see it. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** The column that names the row; the first unless said otherwise. */
  readonly heading?: string;
  readonly empty?: ReactNode;
  readonly showCaption?: boolean;
};

/** Rows under headings. On a narrow screen each row becomes a block with its headings beside the values. */
export function Table<Row>({ caption, columns, rows, keyOf, heading = columns[0]?.id, empty, showCaption = false }: TableProps<Row>) {
  if (rows.length === 0) return <EmptyNote>{empty}</EmptyNote>;
  return (
    <div className="table-frame" role="region" aria-label={caption} tabIndex={0}>
      <table className="table">
        <caption className={showCaption ? '' : 'unseen'}>{caption}</caption>
        <thead><tr>{columns.map((column) => <th key={column.id} scope="col" className={column.numeric === true ? 'numeric' : ''}>{column.title}</th>)}</tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => {
                const className = column.numeric === true ? 'numeric' : '';
                return column.id === heading
                  ? <th key={column.id} scope="row" className={className} data-title={column.title}>{column.cell(row)}</th>
                  : <td key={column.id} className={className} data-title={column.title}>{column.cell(row)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Names and values of one thing. */
export function Facts({ items }: { readonly items: readonly (readonly [string, ReactNode])[] }) {
  return <dl className="facts">{items.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

/** Digests and ids: whole for those who copy them, short to look at. */
export function Digest({ value, characters = 12 }: { readonly value: string; readonly characters?: number }) {
  const t = useTexts(frameTexts);
  if (value.length <= characters) return <code>{value}</code>;
  return <code className="digest" title={value}>{value.slice(0, characters)}<span aria-hidden="true">…</span><span className="unseen">{value.slice(characters)}</span><button type="button" className="copy" aria-label={`${t('copy')} ${value.slice(0, characters)}`} onClick={() => void navigator.clipboard.writeText(value)}>{t('copy')}</button></code>;
}
