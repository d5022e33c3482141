import { errors } from 'oidc-provider';
import type { Clock } from '../clock.ts';
import type { Database, Sql } from '../store/database.ts';
import { idHash } from './sealed-payload.ts';

/**
 * Told of each access token that must not be accepted any more, before anyone is told that it was revoked.
 * The gateway keeps the jti until `expiresAtMs` and refuses it. Must be safe to repeat.
 */
export type OnTokenRevoked = (jti: string, expiresAtMs: number) => Promise<void>;

export type IssuedToken = {
  readonly jti: string;
  readonly clientId: string;
  /** Id of the OAuth grant, not of the consent; undefined for client credentials. */
  readonly oauthGrant: string | undefined;
  readonly expiresAtMs: number;
};

/** Remembers a token before it is handed out. Refuses (invalid_grant) when its grant was revoked meanwhile. */
export async function recordIssuedToken(sql: Sql, token: IssuedToken): Promise<void> {
  if (token.oauthGrant === undefined) {
    await sql.query({
      name: 'authorization-token-record',
      text: 'insert into issued_access_token (jti, client_id, expires_at_ms) values ($1, $2, $3)',
      values: [token.jti, token.clientId, token.expiresAtMs],
    });
    return;
  }
  const written = await sql.query({
    name: 'authorization-token-record-under-grant',
    text: `with alive as (select id_hash from oidc_payload where model = 'Grant' and id_hash = $4 for key share)
           insert into issued_access_token (jti, client_id, expires_at_ms, grant_hash) select $1, $2, $3, id_hash from alive`,
    values: [token.jti, token.clientId, token.expiresAtMs, idHash('Grant', token.oauthGrant)],
  });
  if (written.rowCount === 0) throw new errors.InvalidGrant('grant was revoked');
}

/** True while the token was issued to this client, is not expired and not revoked. */
export async function isIssuedToken(sql: Sql, clock: Clock, jti: string, clientId: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    'select 1 from issued_access_token where jti = $1 and client_id = $2 and expires_at_ms > $3',
    [jti, clientId, clock.nowMs()],
  );
  return rowCount === 1;
}

/** Revokes one access token of this client; does nothing when it is expired, revoked or another client's. */
export async function revokeIssuedToken(sql: Sql, clock: Clock, jti: string, clientId: string, onTokenRevoked: OnTokenRevoked): Promise<void> {
  const { rows } = await sql.query<{ expires_at_ms: number }>(
    'select expires_at_ms from issued_access_token where jti = $1 and client_id = $2 and expires_at_ms > $3',
    [jti, clientId, clock.nowMs()],
  );
  const token = rows[0];
  if (token === undefined) return;
  await onTokenRevoked(jti, token.expires_at_ms);
  await sql.query('delete from issued_access_token where jti = $1', [jti]);
}

/**
 * Ends an OAuth grant: nothing can be issued under it from the first statement on, its code and refresh tokens
 * are gone, and every access token that is still valid is reported. Repeating it does no harm.
 */
export async function revokeOAuthGrant(database: Database, clock: Clock, grantHash: Buffer, onTokenRevoked: OnTokenRevoked): Promise<void> {
  await database.transaction('end an OAuth grant', async (tx) => {
    // one at a time: the library asks for the same grant several times at once
    await tx.query("select pg_advisory_xact_lock(hashtext('veilgate oauth grant'), hashtext(encode($1, 'hex')))", [grantHash]);
    await tx.query("delete from oidc_payload where model = 'Grant' and id_hash = $1", [grantHash]);
    await tx.query('delete from oidc_payload where grant_hash = $1', [grantHash]);
  });
  const { rows } = await database.query<{ jti: string; expires_at_ms: number }>(
    'select jti, expires_at_ms from issued_access_token where grant_hash = $1 and expires_at_ms > $2',
    [grantHash, clock.nowMs()],
  );
  for (const token of rows) await onTokenRevoked(token.jti, token.expires_at_ms);
  await database.query('delete from issued_access_token where grant_hash = $1', [grantHash]);
}
