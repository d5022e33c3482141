import { useEffect, useMemo, useState } from 'react';
import type { Query } from '../../sdk/bank.ts';
import type { CatalogueView } from '../../sdk/catalogue.ts';
import type { SigningCalls } from '../../sdk/connection.ts';
import { isUscc } from '../../uscc.ts';
import type { Value } from '../../vocabulary.ts';
import { FieldRow, Select, TextField } from '../parts/fields.tsx';
import { Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { bankArea } from './area.ts';
import { useCatalogue } from './catalogue.tsx';
import { FieldPicker, type Picked } from './field-picker.tsx';
import { WithOwnKey } from './own-keys.tsx';
import { AskAndAnswer } from './query-answer.tsx';
import { Explanation, useExplanation } from './query-explanation.tsx';
import { bankTexts } from './texts.ts';
import '../style/bank.css';

/** The query builder: what to ask, what one would get, the answer. */
export default function QueryPage() {
  const t = useTexts(bankTexts);
  const title = useTexts(bankArea.titles);
  const catalogue = useCatalogue();
  return (
    <PageBody title={title('query')} lead={t('queryLead')}>
      <WithOwnKey>{(calls) => <Read of={catalogue}>{(found) => <Builder calls={calls} catalogue={found} />}</Read>}</WithOwnKey>
    </PageBody>
  );
}

export type Draft = { readonly subject: string; readonly purpose: string; readonly picked: Picked; readonly facts: Readonly<Record<string, string>> };
const draftKey = 'veilgate.query-draft';

function Builder({ calls, catalogue }: { readonly calls: SigningCalls; readonly catalogue: CatalogueView }) {
  const t = useTexts(bankTexts);
  const words = useWords();
  const [draft, setDraft] = useState<Draft>(() => keptDraft(catalogue));
  const change = (changes: Partial<Draft>) => setDraft((before) => ({ ...before, ...changes }));
  // claimed values may be secrets of the enterprise: they are not kept
  useEffect(() => sessionStorage.setItem(draftKey, JSON.stringify({ ...draft, picked: draft.picked.map(({ field, use }) => ({ field, use, claimed: '' })) })), [draft]);
  const query = useMemo(() => queryOf(draft, catalogue), [draft, catalogue]);
  const explanation = useExplanation(calls, query);
  const facts = [...new Set([...(explanation.data?.fields.flatMap(({ missing_facts: missing }) => missing) ?? []), ...Object.keys(draft.facts).filter((name) => draft.facts[name] !== '')])];
  const subject = draft.subject.trim().toUpperCase();
  return (
    <>
      <Section title={t('fields')}>
        <FieldRow>
          <TextField label={t('subject')} value={draft.subject} onChange={(typed) => change({ subject: typed })} maxLength={18} required error={subject.length === 18 && !isUscc(subject) ? t('subjectWrong') : undefined} />
          <Select label={t('purpose')} value={draft.purpose} onChange={(purpose) => change({ purpose })} options={catalogue.purposes.map(({ code, title }) => ({ value: code, label: words(title) }))} />
        </FieldRow>
        <FieldPicker datasets={catalogue.datasets} picked={draft.picked} onChange={(picked) => change({ picked })} />
        {facts.length > 0 && <fieldset className="facts-asked"><legend>{t('facts')}</legend><FieldRow>{facts.map((name) => <TextField key={name} label={t('factOf', { name })} value={draft.facts[name] ?? ''} onChange={(value) => change({ facts: { ...draft.facts, [name]: value } })} maxLength={64} />)}</FieldRow></fieldset>}
      </Section>
      <Explanation reading={explanation} query={query} />
      {query !== undefined && <AskAndAnswer calls={calls} query={query} catalogue={catalogue} />}
    </>
  );
}

function keptDraft({ purposes }: CatalogueView): Draft {
  const empty: Draft = { subject: '', purpose: purposes[0]?.code ?? '', picked: [], facts: {} };
  try {
    const kept = JSON.parse(sessionStorage.getItem(draftKey) ?? 'null') as Draft | null;
    return kept === null || !purposes.some(({ code }) => code === kept.purpose) ? empty : { ...empty, ...kept };
  } catch {
    return empty;
  }
}

/** The query as the gateway takes it; undefined while it is not whole. */
function queryOf({ subject, purpose, picked, facts }: Draft, { datasets }: CatalogueView): Query | undefined {
  const code = subject.trim().toUpperCase();
  const types = new Map(datasets.flatMap(({ fields }) => fields.map(({ field, type }) => [field, type])));
  const read = picked.filter(({ use }) => use === 'read').map(({ field }) => field);
  const verify = picked.filter(({ use, claimed }) => use === 'verify' && claimed.trim() !== '').map(({ field, claimed }) => ({ field, claimed: valueOf(claimed.trim(), types.get(field)) }));
  if (!isUscc(code) || read.length + verify.length === 0) return undefined;
  const stated = Object.entries(facts).filter(([, value]) => value.trim() !== '').map(([name, value]) => [name, factOf(value.trim())] as const);
  return {
    subject: code, purpose,
    ...(read.length === 0 ? {} : { read }), ...(verify.length === 0 ? {} : { verify }),
    ...(stated.length === 0 ? {} : { facts: Object.fromEntries(stated) }),
  };
}

/** As the catalogue types the field; what it cannot be is sent as text, for the gateway to refuse. */
function valueOf(text: string, type: string | undefined): Value {
  if (type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

function factOf(text: string): Value {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

