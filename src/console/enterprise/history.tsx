import { useEffect, useState } from 'react';
import { useSearchParams } from 'react-router';
import { isIsoDate, nextDay } from '../../calendar.ts';
import { grantsClient } from '../../sdk/grants.ts';
import { Button } from '../parts/button.tsx';
import { FieldRow, Select, TextField } from '../parts/fields.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { useTexts } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { EntryList, type EntryFilter } from './entry-list.tsx';
import { historyTexts } from './history-texts.ts';
import { useInstitutionNames } from './institution-names.ts';

/** Filters as the address of the page carries them, so that a view can be kept and shared. */
type Filters = { readonly institution: string; readonly from: string; readonly to: string; readonly outcome: 'any' | 'released' | 'refused' };

const everybody = 'all';
/** Institutions offered to filter by: those of the newest grants. */
const offeredMax = 100;

function filtersOf(search: URLSearchParams): Filters {
  const outcome = search.get('outcome');
  return {
    institution: search.get('institution') ?? everybody, from: search.get('from') ?? '', to: search.get('to') ?? '', outcome: outcome === 'released' || outcome === 'refused' ? outcome : 'any',
  };
}

/** Days are those of Shanghai, both included. */
function asAsked({ institution, from, to, outcome }: Filters): EntryFilter {
  const midnight = (day: string) => new Date(`${day}T00:00:00+08:00`).toISOString();
  return {
    ...(institution === everybody ? {} : { institution }), ...(outcome === 'any' ? {} : { outcome }),
    ...(isIsoDate(from) ? { from: midnight(from) } : {}), ...(isIsoDate(to) ? { to: midnight(nextDay(to)) } : {}),
  };
}

/** Everything that happened to the enterprise's data and grants. */
export default function History() {
  const t = useTexts(historyTexts);
  const [search, setSearch] = useSearchParams();
  const filters = filtersOf(search);
  const filter = asAsked(filters);
  const isFiltered = Object.keys(filter).length > 0;
  const apply = (chosen: Filters) => setSearch(Object.entries(chosen).filter(([, value]) => value !== '' && value !== everybody && value !== 'any'), { replace: true });
  return (
    <PageBody title={t('title')} lead={t('lead')}>
      <Section title={t('filters')}><FilterForm filters={filters} onApply={apply} /></Section>
      <Section title={t('caption')}><EntryList key={search.toString()} filter={filter} caption={t('caption')} empty={isFiltered ? t('nothing') : t('none')} /></Section>
    </PageBody>
  );
}

function FilterForm({ filters, onApply }: { readonly filters: Filters; readonly onApply: (filters: Filters) => void }) {
  const t = useTexts(historyTexts);
  const [chosen, setChosen] = useState(filters);
  const { institution, from, to, outcome } = filters;
  // the way back in the browser's history changes filters too
  useEffect(() => setChosen({ institution, from, to, outcome }), [institution, from, to, outcome]);
  const known = useRead(['grants', 'institutions'], async (calls) => (await grantsClient(calls).grants({ limit: offeredMax })).grants.map(({ institution }) => institution));
  const offered = [...new Set([...(filters.institution === everybody ? [] : [filters.institution]), ...(known.data ?? [])])];
  const nameOf = useInstitutionNames(offered);
  const set = (change: Partial<Filters>) => setChosen({ ...chosen, ...change });
  return (
    <form onSubmit={(event) => { event.preventDefault(); onApply(chosen); }}>
      <FieldRow>
        <Select
          label={t('institution')} value={chosen.institution} onChange={(id) => set({ institution: id })}
          options={[{ value: everybody, label: t('allInstitutions') }, ...offered.map((id) => ({ value: id, label: nameOf(id) }))]}
        />
        <Select
          label={t('outcome')} value={chosen.outcome} onChange={(outcome) => set({ outcome })}
          options={[{ value: 'any', label: t('anyOutcome') }, { value: 'released', label: t('released') }, { value: 'refused', label: t('refused') }]}
        />
        <TextField label={t('from')} type="date" value={chosen.from} onChange={(from) => set({ from })} />
        <TextField label={t('until')} type="date" value={chosen.to} onChange={(to) => set({ to })} />
      </FieldRow>
      <div className="buttons">
        <Button type="submit" look="primary">{t('apply')}</Button>
        <Button onPress={() => onApply({ institution: everybody, from: '', to: '', outcome: 'any' })}>{t('clear')}</Button>
      </div>
    </form>
  );
}
