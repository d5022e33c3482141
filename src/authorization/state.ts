import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { Clock } from '../clock.ts';
import type { Database, Sql } from '../store/database.ts';
import { idHash, openPayload, sealPayload } from './sealed-payload.ts';
import { revokeOAuthGrant, type OnTokenRevoked } from './issued-tokens.ts';

export type StateDependencies = {
  readonly database: Database;
  readonly clock: Clock;
  readonly onTokenRevoked: OnTokenRevoked;
};

/** Kinds whose records die with the OAuth grant they came from. */
const boundToGrant = new Set(['AuthorizationCode', 'RefreshToken']);

/**
 * oidc-provider's storage in PostgreSQL, for every kind of record but clients.
 * Where the library looks first and writes later (replays, use of a code), the database decides instead:
 * of two racing requests one fails here, on whichever node they arrive.
 */
export function stateAdapter(kind: string, { database, clock, onTokenRevoked }: StateDependencies): Adapter {
  return {
    async upsert(id, payload, expiresIn) {
      const row: StateRow = {
        kind,
        hash: idHash(kind, id),
        payload: sealPayload(kind, id, payload),
        grant: boundToGrant.has(kind) && payload.grantId !== undefined ? idHash('Grant', payload.grantId) : null,
        nowMs: clock.nowMs(),
        expiresAtMs: clock.nowMs() + (expiresIn ?? defaultLifetimeS) * 1000,
      };
      if (kind === 'ReplayDetection') return rememberOnce(database, row);
      return row.grant === null ? save(database, row) : saveUnderGrant(database, row);
    },

    async find(id) {
      const { rows } = await database.query<{ payload: Buffer; consumed_at_ms: number | null }>({
        name: 'authorization-state-find',
        text: 'select payload, consumed_at_ms from oidc_payload where model = $1 and id_hash = $2 and expires_at_ms > $3',
        values: [kind, idHash(kind, id), clock.nowMs()],
      });
      const row = rows[0];
      if (row === undefined) return undefined;
      const payload = openPayload(kind, id, row.payload) as AdapterPayload;
      return row.consumed_at_ms === null ? payload : { ...payload, consumed: Math.floor(row.consumed_at_ms / 1000) };
    },

    async consume(id) {
      const used = await database.query(
        'update oidc_payload set consumed_at_ms = $3 where model = $1 and id_hash = $2 and consumed_at_ms is null and expires_at_ms > $3',
        [kind, idHash(kind, id), clock.nowMs()],
      );
      if (used.rowCount === 1) return;
      // somebody else used it between our look and our write: treated like any replay
      const { rows } = await database.query<{ grant_hash: Buffer | null }>('select grant_hash from oidc_payload where model = $1 and id_hash = $2', [kind, idHash(kind, id)]);
      const grant = rows[0]?.grant_hash ?? null;
      if (grant !== null) await revokeOAuthGrant(database, clock, grant, onTokenRevoked);
      throw kind === 'PushedAuthorizationRequest' ? new errors.InvalidRequestUri('request_uri was already used') : new errors.InvalidGrant('already used');
    },

    async destroy(id) {
      await database.query('delete from oidc_payload where model = $1 and id_hash = $2', [kind, idHash(kind, id)]);
    },

    async revokeByGrantId(grantId) {
      await revokeOAuthGrant(database, clock, idHash('Grant', grantId), onTokenRevoked);
    },

    // sessions are only ever looked up by their cookie, and there is no device flow
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
  };
}

/** Records without a lifetime of their own; the library gives one to everything this server uses. */
const defaultLifetimeS = 3600;

type StateRow = {
  readonly kind: string;
  readonly hash: Buffer;
  readonly payload: Buffer;
  readonly grant: Buffer | null;
  readonly nowMs: number;
  readonly expiresAtMs: number;
};

const replaced = 'on conflict (model, id_hash) do update set payload = excluded.payload, expires_at_ms = excluded.expires_at_ms';

async function save(sql: Sql, { kind, hash, payload, expiresAtMs }: StateRow): Promise<void> {
  await sql.query({
    name: 'authorization-state-save',
    text: `insert into oidc_payload (model, id_hash, payload, expires_at_ms) values ($1, $2, $3, $4) ${replaced}`,
    values: [kind, hash, payload, expiresAtMs],
  });
}

/** Writes only while the grant exists, and holds it until written: a revocation under way misses nothing. */
async function saveUnderGrant(sql: Sql, { kind, hash, payload, grant, expiresAtMs }: StateRow): Promise<void> {
  const written = await sql.query({
    name: 'authorization-state-save-under-grant',
    text: `with alive as (select id_hash from oidc_payload where model = 'Grant' and id_hash = $4 for key share)
           insert into oidc_payload (model, id_hash, payload, grant_hash, expires_at_ms) select $1, $2, $3, id_hash, $5 from alive ${replaced}`,
    values: [kind, hash, payload, grant, expiresAtMs],
  });
  if (written.rowCount === 0) throw new errors.InvalidGrant('grant was revoked');
}

async function rememberOnce(sql: Sql, { kind, hash, payload, nowMs, expiresAtMs }: StateRow): Promise<void> {
  const written = await sql.query({
    name: 'authorization-state-remember',
    text: `insert into oidc_payload as seen (model, id_hash, payload, expires_at_ms) values ($1, $2, $3, $4)
           on conflict (model, id_hash) do update set expires_at_ms = excluded.expires_at_ms where seen.expires_at_ms <= $5`,
    values: [kind, hash, payload, expiresAtMs, nowMs],
  });
  if (written.rowCount === 0) throw new errors.InvalidRequest('the assertion or proof was already used');
}

/**
 * Takes the right to answer an interaction: true for exactly one caller until it is given back.
 * Two posts of one consent form must not make two grants.
 */
export async function claimInteraction(sql: Sql, clock: Clock, uid: string): Promise<boolean> {
  const claimed = await sql.query(
    "update oidc_payload set consumed_at_ms = $2 where model = 'Interaction' and id_hash = $1 and consumed_at_ms is null and expires_at_ms > $2",
    [idHash('Interaction', uid), clock.nowMs()],
  );
  return claimed.rowCount === 1;
}

/** Gives the right back after the grant could not be made. */
export async function releaseInteraction(sql: Sql, uid: string): Promise<void> {
  await sql.query("update oidc_payload set consumed_at_ms = null where model = 'Interaction' and id_hash = $1", [idHash('Interaction', uid)]);
}
