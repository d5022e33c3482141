import { useState } from 'react';
import type { PolicyFact, PolicyFactEdit, PolicyPurposeView } from '../../sdk/policy-purposes.ts';
import { Button } from '../parts/button.tsx';
import { EmptyNote } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { Table } from '../parts/table.tsx';
import { Tag } from '../parts/tag.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { useDraft } from './draft.ts';
import { FactDialog } from './fact-dialog.tsx';
import { purposeTexts } from './purpose-texts.ts';

/** On what the answers hang besides consent, and what conditions may ask about. */
export function PurposeFacts({ view }: { readonly view: PolicyPurposeView }) {
  const t = useTexts(purposeTexts);
  const words = useWords();
  const { conditions } = view;
  return (
    <>
      <Section title={t('conditions')}>
        <p>{t('conditionsLead')}</p>
        {conditions.length === 0 ? <EmptyNote>{t('noConditions')}</EmptyNote> : (
          <ul className="change-list">{conditions.map((each) => <li key={each.words.en}>{words(each.words)} <span className="more">{t('ruleCount', { count: each.rules.length })}</span></li>)}</ul>
        )}
      </Section>
      <Facts view={view} />
    </>
  );
}

type Row = { readonly fact: string; readonly declared: PolicyFact; readonly rules: number; readonly edit: PolicyFactEdit | undefined; readonly isNew: boolean };

function Facts({ view }: { readonly view: PolicyPurposeView }) {
  const t = useTexts(purposeTexts);
  const words = useWords();
  const { draft, setFact, removeFact } = useDraft();
  const [open, setOpen] = useState<{ readonly fact: string | undefined; readonly declared: PolicyFact | undefined }>();
  const asked = new Set(view.conditions.flatMap(({ facts }) => facts));
  const editOf = (name: string) => draft.facts.find(({ fact }) => fact === name);
  const known = view.facts.map((each): Row => ({ ...each, edit: editOf(each.fact), isNew: false }));
  const added = draft.facts.flatMap((edit): Row[] => (edit.declared === null || known.some(({ fact }) => fact === edit.fact) ? [] : [{ fact: edit.fact, declared: edit.declared, rules: 0, edit, isNew: true }]));
  // what this purpose hangs on comes first
  const rows = [...known, ...added].toSorted((a, b) => Number(asked.has(b.fact)) - Number(asked.has(a.fact)));
  return (
    <Section title={t('facts')} actions={<Button onPress={() => setOpen({ fact: undefined, declared: undefined })}>{t('declare')}</Button>}>
      <p>{t('factsLead')}</p>
      <Table caption={t('facts')} rows={rows} keyOf={({ fact }) => fact} columns={[
        { id: 'fact', title: t('fact'), cell: ({ fact, declared, edit, isNew }) => (
          <>{words((edit?.declared ?? declared).title)} {edit !== undefined && <Tag tone="accent">{t(edit.declared === null ? 'factGone' : isNew ? 'newTag' : 'inDraftTag')}</Tag>}
            <span className="more"><code>{fact}</code> {t(fact.startsWith('request.') ? 'stated' : 'platform')}</span></>
        ) },
        { id: 'limits', title: t('limits'), cell: ({ declared, edit }) => <Limits fact={edit?.declared ?? declared} /> },
        { id: 'asked', title: t('asked'), cell: ({ fact, rules }) => <>{t('ruleCount', { count: rules })} {asked.has(fact) && <span className="more">{t('usedHere')}</span>}</> },
        { id: 'change', title: t('changeFact'), cell: ({ fact, declared, rules, edit, isNew }) => (
          <>
            <Button look="quiet" label={`${t('changeFact')}: ${fact}`} onPress={() => setOpen({ fact, declared: edit?.declared ?? declared })}>{t('changeFact')}</Button>
            {rules === 0 && edit === undefined && <Button look="quiet" label={`${t('removeFact')}: ${fact}`} onPress={() => setFact({ fact, declared: null }, view.version)}>{t('removeFact')}</Button>}
            {edit !== undefined && <Button look="quiet" label={`${t('removeFromDraft')}: ${fact}`} onPress={() => { if (isNew) setOpen(undefined); removeFact(fact); }}>{t('removeFromDraft')}</Button>}
          </>
        ) },
      ]} />
      {open !== undefined && <FactDialog key={open.fact ?? ''} fact={open.fact} declared={open.declared} taken={rows.map(({ fact }) => fact)} onClose={() => setOpen(undefined)}
        onDone={(edit) => { setFact(edit, view.version); setOpen(undefined); }} />}
    </Section>
  );
}

function Limits({ fact: { type, unit, min, max, codes } }: { readonly fact: PolicyFact }) {
  const t = useTexts(purposeTexts);
  const range = [...(min === undefined ? [] : [t('from', { min })]), ...(max === undefined ? [] : [t('to', { max })]), ...(unit === undefined ? [] : [unit])];
  return <>{t(type === 'code' ? 'code_' : type)} {range.length > 0 && <span className="more">{range.join(' ')}</span>}{codes !== undefined && <span className="more">{codes.join(', ')}</span>}</>;
}
