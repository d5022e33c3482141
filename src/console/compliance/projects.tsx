import { jointProjectsClient, type JointProjectState } from '../../sdk/joint-projects.ts';
import { allPages } from '../parts/all-pages.ts';
import { PageLink } from '../parts/button.tsx';
import { CutNote } from '../parts/cut-note.tsx';
import { Read } from '../parts/notes.tsx';
import { PageBody } from '../parts/page.tsx';
import { Table } from '../parts/table.tsx';
import { Tag, type Tone } from '../parts/tag.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { modelTexts } from './model-texts.ts';
import '../style/compliance.css';

const tones: Readonly<Record<JointProjectState, Tone>> = { proposed: 'warning', approved: 'accent', active: 'good', refused: 'bad', ended: 'neutral', stopped: 'bad' };

export default function Projects() {
  const titles = useTexts(complianceArea.titles);
  const t = useTexts(modelTexts);
  const frame = useTexts(frameTexts);
  const words = useWords();
  const { day, time } = useFormats();
  const found = useRead(['projects', 'list'], (calls) => allPages(async (after: string | undefined) => {
    const { projects, next } = await jointProjectsClient(calls).projects(after);
    return { rows: projects, next };
  }));
  return (
    <PageBody title={titles('projects')} lead={t('projectsLead')}>
      <CutNote of={found.data} />
      <Read of={found}>{({ rows }) => (
        <Table caption={t('projects')} empty={t('noProjects')} rows={rows} keyOf={({ id }) => id} columns={[
          { id: 'title', title: t('name'), cell: ({ id, title }) => <PageLink to={`/compliance/projects/${encodeURIComponent(id)}`}>{words(title)}</PageLink> },
          { id: 'state', title: frame('state'), cell: ({ state, approvals }) => <><ProjectState state={state} />{state === 'proposed' &&
            <span className="more">{t('approvals', { count: approvals.length })}</span>}</> },
          { id: 'partner', title: t('partner'), cell: ({ partner }) => partner },
          { id: 'by', title: t('proposedBy'), cell: ({ proposed_by: by, proposed_at: at }) => <>{by}<span className="more">{time(at)}</span></> },
          { id: 'ends', title: t('endsOn'), cell: ({ ends_on: ends }) => day(ends) },
        ]} />
      )}</Read>
    </PageBody>
  );
}

export function ProjectState({ state }: { readonly state: JointProjectState }) {
  const t = useTexts(modelTexts);
  return <Tag tone={tones[state]}>{t(state)}</Tag>;
}
