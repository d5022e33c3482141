import { InvalidArgumentError, type Command } from 'commander';
import { reportsClient, workReportCsv, type InstitutionReportView, type WorkReportView } from '../sdk/reports.ts';
import { connectAs } from './access.ts';
import { entryTable } from './audit-entries.ts';
import { date, noun, show, verb } from './command.ts';
import { reportVerifyCommand } from './report-verify.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };

/** `veilgate report`: what happened, counted; and credit reports, checked. */
export function reportCommand(cli: Cli): Command {
  const report = noun('report', 'Count what the platform and its institutions did (auditors, compliance); check credit reports');

  verb(report, 'work', {
    summary: 'Show the platform\'s work in a month: answers, refusals, disclosures, grants, participants',
    detail: 'A month that is over is signed and kept when it is asked for first, and never changes again. With --csv each count is one line.',
    examples: ['report work 2026-11', 'report work 2026-10 --csv > work-2026-10.csv'],
  })
    .argument('<month>', 'in Asia/Shanghai, YYYY-MM', monthOf)
    .option('--csv', 'print CSV')
    .action(async (month: string, options: Json & { readonly csv?: true }, command: Command) => {
      const view = await reportsClient(await connectAs(cli, command, ['audit', 'compliance'])).workReport(month);
      show(cli, options, view, () => (options.csv === true ? workReportCsv(view.report) : workText(view)));
    });

  verb(report, 'institution <id>', {
    summary: 'Show what an institution is and did in a period, and what of it stands out',
    examples: ['report institution bank-a --from 2026-11-01', 'report institution bank-a --from 2026-10-01 --to 2026-10-31 --json'],
  })
    .option('--from <date>', 'first day; 30 days before the last when left out', date)
    .option('--to <date>', 'last day; today when left out', date)
    .action(async (id: string, { json, ...days }: Json & { readonly from?: string; readonly to?: string }, command: Command) => {
      const view = await reportsClient(await connectAs(cli, command, ['audit', 'compliance'])).institutionReport(id, days);
      show(cli, json === undefined ? {} : { json }, view, () => institutionText(view));
    });
  reportVerifyCommand(cli, report);
  return report;
}

function monthOf(text: string): string {
  if (!/^20\d{2}-(0[1-9]|1[0-2])$/.test(text)) throw new InvalidArgumentError('a month, YYYY-MM');
  return text;
}

function workText({ report, digest, entry, behind }: WorkReportView): string {
  const { participants } = report;
  return parts(
    table(['institution', 'purpose', 'kind', 'released', 'refused', 'verified', 'enterprises'], report.answers.map((row) => [row.institution, row.purpose, row.kind, row.released, row.refused, row.verifications, row.enterprises])),
    table(['refused', 'kind', 'institution', 'purpose', 'count'], report.refusals.map((row) => [row.code, row.kind, row.institution, row.purpose, row.count])),
    table(['dataset', 'institution', 'purpose', 'answers', 'rows'], report.datasets.map((row) => [row.dataset, row.institution, row.purpose, row.answers, row.rows])),
    table(['disclosed of', 'institution', 'purpose', 'use', 'how', 'fields'], report.disclosures.map((row) => [row.dataset, row.institution, row.purpose, row.use, row.disposition, row.fields])),
    table(['purpose', 'grants', 'answers', 'scores', 'enterprises', 'in jobs'], report.purposes.map((row) => [row.purpose, row.grants_created, row.answers, row.scores, row.enterprises_served, row.enterprises_in_jobs])),
    pairs({
      month: report.month, state: report.state === 'closed' ? 'closed' : 'so far', 'enterprises registered': `${participants.enterprises_registered}, ${participants.enterprises_ever} ever`,
      'institutions approved': `${participants.institutions_approved}, ${participants.institutions_ever} ever`, digest, 'log entry': entry, 'not counted yet': behind === 0 ? null : behind,
    }),
  );
}

const signs: Readonly<Record<InstitutionReportView['activity']['unusual'][number]['sign'], string>> = {
  refused_often: 'refused far more often than the others, per cent', asked_without_grant: 'asked about enterprises without their grant', guessed_values: 'tried claims until no attempt was left',
  replayed: 'presented a token or proof twice', asked_while_suspended: 'asked while it was not admitted', many_enterprises: 'asked about many more enterprises on one day than usual',
};

function institutionText({ institution, from, to, activity, enterprises, decisions, behind }: InstitutionReportView): string {
  return parts(
    pairs({ institution: `${institution.id} ${institution.name.en} ${institution.name.zh}`, status: institution.status, period: `${from} to ${to}`, enterprises: `${enterprises.total}${enterprises.complete ? '' : ' at least'}`, 'not counted yet': behind === 0 ? null : behind }),
    activity.unusual.length === 0 ? 'Nothing stands out.\n' : table(['stands out', 'measured', 'usual'], activity.unusual.map(({ sign, measured, usual }) => [signs[sign], measured, usual])),
    table(['day', 'released', 'refused', 'enterprises'], activity.days.map(({ day, released, refused, enterprises: asked }) => [day, released, refused, asked])),
    table(['refused', 'kind', 'count'], activity.refusals.map(({ code, kind, count }) => [code, kind, count])),
    table(['field', 'use', 'how', 'count'], activity.fields.map(({ field, use, disposition, count }) => [field, use, disposition, count])),
    table(['grants', 'purpose', 'count'], activity.grants.map(({ event, purpose, count }) => [event, purpose, count])),
    entryTable(decisions),
  );
}

/** Blocks with an empty line between them. */
const parts = (...blocks: readonly string[]): string => blocks.join('\n');
