import { useSearchParams } from 'react-router';
import { objectionsClient, type ObjectionState, type ObjectionSummary } from '../../sdk/objections.ts';
import { PageLink } from '../parts/button.tsx';
import { Select } from '../parts/fields.tsx';
import { Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Pager, usePages } from '../parts/pager.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { objectionTexts } from './objection-texts.ts';
import { Deadline, useObjectionAbout } from './objection-words.tsx';
import { StateTag } from './state-tag.tsx';
import { objectionStates } from './words.ts';

const pageLength = 25;
const states = Object.keys(objectionStates) as readonly ObjectionState[];

/** Everything the enterprise objected to. */
export default function Objections() {
  const t = useTexts(objectionTexts);
  const words = useWords();
  const [search, setSearch] = useSearchParams();
  const state = states.find((one) => one === search.get('state'));
  const pages = usePages<string>();
  const asked = { limit: pageLength, ...(state === undefined ? {} : { state }), ...(pages.cursor === undefined ? {} : { after: pages.cursor }) };
  const found = useRead(['objections', asked], (calls) => objectionsClient(calls).list(asked), { keepPrevious: true });
  return (
    <PageBody title={t('title')} lead={t('lead')} actions={<PageLink className="button primary" to="/enterprise/objections/new">{t('make')}</PageLink>}>
      <Select
        label={t('stateFilter')} value={state ?? 'all'} options={[{ value: 'all', label: t('all') }, ...states.map((one) => ({ value: one, label: words(objectionStates[one]) }))]}
        onChange={(chosen) => { pages.restart(); setSearch(chosen === 'all' ? {} : { state: chosen }, { replace: true }); }}
      />
      <Section title={state === undefined ? t('all') : words(objectionStates[state])}>
        <Read of={found}>{({ objections, next }) => <>
          <ObjectionTable objections={objections} empty={state === undefined ? t('none') : t('noneHere')} />
          <Pager pages={pages} next={next} />
        </>}</Read>
      </Section>
    </PageBody>
  );
}

export function ObjectionTable({ objections, empty }: { readonly objections: readonly ObjectionSummary[]; readonly empty: string }) {
  const t = useTexts(objectionTexts);
  const { day } = useFormats();
  const aboutOf = useObjectionAbout();
  const columns: readonly Column<ObjectionSummary>[] = [
    { id: 'about', title: t('about'), cell: (objection) => <PageLink to={`/enterprise/objections/${objection.id}`}>{aboutOf(objection)}</PageLink> },
    { id: 'submitted', title: t('submitted'), cell: ({ submitted_at: at }) => day(at) },
    { id: 'due', title: t('due'), cell: (objection) => <Deadline objection={objection} /> },
    { id: 'state', title: t('state'), cell: ({ state }) => <StateTag of={objectionStates} state={state} /> },
  ];
  return <Table caption={t('caption')} columns={columns} rows={objections} keyOf={({ id }) => id} empty={empty} />;
}
