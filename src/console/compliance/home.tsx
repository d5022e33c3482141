import type { ReactNode } from 'react';
import type { GatewayCalls } from '../../sdk/connection.ts';
import { jointProjectsClient } from '../../sdk/joint-projects.ts';
import { modelsClient } from '../../sdk/models.ts';
import { objectionsClient } from '../../sdk/objections.ts';
import { officerClient } from '../../sdk/officer.ts';
import { policiesClient } from '../../sdk/policies.ts';
import { PageLink } from '../parts/button.tsx';
import { PageBody } from '../parts/page.tsx';
import { useTexts } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { homeTexts } from './home-texts.ts';
import { useVersionInForce } from './version-in-force.ts';
import '../style/compliance.css';

type Tile = { readonly name: 'proposals' | 'withholds' | 'institutions' | 'models' | 'projects' | 'objections' | 'officers'; readonly to: string; readonly scopes: readonly string[];
  readonly count: (calls: GatewayCalls) => Promise<number> };

const tiles: readonly Tile[] = [
  { name: 'proposals', to: '/compliance/versions', scopes: ['compliance'], count: async (calls) => (await policiesClient(calls).list({ state: 'proposed' })).versions.length },
  { name: 'withholds', to: '/compliance/withholds', scopes: ['compliance'],
    count: async (calls) => (await policiesClient(calls).withholds()).withholds.filter(({ ending }) => ending === null).length },
  { name: 'institutions', to: '/compliance/institutions', scopes: ['compliance', 'registry'],
    count: async (calls) => (await officerClient(calls).institutions()).institutions.filter(({ status }) => status === 'applied' || status === 'assessed').length },
  { name: 'models', to: '/compliance/models', scopes: ['compliance'], count: async (calls) => (await modelsClient(calls).list({ state: 'proposed' })).models.length },
  { name: 'projects', to: '/compliance/projects', scopes: ['compliance'],
    count: async (calls) => (await jointProjectsClient(calls).projects()).projects.filter(({ state }) => state === 'proposed').length },
  { name: 'objections', to: '/compliance/objections', scopes: ['compliance'], count: async (calls) => (await objectionsClient(calls).list({ state: 'submitted' })).objections.length },
  { name: 'officers', to: '/compliance/people', scopes: ['compliance', 'registry'], count: async (calls) => (await officerClient(calls).staff()).staff.filter(({ kind, status }) => kind === 'officer'
    && status === 'applied').length },
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

function Count({ tile: { name, to, count } }: { readonly tile: Tile }) {
  const t = useTexts(homeTexts);
  const found = useRead(['home', name], count);
  return <Figure title={<PageLink to={to}>{t(name)}</PageLink>}>{found.error === null ? found.data ?? '…' : t('failed')}</Figure>;
}

function InForce() {
  const t = useTexts(homeTexts);
  const { data } = useVersionInForce();
  return <Figure title={<PageLink to="/compliance/policy">{t('inForce')}</PageLink>}>{data?.version ?? '…'}</Figure>;
}

function Figure({ title, children }: { readonly title: ReactNode; readonly children: ReactNode }) {
  return <div className="figure"><b>{children}</b><span>{title}</span></div>;
}
