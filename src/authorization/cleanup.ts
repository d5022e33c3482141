import { dayMs } from '../calendar.ts';
import type { Clock } from '../clock.ts';
import type { Sql } from '../store/database.ts';
import { sessionAbsoluteMs, sessionIdleMs } from './sessions.ts';

/** Rows one call removes from one table at most, so that no call takes long. */
const batchMax = 5000;
const throttleKeptMs = 2 * dayMs;

/** Accounts whose second factor was never enrolled, when their code is gone. */
const unfinished = `kind <> 'enterprise'
  and not exists (select from account_invitation i where i.account_id = account.account_id)
  and not exists (select from account_passkey p where p.account_id = account.account_id)
  and not exists (select from account_one_time_password o where o.account_id = account.account_id and o.enrolled_at_ms is not null)`;

/**
 * Removes state nobody can use any more. Nothing depends on it being called: expired rows are never found.
 * Call it every few minutes on any node; several at once do no harm.
 * @returns number of rows removed
 */
export async function removeExpiredAuthorizationState(sql: Sql, clock: Clock): Promise<number> {
  const nowMs = clock.nowMs();
  const expired: readonly (readonly [string, string, readonly number[]])[] = [
    ['oidc_payload', 'expires_at_ms <= $2', [nowMs]],
    ['issued_access_token', 'expires_at_ms <= $2', [nowMs]],
    ['passkey_answered', 'expires_at_ms <= $2', [nowMs]],
    ['account_invitation', 'expires_at_ms <= $2', [nowMs]],
    ['account', unfinished, []],
    ['account_session', 'created_at_ms <= $2 or last_seen_at_ms <= $3', [nowMs - sessionAbsoluteMs, nowMs - sessionIdleMs]],
    ['sign_in_throttle', 'last_at_ms <= $2 and blocked_until_ms <= $3', [nowMs - throttleKeptMs, nowMs]],
  ];
  let removed = 0;
  for (const [table, condition, values] of expired) {
    const { rowCount } = await sql.query(
      `delete from ${table} where ctid in (select ctid from ${table} where ${condition} limit $1 for update skip locked)`,
      [batchMax, ...values],
    );
    removed += rowCount ?? 0;
  }
  return removed;
}
