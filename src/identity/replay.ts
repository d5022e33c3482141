import type { Database, Sql } from '../store/database.ts';
import type { TimeMs } from '../vocabulary.ts';

/** Nodes whose clocks run behind accept a proof for this much longer than the fastest node would. */
const marginMs = 60_000;

/**
 * Forgets replay keys and revoked tokens that are refused for their age anyhow. Run it about every minute on any
 * number of nodes: while one is at it the others do nothing.
 * @returns rows deleted, 0 when another node was at it
 */
export async function deleteExpired(database: Database, nowMs: TimeMs): Promise<number> {
  return database.transaction('forget expired replay keys', async (tx) => {
    const { rows } = await tx.query<{ mine: boolean }>("select pg_try_advisory_xact_lock(hashtext('veilgate replay keys')) as mine");
    if (rows[0]?.mine !== true) return 0;
    const before = nowMs - marginMs;
    const keys = await tx.query('delete from replay_key where expires_ms <= $1', [before]);
    const tokens = await tx.query('delete from revoked_token where expires_ms <= $1', [before]);
    return (keys.rowCount ?? 0) + (tokens.rowCount ?? 0);
  });
}

/** Makes every node refuse an access token from the next request on. Safe to repeat. */
export async function revokeToken(sql: Sql, token: { readonly issuer: string; readonly jti: string; readonly expiresAtMs: number }): Promise<void> {
  await sql.query({
    name: 'identity revoke token',
    text: 'insert into revoked_token (issuer, jti, expires_ms) values ($1, $2, $3) on conflict do nothing',
    values: [token.issuer, token.jti, Math.ceil(token.expiresAtMs)],
  });
}
