import { hash } from 'node:crypto';
import { issueReceipt } from '../../audit/receipt.ts';
import { commitmentOf, type ScoresReleased } from '../../audit/entry.ts';
import { identify } from '../../identity/identify.ts';
import { signedScoreJob } from '../../identity/signed-body.ts';
import { VeilgateError } from '../../errors.ts';
import { ownJob, jobsOf, type Job } from '../../scoring/job/job.ts';
import { chunkBytesMax, chunksOf, listSubjectsMax } from '../../scoring/job/list-digest.ts';
import { readLists, type StoredList } from '../../scoring/job/list.ts';
import { readPartResult } from '../../scoring/job/part.ts';
import { readProgresses, readReport, releasedParts, type Progress, type ReportPlace } from '../../scoring/job/progress.ts';
import type { ScoreRequestClaims } from '../../scoring/protocol.ts';
import { isoTime } from '../../clock.ts';
import type { AdmittedCaller } from '../../identity/admit.ts';
import type { InstitutionId, TimeMs } from '../../vocabulary.ts';
import { created, noContent, ok, route, trustedJson, type CallerProof, type JsonObject, type Reply, type Route, type StreamBody } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf, text } from '../schema/words.ts';
import { addChunk, beginJob, cancelJob, forgetJobList, openJob, repeatJob, type SignedScores } from '../use-cases/score-job-requests.ts';
import { partAnswer } from '../use-cases/score-job-release.ts';
import type { Services } from './services.ts';

const jobId = { type: 'string', pattern: '^[A-Za-z0-9_-]{22}$', maxLength: 22, description: 'Id of a job.', examples: ['vZ0eO2qXr5cM6m1c9yT3kQ'] } as const;
const count = integer(0, listSubjectsMax);
const jobSchema = object({
  job: jobId,
  state: oneOf(['open', 'planning', 'running', 'done', 'cancelled', 'stopped'], 'The last three are final.'),
  reason: nullable(text(64, 'Code of why the job was stopped.')),
  repeats: nullable(jobId),
  model: named('ModelRef'), purpose: named('PurposeCode'),
  list: object({ count, received: count, chunks: count, next: integer(0, 1000, 'Number of the chunk that is to come; equal to `chunks` when all came.') }),
  planned_chunks: count,
  parts: object({ total: count, pending: count, released: count, empty: count, failed: count, stopped: count }, { description: 'Each is up to 4,096 enterprises.' }),
  scored: count, unscored: count,
  created_at: named('Time'), started_at: nullable(named('Time')), finished_at: nullable(named('Time')), expires_at: named('Time'), results_until: nullable(named('Time')),
});
const requestMember = { ...named('CompactJws'), description: 'Compact JWS, `typ` `score+jwt`, `kind` `many`, signed with a registered key; valid for 7 days at most.' };
const signed = { typ: 'score+jwt', schema: named('ScorePayload') } as const;
const salt = { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$', maxLength: 43, description: '32 random bytes, base64url: first into the digest of the list.' } as const;
const sealedPart = { type: 'string', maxLength: 8_388_608, pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$' } as const;
const partSchema = object({
  job: jobId, part: count, purpose: named('PurposeCode'), policy: named('PolicyVersion'), model: named('ModelRef'), parameters: text(64), custodian: text(128), count,
  sealed: object({ custodian: sealedPart, gateway: sealedPart }, { description: 'Two JWEs for the key the request names. Neither says anything without the other.' }),
  subjects_salt: salt,
  entry: object({ index: integer(0, Number.MAX_SAFE_INTEGER), salt: text(64), record: { type: 'object' } }, { description: 'What the log says of this part, and the salt of its commitment.' }),
  receipt: named('CompactJws'),
});
const place = { type: 'string', pattern: '^(chunk|part)-[0-9]{1,6}$', maxLength: 12, description: '`next` of the page before.' } as const;

type Payload = { readonly payload: Pick<ScoreRequestClaims, 'score' | 'exp'> };
const tag = 'Score jobs';
const scopes = ['query'] as const;
const stateErrors = ['SCORE_JOB_NOT_FOUND', 'SCORE_JOB_STATE_CONFLICT', 'SCORE_JOB_EXPIRED', 'SCORE_LIST_MISMATCH'] as const;
const openErrors = ['PARTY_NOT_PERMITTED', 'INSTITUTION_ASSESSMENT_MISSING', 'SCORE_INVALID', 'SCORE_MODEL_NOT_USABLE', 'SCORE_JOBS_TOO_MANY', 'SCORE_JOB_STATE_CONFLICT', 'SCORE_UNAVAILABLE', 'REQUEST_QUOTA_EXCEEDED'] as const;
/** How long to wait before asking again for the progress of a job that runs. */
const retryAfterS = '2';

/** Scores of many enterprises: a list goes in, parts come out. */
export function scoreJobRoutes(services: Services): readonly Route[] {
  return [...listRoutes(services), ...resultRoutes(services)];
}

function listRoutes(services: Services): readonly Route[] {
  const { jobs } = services;
  return [
    route<{ readonly body: { readonly request: string; readonly salt: string } } & Payload>({
      method: 'POST', path: '/v1/score-jobs', operationId: 'openScoreJob', tag, access: 'handler', scopes,
      summary: 'Open a job that scores many',
      description: 'The signed request names the model, the number of enterprises and the digest of their list. Hand in the list in chunks, then start.\n\nNothing is spent before a part is released; each enterprise needs a valid grant of its own then. Each counts as one query of the day.',
      request: { body: { kind: 'json', schema: object({ request: requestMember, salt }), code: 'SCORE_INVALID', signed } },
      responses: { 201: { description: 'The open job.', schema: jobSchema } },
      errors: openErrors,
      examples: { cli: 'veilgate score many list.csv --model sme_growth@1 --purpose post_loan_monitoring --out scores.csv', body: { request: 'eyJ….eyJ….c2ln', salt: 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE' } },
      handler: async ({ proof, body, payload, admit }) => {
        const { caller, request } = await receive(services, proof, body.request, payload, admit);
        const job = await openJob(jobs, request, new Uint8Array(Buffer.from(body.salt, 'base64url')), caller);
        return created(await view(services, job), `/v1/score-jobs/${job.id}`);
      },
    }),
    route<{ readonly params: { readonly job: string; readonly chunk: number }; readonly body: StreamBody }>({
      method: 'PUT', path: '/v1/score-jobs/{job}/list/{chunk}', operationId: 'addScoreJobChunk', tag, access: 'party', scopes,
      summary: 'Hand in the next chunk of the list',
      description: 'Lines of canonical JSON, 10,000 in every chunk but the last (docs/formats/score-job.md). The same chunk once more changes nothing.',
      request: { params: object({ job: jobId, chunk: integer(0, 1000) }), body: { kind: 'stream', mediaTypes: ['application/x-ndjson'], maxBytes: chunkBytesMax } },
      responses: { 200: { description: 'How much came.', schema: object({ received: count, next: count }) } },
      errors: [...stateErrors, 'SCORE_LIST_INVALID'],
      handler: async ({ caller, params, body }) => {
        const stored = await addChunk(jobs, institutionOf(caller), params.job, params.chunk, await wholeText(body));
        return ok({ received: stored.received, next: stored.chunks });
      },
    }),
    route<{ readonly params: { readonly job: string } }>({
      method: 'POST', path: '/v1/score-jobs/{job}/start', operationId: 'startScoreJob', tag, access: 'party', scopes,
      summary: 'The list is complete: begin',
      request: { params: object({ job: jobId }) },
      responses: { 202: { description: 'The job.', schema: jobSchema } },
      errors: stateErrors,
      handler: async ({ caller, params }) => ({ status: 202, json: await view(services, await beginJob(jobs, institutionOf(caller), params.job)), headers: { 'Retry-After': retryAfterS } }),
    }),
    route<{ readonly params: { readonly job: string }; readonly body: { readonly request: string } } & Payload>({
      method: 'POST', path: '/v1/score-jobs/{job}/runs', operationId: 'repeatScoreJob', tag, access: 'handler', scopes,
      summary: 'Score the same list again, for post-loan monitoring',
      description: 'A job of its own, under a request of its own with the digest of the same list: consent, policy and limits are decided anew for each enterprise.',
      request: { params: object({ job: jobId }), body: { kind: 'json', schema: object({ request: requestMember }), code: 'SCORE_INVALID', signed } },
      responses: { 201: { description: 'The new job, which has begun.', schema: jobSchema } },
      errors: [...openErrors, 'SCORE_JOB_NOT_FOUND', 'SCORE_LIST_MISMATCH'],
      handler: async ({ proof, params, body, payload, admit }) => {
        const { caller, request } = await receive(services, proof, body.request, payload, admit);
        const job = await repeatJob(jobs, params.job, request, caller);
        return created(await view(services, job), `/v1/score-jobs/${job.id}`);
      },
    }),
  ];
}

function resultRoutes(services: Services): readonly Route[] {
  const { database, jobs } = services;
  return [
    route({
      method: 'GET', path: '/v1/score-jobs', operationId: 'listScoreJobs', tag, access: 'party', scopes,
      summary: 'Your jobs, newest first',
      responses: { 200: { description: 'At most 100.', schema: object({ jobs: list(jobSchema, 100) }) } },
      errors: [],
      handler: async ({ caller }) => ok({ jobs: await viewAll(services, await jobsOf(database, institutionOf(caller), 100)) }),
    }),
    route<{ readonly params: { readonly job: string } }>({
      method: 'GET', path: '/v1/score-jobs/{job}', operationId: 'readScoreJob', tag, access: 'party', scopes,
      summary: 'How far a job is',
      description: 'Exact at the moment of the question. Ask again after `Retry-After` seconds, with the `ETag` in `If-None-Match`.',
      request: { params: object({ job: jobId }) },
      responses: { 200: { description: 'The job.', schema: jobSchema } },
      errors: ['SCORE_JOB_NOT_FOUND'],
      examples: { cli: 'veilgate score job vZ0eO2qXr5cM6m1c9yT3kQ' },
      handler: async ({ caller, params }) => progressReply(await view(services, await ownJob(database, params.job, institutionOf(caller)))),
    }),
    route<{ readonly params: { readonly job: string } }>({
      method: 'DELETE', path: '/v1/score-jobs/{job}', operationId: 'cancelScoreJob', tag, access: 'party', scopes,
      summary: 'Cancel a job',
      description: 'No part is released afterwards. What was released stays: it is in the log, the grants are spent, and it can be fetched.',
      request: { params: object({ job: jobId }) },
      responses: { 200: { description: 'The job, with what was already released.', schema: jobSchema } },
      errors: ['SCORE_JOB_NOT_FOUND'],
      handler: async ({ caller, params }) => ok(await view(services, await cancelJob(jobs, institutionOf(caller), params.job))),
    }),
    route<{ readonly params: { readonly job: string } }>({
      method: 'DELETE', path: '/v1/score-jobs/{job}/list', operationId: 'forgetScoreJobList', tag, access: 'party', scopes,
      summary: 'Have a list forgotten, with every job over it',
      description: 'At once, results that were not fetched included. What was released stays in the log and in the access history of each enterprise.',
      request: { params: object({ job: jobId }) },
      responses: { 204: { description: 'It is gone.' } },
      errors: ['SCORE_JOB_NOT_FOUND', 'SCORE_JOB_STATE_CONFLICT'],
      examples: { cli: 'veilgate score forget vZ0eO2qXr5cM6m1c9yT3kQ' },
      handler: async ({ caller, params }) => {
        await forgetJobList(jobs, institutionOf(caller), params.job);
        return noContent;
      },
    }),
    route<{ readonly params: { readonly job: string }; readonly query: { readonly after?: number } }>({
      method: 'GET', path: '/v1/score-jobs/{job}/parts', operationId: 'listScoreJobParts', tag, access: 'party', scopes,
      summary: 'Parts that can be fetched',
      request: { params: object({ job: jobId }), query: object({ after: integer(-1, 1_000_000, 'Number of the last part you have.') }, { optional: ['after'] }) },
      responses: { 200: { description: 'Ascending.', schema: object({ parts: list(count, 1000) }) } },
      errors: ['SCORE_JOB_NOT_FOUND'],
      handler: async ({ caller, params, query }) => {
        const job = await ownJob(database, params.job, institutionOf(caller));
        return ok({ parts: await releasedParts(database, job.id, query.after ?? -1, 1000) });
      },
    }),
    route<{ readonly params: { readonly job: string; readonly part: number } }>({
      method: 'GET', path: '/v1/score-jobs/{job}/parts/{part}', operationId: 'readScoreJobPart', tag, access: 'party', scopes,
      summary: 'The sealed scores of one part',
      request: { params: object({ job: jobId, part: integer(0, 1_000_000) }) },
      responses: { 200: { description: 'Both halves, and the receipt.', schema: partSchema } },
      errors: ['SCORE_JOB_NOT_FOUND', 'SCORE_PART_NOT_THERE'],
      handler: async ({ caller, params }) => ok(await readPart(services, await ownJob(database, params.job, institutionOf(caller)), params.part)),
    }),
    route<{ readonly params: { readonly job: string }; readonly query: { readonly after?: string } }>({
      method: 'GET', path: '/v1/score-jobs/{job}/report', operationId: 'readScoreJobReport', tag, access: 'party', scopes,
      summary: 'Who was not scored, and why',
      description: 'Without a grant of your own the reason is the same, whether the enterprise exists or not. Pages follow `next` until it is null.',
      request: { params: object({ job: jobId }), query: object({ after: place }, { optional: ['after'] }) },
      responses: { 200: { description: 'A page.', schema: object({ unscored: list(object({ subject: named('SubjectId'), reason: text(64) }), 20_000), next: nullable(place) }) } },
      errors: ['SCORE_JOB_NOT_FOUND'],
      handler: async ({ caller, params, query }) => {
        const job = await ownJob(database, params.job, institutionOf(caller));
        const { unscored, next } = await readReport(database, job.id, placeOf(query.after));
        return ok({ unscored: trustedJson(unscored), next: next === undefined ? null : `${next.source}-${next.n}` });
      },
    }),
  ];
}

function institutionOf({ party }: { readonly party: unknown }): InstitutionId {
  return party as InstitutionId;
}

/** Identify, check the form, let in. */
async function receive(services: Services, proof: CallerProof, jws: string, payload: (claims: unknown) => Payload['payload'], admit: (caller: AdmittedCaller) => Promise<void>): Promise<{ readonly caller: AdmittedCaller; readonly request: SignedScores }> {
  const identified = await identify({ ...proof, body: { jws, kind: signedScoreJob } }, services.identity);
  if (identified.body === undefined) throw new VeilgateError('TOKEN_MISSING', 'The request must be signed.');
  const { score, exp } = payload(identified.body.claims);
  const caller = await services.admissions.caller(identified);
  await admit(caller);
  return { caller, request: { institution: identified.party as InstitutionId, score, request: jws, requestDigest: identified.body.digest, expiresMs: (exp * 1000) as TimeMs } };
}

async function wholeText(body: StreamBody): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1'); // the grammar of lines is ASCII: anything else is refused by it
}

async function view(services: Pick<Services, 'database'>, job: Job): Promise<JsonObject> {
  return (await viewAll(services, [job]))[0] as JsonObject;
}

/** Two questions, however many jobs. */
async function viewAll({ database }: Pick<Services, 'database'>, jobs: readonly Job[]): Promise<readonly JsonObject[]> {
  const [lists, progresses] = await Promise.all([readLists(database, jobs.map(({ list: id }) => id)), readProgresses(database, jobs.map(({ id }) => id))]);
  return jobs.map((job) => jobJson(job, lists.get(job.list), progresses.get(job.id) as Progress));
}

function jobJson(job: Job, stored: StoredList | undefined, { planned, parts, scored, unscored }: Progress): JsonObject {
  const time = (ms: TimeMs | null) => (ms === null ? null : isoTime(ms));
  return {
    job: job.id, state: job.state, reason: job.reason, repeats: job.repeats, model: job.model, purpose: job.purpose,
    list: { count: stored?.count ?? 0, received: stored?.received ?? 0, chunks: chunksOf(stored?.count ?? 0), next: stored?.chunks ?? 0 },
    planned_chunks: planned,
    parts: { total: Object.values(parts).reduce((sum, some) => sum + some, 0), ...parts },
    scored, unscored,
    created_at: isoTime(job.createdMs), started_at: time(job.startedMs), finished_at: time(job.finishedMs), expires_at: isoTime(job.expiresMs), results_until: time(job.resultsUntilMs),
  };
}

function progressReply(json: JsonObject): Reply {
  const under = json['finished_at'] === null;
  return { status: 200, json, headers: { ETag: `"${hash('sha256', JSON.stringify(json), 'hex').slice(0, 32)}"`, ...(under ? { 'Retry-After': retryAfterS } : {}) } };
}

/** The receipt says nothing that the record does not: it is signed anew at each fetch. */
async function readPart({ database, signer, clock, gatewayUrl, desk }: Services, job: Job, n: number): Promise<JsonObject> {
  const part = await readPartResult(database, job.id, n);
  if (part === undefined || part.gatewayHalf === null || part.custodianHalf === null || part.record === null || part.entry === null || part.entrySalt === null || part.subjectsSalt === null) {
    throw new VeilgateError('SCORE_PART_NOT_THERE', 'The part is not released, holds nobody, or its time to be fetched is over: see the job.');
  }
  const record = JSON.parse(part.record) as ScoresReleased;
  const salt = new Uint8Array(part.entrySalt);
  const entry = { index: part.entry, salt, commitment: await commitmentOf(record, salt) };
  return {
    ...trustedJson(partAnswer(job, record, { custodian: part.custodianHalf, gateway: part.gatewayHalf })) as JsonObject,
    subjects_salt: part.subjectsSalt,
    entry: { index: entry.index, salt: Buffer.from(salt).toString('base64url'), record: trustedJson(record) },
    receipt: await issueReceipt({ signer, clock, issuer: gatewayUrl, origin: desk.logOrigin, record, entry }),
  };
}

function placeOf(after: string | undefined): ReportPlace | undefined {
  if (after === undefined) return undefined;
  const [source, n] = after.split('-');
  return { source: source as ReportPlace['source'], n: Number(n) };
}
