import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Sql } from '../store/database.ts';
import { accountOf, type AccountRow, type EnterpriseAccount } from './accounts.ts';
import { idHash } from './sealed-payload.ts';

/** A session ends this long after the last request. */
export const sessionIdleMs = 15 * 60_000;
/** And this long after sign-in whatever happens. */
export const sessionAbsoluteMs = 8 * 3_600_000;
/** Last-seen is written at most this often. */
const touchEveryMs = 60_000;

/** Starts a session under an id nobody knew before. @returns the id for the cookie: 256 random bits, base64url */
export async function startSession(sql: Sql, clock: Clock, accountId: string): Promise<string> {
  const id = randomBytes(32).toString('base64url');
  await sql.query('insert into enterprise_session (id_hash, account_id, created_at_ms, last_seen_at_ms) values ($1, $2, $3, $3)', [idHash('session', id), accountId, clock.nowMs()]);
  return id;
}

/** Who is signed in with this cookie; undefined when nobody is any more. */
export async function findSession(sql: Sql, clock: Clock, id: string): Promise<EnterpriseAccount | undefined> {
  const nowMs = clock.nowMs();
  const { rows } = await sql.query<AccountRow & { last_seen_at_ms: number }>(
    `select a.account_id, a.subject, a.representative_name, s.last_seen_at_ms
     from enterprise_session s join enterprise_account a using (account_id)
     where s.id_hash = $1 and s.created_at_ms > $2 and s.last_seen_at_ms > $3`,
    [idHash('session', id), nowMs - sessionAbsoluteMs, nowMs - sessionIdleMs],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  if (row.last_seen_at_ms < nowMs - touchEveryMs) {
    await sql.query('update enterprise_session set last_seen_at_ms = $2 where id_hash = $1', [idHash('session', id), nowMs]);
  }
  return accountOf(row);
}

export async function endSession(sql: Sql, id: string): Promise<void> {
  await sql.query('delete from enterprise_session where id_hash = $1', [idHash('session', id)]);
}
