import { useState } from 'react';
import { policiesClient, type PolicyVersionView } from '../../sdk/policies.ts';
import { Button, PageLink } from '../parts/button.tsx';
import { Select } from '../parts/fields.tsx';
import { Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Table } from '../parts/table.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { VersionState } from './version-state.tsx';
import { versionTexts } from './version-texts.ts';
import '../style/compliance.css';

const states = ['', 'proposed', 'approved', 'in_force', 'superseded', 'refused', 'withdrawn'] as const;

export default function Versions() {
  const titles = useTexts(complianceArea.titles);
  const t = useTexts(versionTexts);
  const waiting = useRead(['policies', 'list', 'proposed'], (calls) => policiesClient(calls).list({ state: 'proposed' }));
  return (
    <PageBody title={titles('versions')} lead={t('listLead')}>
      <Section title={t('waiting')}><Read of={waiting}>{({ versions }) => <VersionTable caption={t('waiting')} versions={versions} empty={t('nothingWaits')} />}</Read></Section>
      <History />
    </PageBody>
  );
}

function History() {
  const t = useTexts(versionTexts);
  const frame = useTexts(frameTexts);
  const [state, setState] = useState<(typeof states)[number]>('');
  const [pages, setPages] = useState(1);
  const found = useRead(['policies', 'list', state, 'history', pages], async (calls) => {
    const versions: PolicyVersionView[] = [];
    let next: number | null = null;
    for (let page = 0; page < pages && (page === 0 || next !== null); page += 1) {
      const answer = await policiesClient(calls).list({ ...(state === '' ? {} : { state }), ...(next === null ? {} : { before: next }) });
      versions.push(...answer.versions);
      next = answer.next;
    }
    return { versions, next };
  }, { keepPrevious: true });
  return (
    <Section title={t('history')}>
      <Select label={t('stateFilter')} value={state} options={states.map((value) => ({ value, label: value === '' ? frame('all') : t(value) }))}
        onChange={(value) => { setState(value); setPages(1); }} />
      <Read of={found}>{({ versions, next }) => <><VersionTable caption={t('history')} versions={versions} />{next !== null &&
        <Button onPress={() => setPages(pages + 1)}>{frame('more')}</Button>}</>}</Read>
    </Section>
  );
}

function VersionTable({ caption, versions, empty }: { readonly caption: string; readonly versions: readonly PolicyVersionView[]; readonly empty?: string }) {
  const t = useTexts(versionTexts);
  const frame = useTexts(frameTexts);
  const { time } = useFormats();
  return (
    <Table caption={caption} rows={versions} keyOf={({ version }) => String(version)} {...(empty === undefined ? {} : { empty })} columns={[
      { id: 'version', title: frame('version'), cell: ({ version }) => <PageLink to={`/compliance/versions/${version}`}>{t('version', { version })}</PageLink> },
      { id: 'state', title: frame('state'), cell: ({ state, effective_at: at }) => <><VersionState state={state} />{state === 'approved' && at !== null && <span className="more">{t('from', { time: time(at) })}</span>}</> },
      { id: 'origin', title: t('origin'), cell: ({ origin }) => t(origin) },
      { id: 'by', title: t('proposedBy'), cell: ({ proposed_by: by, proposed_at: at }) => <>{by ?? t('platform')}<span className="more">{time(at)}</span></> },
      { id: 'decided', title: t('decidedBy'), cell: ({ decided_by: by, decided_at: at }) => (at === null ? '–' : <>{by ?? t('platform')}<span className="more">{time(at)}</span></>) },
      { id: 'comment', title: t('comment'), cell: ({ comment }) => <p className="quote" dir="auto">{comment}</p> },
    ]} />
  );
}
