import { useState } from 'react';
import { modelsClient, type ModelSummary } from '../../sdk/models.ts';
import { allPages } from '../parts/all-pages.ts';
import { PageLink } from '../parts/button.tsx';
import { CutNote } from '../parts/cut-note.tsx';
import { Select } from '../parts/fields.tsx';
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

const states = ['', 'proposed', 'approved', 'refused', 'retired'] as const;
const tones: Readonly<Record<ModelSummary['state'], Tone>> = { proposed: 'warning', approved: 'good', refused: 'bad', retired: 'neutral' };

export default function Models() {
  const titles = useTexts(complianceArea.titles);
  const t = useTexts(modelTexts);
  const frame = useTexts(frameTexts);
  const words = useWords();
  const { time } = useFormats();
  const [state, setState] = useState<(typeof states)[number]>('');
  const found = useRead(['models', 'list', state], (calls) => allPages(async (after: string | undefined) => {
    const { models, next } = await modelsClient(calls).list({ ...(after === undefined ? {} : { after }), ...(state === '' ? {} : { state }) });
    return { rows: models, next };
  }));
  return (
    <PageBody title={titles('models')} lead={t('modelsLead')}>
      <Select label={frame('state')} value={state} options={states.map((value) => ({ value, label: value === '' ? frame('all') : t(value) }))} onChange={setState} />
      <CutNote of={found.data} />
      <Read of={found}>{({ rows }) => (
        <Table caption={t('models')} empty={state === '' ? t('noModels') : frame('nothingFound')} rows={rows} keyOf={({ ref }) => ref} columns={[
          { id: 'model', title: t('model'), cell: ({ ref, title }) => <PageLink to={`/compliance/models/${encodeURIComponent(ref)}`}>{words(title)}<span className="more">{ref}</span></PageLink> },
          { id: 'state', title: frame('state'), cell: (each) => <ModelState state={each.state} /> },
          { id: 'purposes', title: t('purposes'), cell: ({ purposes }) => purposes.join(', ') },
          { id: 'by', title: t('proposedBy'), cell: ({ proposed_by: by, proposed_at: at }) => <>{by}<span className="more">{time(at)}</span></> },
        ]} />
      )}</Read>
    </PageBody>
  );
}

export function ModelState({ state }: Pick<ModelSummary, 'state'>) {
  const t = useTexts(modelTexts);
  return <Tag tone={tones[state]}>{t(state)}</Tag>;
}
