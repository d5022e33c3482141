import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Sql } from '../store/database.ts';
import type { TimeMs } from '../vocabulary.ts';
import { accountColumns, accountOf, type Account, type AccountRow } from './accounts.ts';
import { idHash } from './sealed-payload.ts';

/** A session ends this long after the last request. */
export const sessionIdleMs = 15 * 60_000;
/** And this long after sign-in whatever happens. */
export const sessionAbsoluteMs = 8 * 3_600_000;
/** One that may only enrol a second factor. */
const enrolmentAbsoluteMs = 30 * 60_000;
/** Last-seen is written at most this often. */
const touchEveryMs = 60_000;

export type Session = {
  readonly account: Account;
  /** True: its person has shown an activation code and chosen a password, and may do nothing yet but enrol a second factor. */
  readonly enrolling: boolean;
  readonly startedAtMs: TimeMs;
  /** When the person last showed what signs them in. */
  readonly confirmedAtMs: TimeMs;
  readonly idleEndsAtMs: TimeMs;
  readonly absoluteEndsAtMs: TimeMs;
};

/** Starts a session under an id nobody knew before. @returns the id for the cookie: 256 random bits, base64url */
export async function startSession(sql: Sql, clock: Clock, accountId: string, enrolling = false): Promise<string> {
  const id = randomBytes(32).toString('base64url');
  await sql.query(
    'insert into account_session (id_hash, account_id, enrolling, created_at_ms, last_seen_at_ms, confirmed_at_ms) values ($1, $2, $3, $4, $4, $4)',
    [idHash('session', id), accountId, enrolling, clock.nowMs()],
  );
  if (!enrolling) await sql.query('update account set last_used_at_ms = $2 where account_id = $1', [accountId, clock.nowMs()]);
  return id;
}

/** The session behind this cookie; undefined when there is none any more. */
export async function findSession(sql: Sql, clock: Clock, id: string): Promise<Session | undefined> {
  const nowMs = clock.nowMs();
  const { rows: [row] } = await sql.query<AccountRow & { enrolling: boolean; started_at_ms: TimeMs; last_seen_at_ms: number; confirmed_at_ms: TimeMs }>(
    `select ${accountColumns('a')}, s.enrolling, s.created_at_ms as started_at_ms, s.last_seen_at_ms, s.confirmed_at_ms
     from account_session s join account a using (account_id)
     where s.id_hash = $1 and s.created_at_ms > $2 - case when s.enrolling then $5 else $3 end::bigint and s.last_seen_at_ms > $2 - $4::bigint`,
    [idHash('session', id), nowMs, sessionAbsoluteMs, sessionIdleMs, enrolmentAbsoluteMs],
  );
  if (row === undefined) return undefined;
  if (row.last_seen_at_ms < nowMs - touchEveryMs) {
    await sql.query('update account_session set last_seen_at_ms = $2 where id_hash = $1', [idHash('session', id), nowMs]);
  }
  const absoluteEndsAtMs = (row.started_at_ms + (row.enrolling ? enrolmentAbsoluteMs : sessionAbsoluteMs)) as TimeMs;
  return {
    account: accountOf(row), enrolling: row.enrolling, startedAtMs: row.started_at_ms, confirmedAtMs: row.confirmed_at_ms,
    idleEndsAtMs: Math.min(nowMs + sessionIdleMs, absoluteEndsAtMs) as TimeMs, absoluteEndsAtMs,
  };
}

/** The person has shown the second factor once more. @param digest `sessionDigest` of the session */
export async function confirmSession(sql: Sql, clock: Clock, digest: string): Promise<void> {
  await sql.query('update account_session set confirmed_at_ms = $2 where id_hash = $1', [Buffer.from(digest, 'hex'), clock.nowMs()]);
}

/** @param digest `sessionDigest` of the session */
export async function endSession(sql: Sql, digest: string): Promise<void> {
  await sql.query('delete from account_session where id_hash = $1', [Buffer.from(digest, 'hex')]);
}

/** Of all browsers: for passwords that changed and people who left. */
export async function endSessionsOf(sql: Sql, accountId: string): Promise<void> {
  await sql.query('delete from account_session where account_id = $1', [accountId]);
}

/** What stands for a session where its id must not: SHA-256, lower-case hex. */
export function sessionDigest(id: string): string {
  return idHash('session', id).toString('hex');
}
