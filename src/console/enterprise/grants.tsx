import { useSearchParams } from 'react-router';
import { grantsClient, type GrantView } from '../../sdk/grants.ts';
import { PageLink } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { Choices } from '../parts/fields.tsx';
import { Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Pager, usePages } from '../parts/pager.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { grantTexts } from './grant-texts.ts';
import { useInstitutionNames } from './institution-names.ts';
import { StateTag } from './state-tag.tsx';
import { grantStates } from './words.ts';

const pageLength = 25;

/** Everything the enterprise granted. */
export default function Grants() {
  const t = useTexts(grantTexts);
  const [search, setSearch] = useSearchParams();
  const show = search.get('show') === 'all' ? 'all' : 'inForce';
  const pages = usePages<string>();
  const asked = { inForce: show === 'inForce', limit: pageLength, ...(pages.cursor === undefined ? {} : { after: pages.cursor }) };
  const grants = useRead(['grants', asked], (calls) => grantsClient(calls).grants(asked), { keepPrevious: true });
  return (
    <PageBody title={t('title')} lead={t('lead')}>
      <Choices
        label={t('show')} value={show} options={[{ value: 'inForce', label: t('inForce') }, { value: 'all', label: t('all') }]}
        onChange={(chosen) => { pages.restart(); setSearch(chosen === 'all' ? { show: 'all' } : {}, { replace: true }); }}
      />
      <Section title={show === 'all' ? t('all') : t('inForce')}>
        <Read of={grants}>{(page) => <>
          <GrantTable grants={page.grants} empty={show === 'all' ? t('none') : t('noneInForce')} />
          <Pager pages={pages} next={page.next} />
        </>}</Read>
      </Section>
    </PageBody>
  );
}

export function GrantTable({ grants, empty }: { readonly grants: readonly GrantView[]; readonly empty: string }) {
  const t = useTexts(grantTexts);
  const { day, number } = useFormats();
  const catalogue = useCatalogueWords();
  const nameOf = useInstitutionNames(grants.map(({ institution }) => institution));
  const columns: readonly Column<GrantView>[] = [
    { id: 'institution', title: t('institution'), cell: ({ id, institution }) => <PageLink to={`/enterprise/grants/${id}`}>{nameOf(institution)}</PageLink> },
    { id: 'purpose', title: t('purpose'), cell: ({ purpose }) => catalogue.purpose(purpose) },
    { id: 'fields', title: t('fields'), numeric: true, cell: ({ fields }) => number(fields.length) },
    { id: 'until', title: t('until'), cell: ({ valid_until: until }) => day(until) },
    { id: 'uses', title: t('usesLeft'), numeric: true, cell: ({ uses_left: left }) => (left === null ? t('unlimited') : number(left)) },
    { id: 'state', title: t('state'), cell: ({ state }) => <StateTag of={grantStates} state={state} /> },
  ];
  return <Table caption={t('caption')} columns={columns} rows={grants} keyOf={({ id }) => id} empty={empty} />;
}
