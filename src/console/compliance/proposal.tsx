import { useState } from 'react';
import { shanghaiDate } from '../../calendar.ts';
import { isVeilgateError } from '../../errors.ts';
import { policiesClient, type PolicyVersionView } from '../../sdk/policies.ts';
import { policyCellsClient, type JudgedEditsView } from '../../sdk/policy-cells.ts';
import { Button, PageLink } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Checkbox, TextField } from '../parts/fields.tsx';
import { EmptyNote, ErrorNote, GoodNote, Loading, Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Table } from '../parts/table.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { Differences } from './differences.tsx';
import { changesIn, useDraft, type Draft } from './draft.ts';
import { EditWords } from './edit-words.tsx';
import { proposalTexts } from './proposal-texts.ts';
import { FactEditWords, PurposeEditWords } from './purpose-edit-words.tsx';
import { StaleDraft } from './stale-draft.tsx';
import { useVersionInForce } from './version-in-force.ts';
import '../style/compliance.css';

export default function Proposal() {
  const titles = useTexts(complianceArea.titles);
  const t = useTexts(proposalTexts);
  const { draft } = useDraft();
  const inForce = useVersionInForce();
  const [proposed, setProposed] = useState<number>();
  return (
    <PageBody title={titles('draft')} lead={t('lead')}>
      {proposed !== undefined && <GoodNote><p>{t('proposed', { version: proposed })} <PageLink to={`/compliance/versions/${proposed}`}>{t('toVersion')}</PageLink></p></GoodNote>}
      {changesIn(draft) === 0
        ? <EmptyNote>{t('empty')} <PageLink to="/compliance/policy">{t('toGrid')}</PageLink></EmptyNote>
        : <Read of={inForce}>{(version) => (version === undefined ? <EmptyNote /> : <Drafted version={version} onProposed={setProposed} />)}</Read>}
    </PageBody>
  );
}

function Drafted({ version, onProposed }: { readonly version: PolicyVersionView; readonly onProposed: (version: number) => void }) {
  const { draft } = useDraft();
  const stale = draft.basis !== null && draft.basis !== version.version;
  const judged = useRead(['policies', 'judged', draft.basis, JSON.stringify([draft.edits, draft.purposes, draft.facts]), draft.adjustTests], (calls) =>
    policyCellsClient(calls).judge(draft.basis ?? version.version, draft.edits, draft.adjustTests, { purposes: draft.purposes, facts: draft.facts }), { keepPrevious: true });
  return (
    <>
      {stale && <StaleDraft version={version.version} yours={judged.data === undefined ? [] : [...judged.data.settings, ...judged.data.differences]} />}
      <Edits version={draft.basis ?? version.version} />
      {judged.error !== null ? <ErrorNote error={judged.error} again={() => void judged.refetch()} /> : judged.data === undefined ? <Loading /> : <Effect judged={judged.data} />}
      <ProposalForm judged={judged.data} busy={judged.isFetching} stale={stale} onProposed={onProposed} />
    </>
  );
}

function Edits({ version }: { readonly version: number }) {
  const t = useTexts(proposalTexts);
  const { draft, remove, removePurpose, removeFact, clear } = useDraft();
  const [asking, setAsking] = useState(false);
  return (
    <Section title={t('edits')} actions={<Button onPress={() => setAsking(true)}>{t('discard')}</Button>}>
      <ul className="change-list">
        {draft.purposes.map((edit) => <li key={edit.purpose}><PurposeEditWords edit={edit} version={version} /> <Button look="quiet"
          label={`${t('remove')}: ${edit.purpose}`} onPress={() => removePurpose(edit.purpose)}>{t('remove')}</Button></li>)}
        {draft.facts.map((edit) => <li key={edit.fact}><FactEditWords edit={edit} /> <Button look="quiet" label={`${t('remove')}: ${edit.fact}`} onPress={() => removeFact(edit.fact)}>{t('remove')}</Button></li>)}
        {draft.edits.map((edit, at) => <li key={at}><EditWords edit={edit} version={version} /> <Button look="quiet"
          label={`${t('remove')}: ${edit.field}`} onPress={() => remove(edit)}>{t('remove')}</Button></li>)}
      </ul>
      <Confirm title={t('discard')} open={asking} onClose={() => setAsking(false)} action={t('discard')} danger busy={false} error={null} onConfirm={() => { setAsking(false); clear(); }}>
        <p>{t('discardQuestion')}</p></Confirm>
    </Section>
  );
}

function Effect({ judged }: { readonly judged: JudgedEditsView }) {
  const t = useTexts(proposalTexts);
  const words = useWords();
  const { draft, change } = useDraft();
  const { tests } = judged;
  const canAdjust = draft.adjustTests || tests.stale.some(({ kind }) => kind === 'edited');
  return (
    <>
      <Section title={t('effect')}>
        <p>{t('against', { version: judged.version })} {words(judged.summary)}</p>
        <Differences changes={[...judged.settings, ...judged.differences]} caption={t('effect')} />
      </Section>
      <Section title={t('tests')}>
        <p role="status">{tests.failing === 0 ? t('testsPass', { run: tests.run }) : t('testsFail', { run: tests.run, failing: tests.failing })} {tests.adjusted > 0
          && t('adjusted', { count: tests.adjusted })}</p>
        {canAdjust && <Checkbox value={draft.adjustTests} onChange={(adjustTests) => change({ adjustTests })}>{t('adjust')}</Checkbox>}
        {tests.stale.length > 0 && (
          <Table caption={t('tests')} rows={tests.stale.map((each, at) => ({ ...each, at }))} keyOf={({ at }) => String(at)} columns={[
            { id: 'test', title: t('expectation'), cell: ({ test, file, field, purpose, use }) => <>{test} <span className="more"><code>{file}</code> {field} · {purpose} · {use}</span></> },
            { id: 'expected', title: t('expected'), cell: ({ expected }) => <code>{expected}</code> }, { id: 'got', title: t('got'), cell: ({ got }) => <code>{got}</code> },
            { id: 'kind', title: t('kindTitle'), cell: ({ kind }) => t(kind) },
          ]} />
        )}
      </Section>
    </>
  );
}

type FormProps = { readonly judged: JudgedEditsView | undefined; readonly busy: boolean; readonly stale: boolean; readonly onProposed: (version: number) => void };

function ProposalForm({ judged, busy, stale, onProposed }: FormProps) {
  const t = useTexts(proposalTexts);
  const { draft, change, clear } = useDraft();
  const { clock } = useSession();
  const [wrong, setWrong] = useState({ comment: false, day: false });
  const proposal = useChange((calls, { comment, effectiveOn, key, changes, basis }: Pick<Draft, 'comment' | 'effectiveOn' | 'key'> & Pick<JudgedEditsView, 'changes'> & { readonly basis: number }) =>
    policiesClient(calls).propose({ basis, changes, comment, ...(effectiveOn === '' ? {} : { effective_at: `${effectiveOn}T00:00:00+08:00` }) }, key), [['policies', 'list'], ['policies', 'waiting']]);
  const propose = () => {
    const comment = draft.comment.trim();
    const found = { comment: comment === '', day: draft.effectiveOn !== '' && draft.effectiveOn < shanghaiDate(clock.nowMs()) };
    setWrong(found);
    if (found.comment || found.day || judged === undefined) return;
    proposal.run({ comment, effectiveOn: draft.effectiveOn, key: draft.key, changes: judged.changes, basis: judged.version }, ({ version }) => { clear(); onProposed(version.version); });
  };
  const conflict = isVeilgateError(proposal.error) && proposal.error.code === 'POLICY_BASIS_STALE' ? proposal.error.detail : undefined;
  const listed = (name: string) => (Array.isArray(conflict?.[name]) ? (conflict[name] as readonly string[]).join(', ') : '');
  return (
    <Section title={t('propose')}>
      <form onSubmit={(event) => { event.preventDefault(); propose(); }}>
        <TextField label={t('comment')} hint={t('commentHint')} lines={3} maxLength={2000} required value={draft.comment} onChange={(comment) => change({ comment })}
          error={wrong.comment ? t('commentMissing') : undefined} />
        <TextField label={t('effective')} hint={t('effectiveHint')} type="date" value={draft.effectiveOn} onChange={(effectiveOn) => change({ effectiveOn })}
          error={wrong.day ? t('dayOver') : undefined} />
        {proposal.error !== null && <ErrorNote error={proposal.error} />}
        {conflict !== undefined && <p>{t('filesTheirs', { files: listed('theirs') })} · {t('filesYours', { files: listed('yours') })} · {t('both', { files: listed('both') })}</p>}
        <Button type="submit" look="primary" busy={proposal.busy} disabled={stale || judged === undefined || busy}>{t('propose')}</Button>
      </form>
    </Section>
  );
}
