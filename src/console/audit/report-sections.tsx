import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { Section } from '../parts/page.tsx';
import type { Column } from '../parts/table.tsx';
import { useInstitutionName } from '../parts/use-institutions.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import type { WorkReport } from '../../sdk/reports.ts';
import { BarChart, bars, sum } from './bar-chart.tsx';
import { RefusalCode } from './entry-table.tsx';
import { dispositionWords, fieldUseWords, wordsFor } from './entry-texts.ts';
import { kindName } from './kind-words.ts';
import { LongTable } from './long-table.tsx';
import { reportTexts } from './report-texts.ts';

type Part = { readonly report: WorkReport };

export function ReportFigures({ report: { answers, purposes, participants } }: Part) {
  const t = useTexts(reportTexts);
  const { number } = useFormats();
  const figures: readonly (readonly [string, number, string?])[] = [
    [t('released'), sum(answers, ({ released }) => released)], [t('refused'), sum(answers, ({ refused }) => refused)], [t('verifications'), sum(answers, ({ verifications }) => verifications)],
    [t('grants'), sum(purposes, ({ grants_created: grants }) => grants)],
    [t('enterprises'), participants.enterprises_ever, t('ofMonth', { count: number(participants.enterprises_registered) })],
    [t('institutions'), participants.institutions_ever, t('ofMonth', { count: number(participants.institutions_approved) })],
  ];
  return (
    <div className="figures">
      {figures.map(([name, count, more]) => <div key={name} className="figure"><b>{number(count)}</b><span>{name}</span>{more !== undefined && <span className="hint"> · {more}</span>}</div>)}
    </div>
  );
}

/** Every chart has the same figures in a table below. */
export function ReportSections({ report }: Part) {
  return (
    <>
      <ByInstitution report={report} /><ByPurpose report={report} /><ByDataset report={report} /><Refusals report={report} />
      <Dispositions report={report} /><Supplied report={report} /><Events report={report} />
    </>
  );
}

function ByInstitution({ report: { answers } }: Part) {
  const t = useTexts(reportTexts);
  const catalogue = useCatalogueWords();
  const nameOf = useInstitutionName();
  const named = (id: string) => (id === '' ? t('noInstitution') : nameOf(id));
  return (
    <Section title={t('byInstitution')}>
      <BarChart
        title={t('byInstitution')} series={[t('released'), t('refused')]}
        rows={bars(answers, ({ institution }) => institution ?? '', named, ({ released }) => released, ({ refused }) => refused)}
      />
      <LongTable caption={t('byInstitution')} rows={answers} empty={t('none')} keyOf={({ institution, purpose, kind }) => `${institution} ${purpose} ${kind}`} columns={[
        { id: 'institution', title: t('institution'), cell: ({ institution }) => <bdi>{named(institution ?? '')}</bdi> },
        { id: 'purpose', title: t('purpose'), cell: ({ purpose }) => (purpose === null ? '–' : catalogue.purpose(purpose)) },
        { id: 'kind', title: t('kind'), cell: ({ kind }) => t(kind) },
        figure('released', t('released')), figure('refused', t('refused')), figure('verifications', t('verifications')),
        figure('enterprises', t('scored')), figure('results', t('results')),
      ]} />
    </Section>
  );
}

/** A column of the counts that stand in this member. */
function figure<Member extends string>(id: Member, title: string): Column<Readonly<Record<Member, number>>> {
  return { id, title, cell: (row) => <Figure value={row[id]} />, numeric: true };
}

function Figure({ value }: { readonly value: number }) {
  return useFormats().number(value);
}

function ByPurpose({ report: { purposes } }: Part) {
  const t = useTexts(reportTexts);
  const catalogue = useCatalogueWords();
  return (
    <Section title={t('byPurpose')}>
      <BarChart title={t('byPurpose')} series={[t('answers'), t('scores')]} rows={bars(purposes, ({ purpose }) => purpose, catalogue.purpose, ({ answers }) => answers, ({ scores }) => scores)} />
      <LongTable caption={t('byPurpose')} rows={purposes} empty={t('none')} keyOf={({ purpose }) => purpose} columns={[
        { id: 'purpose', title: t('purpose'), cell: ({ purpose }) => catalogue.purpose(purpose) },
        figure('grants_created', t('grants')), figure('answers', t('answers')), figure('scores', t('scores')),
        figure('enterprises_served', t('served')), figure('enterprises_in_jobs', t('servedIn')),
      ]} />
    </Section>
  );
}

function ByDataset({ report: { datasets } }: Part) {
  const t = useTexts(reportTexts);
  const catalogue = useCatalogueWords();
  const nameOf = useInstitutionName();
  return (
    <Section title={t('byDataset')}>
      <BarChart title={t('byDataset')} series={[t('answers')]} rows={bars(datasets, ({ dataset }) => dataset, catalogue.dataset, ({ answers }) => answers)} />
      <LongTable caption={t('byDataset')} rows={datasets} empty={t('none')} keyOf={({ dataset, institution, purpose }) => `${dataset} ${institution} ${purpose}`} columns={[
        { id: 'dataset', title: t('dataset'), cell: ({ dataset }) => catalogue.dataset(dataset) },
        { id: 'institution', title: t('institution'), cell: ({ institution }) => <bdi>{nameOf(institution)}</bdi> },
        { id: 'purpose', title: t('purpose'), cell: ({ purpose }) => (purpose === null ? '–' : catalogue.purpose(purpose)) },
        figure('answers', t('answers')), figure('rows', t('rows')),
      ]} />
    </Section>
  );
}

function Refusals({ report: { refusals } }: Part) {
  const t = useTexts(reportTexts);
  const catalogue = useCatalogueWords();
  const nameOf = useInstitutionName();
  return (
    <Section title={t('byOutcome')}>
      <BarChart title={t('byOutcome')} series={[t('count')]} rows={bars(refusals, ({ code }) => code, (code) => code, ({ count }) => count)} />
      <LongTable caption={t('byOutcome')} rows={refusals} empty={t('none')} keyOf={({ institution, purpose, kind, code }) => `${institution} ${purpose} ${kind} ${code}`} columns={[
        { id: 'code', title: t('code'), cell: ({ code }) => <RefusalCode code={code} /> }, { id: 'institution', title: t('institution'), cell: ({ institution }) => <bdi>{nameOf(institution)}</bdi> },
        { id: 'purpose', title: t('purpose'), cell: ({ purpose }) => (purpose === null ? '–' : catalogue.purpose(purpose)) }, figure('count', t('count')),
      ]} />
    </Section>
  );
}

function Dispositions({ report: { disclosures } }: Part) {
  const t = useTexts(reportTexts);
  const words = useWords();
  const catalogue = useCatalogueWords();
  const treated = (disposition: string) => words(wordsFor(dispositionWords, disposition));
  const rows = [...Map.groupBy(disclosures, ({ dataset, use, disposition }) => `${dataset} ${use} ${disposition}`)].flatMap(([key, group]) => {
    const [first] = group;
    return first === undefined ? [] : [{ ...first, key, fields: sum(group, ({ fields }) => fields) }];
  });
  return (
    <Section title={t('byDisposition')}>
      <BarChart title={t('byDisposition')} series={[t('fields')]} rows={bars(rows, ({ disposition }) => disposition, treated, ({ fields }) => fields)} />
      <LongTable caption={t('byDisposition')} rows={rows} empty={t('none')} keyOf={({ key }) => key} columns={[
        { id: 'dataset', title: t('dataset'), cell: ({ dataset }) => catalogue.dataset(dataset) }, { id: 'use', title: t('use'), cell: ({ use }) => words(wordsFor(fieldUseWords, use)) },
        { id: 'treated', title: t('treated'), cell: ({ disposition }) => treated(disposition) }, figure('fields', t('fields')),
      ]} />
    </Section>
  );
}

function Supplied({ report: { records } }: Part) {
  const t = useTexts(reportTexts);
  const catalogue = useCatalogueWords();
  return (
    <Section title={t('supplied')}>
      <BarChart title={t('supplied')} series={[t('rowsLoaded')]} rows={bars(records, ({ dataset }) => dataset, catalogue.dataset, ({ rows }) => rows)} />
      <LongTable caption={t('supplied')} rows={records} empty={t('none')} keyOf={({ dataset }) => dataset} columns={[
        { id: 'dataset', title: t('dataset'), cell: ({ dataset }) => catalogue.dataset(dataset) }, figure('rows', t('rowsLoaded')),
      ]} />
    </Section>
  );
}

function Events({ report: { events } }: Part) {
  const t = useTexts(reportTexts);
  const words = useWords();
  return (
    <Section title={t('events')}>
      <LongTable caption={t('events')} rows={events} empty={t('none')} keyOf={({ kind }) => kind} columns={[
        { id: 'event', title: t('event'), cell: ({ kind }) => words(kindName(kind)) }, figure('count', t('inMonth')), figure('ever', t('ever')),
      ]} />
    </Section>
  );
}
