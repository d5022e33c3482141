import { useSearchParams } from 'react-router';
import { grantRequestsClient, type GrantRequestView } from '../../sdk/grant-requests.ts';
import { PageLink } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { Choices } from '../parts/fields.tsx';
import { Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Pager, usePages } from '../parts/pager.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { requestTexts } from './request-texts.ts';
import { StateTag } from './state-tag.tsx';
import { requestStates } from './words.ts';

const pageLength = 25;

/** What institutions asked of this enterprise. */
export default function Requests() {
  const t = useTexts(requestTexts);
  const [search, setSearch] = useSearchParams();
  const show = search.get('show') === 'all' ? 'all' : 'pending';
  const pages = usePages<string>();
  const asked = { limit: pageLength, ...(show === 'pending' ? { state: 'pending' as const } : {}), ...(pages.cursor === undefined ? {} : { after: pages.cursor }) };
  const requests = useRead(['grant-requests', asked], (calls) => grantRequestsClient(calls).grantRequests(asked), { keepPrevious: true });
  return (
    <PageBody title={t('title')} lead={t('lead')}>
      <Choices
        label={t('show')} value={show} options={[{ value: 'pending', label: t('pending') }, { value: 'all', label: t('all') }]}
        onChange={(chosen) => { pages.restart(); setSearch(chosen === 'all' ? { show: 'all' } : {}, { replace: true }); }}
      />
      <Section title={t(show)}>
        <Read of={requests}>{(page) => <>
          <RequestTable requests={page.requests} empty={show === 'all' ? t('none') : t('nonePending')} />
          <Pager pages={pages} next={page.next} />
        </>}</Read>
      </Section>
    </PageBody>
  );
}

export function RequestTable({ requests, empty }: { readonly requests: readonly GrantRequestView[]; readonly empty: string }) {
  const t = useTexts(requestTexts);
  const words = useWords();
  const { day, number } = useFormats();
  const catalogue = useCatalogueWords();
  const columns: readonly Column<GrantRequestView>[] = [
    {
      id: 'institution', title: t('institution'),
      cell: ({ id, institution, institution_name: name }) => <PageLink to={`/enterprise/requests/${id}`}>{name === null ? institution : words(name)}</PageLink>,
    },
    { id: 'purpose', title: t('purpose'), cell: ({ terms }) => catalogue.purpose(terms.purpose) },
    { id: 'fields', title: t('fields'), numeric: true, cell: ({ terms }) => number(terms.fields.length) },
    { id: 'asked', title: t('asked'), cell: ({ created_at: at }) => day(at) },
    { id: 'expires', title: t('expires'), cell: ({ expires_at: at, state }) => (state === 'pending' ? day(at) : '–') },
    { id: 'state', title: t('state'), cell: ({ state }) => <StateTag of={requestStates} state={state} /> },
  ];
  return <Table caption={t('caption')} columns={columns} rows={requests} keyOf={({ id }) => id} empty={empty} />;
}
