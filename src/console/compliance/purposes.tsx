import { policyCellsClient } from '../../sdk/policy-cells.ts';
import { PageLink } from '../parts/button.tsx';
import { EmptyNote, Read } from '../parts/notes.tsx';
import { PageBody } from '../parts/page.tsx';
import { Table } from '../parts/table.tsx';
import { Tag } from '../parts/tag.tsx';
import { useTexts, useWords, type Words } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { useDraft } from './draft.ts';
import { DraftBar } from './draft-bar.tsx';
import { gridTexts } from './grid-texts.ts';
import { purposeTexts } from './purpose-texts.ts';
import { useVersionInForce } from './version-in-force.ts';
import '../style/compliance.css';

/** What institutions may ask for: one page for each purpose. */
export default function Purposes() {
  const titles = useTexts(complianceArea.titles);
  const t = useTexts(purposeTexts);
  const inForce = useVersionInForce();
  return (
    <PageBody title={titles('purposes')} lead={t('lead')} actions={<PageLink className="button" to="/compliance/new-purpose">{t('make')}</PageLink>}>
      <DraftBar />
      <Read of={inForce}>{(version) => (version === undefined ? <EmptyNote /> : <List version={version.version} />)}</Read>
    </PageBody>
  );
}

type Row = { readonly code: string; readonly title: Words; readonly uses: readonly ('read' | 'verify' | 'score' | 'aggregate')[]; readonly isNew: boolean };

function List({ version }: { readonly version: number }) {
  const t = useTexts(purposeTexts);
  const g = useTexts(gridTexts);
  const words = useWords();
  const { draft } = useDraft();
  const matrix = useRead(['policies', 'matrix', version, undefined, 'read', 'original'], (calls) => policyCellsClient(calls).matrix(version, undefined, 'read', 'original'));
  const drafted = draft.purposes.flatMap(({ purpose, is_new: isNew, title, uses }): Row[] => (isNew === true && title !== undefined ? [{ code: purpose, title, uses: uses ?? [], isNew }] : []));
  const mark = ({ code, isNew }: Row) => (isNew ? <Tag tone="accent">{t('newTag')}</Tag> : draft.purposes.some(({ purpose }) => purpose === code) ? <Tag tone="accent">{t('inDraftTag')}</Tag> : null);
  const to = ({ code, isNew }: Row) => (isNew ? `/compliance/new-purpose?code=${code}` : `/compliance/purposes/${code}`);
  return (
    <Read of={matrix}>{({ purposes }) => (
      <Table caption={t('list')} rows={[...purposes.map((each): Row => ({ ...each, isNew: false })), ...drafted]} keyOf={({ code }) => code} columns={[
        { id: 'title', title: t('list'), cell: (row) => <><PageLink to={to(row)}>{words(row.title)}</PageLink> {mark(row)}</> }, { id: 'code', title: t('code'), cell: ({ code }) => <code>{code}</code> },
        { id: 'uses', title: t('uses'), cell: ({ uses }) => uses.map((use) => g(use)).join(', ') },
      ]} />
    )}</Read>
  );
}
