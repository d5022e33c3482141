import { useParams } from 'react-router';
import { modelsClient, type ModelView } from '../../sdk/models.ts';
import { Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Digest, Facts, Table } from '../parts/table.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { Bars } from './bars.tsx';
import { DocumentDecision, type DocumentAction } from './document-decision.tsx';
import { ModelFindings, ModelTrial } from './model-checks.tsx';
import { modelTexts } from './model-texts.ts';
import { ModelState } from './models.tsx';
import '../style/compliance.css';

export default function ModelPage() {
  const titles = useTexts(complianceArea.titles);
  const words = useWords();
  const ref = useParams()['model'] ?? '';
  const found = useRead(['models', 'one', ref], (calls) => modelsClient(calls).read(ref));
  return <PageBody title={found.data === undefined ? titles('model') : words(found.data.title)}><Read of={found}>{(view) => <Model view={view} />}</Read></PageBody>;
}

function Model({ view }: { readonly view: ModelView }) {
  const t = useTexts(modelTexts);
  const frame = useTexts(frameTexts);
  const words = useWords();
  const { time, number } = useFormats();
  const { model } = view;
  const actions: readonly DocumentAction[] = view.state === 'proposed' ? ['approve', 'refuse'] : view.state === 'approved' ? ['retire'] : [];
  return (
    <>
      <Section title={frame('details')} actions={<ModelState state={view.state} />}>
        <Facts items={[
          [t('model'), <code key="ref">{view.ref}</code>], [t('purposes'), model.purposes.join(', ')], [t('classes'), model.institution_classes.join(', ')],
          ...(model.institutions === undefined ? [] : [[t('institutions'), model.institutions.join(', ')]] as const),
          [t('proposedBy'), view.proposed_by], [t('proposedAt'), time(view.proposed_at)], ...(view.decided_by === null ? [] : [[t('decidedBy'), view.decided_by]] as const),
          ...(view.retired_by === null ? [] : [[t('retiredBy'), view.retired_by]] as const), ...(view.reason === null ? [] : [[t('reason'), view.reason]] as const),
          [t('range'), t('rangeText', { low: number(view.raw_range.low), high: number(view.raw_range.high) })], [t('offset'), model.offset], [t('scale'), model.scale],
          [t('digest'), <Digest key="digest" value={view.digest} />],
        ]} />
      </Section>
      <Section title={t('terms')}>
        <Bars label={t('picture')} bars={model.terms.map(({ feature, weight }) => ({ name: feature, value: weight }))} />
        <Table caption={t('terms')} rows={model.terms} keyOf={({ feature }) => feature} columns={[{ id: 'feature', title: t('feature'), cell: ({ feature }) => <code>{feature}</code> },
          { id: 'weight', title: t('weight'), numeric: true, cell: ({ weight }) => number(weight) }]} />
      </Section>
      <div className="grid-2">
        <Section title={t('bands')}>
          <Table caption={t('bands')} rows={model.bands} keyOf={({ code }) => code} columns={[
            { id: 'code', title: t('code'), cell: ({ code }) => code }, { id: 'from', title: t('from'), numeric: true, cell: ({ from }) => (from === null ? t('lowest') : number(from)) },
            { id: 'text', title: t('text'), cell: ({ text }) => words(text) },
          ]} />
        </Section>
        <Section title={t('reasons')}>
          <Table caption={t('reasons')} rows={model.reasons} keyOf={({ code }) => code} columns={[
            { id: 'code', title: t('code'), cell: ({ code }) => code }, { id: 'text', title: t('text'), cell: ({ text }) => words(text) },
            { id: 'features', title: t('features'), cell: ({ features }) => features.map((each) => <code key={each} className="more">{each}</code>) },
          ]} />
        </Section>
      </div>
      <Section title={t('findings')}><ModelFindings view={view} /></Section>
      <Section title={t('trial')}><ModelTrial reference={view.ref} /></Section>
      <DocumentDecision about="model" actions={actions} own={view.proposed_by} digest={view.digest} affects={[['models']]} decide={(calls, action, reason) => {
        const client = modelsClient(calls);
        if (action === 'approve') return client.approve(view.ref, view.digest);
        return action === 'refuse' ? client.refuse(view.ref, view.digest, reason) : client.retire(view.ref, reason);
      }} />
    </>
  );
}
