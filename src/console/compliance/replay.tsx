import { useState } from 'react';
import { policiesClient, type PolicyReplayView } from '../../sdk/policies.ts';
import { Button } from '../parts/button.tsx';
import { Select } from '../parts/fields.tsx';
import { EmptyNote, Read } from '../parts/notes.tsx';
import { Table } from '../parts/table.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { versionTexts } from './version-texts.ts';

const counts = ['100', '1000', '10000'] as const;

/** How the newest real decisions would have come out: counts, fields and institutions, never a value. */
export function Replay({ version }: { readonly version: number }) {
  const t = useTexts(versionTexts);
  const { number } = useFormats();
  const [count, setCount] = useState<(typeof counts)[number]>('1000');
  const [asked, setAsked] = useState<string>();
  const replay = useRead(['policies', 'replay', version, asked], (calls) => policiesClient(calls).replay(version, Number(asked)), { enabled: asked !== undefined });
  return (
    <>
      <div className="field-row">
        <Select label={t('replayCount')} value={count} options={counts.map((value) => ({ value, label: number(Number(value)) }))} onChange={setCount} />
        <Button onPress={() => setAsked(count)} busy={replay.isFetching}>{t('runReplay')}</Button>
      </div>
      {asked !== undefined && <Read of={replay}>{(found) => <Answer replay={found} />}</Read>}
    </>
  );
}

function Answer({ replay }: { readonly replay: PolicyReplayView }) {
  const t = useTexts(versionTexts);
  const { number } = useFormats();
  if (replay.queries === 0) return <EmptyNote>{t('replayNone')}</EmptyNote>;
  const columns = (['more', 'less', 'otherwise', 'unknown'] as const).map((id) => ({ id, title: t(id), numeric: true, cell: (row: Readonly<Record<typeof id, number>>) => number(row[id]) }));
  const { queries, more, less, otherwise, unknown, skipped, unlike_record: unlike } = replay;
  return (
    <div role="status">
      <p><strong>{t('replayAnswer', { queries: number(queries), more: number(more), less: number(less), otherwise: number(otherwise) })}</strong></p>
      <p className="hint">{t('replayUnknown', { unknown: number(unknown), skipped: number(skipped), unlike: number(unlike) })}</p>
      {replay.institutions.length > 0 && <Table caption={t('institutions')} showCaption rows={replay.institutions} keyOf={({ institution }) => institution}
        columns={[{ id: 'institution', title: t('institutions'), cell: ({ institution }) => institution }, ...columns]} />}
      {replay.fields.length > 0 && <Table caption={t('fields')} showCaption rows={replay.fields} keyOf={({ field, use }) => `${field} ${use}`}
        columns={[{ id: 'field', title: t('fields'), cell: ({ field, use }) => <><code>{field}</code> {use}</> }, ...columns]} />}
    </div>
  );
}
