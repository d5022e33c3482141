import { useState, type ComponentProps } from 'react';
import { Button } from '../parts/button.tsx';
import { Table } from '../parts/table.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useTexts } from '../shell/language.tsx';

const step = 25;

/** A table that is all in memory, shown a part at a time. Its headings may take several lines. */
export function LongTable<Row>({ rows, ...table }: ComponentProps<typeof Table<Row>>) {
  const t = useTexts(frameTexts);
  const [shown, setShown] = useState(step);
  return (
    <div className="long-table">
      <Table {...table} rows={rows.slice(0, shown)} />
      {rows.length > shown && (
        <div className="buttons more"><Button onPress={() => setShown(shown + 4 * step)}>{t('more')}</Button><span className="hint">{t('rows', { count: rows.length })}</span></div>
      )}
    </div>
  );
}
