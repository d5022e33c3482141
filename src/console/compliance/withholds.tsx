import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { policiesClient, type PolicyWithholdView } from '../../sdk/policies.ts';
import { Button, PageLink } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { FieldRow, TextField } from '../parts/fields.tsx';
import { EmptyNote, ErrorNote, GoodNote, Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { useReasonProblem } from '../parts/reason-code.ts';
import { Table } from '../parts/table.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { useVersionInForce } from './version-in-force.ts';
import { Exemptions } from './version.tsx';
import { withholdTexts } from './withhold-texts.ts';
import '../style/compliance.css';

export default function Withholds() {
  const titles = useTexts(complianceArea.titles);
  const t = useTexts(withholdTexts);
  const withholds = useRead(['policies', 'withholds'], (calls) => policiesClient(calls).withholds());
  return (
    <PageBody title={titles('withholds')} lead={t('lead')}>
      <CloseField />
      <Read of={withholds}>{({ withholds: all }) => (
        <>
          <Section title={t('holding')}><Holding withholds={all.filter(({ ending }) => ending === null)} /></Section>
          <Section title={t('ended')}><Ended withholds={all.filter(({ ending }) => ending !== null)} /></Section>
        </>
      )}</Read>
      <InForceExemptions />
    </PageBody>
  );
}

function CloseField() {
  const t = useTexts(withholdTexts);
  const frame = useTexts(frameTexts);
  const [search] = useSearchParams();
  const [field, setField] = useState(search.get('field') ?? '');
  const [purpose, setPurpose] = useState(search.get('purpose') ?? '');
  const reasonProblem = useReasonProblem();
  const [reason, setReason] = useState('');
  const [hours, setHours] = useState('72');
  const [wrong, setWrong] = useState<{ readonly field: boolean; readonly reason: string | undefined; readonly purpose: boolean }>();
  const [key, setKey] = useState(() => crypto.randomUUID());
  const closing = useChange((calls, given: { readonly field: string; readonly purpose: string; readonly reason: string; readonly hours: number }) => policiesClient(calls).withhold(given, key),
    [['policies', 'withholds'], ['policies', 'waiting']]);
  const close = () => {
    const found = { field: !/^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/.test(field.trim()), reason: reasonProblem(reason.trim()), purpose: purpose.trim() === '' };
    setWrong(found);
    if (found.field || found.reason !== undefined || found.purpose) return;
    closing.run({ field: field.trim(), purpose: purpose.trim(), reason: reason.trim(), hours: Number(hours) }, () => { setField(''); setReason(''); setKey(crypto.randomUUID()); });
  };
  return (
    <Section title={t('close')}>
      <form onSubmit={(event) => { event.preventDefault(); close(); }}>
        <FieldRow>
          <TextField label={t('field')} required maxLength={83} value={field} onChange={setField} error={wrong?.field === true ? t('fieldWrong') : undefined} />
          <TextField label={frame('purpose')} required maxLength={41} value={purpose} onChange={setPurpose} error={wrong?.purpose === true ? frame('fieldNeeded') : undefined} />
        </FieldRow>
        <FieldRow>
          <TextField label={t('reason')} hint={t('reasonHint')} required maxLength={64} value={reason} onChange={setReason} error={wrong?.reason} />
          <TextField label={t('hours')} type="number" value={hours} onChange={setHours} />
        </FieldRow>
        {closing.error !== null && <ErrorNote error={closing.error} />}
        {closing.answer !== undefined && <GoodNote><p>{t('done', { field: closing.answer.withhold.field, purpose: closing.answer.withhold.purpose })}</p></GoodNote>}
        <Button type="submit" look="danger" busy={closing.busy}>{t('closing')}</Button>
      </form>
    </Section>
  );
}

function Holding({ withholds }: { readonly withholds: readonly PolicyWithholdView[] }) {
  const t = useTexts(withholdTexts);
  const frame = useTexts(frameTexts);
  const { time } = useFormats();
  const { party } = useSession();
  const [lifting, setLifting] = useState<string>();
  const change = useChange((calls, id: string) => policiesClient(calls).lift(id), [['policies']]);
  return (
    <>
      <Table caption={t('holding')} empty={t('nothingHolds')} rows={withholds} keyOf={({ withhold }) => withhold} columns={[
        { id: 'field', title: frame('field'), cell: ({ field, purpose }) => <><code>{field}</code> <span className="more">{purpose}</span></> },
        { id: 'reason', title: frame('reason'), cell: ({ reason }) => reason },
        { id: 'set', title: t('setBy'), cell: ({ set_by: by, set_at: at }) => <>{by}<span className="more">{time(at)}</span></> },
        { id: 'expires', title: t('expires'), cell: ({ expires_at: at, proposal }) => <>{time(at)}{proposal !== null && <span className="more">
          <PageLink to={`/compliance/versions/${proposal}`}>{t('proposal', { version: proposal })}</PageLink></span>}</> },
        { id: 'lift', title: frame('actions'), cell: ({ withhold, set_by: by, field }) => (by === party ? t('own') :
          <Button label={`${t('lift')}: ${field}`} onPress={() => { change.reset(); setLifting(withhold); }}>{t('lift')}</Button>) },
      ]} />
      <Confirm title={t('lift')} open={lifting !== undefined} onClose={() => setLifting(undefined)} action={t('lift')} danger busy={change.busy} error={change.error}
        onConfirm={() => { if (lifting !== undefined) change.run(lifting, () => setLifting(undefined)); }}><p>{t('liftQuestion')}</p></Confirm>
    </>
  );
}

function Ended({ withholds }: { readonly withholds: readonly PolicyWithholdView[] }) {
  const t = useTexts(withholdTexts);
  const frame = useTexts(frameTexts);
  const { time } = useFormats();
  return (
    <Table caption={t('ended')} rows={withholds} keyOf={({ withhold }) => withhold} columns={[
      { id: 'field', title: frame('field'), cell: ({ field, purpose }) => <><code>{field}</code> <span className="more">{purpose}</span></> },
      { id: 'set', title: t('setBy'), cell: ({ set_by: by, set_at: at }) => <>{by}<span className="more">{time(at)}</span></> },
      { id: 'ending', title: t('ending'), cell: ({ ending, ended_at: at, ended_by: by }) => <>{ending === null ? '' : t(ending)}<span className="more">{at === null ? '' : time(at)} {by}</span></> },
    ]} />
  );
}

function InForceExemptions() {
  const t = useTexts(withholdTexts);
  const inForce = useVersionInForce();
  const version = inForce.data?.version;
  const review = useRead(['policies', 'review', version], (calls) => policiesClient(calls).review(version ?? 0), { enabled: version !== undefined });
  return <Section title={t('exemptions')}><Read of={review}>{({ exemptions }) => (exemptions.length === 0 ? <EmptyNote>{t('noExemptions')}</EmptyNote> :
    <Exemptions exemptions={exemptions} />)}</Read></Section>;
}
