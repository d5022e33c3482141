import { useEffect, useState } from 'react';
import { catalogueClient } from '../../sdk/catalogue.ts';
import { Button } from '../parts/button.tsx';
import { FieldRow, Select, TextField, type Option } from '../parts/fields.tsx';
import { useInstitutionOptions } from '../parts/use-institutions.ts';
import { useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { kindGroupNames, kindGroups, kindName, type KindGroup } from './kind-words.ts';
import { emptySearch, isGroup, queryOf, type LogSearch, type SearchName } from './log-search.ts';
import { logTexts } from './log-texts.ts';

/** react-aria takes an empty key for none, so all has a name while it is shown. */
const everything = '*';
const rarely: readonly SearchName[] = ['code', 'dataset', 'policy', 'actor', 'first', 'last'];

/** What to look for: about what an entry is, never about a value. Nothing is asked before it is applied. */
export function LogFilters({ search, onApply }: { readonly search: LogSearch; readonly onApply: (search: LogSearch) => void }) {
  const t = useTexts(logTexts);
  const [typed, setTyped] = useState(search);
  const [shown, setShown] = useState<readonly SearchName[]>(() => queryOf(search).wrong);
  // the way back in the browser's history changes filters too
  useEffect(() => setTyped(search), [search]);
  const set = (name: SearchName) => (value: string) => setTyped((before) => ({ ...before, [name]: value === everything ? '' : value, ...(name === 'group' ? { kind: '' } : {}) }));
  const apply = () => {
    const { wrong } = queryOf(typed);
    setShown(wrong);
    if (wrong.length === 0) onApply(typed);
  };
  const errorOf = (name: SearchName) => (shown.includes(name) ? t('wrong') : undefined);
  const choose = (name: SearchName, label: string, options: readonly Option<string>[], hint?: string) =>
    <Select
      label={label} value={typed[name] === '' ? everything : typed[name]} onChange={set(name)} error={errorOf(name)} {...(hint === undefined ? {} : { hint })}
      options={[{ value: everything, label: t('all') }, ...known(options, typed[name])]}
    />;
  const type = (name: SearchName, label: string, more: { readonly hint?: string; readonly type?: 'date' | 'number'; readonly maxLength?: number } = {}) =>
    <TextField label={label} value={typed[name]} onChange={set(name)} error={errorOf(name)} {...more} />;
  const offered = useOffered(typed.group);
  return (
    <form onSubmit={(event) => { event.preventDefault(); apply(); }}>
      <FieldRow>
        {type('from', t('from'), { type: 'date' })}
        {type('until', t('until'), { type: 'date' })}
        {choose('institution', t('institution'), offered.institutions.options, offered.institutions.hint)}
        {choose('purpose', t('purpose'), offered.purposes)}
      </FieldRow>
      <FieldRow>
        {choose('outcome', t('outcome'), [{ value: 'released', label: t('released') }, { value: 'refused', label: t('refused') }])}
        {choose('group', t('group'), kindGroupNames.map((group) => ({ value: group, label: t(group === 'policy' ? 'policyGroup' : group) })))}
        {choose('kind', t('kind'), offered.kinds)}
      </FieldRow>
      <details open={rarely.some((name) => search[name] !== '' || shown.includes(name))}>
        <summary>{t('moreFilters')}</summary>
        <FieldRow>
          {choose('dataset', t('dataset'), offered.datasets)}
          {type('code', t('code'), { hint: t('codeHint'), maxLength: 64 })}
          {type('actor', t('actor'), { maxLength: 128 })}
        </FieldRow>
        <FieldRow>
          {type('first', t('first'), { type: 'number' })}
          {type('last', t('last'), { type: 'number' })}
          {type('policy', t('policy'), { hint: t('policyHint'), maxLength: 64 })}
        </FieldRow>
      </details>
      <div className="buttons">
        <Button type="submit" look="primary">{t('apply')}</Button>
        <Button onPress={() => { setShown([]); setTyped(emptySearch); onApply(emptySearch); }}>{t('clear')}</Button>
      </div>
    </form>
  );
}

/** A value that came with the address and is not offered stays to be seen. */
function known(options: readonly Option<string>[], value: string): readonly Option<string>[] {
  return value === '' || options.some((option) => option.value === value) ? options : [...options, { value, label: value }];
}

function useOffered(group: string) {
  const words = useWords();
  const institutions = useInstitutionOptions();
  const { data } = useRead(['catalogue'], (calls) => catalogueClient(calls).catalogue());
  const groups: readonly KindGroup[] = isGroup(group) ? [group] : kindGroupNames;
  return {
    institutions,
    purposes: (data?.purposes ?? []).map(({ code, title }) => ({ value: code, label: words(title) })),
    datasets: (data?.datasets ?? []).map(({ id, title }) => ({ value: id, label: words(title) })),
    kinds: groups.flatMap((one) => kindGroups[one].map((kind) => ({ value: kind, label: words(kindName(kind)) }))),
  };
}
