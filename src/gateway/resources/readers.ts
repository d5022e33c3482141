import { isoTime } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import { ok, route, type JsonObject, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, text } from '../schema/words.ts';
import { readersOf, type Reader } from '../use-cases/readers.ts';
import type { Services } from './services.ts';

/** Most grants one page decides on: each has up to 200 fields and four uses. */
const pageMax = 20;

const words = object({ en: text(4000), zh: text(4000) });
const useSchema = object({
  use: named('Use'), disposition: named('Disposition'), reason: named('DecisionReason'), rule: nullable(text(200)),
  conditional: { type: 'boolean', description: 'It hangs on what the institution states in its query.' }, words,
});
const cohortSchema = object({ cohort: named('GrantId'), project: named('GrantId'), size: integer(1, 10_000_000), formed_at: named('Time') });
const readerSchema = object({
  grant: named('GrantId'),
  institution: object({ id: named('PartyId'), name: nullable(named('Title')), class: nullable(named('InstitutionClass')) }),
  purpose: object({ code: named('PurposeCode'), title: nullable(words) }),
  valid_until: named('Time'), uses_left: nullable(integer(0, 1_000_000)), frequency: nullable(named('Frequency')),
  data_from: nullable(named('Date')), data_to: nullable(named('Date')),
  data_life_days: integer(1, 3650),
  blocked_by: nullable({ ...text(64), description: 'Error code for which it gets nothing just now.' }),
  fields: list(object({ field: named('FieldRef'), title: nullable(named('Title')), dataset: nullable(named('Title')), ceiling: named('Ceiling'), uses: list(useSchema, 4) }), 500),
  models: { ...list(text(128), 1000), description: 'Approved models it may have your enterprise scored with; the score is readable by it alone.' },
  cohorts: list(cohortSchema, 100, 'Groups of joint modelling that count your enterprise in; only noisy totals leave.'),
});
const withoutGrant = {
  en: 'Nobody else: without a valid grant of yours every field is withheld from every institution, for every use.',
  zh: '除此之外任何机构均无法获取：没有您的有效授权，所有字段对所有机构、所有用途均不提供。',
};

/** "Who could access me now, and why" (R12). */
export function readerRoutes({ database, clock, policy, catalogue, scoring }: Pick<Services, 'database' | 'clock' | 'policy' | 'catalogue' | 'scoring'>): readonly Route[] {
  return [
    route<{ query: { readonly after?: string; readonly limit?: number } }>({
      method: 'GET', path: '/v1/readers', operationId: 'listReaders', tag: 'Grants', access: 'party', scopes: ['grants'],
      summary: 'Who could access your data at this moment, and why',
      description: 'Your usable grants, newest first, each decided as a query of this moment would be: which fields, how, by which rule, until when. Each release is decided anew.',
      request: { query: object({ after: text(64), limit: integer(1, pageMax) }, { optional: ['after', 'limit'] }) },
      responses: {
        200: {
          description: 'A page; `next` continues.',
          schema: object({ at: named('Time'), policy: named('PolicyVersion'), without_grant: words, readers: list(readerSchema, pageMax), next: nullable(text(64)) }),
        },
      },
      errors: ['PARTY_NOT_PERMITTED'],
      examples: { cli: 'veilgate access readers' },
      handler: async ({ caller, query }) => {
        if (caller.subject === undefined) throw new VeilgateError('PARTY_NOT_PERMITTED', 'This is for the enterprise whose data it is about.');
        const desk = { database, clock, policy, features: scoring.desk.features };
        const { policy: version, atMs, readers, next } = await readersOf(desk, caller.subject, { limit: query.limit ?? 10, ...(query.after === undefined ? {} : { after: query.after }) });
        return ok({ at: isoTime(atMs), policy: version, without_grant: withoutGrant, readers: readers.map((reader) => readerJson(reader, catalogue)), next });
      },
    }),
  ];
}

function readerJson({ grant, institution, purpose, blockedBy, fields, models, cohorts }: Reader, { fields: known, datasets }: Services['catalogue']): JsonObject {
  const datasetTitles = new Map([...datasets.values()].map(({ id, title }): [string, typeof title] => [id, title]));
  return {
    grant: grant.id,
    institution: { id: grant.institution, name: institution?.name ?? null, class: institution?.class ?? null },
    purpose: { code: grant.purpose, title: purpose ?? null },
    valid_until: isoTime(grant.validUntilMs), uses_left: grant.usesLeft, frequency: grant.frequency, data_from: grant.dataFrom, data_to: grant.dataTo, data_life_days: grant.dataLifeDays,
    blocked_by: blockedBy,
    fields: fields.map(({ field, uses }) => ({
      field, title: known.get(field)?.title ?? null, dataset: datasetTitles.get(field.slice(0, field.indexOf('.'))) ?? null, ceiling: grant.fields.get(field) ?? 'desensitised', uses: [...uses],
    })),
    models: [...models],
    cohorts: cohorts.map(({ cohort, project, size, formedMs }) => ({ cohort, project, size, formed_at: isoTime(formedMs) })),
  };
}
