import { isoTime } from '../../clock.ts';
import { pointBytes } from '../../joint/cohort/group.ts';
import { cohortPageMax, type CohortHead } from '../../joint/cohort/registry.ts';
import { pointsMax } from '../../joint/cohort/alignment.ts';
import { chunkBytesMax } from '../../joint/cohort/run.ts';
import { content, created, ok, route, type JsonObject, type Route, type StreamBody } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, object, oneOf } from '../schema/words.ts';
import {
  alignableCohort, blindCohortChunk, blindPartnerChunk, endAlignment, formCohort, openAlignment, readAlignment, visibleCohort, visibleCohorts, type AlignmentView,
} from '../use-cases/joint-cohorts.ts';
import type { JointDesk } from '../use-cases/joint-projects.ts';
import { jointId } from './joint-projects.ts';
import type { Services } from './services.ts';

const tag = 'Joint modelling';
const count = integer(0, 1_000_000);
const chunk = integer(0, 1000);
const octets = 'application/octet-stream';
const head = { id: jointId, project: jointId, institution: named('PartyId'), datasets: list(named('DatasetId'), 20), size: count, digest: named('Digest'), formed_at: named('Time') };
const alignment = object({
  id: jointId, cohort: jointId, state: oneOf(['open', 'done', 'expired']), points: count, members: count, chunk_points: count,
  list_chunks: object({ total: count, done: list(chunk, 1000) }), cohort_chunks: object({ total: count, done: list(chunk, 1000) }),
  opened_at: named('Time'), deadline: named('Time'),
});
const points = { description: `${pointBytes} bytes for each point.`, mediaType: octets };
const runErrors = ['ALIGNMENT_NOT_FOUND', 'ALIGNMENT_STATE_CONFLICT', 'ALIGNMENT_CHUNK_REFUSED', 'JOINT_PROJECT_STATE_CONFLICT', 'REQUEST_OVERLOADED', 'HE_EVALUATION_FAILED'] as const;

type OfProject = { readonly params: { readonly project: string } };
type OfCohort = { readonly params: { readonly cohort: string } };
type OfAlignment = { readonly params: { readonly alignment: string } };
type OfChunk = { readonly params: { readonly alignment: string; readonly chunk: number } };
const ofAlignment = object({ alignment: jointId });
const ofChunk = object({ alignment: jointId, chunk });

/** Cohorts of a project, and the alignment of a partner's list with one. */
export function jointCohortRoutes({ joint: desk }: Pick<Services, 'joint'>): readonly Route[] {
  return [...cohortRoutes(desk), ...alignmentRoutes(desk), ...chunkRoutes(desk)];
}

function cohortRoutes(desk: JointDesk): readonly Route[] {
  return [
    route<OfProject>({
      method: 'POST', path: '/v1/joint-projects/{project}/cohorts', operationId: 'formCohort', tag, access: 'party', scopes: ['query'],
      summary: 'Form the cohort of those who consent now',
      description: 'Enterprises with a grant to you that covers every column, in a random order of positions that never changes. The same enterprises again are the cohort that is there. It must have k members, and differ from each earlier cohort of yours over a common dataset by nobody or by at least k.',
      request: { params: object({ project: jointId }) },
      responses: { 200: { description: 'It was there.', schema: object(head) }, 201: { description: 'The new cohort.', schema: object(head) } },
      errors: ['JOINT_PROJECT_NOT_FOUND', 'JOINT_PROJECT_STATE_CONFLICT', 'JOINT_NOT_PERMITTED', 'COHORT_REFUSED', 'REQUEST_QUOTA_EXCEEDED', 'INSTITUTION_NOT_ACTIVE', 'INSTITUTION_ASSESSMENT_MISSING', 'PARTY_NOT_PERMITTED'],
      examples: { cli: 'veilgate joint cohort form vZ0eO2qXr5cM6m1c9yT3kQ' },
      handler: async ({ caller, params }) => {
        const { cohort, formed } = await formCohort(desk, caller, params.project);
        return formed ? created(headJson(cohort), `/v1/joint-cohorts/${cohort.id}`) : ok(headJson(cohort));
      },
    }),
    route<OfProject>({
      method: 'GET', path: '/v1/joint-projects/{project}/cohorts', operationId: 'listCohorts', tag, access: 'party', scopes: ['query', 'compliance', 'audit'],
      summary: 'Cohorts of a project, newest first',
      request: { params: object({ project: jointId }) },
      responses: { 200: { description: `At most ${cohortPageMax}.`, schema: object({ cohorts: list(object(head), cohortPageMax) }) } },
      errors: ['JOINT_PROJECT_NOT_FOUND'],
      examples: { cli: 'veilgate joint cohort list vZ0eO2qXr5cM6m1c9yT3kQ' },
      handler: async ({ caller, params }) => ok({ cohorts: (await visibleCohorts(desk, caller, params.project)).map(headJson) }),
    }),
    route<OfCohort>({
      method: 'GET', path: '/v1/joint-cohorts/{cohort}', operationId: 'readCohort', tag, access: 'party', scopes: ['query', 'compliance', 'audit'],
      summary: 'One cohort; never who is in it',
      request: { params: object({ cohort: jointId }) },
      responses: { 200: { description: '`fresh`: every member still consents, the project runs, and the policy permits.', schema: object({ ...head, fresh: { type: 'boolean' } }) } },
      errors: ['COHORT_NOT_FOUND'],
      examples: { cli: 'veilgate joint cohort show vZ0eO2qXr5cM6m1c9yT3kQ' },
      handler: async ({ caller, params }) => {
        const cohort = await visibleCohort(desk, caller, params.cohort);
        return ok({ ...headJson(cohort), fresh: cohort.fresh });
      },
    }),
  ];
}

function alignmentRoutes(desk: JointDesk): readonly Route[] {
  return [
    route<OfCohort & { readonly body: { readonly points: number } }>({
      method: 'POST', path: '/v1/joint-cohorts/{cohort}/alignments', operationId: 'openAlignment', tag, access: 'party', scopes: ['query'], idempotent: true,
      summary: 'Begin to align your list with a cohort',
      description: 'Private set intersection (docs/formats/joint-cohort.md): you learn at which positions your customers stand, the platform learns how long your list is and nothing else. Its secret is deleted when you end the run, or at the deadline.',
      request: { params: object({ cohort: jointId }), body: { kind: 'json', schema: object({ points: integer(1, 1_000_000, 'Codes on your list.') }) } },
      responses: { 201: { description: 'The open run.', schema: alignment } },
      errors: ['COHORT_NOT_FOUND', 'COHORT_STALE', 'COHORT_REFUSED', 'JOINT_PROJECT_STATE_CONFLICT', 'REQUEST_QUOTA_EXCEEDED'],
      examples: { cli: 'veilgate joint cohort align vZ0eO2qXr5cM6m1c9yT3kQ customers.csv --out positions.csv', body: { points: 12_000 } },
      async handler({ caller, params, body, once }) {
        const cohort = await alignableCohort(desk, caller, params.cohort);
        return once(async (tx) => {
          const run = await openAlignment(desk, tx, caller, { cohort, points: body.points });
          return { reply: created(alignmentJson(run), `/v1/joint-alignments/${run.id}`) };
        });
      },
    }),
    route<OfAlignment>({
      method: 'GET', path: '/v1/joint-alignments/{alignment}', operationId: 'readAlignment', tag, access: 'party', scopes: ['query'],
      summary: 'How far an alignment is',
      request: { params: ofAlignment },
      responses: { 200: { description: 'Which chunks were worked out; all can be asked for again while the run is open.', schema: alignment } },
      errors: ['ALIGNMENT_NOT_FOUND'],
      handler: async ({ caller, params }) => ok(alignmentJson(await readAlignment(desk, caller, params.alignment))),
    }),
    route<OfAlignment>({
      method: 'DELETE', path: '/v1/joint-alignments/{alignment}', operationId: 'endAlignment', tag, access: 'party', scopes: ['query'],
      summary: 'End an alignment: its secret and points are deleted',
      request: { params: ofAlignment },
      responses: { 200: { description: 'The run, over.', schema: alignment } },
      errors: ['ALIGNMENT_NOT_FOUND'],
      handler: async ({ caller, params }) => ok(alignmentJson(await endAlignment(desk, caller, params.alignment))),
    }),
  ];
}

function chunkRoutes(desk: JointDesk): readonly Route[] {
  return [
    route<OfChunk & { readonly body: StreamBody }>({
      method: 'PUT', path: '/v1/joint-alignments/{alignment}/list/{chunk}', operationId: 'blindListChunk', tag, access: 'party', scopes: ['query'],
      summary: 'Have a chunk of your blinded points blinded again',
      description: `${pointsMax} points in every chunk but the last. The same chunk once more has the same answer; another one under its number is refused.`,
      request: { params: ofChunk, body: { kind: 'stream', mediaTypes: [octets], maxBytes: chunkBytesMax } },
      responses: { 200: points },
      errors: [...runErrors, 'COHORT_POINT_REFUSED'],
      handler: async ({ caller, params, body }) => content(octets, await blindPartnerChunk(desk, caller, params.alignment, params.chunk, await wholeBytes(body))),
    }),
    route<OfChunk>({
      method: 'GET', path: '/v1/joint-alignments/{alignment}/cohort/{chunk}', operationId: 'readCohortChunk', tag, access: 'party', scopes: ['query'],
      summary: 'A chunk of the cohort\'s blinded points',
      description: 'In the order of positions: blind them again with your own secret and look for yours among them.',
      request: { params: ofChunk },
      responses: { 200: points },
      errors: runErrors,
      handler: async ({ caller, params }) => content(octets, await blindCohortChunk(desk, caller, params.alignment, params.chunk)),
    }),
  ];
}

async function wholeBytes(body: StreamBody): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const part of body as AsyncIterable<Buffer>) chunks.push(part);
  return new Uint8Array(Buffer.concat(chunks));
}

function headJson({ id, project, institution, datasets, size, digest, formedMs }: CohortHead): JsonObject {
  return { id, project, institution, datasets, size, digest, formed_at: isoTime(formedMs) };
}

function alignmentJson({ id, cohort, state, points: codes, members, done, openedMs, deadlineMs }: AlignmentView): JsonObject {
  return {
    id, cohort, state, points: codes, members, chunk_points: pointsMax,
    list_chunks: { total: Math.ceil(codes / pointsMax), done: done.partner }, cohort_chunks: { total: Math.ceil(members / pointsMax), done: done.cohort },
    opened_at: isoTime(openedMs), deadline: isoTime(deadlineMs),
  };
}
