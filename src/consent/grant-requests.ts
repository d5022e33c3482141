import { randomBytes } from 'node:crypto';
import { dayMs, dayStartMs, secondsToNextDay } from '../calendar.ts';
import { VeilgateError } from '../errors.ts';
import type { Sql, Tx } from '../store/database.ts';
import type { GrantId, InstitutionId, SubjectId, TimeMs } from '../vocabulary.ts';
import type { ConsentDetail } from './schemas.ts';

/** How long an enterprise has to answer. */
export const grantRequestDays = 30;
/** Requests one institution may make of one enterprise within 24 hours, whatever became of them. */
export const grantRequestsPerDayMax = 3;
/** Requests of one institution in a day (Asia/Shanghai), whoever they go to: each is a message to somebody and an entry of the log. */
export const grantRequestsOfInstitutionMax = 1000;
export const listedRequestsMax = 50;

export type GrantRequestState = 'pending' | 'accepted' | 'refused' | 'withdrawn' | 'expired';

/** A request for a grant as both sides see it. */
export type GrantRequest = {
  readonly id: string;
  readonly institution: InstitutionId;
  readonly subject: SubjectId;
  /** As asked; open terms are open. */
  readonly terms: ConsentDetail;
  readonly message: string | null;
  readonly createdAtMs: TimeMs;
  readonly expiresAtMs: TimeMs;
  /** As it is at the moment of reading. */
  readonly state: GrantRequestState;
  readonly decidedAtMs: TimeMs | null;
  /** Why the enterprise refused, when it said so. */
  readonly reason: string | null;
  readonly grant: GrantId | null;
};

type Row = {
  readonly id: string; readonly institution: InstitutionId; readonly subject: SubjectId; readonly terms: ConsentDetail; readonly message: string | null; readonly created_ms: TimeMs;
  readonly expires_ms: TimeMs; readonly state: GrantRequestState; readonly decided_ms: TimeMs | null; readonly reason: string | null; readonly grant_id: GrantId | null;
};

const columns = 'id, institution, subject, terms, message, created_ms, expires_ms, state, decided_ms, reason, grant_id';

/**
 * Keeps a request. Whether anybody of this code is registered is not looked at: an institution must not learn it.
 * The caller has checked terms and message. Errors: CONSENT_REQUESTS_TOO_MANY.
 */
export async function createGrantRequest(tx: Tx, asked: Pick<GrantRequest, 'institution' | 'subject' | 'terms' | 'message'>, atMs: TimeMs): Promise<GrantRequest> {
  const { institution, subject, terms, message } = asked;
  // two requests at the same moment would each not see the other
  await tx.query({ name: 'consent lock asking', text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [`grant requests of ${institution}`] });
  const { rows: [today] } = await tx.query<{ asked: number }>({
    name: 'consent count asked today', text: 'select count(*)::int as asked from grant_request where institution = $1 and created_ms >= $2', values: [institution, dayStartMs(atMs)],
  });
  if ((today?.asked ?? 0) >= grantRequestsOfInstitutionMax) {
    throw tooMany(`You asked ${grantRequestsOfInstitutionMax} times today: continue tomorrow.`, 'institution', grantRequestsOfInstitutionMax, secondsToNextDay(atMs));
  }
  await tx.query({
    name: 'consent expire asking',
    text: "update grant_request set state = 'expired' where institution = $1 and subject = $2 and state = 'pending' and expires_ms <= $3",
    values: [institution, subject, atMs],
  });
  const { rows: [before] } = await tx.query<{ open: number; lately: number }>({
    name: 'consent count asking',
    text: `select count(*) filter (where state = 'pending')::int as open, count(*) filter (where created_ms > $3)::int as lately
           from grant_request where institution = $1 and subject = $2 and (state = 'pending' or created_ms > $3)`,
    values: [institution, subject, atMs - dayMs],
  });
  if ((before?.open ?? 0) > 0) throw tooMany('A request of yours waits for this enterprise already: withdraw it first, or wait for the answer.', 'open', 1);
  if ((before?.lately ?? 0) >= grantRequestsPerDayMax) throw tooMany(`You asked this enterprise ${grantRequestsPerDayMax} times within a day: try again tomorrow.`, 'day', grantRequestsPerDayMax);
  const { rows } = await tx.query<Row>({
    name: 'consent keep request',
    text: `insert into grant_request (id, institution, subject, terms, message, created_ms, expires_ms) values ($1, $2, $3, $4::jsonb, $5, $6, $7) returning ${columns}`,
    values: [randomBytes(16).toString('base64url'), institution, subject, JSON.stringify(terms), message, atMs, atMs + grantRequestDays * dayMs],
  });
  return fromRow(rows[0] as Row, atMs);
}

function tooMany(message: string, limit: 'open' | 'day' | 'institution', max: number, retryAfterSeconds?: number): VeilgateError {
  return new VeilgateError('CONSENT_REQUESTS_TOO_MANY', message, { limit, max, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) });
}

/** Who looks at a request: the one it came from or the one it goes to. */
export type RequestViewer = { readonly subject: SubjectId } | { readonly institution: InstitutionId };

/** Errors: CONSENT_REQUEST_NOT_FOUND, equal for one that is not there and one that is not the viewer's. */
export async function readGrantRequest(sql: Sql, id: string, viewer: RequestViewer, atMs: TimeMs): Promise<GrantRequest> {
  const { rows } = await sql.query<Row>({ name: 'consent read request', text: `select ${columns} from grant_request where id = $1`, values: [id] });
  return viewed(rows[0], viewer, atMs);
}

/**
 * The same, held until the transaction ends, and only while it waits for an answer.
 * Errors: CONSENT_REQUEST_NOT_FOUND; CONSENT_REQUEST_STATE_CONFLICT with the state, and the grant when there is one.
 */
export async function takeGrantRequest(tx: Tx, id: string, viewer: RequestViewer, atMs: TimeMs): Promise<GrantRequest> {
  const { rows } = await tx.query<Row>({ name: 'consent lock request', text: `select ${columns} from grant_request where id = $1 for update`, values: [id] });
  const request = viewed(rows[0], viewer, atMs);
  if (request.state !== 'pending') {
    throw new VeilgateError('CONSENT_REQUEST_STATE_CONFLICT', 'This request is not open any more: see detail.state for what became of it.', {
      state: request.state, ...(request.grant === null ? {} : { grant: request.grant }),
    });
  }
  return request;
}

export type RequestEnd =
  | { readonly state: 'accepted'; readonly grant: GrantId }
  | { readonly state: 'refused'; readonly reason: string | null }
  | { readonly state: 'withdrawn' };

/** Ends a request that was taken in the same transaction. */
export async function endGrantRequest(tx: Tx, id: string, end: RequestEnd, atMs: TimeMs): Promise<GrantRequest> {
  const { rows } = await tx.query<Row>({
    name: 'consent end request',
    text: `update grant_request set state = $2, decided_ms = $3, reason = $4, grant_id = $5 where id = $1 returning ${columns}`,
    values: [id, end.state, atMs, end.state === 'refused' ? end.reason : null, end.state === 'accepted' ? end.grant : null],
  });
  return fromRow(rows[0] as Row, atMs);
}

const cursorShape = /^([0-9]{1,16})\.([A-Za-z0-9_-]{22})$/;

/**
 * Requests to an enterprise, or of an institution, newest first.
 * @returns `next`: what to pass as `after` for the next page, null on the last
 * Errors: REQUEST_INVALID for a cursor this list did not give.
 */
export async function listGrantRequests(
  sql: Sql, of: RequestViewer, page: { readonly state?: GrantRequestState; readonly after?: string; readonly limit?: number }, atMs: TimeMs,
): Promise<{ readonly requests: readonly GrantRequest[]; readonly next: string | null }> {
  const limit = Math.min(page.limit ?? listedRequestsMax, listedRequestsMax);
  const cursor = page.after === undefined ? undefined : cursorShape.exec(page.after);
  if (cursor === null) throw new VeilgateError('REQUEST_INVALID', 'The page to continue after is not one this list gave: pass `next` of the page before.', { pointer: '/after' });
  const [column, party] = 'subject' in of ? ['subject', of.subject] : ['institution', of.institution];
  const { rows } = await sql.query<Row>({
    name: `consent list requests by ${column}`,
    text: `select ${columns} from grant_request
           where ${column} = $1 and ($2::bigint is null or (created_ms, id) < ($2, $3))
             and ($4::text is null or $4 = case when state = 'pending' and expires_ms <= $5 then 'expired' else state end)
           order by created_ms desc, id desc limit $6`,
    values: [party, cursor?.[1] ?? null, cursor?.[2] ?? null, page.state ?? null, atMs, limit + 1],
  });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { requests: shown.map((row) => fromRow(row, atMs)), next: rows.length > limit && last !== undefined ? `${last.created_ms}.${last.id}` : null };
}

function viewed(row: Row | undefined, viewer: RequestViewer, atMs: TimeMs): GrantRequest {
  const own = row !== undefined && ('subject' in viewer ? row.subject === viewer.subject : row.institution === viewer.institution);
  if (!own) throw new VeilgateError('CONSENT_REQUEST_NOT_FOUND', 'There is no such request among yours: list your requests to see them.');
  return fromRow(row, atMs);
}

function fromRow(row: Row, atMs: TimeMs): GrantRequest {
  return {
    id: row.id, institution: row.institution, subject: row.subject, terms: row.terms, message: row.message, createdAtMs: row.created_ms, expiresAtMs: row.expires_ms,
    state: row.state === 'pending' && row.expires_ms <= atMs ? 'expired' : row.state, decidedAtMs: row.decided_ms, reason: row.reason, grant: row.grant_id,
  };
}
