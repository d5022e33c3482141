import { shanghaiDate, workingDaysUntil } from '../../calendar.ts';
import { isoTime } from '../../clock.ts';
import type { Objection, ObjectionState, ObjectionStep } from '../../objection/objection.ts';
import { noticesShownMax } from '../../objection/notices.ts';
import { objectionPageMax } from '../../objection/registry.ts';
import type { Step } from '../../objection/steps.ts';
import type { Scope } from '../../vocabulary.ts';
import { created, ok, route, type JsonObject, type Route } from '../route.ts';
import { named, type JsonSchema } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, plainText, text } from '../schema/words.ts';
import { owedStates, submitObjection, takeStep, viewObjection, visibleObjections, type GivenObjection, type ObjectionDesk, type ObjectionView } from '../use-cases/objections.ts';
import type { Services } from './services.ts';

const tag = 'Objections';
const exampleId = 'vZ0eO2qXr5cM6m1c9yT3kQ';
export const objectionId = { type: 'string', pattern: '^[A-Za-z0-9_-]{22}$', maxLength: 22, examples: [exampleId] } as const;
const ofObjection = object({ objection: objectionId });
const index = integer(0, Number.MAX_SAFE_INTEGER);
const words = plainText(2000, 'In your own words; plain text.');
const row = { ...plainText(200), description: 'Which row, where an enterprise has several: its period (YYYY-MM-DD) or its record field\'s value.' };
const fault = oneOf(['wrong', 'outdated', 'incomplete'], 'What is the matter with the value.');
const state = oneOf(['submitted', 'accepted', 'returned', 'corrected', 'remedied', 'rejected', 'closed']);
const actions = ['accept', 'return', 'correct', 'remedy', 'reject', 'close'] as const satisfies readonly Step['action'][];

const given: JsonSchema = {
  description: 'To a recorded value, or to an access out of your history.',
  oneOf: [
    object({ about: { const: 'record' }, field: named('FieldRef'), row, fault, text: words }, { optional: ['row'] }),
    object({ about: { const: 'access' }, entry: { ...index, description: 'Index of the access in your history.' }, text: words }),
  ],
};

const summary = {
  id: objectionId, subject: named('SubjectId'), about: oneOf(['record', 'access']), dataset: nullable(named('DatasetId')), field: nullable(named('FieldRef')), row: nullable(text(200)),
  fault: nullable(fault), department: nullable(named('PartyId')), entry: nullable(index), state, submitted_at: named('Time'), accepted_at: nullable(named('Time')),
  due_on: nullable({ ...named('Date'), description: 'Last day of the next step, Asia/Shanghai.' }),
  working_days_left: nullable(integer(-1000, 1000, 'Until then; less than 0 when it is over.')), overdue: { type: 'boolean', description: 'An answer is owed and late.' },
};
const summarySchema = object(summary);
const stepSchema = object({
  action: oneOf(['submit', ...actions]), state, role: oneOf(['enterprise', 'officer', 'department', 'platform']), by: nullable(named('PartyId')), at: named('Time'),
  text: nullable(words), entry: { ...index, description: 'Of the log.' },
});
const notifiedSchema = object({
  institution: named('PartyId'), grant: named('GrantId'), received: integer(1, Number.MAX_SAFE_INTEGER), dispositions: list(named('Disposition'), 8), acknowledged_at: nullable(named('Time')),
});
const viewSchema = object(
  {
    ...summary, steps: list(stepSchema, 16), actions: list(oneOf(actions), 8, 'What you can do now.'),
    notified: list(notifiedSchema, noticesShownMax, 'Who received the value and was told of the correction; not for departments.'),
  },
  { optional: ['notified'] },
);

type OfObjection = { readonly params: { readonly objection: string } };
const readers = ['grants', 'records', 'compliance'] as const;

/** Objections of enterprises, from submission to the end. */
export function objectionRoutes({ objections: desk }: Pick<Services, 'objections'>): readonly Route[] {
  return [
    route<{ readonly body: GivenObjection }>({
      method: 'POST', path: '/v1/objections', operationId: 'submitObjection', tag, access: 'party', scopes: ['grants'], idempotent: true,
      summary: 'Object to a value that is recorded of you, or to an access',
      description: 'An officer accepts or returns it; then the department that supplies the value answers, or an officer for an access. Steps have deadlines in working days. What you write is never logged.',
      request: { body: { kind: 'json', schema: given, code: 'OBJECTION_INVALID' } },
      responses: { 201: { description: 'Submitted.', schema: summarySchema } },
      errors: ['OBJECTION_INVALID', 'OBJECTION_EXISTS', 'AUDIT_ENTRY_NOT_FOUND', 'AUDIT_RANGE_INVALID', 'REQUEST_QUOTA_EXCEEDED', 'PARTY_NOT_PERMITTED', 'AUDIT_UNAVAILABLE'],
      examples: {
        cli: "veilgate objection submit --field tax.declared_revenue_cents --row 2026-06-30 --fault wrong --text 'We filed a correction in July.'",
        body: { about: 'record', field: 'tax.declared_revenue_cents', row: '2026-06-30', fault: 'wrong', text: 'We filed a correction in July.' },
      },
      handler: ({ caller, body, once }) => once(async (tx) => {
        const objection = await submitObjection(desk, tx, caller, body);
        return { reply: created(summaryJson(desk, objection), `/v1/objections/${objection.id}`) };
      }),
    }),
    route<{ readonly query: { readonly state?: ObjectionState; readonly overdue?: boolean; readonly after?: string; readonly limit?: number } }>({
      method: 'GET', path: '/v1/objections', operationId: 'listObjections', tag, access: 'party', scopes: readers,
      summary: 'Objections you may see, newest first',
      description: 'An enterprise sees its own, a department those that were accepted about its datasets, compliance officers all. With `overdue`, only those whose answer is late, the latest first.',
      request: { query: object({ state, overdue: { type: 'boolean' }, after: objectionId, limit: integer(1, objectionPageMax) }, { optional: ['state', 'overdue', 'after', 'limit'] }) },
      responses: { 200: { description: 'A page; `next` continues.', schema: object({ objections: list(summarySchema, objectionPageMax), next: nullable(objectionId) }) } },
      errors: ['PARTY_NOT_PERMITTED'],
      examples: { cli: 'veilgate objection list --overdue' },
      handler: async ({ caller, query: { overdue = false, limit = objectionPageMax, ...query } }) => {
        const found = await visibleObjections(desk, caller, { ...query, overdue, limit });
        return ok({ objections: found.map((each) => summaryJson(desk, each)), next: found.length === limit ? (found.at(-1)?.id ?? null) : null });
      },
    }),
    route<OfObjection>({
      method: 'GET', path: '/v1/objections/{objection}', operationId: 'readObjection', tag, access: 'party', scopes: readers,
      summary: 'One objection with every step, and what you can do now',
      request: { params: ofObjection },
      responses: { 200: { description: 'The objection.', schema: viewSchema } },
      errors: ['OBJECTION_NOT_FOUND', 'PARTY_NOT_PERMITTED'],
      examples: { cli: `veilgate objection show ${exampleId}` },
      handler: async ({ caller, params }) => ok(viewJson(desk, await viewObjection(desk.database, caller, params.objection))),
    }),
    stepRoute(desk, { action: 'accept', noun: 'acceptance', scopes: ['compliance'], summary: 'Accept an objection: it is with the department now, or with you for an access', words: 'optional' }),
    stepRoute(desk, { action: 'return', noun: 'return', scopes: ['compliance'], summary: 'Return an objection that cannot be worked on, with the reason', words: 'required' }),
    stepRoute(desk, {
      action: 'correct', noun: 'correction', scopes: ['records'], words: 'required', errors: ['OBJECTION_NOT_CORRECTED'],
      summary: 'Say that the value is corrected, after its record was loaded', description: 'Every institution that was answered about the field is told, without the value.',
    }),
    stepRoute(desk, { action: 'remedy', noun: 'remedy', scopes: ['compliance'], summary: 'Find an objection to an access right, and say what was done', words: 'required' }),
    stepRoute(desk, { action: 'reject', noun: 'rejection', scopes: ['records', 'compliance'], summary: 'Reject an objection: to a record its department, to an access an officer', words: 'required' }),
    stepRoute(desk, { action: 'close', noun: 'closure', scopes: ['grants'], summary: 'Close your objection, answered or not', words: 'optional' }),
  ];
}

type StepForm = {
  readonly action: Step['action']; readonly noun: string; readonly scopes: readonly [Scope, ...Scope[]]; readonly summary: string; readonly description?: string;
  readonly words: 'required' | 'optional'; readonly errors?: readonly ['OBJECTION_NOT_CORRECTED'];
};

function stepRoute(desk: ObjectionDesk, { action: taken, noun, scopes, summary: line, description, words: needs, errors = [] as never }: StepForm): Route {
  return route<OfObjection & { readonly body: { readonly text?: string } }>({
    method: 'POST', path: `/v1/objections/{objection}/${noun}`, operationId: `${taken}Objection`, tag, access: 'party', scopes, idempotent: true,
    summary: line,
    ...(description === undefined ? {} : { description }),
    request: { params: ofObjection, body: { kind: 'json', schema: object({ text: words }, { optional: needs === 'required' ? [] : ['text'] }) } },
    responses: { 200: { description: 'The objection as it is now.', schema: summarySchema } },
    errors: ['OBJECTION_NOT_FOUND', 'OBJECTION_STATE_CONFLICT', 'PARTY_NOT_PERMITTED', 'AUDIT_UNAVAILABLE', ...errors],
    examples: { cli: `veilgate objection ${taken} ${exampleId}${needs === 'required' ? " --text 'We looked at the filing.'" : ''}` },
    handler: ({ caller, params, body, once }) => once(async (tx) => (
      { reply: ok(summaryJson(desk, await takeStep(desk, tx, caller, { id: params.objection, action: taken, words: body.text ?? null }))) })),
  });
}

function summaryJson({ clock, settings }: ObjectionDesk, objection: Objection): JsonObject {
  const { id, subject, about, state: now, submittedMs, acceptedMs, dueOn } = objection;
  const today = shanghaiDate(clock.nowMs());
  const record = objection.about === 'record' ? objection : undefined;
  return {
    id, subject, about, dataset: record?.field.split('.')[0] ?? null, field: record?.field ?? null, row: record?.row ?? null, fault: record?.fault ?? null, department: record?.department ?? null,
    entry: objection.about === 'access' ? objection.entry : null, state: now, submitted_at: isoTime(submittedMs), accepted_at: acceptedMs === null ? null : isoTime(acceptedMs),
    due_on: dueOn, working_days_left: dueOn === null ? null : workingDaysUntil(today, dueOn, settings().calendar), overdue: dueOn !== null && dueOn < today && owedStates.includes(now),
  };
}

/** An objection with what became of it. */
export function objectionJson(desk: ObjectionDesk, objection: Objection, steps: readonly ObjectionStep[]): JsonObject {
  return {
    ...summaryJson(desk, objection),
    steps: steps.map(({ action: taken, state: after, role, by, atMs, words: said, entry }) => ({ action: taken, state: after, role, by, at: isoTime(atMs), text: said, entry })),
  };
}

function viewJson(desk: ObjectionDesk, { objection, steps, actions, notices }: ObjectionView): JsonObject {
  return {
    ...objectionJson(desk, objection, steps),
    actions,
    ...(notices === undefined ? {} : {
      notified: notices.map(({ institution, grant, received, dispositions, acknowledgedMs }) => (
        { institution, grant, received, dispositions, acknowledged_at: acknowledgedMs === null ? null : isoTime(acknowledgedMs) })),
    }),
  };
}
