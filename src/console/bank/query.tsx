import { useMemo } from 'react';
import type { CatalogueView } from '../../sdk/catalogue.ts';
import type { SigningCalls } from '../../sdk/connection.ts';
import { isUscc } from '../../uscc.ts';
import { FieldRow, Select, TextField } from '../parts/fields.tsx';
import { Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { bankArea } from './area.ts';
import { useCatalogue } from './catalogue.tsx';
import { FieldPicker } from './field-picker.tsx';
import { WithOwnKey } from './own-keys.tsx';
import { AskAndAnswer } from './query-answer.tsx';
import { queryOf, useDraft } from './query-draft.ts';
import { Explanation, useExplanation } from './query-explanation.tsx';
import { RowPicker } from './row-picker.tsx';
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

function Builder({ calls, catalogue }: { readonly calls: SigningCalls; readonly catalogue: CatalogueView }) {
  const t = useTexts(bankTexts);
  const words = useWords();
  const { draft, change } = useDraft(catalogue);
  const query = useMemo(() => queryOf(draft, catalogue), [draft, catalogue]);
  const explanation = useExplanation(calls, query);
  const facts = [...new Set([...(explanation.data?.fields.flatMap(({ missing_facts: missing }) => missing) ?? []), ...Object.keys(draft.facts).filter((name) => draft.facts[name] !== '')])];
  const subject = draft.subject.trim().toUpperCase();
  const described = catalogue.purposes.find(({ code }) => code === draft.purpose)?.description;
  return (
    <>
      <Section title={t('fields')}>
        <FieldRow>
          <TextField label={t('subject')} value={draft.subject} onChange={(typed) => change({ subject: typed })} maxLength={18} required error={subject.length === 18 && !isUscc(subject) ? t('subjectWrong') : undefined} />
          <Select label={t('purpose')} value={draft.purpose} onChange={(purpose) => change({ purpose })} options={catalogue.purposes.map(({ code, title }) => ({ value: code, label: words(title) }))} {...(described === undefined ? {} : { hint: words(described) })} />
        </FieldRow>
        <FieldPicker datasets={catalogue.datasets} picked={draft.picked} onChange={(picked) => change({ picked })} />
        <RowPicker datasets={catalogue.datasets} picked={draft.picked} rows={draft.rows} onChange={(rows) => change({ rows })} />
        {facts.length > 0 && <fieldset className="facts-asked"><legend>{t('facts')}</legend><FieldRow>{facts.map((name) => <TextField key={name} label={t('factOf', { name })} value={draft.facts[name] ?? ''} onChange={(value) => change({ facts: { ...draft.facts, [name]: value } })} maxLength={64} />)}</FieldRow></fieldset>}
      </Section>
      <Explanation reading={explanation} query={query} />
      {query !== undefined && <AskAndAnswer calls={calls} query={query} catalogue={catalogue} />}
    </>
  );
}
