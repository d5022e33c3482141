import { isoTime } from '../../clock.ts';
import { listNotices, noticeEntriesMax, noticePageMax, type Notice } from '../../objection/notices.ts';
import type { InstitutionId } from '../../vocabulary.ts';
import { ok, route, type JsonObject, type Route } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object } from '../schema/words.ts';
import { acknowledge } from '../use-cases/correction-notices.ts';
import { objectionId } from './objections.ts';
import type { Services } from './services.ts';

const tag = 'Objections';
const count = integer(0, Number.MAX_SAFE_INTEGER);
const open = { type: 'boolean', description: 'Only those you have not acknowledged.' } as const;
const noticeSchema = object({
  id: objectionId, subject: named('SubjectId'), grant: { ...named('GrantId'), description: 'The grant you received it under.' }, field: named('FieldRef'),
  dispositions: list(named('Disposition'), 8, 'How you received it.'), received: count, entries: list(count, noticeEntriesMax, 'Log entries of that, newest first.'),
  corrected_at: named('Time'), acknowledged_at: nullable(named('Time')),
});

/** For institutions: fields they received were corrected since. Which ones and when, never the value. */
export function noticeRoutes({ objections: desk }: Pick<Services, 'objections'>): readonly Route[] {
  return [
    route<{ readonly query: { readonly open?: boolean; readonly after?: string; readonly limit?: number } }>({
      method: 'GET', path: '/v1/notices', operationId: 'listNotices', tag, access: 'party', scopes: ['query'],
      summary: 'Values you received that were corrected since, newest first',
      description: 'Ask again, under a grant that can be used, to have the corrected value: a notice never holds it.',
      request: { query: object({ open, after: objectionId, limit: integer(1, noticePageMax) }, { optional: ['open', 'after', 'limit'] }) },
      responses: { 200: { description: 'A page; `next` continues.', schema: object({ notices: list(noticeSchema, noticePageMax), next: nullable(objectionId) }) } },
      errors: [],
      examples: { cli: 'veilgate notice list --open' },
      handler: async ({ caller, query: { open: unseen = false, limit = noticePageMax, after } }) => {
        const found = await listNotices(desk.database, { institution: caller.party as InstitutionId, open: unseen, limit, ...(after === undefined ? {} : { after }) });
        return ok({ notices: found.map(noticeJson), next: found.length === limit ? (found.at(-1)?.id ?? null) : null });
      },
    }),
    route<{ readonly params: { readonly notice: string } }>({
      method: 'POST', path: '/v1/notices/{notice}/acknowledgement', operationId: 'acknowledgeNotice', tag, access: 'party', scopes: ['query'], idempotent: true,
      summary: 'Say that you have seen a notice',
      description: 'The enterprise and the platform see when. A second time changes nothing.',
      request: { params: object({ notice: objectionId }) },
      responses: { 200: { description: 'The notice, acknowledged.', schema: noticeSchema } },
      errors: ['NOTICE_NOT_FOUND', 'AUDIT_UNAVAILABLE'],
      examples: { cli: 'veilgate notice acknowledge vZ0eO2qXr5cM6m1c9yT3kQ' },
      handler: ({ caller, params, once }) => once(async (tx) => ({ reply: ok(noticeJson(await acknowledge(desk, tx, caller, params.notice))) })),
    }),
  ];
}

function noticeJson({ id, subject, grant, field, dispositions, received, entries, correctedMs, acknowledgedMs }: Notice): JsonObject {
  return {
    id, subject, grant, field, dispositions, received, entries, corrected_at: isoTime(correctedMs), acknowledged_at: acknowledgedMs === null ? null : isoTime(acknowledgedMs),
  };
}
