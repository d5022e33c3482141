import { useMemo, useState } from 'react';
import type { DatasetView, FieldView } from '../../sdk/catalogue.ts';
import { Checkbox, FieldRow, SearchField } from '../parts/fields.tsx';
import { EmptyNote } from '../parts/notes.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useTexts, useWords } from '../shell/language.tsx';
import { matching } from './fields-found.ts';
import { fieldsOf, type Picked } from './query-draft.ts';
import { bankTexts } from './texts.ts';
import { TypedField } from './typed-value.tsx';

/** Datasets one opens and chooses fields in. */
export function FieldPicker({ datasets, picked, onChange }: { readonly datasets: readonly DatasetView[]; readonly picked: Picked; readonly onChange: (picked: Picked) => void }) {
  const t = useTexts(bankTexts);
  const common = useTexts(frameTexts);
  const words = useWords();
  const [search, setSearch] = useState('');
  const found = useMemo(() => matching(datasets, search), [datasets, search]);
  const fields = useMemo(() => fieldsOf({ datasets }), [datasets]);
  const set = (field: string, use: 'read' | 'verify', isPicked: boolean) =>
    onChange(isPicked ? [...picked, { field, use, claimed: '' }] : picked.filter((one) => one.field !== field || one.use !== use));
  const toVerify = picked.filter(({ use }) => use === 'verify');
  return (
    <>
      <FieldRow><SearchField label={t('findField')} value={search} onChange={setSearch} /></FieldRow>
      {found.length === 0 && <EmptyNote>{common('nothingFound')}</EmptyNote>}
      <div className="pick-datasets">
        {found.map((dataset) => {
          const count = picked.filter(({ field }) => dataset.fields.some((one) => one.field === field)).length;
          return (
            <details key={dataset.id} open={search.trim() !== '' || count > 0}>
              <summary>{words(dataset.title)} <span className="hint">{count > 0 && t('chosen', { count })}</span></summary>
              <ul>{dataset.fields.map((field) => <PickField key={field.field} field={field} picked={picked} onSet={set} />)}</ul>
            </details>
          );
        })}
      </div>
      <p role="status" className="hint">{picked.length === 0 ? t('noneChosen') : t('chosen', { count: picked.length })}</p>
      {toVerify.length > 0 && <FieldRow>{toVerify.map(({ field, claimed }) => {
        const known = fields.get(field);
        return known !== undefined && (
          <TypedField key={field} field={known} label={t('claimed', { field: words(known.title) })} value={claimed}
            onChange={(value) => onChange(picked.map((one) => (one.field === field && one.use === 'verify' ? { ...one, claimed: value } : one)))} />
        );
      })}</FieldRow>}
    </>
  );
}

function PickField({ field: { field, title }, picked, onSet }: { readonly field: FieldView; readonly picked: Picked; readonly onSet: (field: string, use: 'read' | 'verify', isPicked: boolean) => void }) {
  const t = useTexts(bankTexts);
  const words = useWords();
  const has = (use: 'read' | 'verify') => picked.some((one) => one.field === field && one.use === use);
  return (
    <li>
      <span className="pick-name">{words(title)} <code>{field}</code></span>
      <Checkbox value={has('read')} onChange={(isPicked) => onSet(field, 'read', isPicked)}>{t('read')}<span className="unseen"> {words(title)}</span></Checkbox>
      <Checkbox value={has('verify')} onChange={(isPicked) => onSet(field, 'verify', isPicked)}>{t('verify')}<span className="unseen"> {words(title)}</span></Checkbox>
    </li>
  );
}
