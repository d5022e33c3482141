import { workReportCsv } from '../../audit/work-report.ts';
import type { IsoDate } from '../../vocabulary.ts';
import { content, ok, route, trustedJson, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, text } from '../schema/words.ts';
import { institutionReport } from '../use-cases/institution-report.ts';
import { monthlyReport } from '../use-cases/work-report.ts';
import { institutionJson, institutionSchema } from './institutions.ts';
import { foundEntryJson, foundEntrySchema } from './log-entries.ts';
import type { Services } from './services.ts';

const count = integer(0, Number.MAX_SAFE_INTEGER);
const month = { type: 'string', pattern: '^20[0-9]{2}-(0[1-9]|1[0-2])$', maxLength: 7, description: 'A month, in Asia/Shanghai.', examples: ['2026-11'] } as const;
const party = nullable(named('PartyId'));
const purpose = nullable(named('PurposeCode'));
const dataset = named('DatasetId');
const rows = (properties: Parameters<typeof object>[0]) => list(object(properties), 1_000_000);
const behind = { ...count, description: 'Newest entries of the log that are not counted yet.' };

const workReportSchema = object({
  format: text(64), platform: text(512), month, state: oneOf(['so_far', 'closed']), made_at: named('Time'),
  answers: rows({ institution: party, purpose, kind: oneOf(['query', 'score', 'score_job_part', 'joint_release']), released: count, refused: count, verifications: count, enterprises: count, results: count }),
  refusals: rows({ institution: party, purpose, kind: text(64), code: text(64), count }),
  datasets: rows({ dataset, institution: party, purpose, answers: count, rows: count }),
  disclosures: rows({ dataset, institution: party, purpose, use: named('Use'), disposition: named('Disposition'), fields: count }),
  purposes: rows({ purpose: named('PurposeCode'), grants_created: count, answers: count, scores: count, enterprises_served: count, enterprises_in_jobs: count }),
  records: rows({ dataset, rows: count }),
  events: rows({ kind: text(64), count, ever: count }),
  participants: object({ enterprises_registered: count, enterprises_ever: count, institutions_approved: count, institutions_ever: count, institutions_with_answers: count }),
}, { description: 'docs/formats/work-report.md.' });

const activitySchema = object({
  days: rows({ day: named('Date'), released: count, refused: count, enterprises: count }),
  answers: rows({ kind: text(64), purpose, count }),
  refusals: rows({ kind: text(64), code: text(64), count }),
  fields: rows({ field: named('FieldRef'), use: named('Use'), disposition: named('Disposition'), count }),
  grants: rows({ event: text(64), purpose, count }),
  unusual: list(object({ sign: oneOf(['refused_often', 'asked_without_grant', 'guessed_values', 'replayed', 'asked_while_suspended', 'many_enterprises']), measured: count, usual: nullable(count) }), 6, 'What somebody should look at more closely; proves nothing by itself.'),
});

/** What happened, counted: for auditors and compliance officers. No report names an enterprise. */
export function reportRoutes({ database, clock, signer, gatewayUrl, pseudonymOf }: Pick<Services, 'database' | 'clock' | 'signer' | 'gatewayUrl' | 'pseudonymOf'>): readonly Route[] {
  return [
    route<{ query: { readonly month: string; readonly format?: 'json' | 'csv' } }>({
      method: 'GET', path: '/v1/reports/work', operationId: 'readWorkReport', tag: 'Reports', access: 'party', scopes: ['audit', 'compliance'],
      summary: 'The platform\'s work in a month: answers, refusals, disclosures, grants, participants',
      description: 'Once the month is over, its report is signed, kept and logged (`report.published`) by whoever asks first, and never changes again. `format=csv` gives its counts alone, one a line, as text/csv.',
      request: { query: object({ month, format: oneOf(['json', 'csv']) }, { optional: ['format'] }) },
      responses: {
        200: {
          description: 'The report; digest, signature and entry are null while the month is not closed.',
          schema: object({ report: workReportSchema, digest: nullable(named('Digest')), signature: nullable(named('CompactJws')), entry: nullable(count), behind }),
        },
      },
      errors: ['REPORT_PERIOD_INVALID', 'AUDIT_UNAVAILABLE'],
      examples: { cli: 'veilgate report work 2026-11' },
      handler: async ({ caller, query }) => {
        const published = await monthlyReport({ database, clock, signer, gatewayUrl }, query.month, caller.party);
        return query.format === 'csv' ? content('text/csv; charset=utf-8', workReportCsv(published.report)) : ok({ ...published, report: trustedJson(published.report) });
      },
    }),
    route<{ params: { readonly institution: string }; query: { readonly from?: IsoDate; readonly to?: IsoDate } }>({
      method: 'GET', path: '/v1/reports/institution/{institution}', operationId: 'readInstitutionReport', tag: 'Reports', access: 'party', scopes: ['audit', 'compliance'],
      summary: 'What an institution is and did in a period, and what of it is unusual',
      description: 'Days are those of Asia/Shanghai, both ends included; the last 30 when left out. The entries themselves are at /v1/log/entries, for auditors.',
      request: { params: object({ institution: named('PartyId') }), query: object({ from: named('Date'), to: named('Date') }, { optional: ['from', 'to'] }) },
      responses: {
        200: {
          description: 'The report. `enterprises` are those it asked about; `complete` is false when there were too many entries to look at each.',
          schema: object({
            institution: institutionSchema, from: named('Date'), to: named('Date'), activity: activitySchema, enterprises: object({ total: count, complete: { type: 'boolean' } }),
            decisions: list(foundEntrySchema, 200, 'What was decided about it, newest first.'), behind,
          }),
        },
      },
      errors: ['INSTITUTION_NOT_FOUND', 'REPORT_PERIOD_INVALID'],
      examples: { cli: 'veilgate report institution bank-a --from 2026-11-01' },
      handler: async ({ params, query }) => {
        const { institution, activity, decisions, ...report } = await institutionReport({ database, clock }, params.institution, query);
        return ok({ ...report, institution: institutionJson(institution), activity: trustedJson(activity), decisions: decisions.map((entry) => foundEntryJson(entry, pseudonymOf)) });
      },
    }),
  ];
}
