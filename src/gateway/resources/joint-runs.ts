import { isoTime } from '../../clock.ts';
import { jointParameters } from '../../he/joint-parameters.ts';
import { bundlesMax, bundlesMin } from '../../joint/lottery/lottery.ts';
import { bundlePadsMax, padBytes, padsAtOnce } from '../../joint/run/pads.ts';
import { runsOf, type JointRun } from '../../joint/run/run.ts';
import { requireOwnKey } from '../../identity/admit.ts';
import { fixedColumns } from '../../joint/run/shifts.ts';
import type { Sql } from '../../store/database.ts';
import type { Caller, InstitutionId } from '../../vocabulary.ts';
import { createPartySlots, type PartySlots } from '../party-slots.ts';
import { created, ok, route, type JsonObject, type Route, type StreamBody } from '../route.ts';
import { named } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf } from '../schema/words.ts';
import { completeBundle, requireUploadable, takePads, takePublicKey, takeShifts } from '../use-cases/joint-bundle.ts';
import { commitToBundles, openBundles } from '../use-cases/joint-lottery.ts';
import { ownRun, type JointRunDesk } from '../use-cases/joint-run-desk.ts';
import { jointId } from './joint-projects.ts';
import type { Services } from './services.ts';

const tag = 'Joint modelling';
const count = integer(0, Number.MAX_SAFE_INTEGER);
const runsMax = 100;
const columnName = { type: 'string', pattern: '^[a-z][a-z0-9_]{0,40}$', maxLength: 41 } as const;
const seed = { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$', maxLength: 43, description: '32 bytes, base64url.' } as const;
/** Rows of a cohort: what limits the bytes of its shifts. */
const rowsMax = 1_000_000;
export const runState = oneOf(['drawn', 'opened', 'honest', 'loaded', 'ready', 'cheated', 'late'], 'The last two are final.');
const runSchema = object({
  run: jointId, project: jointId, cohort: jointId, state: runState, rows: count,
  columns: list(object({ name: columnName, bins: count }), 1024), bundles: integer(bundlesMin, bundlesMax), drawn: integer(0, bundlesMax - 1),
  drawn_at: named('Time'), deadline: named('Time'), cheated: nullable(integer(0, bundlesMax - 1)),
  pads: object({ total: count, received: count, bytes: count, at_once: count }), public_key: { type: 'boolean' }, rejected: count, shifts: list(columnName, 1024),
});
const ofRun = object({ run: jointId });
const octets = ['application/octet-stream'] as const;
const runErrors = ['JOINT_RUN_NOT_FOUND', 'JOINT_RUN_STATE_CONFLICT', 'JOINT_PROJECT_NOT_FOUND', 'JOINT_PROJECT_STATE_CONFLICT', 'JOINT_INPUT_INVALID'] as const;

type OfRun = { readonly params: { readonly run: string } };
type Needs = Pick<Services, 'jointRuns'>;

/** The lottery over a partner's bundles, and the drawn one. */
export function jointRunRoutes({ jointRuns: desk }: Needs): readonly Route[] {
  return [...lotteryRoutes(desk), ...bundleRoutes(desk)];
}

function lotteryRoutes(desk: JointRunDesk): readonly Route[] {
  return [
    route<{ readonly body: { readonly project: string; readonly cohort: string; readonly digests: readonly string[] } }>({
      method: 'POST', path: '/v1/joint-runs', operationId: 'commitToBundles', tag, access: 'party', scopes: ['query'],
      summary: 'Commit to bundles; one is drawn',
      description: 'Once for a project and a cohort. The draw is stored before it is told: the same commitment again answers the same, another one is refused.\n\nOpen all other bundles before the deadline: who does not is stopped and suspended.',
      request: { body: { kind: 'json', schema: object({ project: jointId, cohort: jointId, digests: list(named('Digest'), bundlesMax) }) } },
      responses: { 201: { description: 'What was drawn.', schema: runSchema } },
      errors: ['ACCOUNT_KEY_REQUIRED', 'JOINT_PROJECT_NOT_FOUND', 'JOINT_PROJECT_STATE_CONFLICT', 'COHORT_NOT_FOUND', 'JOINT_LOTTERY_INVALID', 'JOINT_BOUND_EXCEEDED', 'JOINT_RUN_STATE_CONFLICT'],
      handler: async ({ caller, body }) => {
        requireOwnKey(caller); // a wrong commitment or opening has the institution suspended: not by whoever finds a browser signed in
        const run = await commitToBundles(desk, institutionOf(caller), body);
        return created(await runJson(desk.database, run), `/v1/joint-runs/${run.id}`);
      },
    }),
    route({
      method: 'GET', path: '/v1/joint-runs', operationId: 'listJointRuns', tag, access: 'party', scopes: ['query'],
      summary: 'Your runs, newest first',
      responses: { 200: { description: `At most ${runsMax}.`, schema: object({ runs: list(runSchema, runsMax) }) } },
      errors: [],
      handler: async ({ caller }) => ok({ runs: await Promise.all((await runsOf(desk.database, institutionOf(caller), runsMax)).map((run) => runJson(desk.database, run))) }),
    }),
    route<OfRun>({
      method: 'GET', path: '/v1/joint-runs/{run}', operationId: 'readJointRun', tag, access: 'party', scopes: ['query'],
      summary: 'How far a run is',
      request: { params: ofRun },
      responses: { 200: { description: 'The run.', schema: runSchema } },
      errors: ['JOINT_RUN_NOT_FOUND'],
      handler: async ({ caller, params }) => ok(await runJson(desk.database, await ownRun(desk.database, params.run, institutionOf(caller)))),
    }),
    route<OfRun & { readonly body: { readonly seeds: readonly (string | null)[] } }>({
      method: 'POST', path: '/v1/joint-runs/{run}/opening', operationId: 'openBundles', tag, access: 'party', scopes: ['query'],
      summary: 'Open the bundles that were not drawn',
      description: 'A seed for each bundle, null at the drawn place. A worker makes every bundle again; one that differs from its commitment stops the project and suspends the institution.',
      request: { params: ofRun, body: { kind: 'json', schema: object({ seeds: list({ anyOf: [seed, { type: 'null' }] }, bundlesMax) }) } },
      responses: { 202: { description: 'The run, which is judged.', schema: runSchema } },
      errors: ['ACCOUNT_KEY_REQUIRED', 'JOINT_RUN_NOT_FOUND', 'JOINT_RUN_STATE_CONFLICT', 'JOINT_LOTTERY_INVALID', 'JOINT_LOTTERY_LATE'],
      handler: async ({ caller, params, body }) => {
        requireOwnKey(caller);
        const opening = body.seeds.map((each) => (each === null ? undefined : new Uint8Array(Buffer.from(each, 'base64url'))));
        return { status: 202, json: await runJson(desk.database, await openBundles(desk, institutionOf(caller), params.run, opening)) };
      },
    }),
  ];
}

function bundleRoutes(desk: JointRunDesk): readonly Route[] {
  // bodies are megabytes, held whole: each institution sends two at a time
  const uploading: Uploading = { desk, uploads: createPartySlots(2) };
  return [
    route<OfRun & { readonly body: StreamBody }>({
      method: 'PUT', path: '/v1/joint-runs/{run}/public-key', operationId: 'putBundleKey', tag, access: 'party', scopes: ['query'],
      summary: 'Public key of the drawn bundle',
      request: { params: ofRun, body: { kind: 'stream', mediaTypes: octets, maxBytes: jointParameters.publicKeyBytes } },
      responses: { 200: { description: 'The run.', schema: runSchema } },
      errors: [...runErrors, 'HE_KEY_REFUSED'],
      handler: async ({ caller, params, body }) => ok(await runJson(desk.database, await withBody(uploading, caller, params.run, ['honest'], body, (bytes) => takePublicKey(desk, institutionOf(caller), params.run, bytes)))),
    }),
    route<{ readonly params: { readonly run: string; readonly from: number }; readonly body: StreamBody }>({
      method: 'PUT', path: '/v1/joint-runs/{run}/pads/{from}', operationId: 'putBundlePads', tag, access: 'party', scopes: ['query'],
      summary: 'Pads of the drawn bundle',
      description: `Column by column, chunk by chunk, ${padBytes} bytes each, up to ${padsAtOnce} at once, from the number in the path on. What came before is left as it is, so an interrupted upload goes on at \`received\`.`,
      request: { params: object({ run: jointId, from: integer(0, bundlePadsMax) }), body: { kind: 'stream', mediaTypes: octets, maxBytes: padsAtOnce * padBytes } },
      responses: { 200: { description: 'The run.', schema: runSchema } },
      errors: runErrors,
      handler: async ({ caller, params, body }) => ok(await runJson(desk.database, await withBody(uploading, caller, params.run, ['honest'], body, (bytes) => takePads(desk, institutionOf(caller), params.run, params.from, bytes)))),
    }),
    route<OfRun>({
      method: 'POST', path: '/v1/joint-runs/{run}/bundle', operationId: 'completeBundle', tag, access: 'party', scopes: ['query'],
      summary: 'The drawn bundle is complete',
      description: 'It is held against the digest that was committed to. If it is another one, it goes, `rejected` grows, and the right one may come.',
      request: { params: ofRun },
      responses: { 202: { description: 'The run, which is checked.', schema: runSchema } },
      errors: runErrors,
      handler: async ({ caller, params }) => ({ status: 202, json: await runJson(desk.database, await completeBundle(desk, institutionOf(caller), params.run)) }),
    }),
    route<{ readonly params: { readonly run: string; readonly column: string }; readonly body: StreamBody }>({
      method: 'PUT', path: '/v1/joint-runs/{run}/shifts/{column}', operationId: 'putShifts', tag, access: 'party', scopes: ['query'],
      summary: 'Shifts of a partner column, for good',
      description: 'One byte for each position: (bin − pad) mod bins. The same again changes nothing; others are refused, because two sets over the same pads would tell how your columns differ.',
      request: { params: object({ run: jointId, column: columnName }), body: { kind: 'stream', mediaTypes: octets, maxBytes: rowsMax } },
      responses: { 200: { description: 'Fixed.', schema: object({ column: columnName, digest: named('Digest') }) } },
      errors: [...runErrors, 'JOINT_SHIFTS_FIXED'],
      handler: async ({ caller, params, body }) => ok({ column: params.column, digest: await withBody(uploading, caller, params.run, ['ready'], body, (bytes) => takeShifts(desk, institutionOf(caller), params.run, params.column, bytes)) }),
    }),
  ];
}

export function institutionOf({ party }: { readonly party: unknown }): InstitutionId {
  return party as InstitutionId;
}

type Uploading = { readonly desk: JointRunDesk; readonly uploads: PartySlots };

/** Reads the body of a request for a run that is the caller's and waits for such: nobody else's body is read. What holds is looked at again under lock. */
async function withBody<Result>({ desk, uploads }: Uploading, { party }: Pick<Caller, 'party'>, run: string, states: readonly JointRun['state'][], body: StreamBody, work: (bytes: Uint8Array) => Promise<Result>): Promise<Result> {
  await requireUploadable(desk, party as InstitutionId, run, states);
  const ended = uploads.take(party);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk);
    return await work(Buffer.concat(chunks));
  } finally {
    ended();
  }
}

async function runJson(sql: Sql, run: JointRun): Promise<JsonObject> {
  return {
    run: run.id, project: run.project, cohort: run.cohort, state: run.state, rows: run.spec.rows, columns: run.spec.columns.map(({ name, bins }) => ({ name, bins })),
    bundles: run.digests.length, drawn: run.drawn, drawn_at: isoTime(run.drawnMs), deadline: isoTime(run.deadlineMs), cheated: run.cheated,
    pads: { total: run.pads, received: run.received, bytes: padBytes, at_once: padsAtOnce }, public_key: run.hasKey, rejected: run.rejected, shifts: await fixedColumns(sql, run.id),
  };
}
