import { useState } from 'react';
import { grantRequestsClient, type GrantRequestView } from '../../sdk/grant-requests.ts';
import { grantsClient } from '../../sdk/grants.ts';
import { Button } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Table } from '../parts/table.tsx';
import { Tag, type Tone } from '../parts/tag.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { bankArea } from './area.ts';
import { useCatalogue } from './catalogue.tsx';
import { bankTexts, useCodes } from './texts.ts';

const tones: Readonly<Record<string, Tone>> = { active: 'good', accepted: 'good', pending: 'warning', paused: 'warning', revoked: 'bad', refused: 'bad' };

/** What enterprises gave, and what they were asked for. */
export default function Grants() {
  const t = useTexts(bankTexts);
  const title = useTexts(bankArea.titles);
  return (
    <PageBody title={title('grants')} lead={t('grantsLead')}>
      <Requests />
      <GrantList />
    </PageBody>
  );
}

function usePurpose(): (code: string) => string {
  const words = useWords();
  const { data } = useCatalogue();
  return (code) => words(data?.purposes.find((purpose) => purpose.code === code)?.title ?? { en: code, zh: code });
}

function Requests() {
  const t = useTexts(bankTexts);
  const common = useTexts(frameTexts);
  const { time } = useFormats();
  const code = useCodes();
  const purpose = usePurpose();
  const [after, setAfter] = useState<string>();
  const [withdrawing, setWithdrawing] = useState<GrantRequestView>();
  const requests = useRead(['grant requests', after], (calls) => grantRequestsClient(calls).grantRequests({ limit: 50, ...(after === undefined ? {} : { after }) }));
  const withdrawal = useChange((calls, id: string) => grantRequestsClient(calls).withdrawGrantRequest(id), [['grant requests']]);
  return (
    <Section title={t('requestsTitle')}>
      <Read of={requests}>{({ requests: rows, next }) => (
        <>
          <Table caption={t('requestsTitle')} rows={rows} keyOf={({ id }) => id} columns={[
            { id: 'subject', title: common('enterprise'), cell: ({ subject }) => <code>{subject}</code> },
            { id: 'purpose', title: t('purpose'), cell: ({ terms }) => purpose(terms.purpose) },
            { id: 'fields', title: t('fields'), cell: ({ terms }) => t('fieldsCount', { count: terms.fields.length }) },
            { id: 'sent', title: t('sent'), cell: ({ created_at: at }) => time(at) },
            { id: 'state', title: common('state'), cell: ({ state, reason }) => <><Tag tone={tones[state] ?? 'neutral'}>{code(state)}</Tag>{reason !== null && <p className="hint">{reason}</p>}</> },
            { id: 'action', title: common('actions'), cell: (request) => request.state === 'pending' && <Button onPress={() => setWithdrawing(request)}>{t('withdraw')}<span className="unseen"> {request.subject}</span></Button> },
          ]} />
          {next !== null && <Button onPress={() => setAfter(next)}>{common('more')}</Button>}
        </>
      )}</Read>
      <Confirm title={t('withdrawTitle')} open={withdrawing !== undefined} onClose={() => setWithdrawing(undefined)} action={t('withdraw')} busy={withdrawal.busy} error={withdrawal.error}
        onConfirm={() => { if (withdrawing !== undefined) withdrawal.run(withdrawing.id, () => setWithdrawing(undefined)); }}>
        <p><code>{withdrawing?.subject}</code></p>
      </Confirm>
    </Section>
  );
}

function GrantList() {
  const t = useTexts(bankTexts);
  const common = useTexts(frameTexts);
  const { day } = useFormats();
  const code = useCodes();
  const purpose = usePurpose();
  const [after, setAfter] = useState<string>();
  const grants = useRead(['grants', after], (calls) => grantsClient(calls).grants({ limit: 50, ...(after === undefined ? {} : { after }) }), { keepPrevious: true });
  return (
    <Section title={t('grantsTitle')}>
      <Read of={grants}>{({ grants: rows, next }) => (
        <>
          <Table caption={t('grantsTitle')} rows={rows} keyOf={({ id }) => id} columns={[
            { id: 'subject', title: common('enterprise'), cell: ({ subject }) => <code>{subject}</code> },
            { id: 'purpose', title: t('purpose'), cell: (grant) => purpose(grant.purpose) },
            { id: 'fields', title: t('fields'), cell: ({ fields }) => <details><summary>{t('fieldsCount', { count: fields.length })}</summary><ul>{fields.map(({ field, ceiling }) => <li key={field}><code>{field}</code> {code(ceiling === 'original' ? 'clear' : 'mask')}</li>)}</ul></details> },
            { id: 'until', title: t('validUntil'), cell: ({ valid_until: until }) => day(until) },
            { id: 'uses', title: t('usesLeft'), cell: ({ uses_left: left }) => left ?? t('unlimited'), numeric: true },
            { id: 'state', title: common('state'), cell: ({ state }) => <Tag tone={tones[state] ?? 'neutral'}>{code(state)}</Tag> },
          ]} />
          {next !== null && <Button onPress={() => setAfter(next)}>{t('olderGrants')}</Button>}
        </>
      )}</Read>
    </Section>
  );
}
