import type { ReactNode } from 'react';
import type { GatewayCalls } from '../../sdk/connection.ts';
import { jointProjectsClient } from '../../sdk/joint-projects.ts';
import { modelsClient } from '../../sdk/models.ts';
import { objectionsClient } from '../../sdk/objections.ts';
import { officerClient } from '../../sdk/officer.ts';
import { policiesClient } from '../../sdk/policies.ts';
import { allPages, type Listed } from '../parts/all-pages.ts';
import { PageLink } from '../parts/button.tsx';
import { PageBody } from '../parts/page.tsx';
import { readInstitutions } from '../parts/use-institutions.ts';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { homeTexts } from './home-texts.ts';
import { useVersionInForce } from './version-in-force.ts';
import '../style/compliance.css';

type Tile = {
  readonly name: 'proposals' | 'withholds' | 'institutions' | 'models' | 'projects' | 'objections' | 'officers'; readonly to: string; readonly scopes: readonly string[];
  /** What a decision elsewhere in the console reads anew. */
  readonly affectedBy: string;
  /** What waits. */
  readonly read: (calls: GatewayCalls) => Promise<Listed<unknown>>;
};

/** The rows of a list that wait, by what the list says of each. */
const waitingIn = async <Row,>(listed: Promise<Listed<Row>>, waits: (row: Row) => boolean): Promise<Listed<Row>> => {
  const { rows, isCut } = await listed;
  return { rows: rows.filter(waits), isCut };
};

const tiles: readonly Tile[] = [
  { name: 'proposals', to: '/compliance/versions', scopes: ['compliance'], affectedBy: 'policies', read: (calls) => allPages(async (before: number | undefined) => {
    const { versions, next } = await policiesClient(calls).list({ state: 'proposed', ...(before === undefined ? {} : { before }) });
    return { rows: versions, next };
  }) },
  { name: 'withholds', to: '/compliance/withholds', scopes: ['compliance'], affectedBy: 'policies',
    read: async (calls) => ({ rows: (await policiesClient(calls).withholds()).withholds.filter(({ ending }) => ending === null), isCut: false }) },
  { name: 'institutions', to: '/compliance/institutions', scopes: ['compliance', 'registry'], affectedBy: 'institutions',
    read: (calls) => waitingIn(readInstitutions(calls), ({ status }) => status === 'applied' || status === 'assessed') },
  { name: 'models', to: '/compliance/models', scopes: ['compliance'], affectedBy: 'models', read: (calls) => allPages(async (after: string | undefined) => {
    const { models, next } = await modelsClient(calls).list({ state: 'proposed', ...(after === undefined ? {} : { after }) });
    return { rows: models, next };
  }) },
  { name: 'projects', to: '/compliance/projects', scopes: ['compliance'], affectedBy: 'projects', read: (calls) => waitingIn(allPages(async (after: string | undefined) => {
    const { projects, next } = await jointProjectsClient(calls).projects(after);
    return { rows: projects, next };
  }), ({ state }) => state === 'proposed') },
  { name: 'objections', to: '/compliance/objections', scopes: ['compliance'], affectedBy: 'objections', read: (calls) => allPages(async (after: string | undefined) => {
    const { objections, next } = await objectionsClient(calls).list({ state: 'submitted', ...(after === undefined ? {} : { after }) });
    return { rows: objections, next };
  }) },
  { name: 'officers', to: '/compliance/people', scopes: ['compliance', 'registry'], affectedBy: 'staff', read: (calls) => waitingIn(allPages(async (after: string | undefined) => {
    const { staff, next } = await officerClient(calls).staff(after);
    return { rows: staff, next };
  }), ({ kind, status }) => kind === 'officer' && status === 'applied') },
];

export default function Home() {
  const titles = useTexts(complianceArea.titles);
  const t = useTexts(homeTexts);
  const { scopes } = useSession();
  return (
    <PageBody title={titles('home')} lead={t('lead')}>
      <div className="figures">
        {scopes.includes('compliance') && <InForce />}
        {tiles.filter((tile) => tile.scopes.some((scope) => scopes.includes(scope))).map((tile) => <Count key={tile.name} tile={tile} />)}
      </div>
    </PageBody>
  );
}

function Count({ tile: { name, to, affectedBy, read } }: { readonly tile: Tile }) {
  const t = useTexts(homeTexts);
  const { number } = useFormats();
  const { data, error } = useRead([affectedBy, 'waiting', name], read);
  const count = data === undefined ? '…' : data.isCut ? t('atLeast', { count: number(data.rows.length) }) : number(data.rows.length);
  return <Figure title={<PageLink to={to}>{t(name)}</PageLink>}>{error === null ? count : t('failed')}</Figure>;
}

function InForce() {
  const t = useTexts(homeTexts);
  const { data } = useVersionInForce();
  return <Figure title={<PageLink to="/compliance/policy">{t('inForce')}</PageLink>}>{data?.version ?? '…'}</Figure>;
}

function Figure({ title, children }: { readonly title: ReactNode; readonly children: ReactNode }) {
  return <div className="figure"><b>{children}</b><span>{title}</span></div>;
}
