import { useParams } from 'react-router';
import { policiesClient, type PolicyReviewView, type PolicyVersionView } from '../../sdk/policies.ts';
import { EmptyNote, Read, WarningNote } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Digest, Facts, Table } from '../parts/table.tsx';
import { Tag } from '../parts/tag.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { Differences } from './differences.tsx';
import { Replay } from './replay.tsx';
import { VersionDecision } from './version-decision.tsx';
import { useVersionInForce } from './version-in-force.ts';
import { VersionState } from './version-state.tsx';
import { versionTexts } from './version-texts.ts';
import '../style/compliance.css';

/** One version: everything a second person needs to decide on it, and what became of it. */
export default function VersionPage() {
  const t = useTexts(versionTexts);
  const version = Number(useParams()['version']);
  const review = useRead(['policies', 'review', version], (calls) => policiesClient(calls).review(version), { enabled: Number.isSafeInteger(version) });
  return <PageBody title={t('version', { version: Number.isSafeInteger(version) ? version : '?' })}><Read of={review}>{(found) => <Review review={found} />}</Read></PageBody>;
}

function Review({ review }: { readonly review: PolicyReviewView }) {
  const t = useTexts(versionTexts);
  const frame = useTexts(frameTexts);
  const words = useWords();
  const { number } = useFormats();
  const { version, against, changes, settings, tests, exemptions, files } = review;
  return (
    <>
      <Section title={frame('details')} actions={<VersionState state={version.state} />}><Head review={review} /></Section>
      {version.state === 'approved' && <Waiting version={version} />}
      {version.state === 'proposed' && !review.basis_in_force && <WarningNote><p>{t('stale')}</p></WarningNote>}
      <Section title={t('marks')}><Marks marks={review.marks} /></Section>
      <Section title={t('summary')}>
        <p>{t('against', { version: against })} {words(review.summary)} {t('combinations', { changed: number(review.combinations_changed), all: number(review.combinations) })}</p>
        <Differences changes={changes} caption={t('summary')} />
        {settings.length > 0 && <><h3>{t('settings')}</h3><Differences changes={settings} caption={t('settings')} /></>}
      </Section>
      <Section title={t('tests')}>
        <p>{t('testsRun', { run: tests.run, failed: tests.failures.length })}</p>
        {tests.failures.length > 0 && <ul className="change-list">{tests.failures.map(({ file, line, column, problem }) =>
          <li key={`${file}:${line}:${column}`}><code>{file}:{line}</code> <bdi>{problem}</bdi></li>)}</ul>}
      </Section>
      <Section title={t('replay')}><Replay version={version.version} /></Section>
      {exemptions.length > 0 && <Section title={t('exemptions')}><Exemptions exemptions={exemptions} /></Section>}
      <Section title={t('files')}>{files.length === 0 ? <EmptyNote /> : <ul className="change-list">{files.map(({ file, change }) => <li key={file}>
        <code>{file}</code> {t(change)}</li>)}</ul>}</Section>
      <VersionDecision review={review} />
    </>
  );
}

/** Approved for a later day: what holds until then. */
function Waiting({ version }: { readonly version: PolicyVersionView }) {
  const t = useTexts(versionTexts);
  const { time } = useFormats();
  const now = useVersionInForce().data?.version;
  return <WarningNote><p>{version.effective_at === null ? t('atOnce') : t('waitsUntil', { time: time(version.effective_at) })} {now !== undefined && t('untilThen', { version: now })}</p></WarningNote>;
}

function Head({ review: { version } }: { readonly review: PolicyReviewView }) {
  const t = useTexts(versionTexts);
  const frame = useTexts(frameTexts);
  const { time } = useFormats();
  return (
    <Facts items={[
      [t('origin'), t(version.origin)], [t('proposedBy'), version.proposed_by ?? t('platform')], [t('proposedAt'), time(version.proposed_at)],
      [t('comment'), <p key="comment" className="quote" dir="auto">{version.comment === '' ? frame('none') : version.comment}</p>],
      [t('effective'), version.effective_at === null ? t('atOnce') : time(version.effective_at)],
      ...(version.decided_at === null ? [] : [[t('decidedBy'), version.decided_by ?? t('platform')], [t('decidedAt'), time(version.decided_at)],
      [t('decisionComment'), <p key="decision" className="quote" dir="auto">{version.decision_comment ?? frame('none')}</p>]] as const),
      ...(version.in_force_at === null ? [] : [[t('inForceFrom'), time(version.in_force_at)]] as const),
      [t('digest'), <Digest key="digest" value={version.digest} />],
    ]} />
  );
}

const markNames = { mixed: 'mixedMark' } as const;
const knownMarks = ['loosens', 'opens_personal', 'opens_level_4', 'widens_settings', 'changes_tests', 'removes_tests', 'rules_without_test', 'tests_fail'] as const;

function Marks({ marks }: { readonly marks: readonly string[] }) {
  const t = useTexts(versionTexts);
  if (marks.length === 0) return <p>{t('noMarks')}</p>;
  return <p className="buttons">{marks.map((mark) => <Tag key={mark} tone={mark === 'tests_fail' || mark.startsWith('opens') ? 'bad' : 'warning'}>{mark === 'mixed' ? t(markNames.mixed)
    : t(knownMarks.find((known) => known === mark) ?? 'unknown')}</Tag>)}</p>;
}

export function Exemptions({ exemptions }: { readonly exemptions: PolicyReviewView['exemptions'] }) {
  const t = useTexts(versionTexts);
  const frame = useTexts(frameTexts);
  const words = useWords();
  const { day } = useFormats();
  return (
    <Table caption={t('exemptions')} rows={exemptions} keyOf={({ rule }) => rule} columns={[
      { id: 'rule', title: t('exemptions'), cell: ({ rule, description }) => <>{words(description)} <code>{rule}</code></> },
      { id: 'until', title: frame('until'), cell: ({ ends, over }) => <>{day(ends)} {over && <Tag tone="neutral">{t('over')}</Tag>}</> },
    ]} />
  );
}
