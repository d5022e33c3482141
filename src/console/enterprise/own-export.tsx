import { useState } from 'react';
import type { GatewayCalls } from '../../sdk/connection.ts';
import { checkExport, checkTable, exportClient, type ExportTrust } from '../../sdk/own-export.ts';
import { platformKeySet } from '../../sdk/platform-keys.ts';
import { Button } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { download } from '../parts/download.ts';
import { Select } from '../parts/fields.tsx';
import { ErrorNote, GoodNote } from '../parts/notes.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { dataTexts } from './data-texts.ts';

const history = { grants: 'partGrants', grant_requests: 'partRequests', objections: 'partObjections', accesses: 'partAccesses' } as const;
const historyParts = Object.keys(history) as readonly (keyof typeof history)[];

const affected = [['accesses']];

/** Everything of one's own as files. What the platform signed is checked here before it is saved. */
export function OwnExport() {
  const t = useTexts(dataTexts);
  return (
    <>
      <p>{t('exportLead')}</p>
      <p>{t('masked')}</p>
      <WholeExport />
      <h3>{t('table')}</h3>
      <TableExport />
    </>
  );
}

async function trustOf(calls: GatewayCalls): Promise<ExportTrust> {
  return { keys: await platformKeySet(calls), issuer: calls.gateway };
}

function WholeExport() {
  const t = useTexts(dataTexts);
  const { number } = useFormats();
  const take = useChange(async (calls) => {
    const trust = await trustOf(calls);
    const text = await exportClient(calls).exportText();
    const { lines, manifest } = await checkExport(text, trust);
    return { text, count: lines.length, index: manifest.log.index };
  }, affected);
  return (
    <>
      {take.error !== null && <ErrorNote error={take.error} />}
      {take.answer !== undefined && <GoodNote><p>{t('checked', { count: number(take.answer.count), index: number(take.answer.index) })}</p></GoodNote>}
      <p><Button look="primary" busy={take.busy} onPress={() => take.run(undefined, ({ text }) => download('veilgate-export.ndjson', 'application/x-ndjson', text))}>{t('all')}</Button></p>
    </>
  );
}

function TableExport() {
  const t = useTexts(dataTexts);
  const { number } = useFormats();
  const catalogue = useCatalogueWords();
  const [part, setPart] = useState<string>('accesses');
  const take = useChange(async (calls, chosen: string) => {
    const trust = await trustOf(calls);
    const table = await exportClient(calls).exportTable(chosen);
    return { ...table, part: chosen, index: (await checkTable(table.csv, table.manifest, trust)).log.index };
  }, affected);
  const options = [...historyParts.map((id) => ({ value: id as string, label: t(history[id]) })), ...catalogue.datasets.map(({ id }) => ({ value: id, label: catalogue.dataset(id) }))];
  return (
    <>
      <Select label={t('part')} value={part} onChange={setPart} options={options} hint={t('tableHint')} />
      {take.error !== null && <ErrorNote error={take.error} />}
      {take.answer !== undefined && <GoodNote><p>{t('checkedTable', { index: number(take.answer.index) })}</p></GoodNote>}
      <Button busy={take.busy} onPress={() => take.run(part, ({ csv, manifest, part: taken }) => {
        download(`veilgate-${taken}.csv`, 'text/csv', csv);
        download(`veilgate-${taken}.csv.jws`, 'application/jose', manifest);
      })}>{t('csv')}</Button>
    </>
  );
}
