import { useState } from 'react';
import { useParams } from 'react-router';
import { grantsClient, type GrantView } from '../../sdk/grants.ts';
import { Button } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { download } from '../parts/download.ts';
import { ErrorNote, GoodNote, Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Digest, Facts, Table, type Column } from '../parts/table.tsx';
import { useFormats, useTexts, useWords, type Translate } from '../shell/language.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { enterpriseArea } from './area.ts';
import { EntryList } from './entry-list.tsx';
import { GrantActions, type GrantAction } from './grant-actions.tsx';
import { grantTexts } from './grant-texts.ts';
import { useInstitutionNames } from './institution-names.ts';
import { StateTag } from './state-tag.tsx';
import { ceilings, grantStates, wordsFor } from './words.ts';

const doneWords = { pause: 'paused', resume: 'resumed', revoke: 'revoked' } as const;

/** One grant: what it allows, what can be done about it, and everything that happened under it. */
export default function Grant() {
  const t = useTexts(grantTexts);
  const titles = useTexts(enterpriseArea.titles);
  const { grant: id = '' } = useParams();
  const grant = useRead(['grants', 'one', id], (calls) => grantsClient(calls).readGrant(id));
  const nameOf = useInstitutionNames([grant.data?.institution]);
  const [done, setDone] = useState<GrantAction>();
  return (
    <PageBody title={grant.data === undefined ? titles('grant') : t('grantTitle', { institution: nameOf(grant.data.institution) })}>
      <Read of={grant}>{(found) => <>
        {done !== undefined && <GoodNote><p>{t(doneWords[done])}</p></GoodNote>}
        <Section title={titles('grant')} actions={<GrantActions grant={found} institution={nameOf(found.institution)} onDone={setDone} />}>
          <GrantFacts grant={found} />
          <Receipt id={found.id} />
        </Section>
        <Section title={t('what')}><GrantedFields fields={found.fields} /></Section>
        <Section title={t('events')}><EntryList filter={{ grant: found.id, institution: found.institution }} caption={t('eventsCaption')} empty={t('noEvents')} /></Section>
      </>}</Read>
    </PageBody>
  );
}

function GrantFacts({ grant }: { readonly grant: GrantView }) {
  const t = useTexts(grantTexts);
  const { time, number } = useFormats();
  const catalogue = useCatalogueWords();
  const frequency = frequencyText(t, grant.frequency);
  return (
    <Facts items={[
      [t('state'), <StateTag key="state" of={grantStates} state={grant.state} />],
      [t('purpose'), catalogue.purpose(grant.purpose)],
      [t('from'), time(grant.valid_from)],
      [t('until'), time(grant.valid_until)],
      [t('kind'), grant.kind === 'one_time' ? t('oneTime') : t('periodic')],
      [t('usesLeft'), grant.uses_left === null ? t('unlimited') : number(grant.uses_left)],
      ...(frequency === undefined ? [] : [[t('frequency'), frequency] as const]),
      [t('dataPeriod'), periodText(t, grant.data_from, grant.data_to)],
      [t('life'), t('lifeDays', { days: grant.data_life_days })],
      [t('origin'), grant.origin === 'signed' ? t('signed') : t('browser')],
      [t('id'), <Digest key="id" value={grant.id} characters={22} />],
    ]} />
  );
}

/** Such as `20 a day`; undefined where there is no bound. */
export function frequencyText(t: Translate<'perDay' | 'perWeek' | 'perMonth'>, frequency: { readonly max: number; readonly per: string } | null | undefined): string | undefined {
  if (frequency === null || frequency === undefined) return undefined;
  const { max, per } = frequency;
  return t(per === 'day' ? 'perDay' : per === 'week' ? 'perWeek' : 'perMonth', { max });
}

/** Days as the gateway writes them, which people here do too. */
export function periodText(t: Translate<'dataBetween' | 'dataFrom' | 'dataTo' | 'anyTime'>, from: string | null | undefined, to: string | null | undefined): string {
  if (typeof from === 'string' && typeof to === 'string') return t('dataBetween', { from, to });
  if (typeof from === 'string') return t('dataFrom', { from });
  return typeof to === 'string' ? t('dataTo', { to }) : t('anyTime');
}

type GrantedField = GrantView['fields'][number];

function GrantedFields({ fields }: { readonly fields: readonly GrantedField[] }) {
  const t = useTexts(grantTexts);
  const words = useWords();
  const catalogue = useCatalogueWords();
  const columns: readonly Column<GrantedField>[] = [
    { id: 'field', title: t('field'), cell: ({ field }) => catalogue.field(field) },
    { id: 'dataset', title: t('dataset'), cell: ({ field }) => catalogue.datasetOf(field) },
    { id: 'ceiling', title: t('ceiling'), cell: ({ ceiling }) => words(wordsFor(ceilings, ceiling)) },
  ];
  return <Table caption={t('what')} columns={columns} rows={fields} keyOf={({ field }) => field} />;
}

function Receipt({ id }: { readonly id: string }) {
  const t = useTexts(grantTexts);
  const { run, busy, error } = useChange((calls) => grantsClient(calls).receipt(id));
  return (
    <>
      {error !== null && <ErrorNote error={error} />}
      <p className="hint">{t('receiptHint')}</p>
      <Button busy={busy} onPress={() => run(undefined, (receipt) => download(`consent-${id}.jws`, 'application/jose', receipt))}>{t('receipt')}</Button>
    </>
  );
}
