import { useParams } from 'react-router';
import { jointProjectsClient, type JointProjectView } from '../../sdk/joint-projects.ts';
import { Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Digest, Facts, Table } from '../parts/table.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { DocumentDecision, type DocumentAction } from './document-decision.tsx';
import { modelTexts } from './model-texts.ts';
import { ProjectState } from './projects.tsx';
import '../style/compliance.css';

export default function ProjectPage() {
  const titles = useTexts(complianceArea.titles);
  const words = useWords();
  const id = useParams()['project'] ?? '';
  const found = useRead(['projects', 'one', id], (calls) => jointProjectsClient(calls).project(id));
  return <PageBody title={found.data === undefined ? titles('project') : words(found.data.title)}><Read of={found}>{(view) => <Project view={view} />}</Read></PageBody>;
}

const possible: Readonly<Record<JointProjectView['state'], readonly DocumentAction[]>> = { proposed: ['approve', 'refuse'], approved: ['stop'], active: ['stop'], refused: [], ended: [], stopped: [] };

function Project({ view }: { readonly view: JointProjectView }) {
  const t = useTexts(modelTexts);
  const frame = useTexts(frameTexts);
  const { time, day, number } = useFormats();
  const { project } = view;
  return (
    <>
      <Section title={frame('details')} actions={<ProjectState state={view.state} />}>
        <Facts items={[
          [t('partner'), view.partner], [t('purpose'), project.purpose], [t('datasets'), project.datasets.join(', ')],
          [t('budget'), t('budgetText', { epsilon: project.budget.epsilon, delta: project.budget.delta })],
          [t('cohortMin'), number(project.cohort_min)], [t('bundles'), number(project.bundles)], [t('endsOn'), day(project.ends_on)], [t('proposedBy'), view.proposed_by],
          [t('proposedAt'), time(view.proposed_at)],
          [t('approvalBy'), view.approvals.length === 0 ? '–' : view.approvals.map(({ by, at }) => <span key={by} className="more">{by} · {time(at)}</span>)],
          ...(view.closed_by === null ? [] : [[t('closedBy'), view.closed_by]] as const), ...(view.reason === null ? [] : [[t('reason'), view.reason]] as const),
          [t('digest'), <Digest key="digest" value={view.digest} />],
        ]} />
      </Section>
      <Section title={t('columns')}>
        <Table caption={t('columns')} rows={project.columns} keyOf={({ name }) => name} columns={[
          { id: 'name', title: t('name'), cell: ({ name }) => name }, { id: 'source', title: t('source'), cell: ({ source }) => <code>{source}</code> },
          { id: 'encoding', title: t('encoding'), cell: ({ encoding }) => (encoding.kind === 'steps' ? t('steps', { steps: encoding.steps, min: encoding.min, max: encoding.max })
            : t('bins', { count: 'edges' in encoding ? encoding.edges.length + 2 : encoding.codes.length + 1 })) },
        ]} />
      </Section>
      <Section title={t('partnerColumns')}>
        <Table caption={t('partnerColumns')} rows={project.partner_columns} keyOf={({ name }) => name} columns={[{ id: 'name', title: t('name'), cell: ({ name }) => name },
          { id: 'bins', title: t('encoding'), cell: ({ bins }) => t('bins', { count: bins }) }]} />
      </Section>
      {['approved', 'active', 'ended', 'stopped'].includes(view.state) && <Section title={t('balances')}><Balances project={view.id} /></Section>}
      <DocumentDecision about="project" actions={possible[view.state]} own={view.proposed_by} approvedBy={view.approvals.map(({ by }) => by)} digest={view.digest} affects={[['projects']]} decide={(calls, action, reason) => {
        const client = jointProjectsClient(calls);
        if (action === 'approve') return client.approve(view.id, view.digest);
        return action === 'refuse' ? client.refuse(view.id, view.digest, reason) : client.stop(view.id, reason);
      }} />
    </>
  );
}

function Balances({ project }: { readonly project: string }) {
  const t = useTexts(modelTexts);
  const { number } = useFormats();
  const balances = useRead(['projects', 'balances', project], (calls) => jointProjectsClient(calls).balances(project));
  return (
    <Read of={balances}>{({ accounts }) => (
      <Table caption={t('balances')} rows={accounts} keyOf={({ account }) => account} columns={[
        { id: 'account', title: t('account'), cell: ({ account }) => account }, { id: 'total', title: t('total'), numeric: true, cell: (row) => number(row.total_rho) },
        { id: 'spent', title: t('spent'), numeric: true, cell: (row) => number(row.spent_rho) },
        { id: 'left', title: t('left'), numeric: true, cell: (row) => number(row.left_rho) }, { id: 'epsilon', title: t('spentEpsilon'), numeric: true, cell: (row) => number(row.spent_epsilon) },
      ]} />
    )}</Read>
  );
}
