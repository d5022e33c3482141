import { queryClient, type Query, type QueryExplanation } from '../../sdk/bank.ts';
import type { SigningCalls } from '../../sdk/connection.ts';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { EmptyNote, Read } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { Table } from '../parts/table.tsx';
import { Tag, type Tone } from '../parts/tag.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useTexts } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { useSettled } from '../shell/use-settled.ts';
import { RequestGrant } from './request-grant.tsx';
import { bankTexts, useCodes } from './texts.ts';

/** What the query would give, asked anew a moment after it changed. Spends nothing. */
export function useExplanation(calls: SigningCalls, query: Query | undefined) {
  const text = query === undefined ? '' : JSON.stringify(query);
  const asked = useSettled(text);
  return useRead(['explanation', asked], () => queryClient(calls).explain(JSON.parse(asked) as Query), { enabled: asked !== '', keepPrevious: true });
}

const tones: Readonly<Record<string, Tone>> = { clear: 'open', mask: 'partly', band: 'partly', token: 'partly', verify: 'partly', withhold: 'closed' };

/** Field by field, with what is missing and the way to ask for it. */
export function Explanation({ reading, query }: { readonly reading: ReturnType<typeof useExplanation>; readonly query: Query | undefined }) {
  const t = useTexts(bankTexts);
  const common = useTexts(frameTexts);
  const code = useCodes();
  const { field: name } = useCatalogueWords();
  if (query === undefined) return <Section title={t('explanation')}><EmptyNote>{t('explainWaits')}</EmptyNote></Section>;
  return (
    <Section title={t('explanation')}>
      <Read of={reading}>{(explanation: QueryExplanation) => (
        <>
          <p role="status">{explanation.grant === null ? t('grantNone', { problem: code(explanation.grant_problem ?? 'CONSENT_REQUIRED') }) : t('grantUsed', { grant: explanation.grant })}</p>
          <Table caption={t('explanation')} rows={explanation.fields} keyOf={({ field, use }) => `${field} ${use}`} columns={[
            { id: 'field', title: common('field'), cell: ({ field }) => <>{name(field)} <code>{field}</code></> },
            { id: 'use', title: t('use'), cell: ({ use }) => (use === 'read' || use === 'verify' ? t(use) : code(use)) },
            { id: 'now', title: t('now'), cell: ({ disposition }) => <Tag tone={tones[disposition] ?? 'neutral'}>{code(disposition)}</Tag> },
            { id: 'why', title: t('why'), cell: ({ reason, missing_facts: missing }) => `${code(reason)}${missing.length === 0 ? '' : `: ${missing.join(', ')}`}` },
            { id: 'then', title: t('ifConsented'), cell: (field) => <Tag tone={tones[field.with_original_consent] ?? 'neutral'}>{code(field.with_original_consent)}</Tag> },
          ]} />
          {explanation.grant_needed?.map((needed) => <RequestGrant key={needed.purpose} subject={query.subject} needed={needed} />)}
        </>
      )}</Read>
    </Section>
  );
}
