import type { InstitutionReportView, Unusual } from '../../sdk/reports.ts';
import { Button, PageLink } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { download } from '../parts/download.ts';
import { WarningNote } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { Facts } from '../parts/table.tsx';
import { Tag } from '../parts/tag.tsx';
import { useClassNames } from '../parts/use-institutions.ts';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { BarChart, bars, ColumnChart, sum } from './bar-chart.tsx';
import { EntryTable, RefusalCode } from './entry-table.tsx';
import { dispositionWords, fieldUseWords, wordsFor } from './entry-texts.ts';
import { incidentTexts, signWords } from './incident-texts.ts';
import { kindName } from './kind-words.ts';
import { searchAddress, type LogSearch } from './log-search.ts';
import { daysOf } from './day-filter.ts';
import { LongTable } from './long-table.tsx';
import { toneOf } from './tones.ts';

type Part = { readonly report: InstitutionReportView };

export function IncidentReport({ report }: Part) {
  return (
    <>
      <Standing report={report} /><Figures report={report} /><WhatStandsOut unusual={report.activity.unusual} /><Timeline report={report} /><Refusals report={report} />
      <FieldsTreated report={report} /><Answers report={report} /><Grants report={report} /><Decisions report={report} />
    </>
  );
}

/** Leads to the entries behind a figure, for those whom entries are for. */
function EntriesLink({ report: { institution, from, to }, search, children }: Part & { readonly search: Partial<LogSearch>; readonly children: string }) {
  const { scopes } = useSession();
  if (!scopes.includes('audit')) return null;
  return <PageLink to={searchAddress({ institution: institution.id, from, until: to, ...search })}>{children}</PageLink>;
}

function Standing({ report }: Part) {
  const t = useTexts(incidentTexts);
  const common = useTexts(frameTexts);
  const words = useWords();
  const { day } = useFormats();
  const classOf = useClassNames();
  const { institution, from, to } = report;
  const { id, name, class: kind, status, status_reason: reason, country, assessment } = institution;
  return (
    <Section title={t('heading', { name: words(name), from: day(from), to: day(to) })} actions={<span className="buttons no-print">
      <Button onPress={() => download(`institution-${id}-${from}-${to}.json`, 'application/json', JSON.stringify(report, null, 2))}>{t('json')}</Button>
      <Button onPress={() => print()}>{common('print')}</Button>
    </span>}>
      <Facts items={[
        [t('id'), <code key="id">{id}</code>], [t('class'), classOf(kind)], [t('status'), <Tag key="status" tone={status === 'approved' ? 'good' : 'warning'}>{t(status)}</Tag>],
        ...(reason === null ? [] : [[t('because'), <code key="reason">{reason}</code>] as const]), [t('country'), country],
        [t('assessment'), assessment === null ? t('noAssessment') : t('assessmentOf', { level: assessment.level, day: day(assessment.valid_until) })],
      ]} />
      <EntriesLink report={report} search={{}}>{t('all')}</EntriesLink>
    </Section>
  );
}

function Figures({ report: { activity: { days }, enterprises, behind } }: Part) {
  const t = useTexts(incidentTexts);
  const { number } = useFormats();
  const asked = number(enterprises.total);
  const figures = [
    [t('released'), number(sum(days, ({ released }) => released))], [t('refused'), number(sum(days, ({ refused }) => refused))],
    [t('enterprises'), enterprises.complete ? asked : t('atLeast', { count: asked })],
  ];
  return (
    <>
      {behind > 0 && <WarningNote><p>{t('behind', { count: number(behind) })}</p></WarningNote>}
      <div className="figures">
        {figures.map(([name, value]) => <div key={name} className="figure"><b>{value}</b><span>{name}</span></div>)}
      </div>
    </>
  );
}

function WhatStandsOut({ unusual }: { readonly unusual: readonly Unusual[] }) {
  const t = useTexts(incidentTexts);
  const words = useWords();
  const { number } = useFormats();
  const amount = (sign: Unusual['sign'], count: number) => t(sign === 'refused_often' ? 'percent' : 'measured', { count: number(count) });
  return (
    <Section title={t('unusual')}>
      {unusual.length === 0 ? <p>{t('nothingUnusual')}</p> : (
        <>
          <p>{t('unusualLead')}</p>
          <ul className="marks">
            {unusual.map(({ sign, measured, usual }) => (
              <li key={sign}><b>{words(signWords[sign])}</b><span>{amount(sign, measured)}</span>{usual !== null && <span>{t('usual', { count: amount(sign, usual) })}</span>}</li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

function Timeline({ report }: Part) {
  const t = useTexts(incidentTexts);
  const { day, number } = useFormats();
  const { days } = report.activity;
  const known = new Map(days.map((of) => [of.day, of]));
  const columns = daysOf(report.from, report.to).map((at) => ({ key: at, label: day(at), values: [known.get(at)?.released ?? 0, known.get(at)?.refused ?? 0] }));
  return (
    <Section title={t('timeline')}>
      <ColumnChart title={t('timeline')} series={[t('released'), t('refused')]} rows={columns} />
      <LongTable caption={t('timeline')} rows={days} keyOf={({ day: at }) => at} empty={t('noDays')} columns={[
        { id: 'day', title: t('day'), cell: ({ day: at }) => day(at) },
        { id: 'released', title: t('released'), cell: ({ released }) => number(released), numeric: true },
        { id: 'refused', title: t('refused'), cell: ({ refused }) => number(refused), numeric: true },
        { id: 'enterprises', title: t('enterprises'), cell: ({ enterprises }) => number(enterprises), numeric: true },
        { id: 'open', title: t('openEntries'), cell: ({ day: at }) => <EntriesLink report={report} search={{ from: at, until: at }}>{t('openDay', { day: day(at) })}</EntriesLink> },
      ]} />
    </Section>
  );
}

function Refusals({ report }: Part) {
  const t = useTexts(incidentTexts);
  const words = useWords();
  const { number } = useFormats();
  const { refusals } = report.activity;
  return (
    <Section title={t('refusals')}>
      <BarChart title={t('refusals')} series={[t('count')]} rows={bars(refusals, ({ code }) => code, (code) => code, ({ count }) => count)} />
      <LongTable caption={t('refusals')} rows={refusals} keyOf={({ kind, code }) => `${kind} ${code}`} empty={t('noRefusals')} columns={[
        { id: 'code', title: t('code'), cell: ({ code }) => <RefusalCode code={code} /> }, { id: 'kind', title: t('kind'), cell: ({ kind }) => words(kindName(kind)) },
        { id: 'count', title: t('count'), cell: ({ count }) => number(count), numeric: true },
        { id: 'open', title: t('openEntries'), cell: ({ code, kind }) => <EntriesLink report={report} search={kind === 'queries.refused' ? { kind } : { code }}>{t('openEntries')}</EntriesLink> },
      ]} />
    </Section>
  );
}

function FieldsTreated({ report: { activity: { fields } } }: Part) {
  const t = useTexts(incidentTexts);
  const words = useWords();
  const { number } = useFormats();
  const catalogue = useCatalogueWords();
  return (
    <Section title={t('fields')}>
      <LongTable caption={t('fields')} rows={fields} keyOf={({ field, use, disposition }) => `${field} ${use} ${disposition}`} empty={t('noFields')} columns={[
        { id: 'field', title: t('field'), cell: ({ field }) => <>{catalogue.field(field)} <code>{field}</code></> },
        { id: 'use', title: t('use'), cell: ({ use }) => words(wordsFor(fieldUseWords, use)) },
        { id: 'treated', title: t('treated'), cell: ({ disposition }) => <Tag tone={toneOf(disposition)}>{words(wordsFor(dispositionWords, disposition))}</Tag> },
        { id: 'count', title: t('count'), cell: ({ count }) => number(count), numeric: true },
      ]} />
    </Section>
  );
}

function Answers({ report: { activity: { answers } } }: Part) {
  const t = useTexts(incidentTexts);
  return <Section title={t('answers')}><ByPurpose caption={t('answers')} empty={t('noAnswers')} rows={answers} /></Section>;
}

function Grants({ report: { activity: { grants } } }: Part) {
  const t = useTexts(incidentTexts);
  return <Section title={t('grants')}><ByPurpose caption={t('grants')} empty={t('noGrants')} rows={grants.map(({ event, ...row }) => ({ ...row, kind: event }))} /></Section>;
}

type PurposeRow = { readonly kind: string; readonly purpose: string | null; readonly count: number };

function ByPurpose({ caption, empty, rows }: { readonly caption: string; readonly empty: string; readonly rows: readonly PurposeRow[] }) {
  const t = useTexts(incidentTexts);
  const words = useWords();
  const { number } = useFormats();
  const catalogue = useCatalogueWords();
  return (
    <LongTable caption={caption} rows={rows} keyOf={({ kind, purpose }) => `${kind} ${purpose}`} empty={empty} columns={[
      { id: 'kind', title: t('kind'), cell: ({ kind }) => words(kindName(kind)) }, { id: 'purpose', title: t('purpose'), cell: ({ purpose }) => (purpose === null ? '–' : catalogue.purpose(purpose)) },
      { id: 'count', title: t('count'), cell: ({ count }) => number(count), numeric: true },
    ]} />
  );
}

function Decisions({ report: { decisions } }: Part) {
  const t = useTexts(incidentTexts);
  const { scopes } = useSession();
  return (
    <Section title={t('decisions')}>
      <EntryTable entries={decisions} caption={t('decisions')} empty={t('noDecisions')} linked={scopes.includes('audit')} only={['event', 'number', 'time', 'by']} />
    </Section>
  );
}
