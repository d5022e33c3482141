import { useState } from 'react';
import type { PolicyPurposeField, PolicyPurposeView } from '../../sdk/policy-purposes.ts';
import { Checkbox, FieldRow, SearchField, Select } from '../parts/fields.tsx';
import { EmptyNote } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { Tag } from '../parts/tag.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { gridTexts } from './grid-texts.ts';
import { purposeTexts } from './purpose-texts.ts';

type Props = { readonly view: PolicyPurposeView; readonly chosen: ReadonlySet<string>; readonly isMissing: boolean; readonly onChange: (chosen: ReadonlySet<string>) => void };
type Shown = 'all' | 'needed' | 'changed';
const choices = ['all', 'needed', 'changed'] as const satisfies readonly Shown[];
const names = { all: 'allFields', needed: 'needed', changed: 'changedOnly' } as const;

/** Every field there is, dataset by dataset: those the purpose needs are ticked. */
export function PurposeMinimum({ view, chosen, isMissing, onChange }: Props) {
  const t = useTexts(purposeTexts);
  const words = useWords();
  const [text, setText] = useState('');
  const [shown, setShown] = useState<Shown>('all');
  const wanted = text.trim().toLowerCase();
  const fits = ({ field, title, in_minimum: was }: PolicyPurposeField) => (wanted === '' || `${field} ${title.en} ${title.zh}`.toLowerCase().includes(wanted))
    && (shown === 'all' || (shown === 'needed' ? chosen.has(field) : chosen.has(field) !== was));
  const datasets = view.datasets.map((each) => ({ ...each, fitting: each.fields.filter(fits) })).filter(({ fitting }) => fitting.length > 0);
  const all = view.datasets.flatMap(({ fields }) => fields);
  const set = (field: string, on: boolean) => {
    const next = new Set(chosen);
    if (on) next.add(field);
    else next.delete(field);
    onChange(next);
  };
  return (
    <Section title={t('minimum')}>
      <p>{t('minimumLead')}</p>
      <FieldRow>
        <SearchField label={t('search')} value={text} onChange={setText} />
        <Select label={t('show')} value={shown} options={choices.map((value) => ({ value, label: t(names[value]) }))} onChange={setShown} />
      </FieldRow>
      <p role="status">{t('count', { count: chosen.size, all: all.length })}</p>
      {isMissing && <p className="field-error" role="alert">{t('needOne')}</p>}
      {datasets.length === 0 && <EmptyNote>{t('nothing')}</EmptyNote>}
      {datasets.map(({ dataset, title, fields, fitting }) => (
        <fieldset key={dataset} className="minimum-fields">
          <legend>{words(title)} <span className="more">{t('datasetCount', { count: fields.filter(({ field }) => chosen.has(field)).length, all: fields.length })}</span></legend>
          <ul>{fitting.map((field) => <li key={field.field}><Field field={field} isChosen={chosen.has(field.field)} onChange={(on) => set(field.field, on)} /></li>)}</ul>
        </fieldset>
      ))}
    </Section>
  );
}

function Field({ field: { field, title, level, kind, in_minimum: was, opened }, isChosen, onChange }: { readonly field: PolicyPurposeField; readonly isChosen: boolean; readonly onChange: (on: boolean) => void }) {
  const t = useTexts(purposeTexts);
  const g = useTexts(gridTexts);
  const words = useWords();
  return (
    <Checkbox value={isChosen} onChange={onChange}>
      <span>
        {words(title)} {isChosen !== was && <Tag tone={isChosen ? 'open' : 'closed'}>{t(isChosen ? 'added' : 'removed')}</Tag>}
        <span className="more"><span className={`level level-${level}`}>{g('levelOf', { level })}</span> {g(kind)} <code>{field}</code>{isChosen && !opened && <> · {t('notOpened')}</>}</span>
      </span>
    </Checkbox>
  );
}
