import { createHash } from 'node:crypto';
import { VeilgateError } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { TimeMs } from '../../vocabulary.ts';

/** The custodian's public key that columns are encrypted under. */
export type ScoreKey = {
  readonly keyId: string;
  /** Parameter set, such as `veilgate-score-1`. */
  readonly parameters: string;
  readonly publicKey: Uint8Array;
  /** The custodian's id. */
  readonly custodian: string;
};

/** `pending`: departments encrypt under it already, scores are computed under it once every column is there. */
export type ScoreKeyState = 'pending' | 'active' | 'retired';

export type KnownScoreKey = ScoreKey & {
  readonly state: ScoreKeyState;
  /** SHA-256 of the public key's bytes, lower-case hex: what departments pin. */
  readonly thumbprint: string;
};

type Row = { readonly key_id: string; readonly parameters: string; readonly public_key: Uint8Array; readonly custodian: string; readonly state: ScoreKeyState; readonly thumbprint: string };

/** The key scores are computed under; undefined before the first custodian's key came. */
export async function activeScoreKey(sql: Sql): Promise<ScoreKey | undefined> {
  const { rows: [row] } = await sql.query<Row>({ name: 'score-key-active', text: "select * from score_key where state = 'active'" });
  return row === undefined ? undefined : asKey(row);
}

/** Active and pending key: at most two. */
export async function scoreKeysInUse(sql: Sql): Promise<KnownScoreKey[]> {
  const { rows } = await sql.query<Row>({ name: 'score-keys-in-use', text: "select * from score_key where state <> 'retired' order by state" });
  return rows.map(asKey);
}

/**
 * A key that may be encrypted under, held in use until the transaction ends: no rotation ends it meanwhile.
 * Errors: FEATURE_KEY_UNKNOWN.
 */
export async function keyForStorage(tx: Tx, keyId: string): Promise<{ readonly parameters: string }> {
  const { rows: [row] } = await tx.query<{ parameters: string }>({
    name: 'score-key-for-storage', text: "select parameters from score_key where key_id = $1 and state <> 'retired' for share", values: [keyId],
  });
  if (row === undefined) throw keyUnknown();
  return row;
}

export function keyUnknown(): VeilgateError {
  return new VeilgateError('FEATURE_KEY_UNKNOWN', 'The platform does not use this key of the custodian: fetch the keys in use and encrypt under one of them.');
}

/**
 * Takes what the custodian stated. The first key is active at once; another one is pending until every column is
 * complete under it. A key that was stated before changes nothing.
 * Errors: FEATURE_KEY_UNKNOWN when the id stands for another key, or a rotation is still under way.
 */
export async function acceptScoreKey(tx: Tx, key: ScoreKey, nowMs: TimeMs): Promise<ScoreKeyState> {
  await tx.query("select pg_advisory_xact_lock(hashtext('veilgate score key'))");
  const thumbprint = createHash('sha256').update(key.publicKey).digest('hex');
  const { rows } = await tx.query<{ key_id: string; thumbprint: string; state: ScoreKeyState }>('select key_id, thumbprint, state from score_key');
  const known = rows.find(({ key_id: id }) => id === key.keyId);
  if (known !== undefined) {
    if (known.thumbprint === thumbprint) return known.state;
    throw new VeilgateError('FEATURE_KEY_UNKNOWN', 'The custodian states another key under a known id: nothing is encrypted under it; find out why.');
  }
  if (rows.some(({ state }) => state === 'pending')) throw new VeilgateError('FEATURE_KEY_UNKNOWN', 'A change of the custodian\'s key is under way: finish it before the next one.');
  const state = rows.some((row) => row.state === 'active') ? 'pending' : 'active';
  await tx.query(
    `insert into score_key (key_id, custodian, parameters, public_key, thumbprint, state, received_at, activated_at)
     values ($1, $2, $3, $4, $5, $6, to_timestamp($7::double precision / 1000), case when $6 = 'active' then to_timestamp($7::double precision / 1000) end)`,
    [key.keyId, key.custodian, key.parameters, Buffer.from(key.publicKey), thumbprint, state, nowMs],
  );
  return state;
}

function asKey(row: Row): KnownScoreKey {
  const publicKey = new Uint8Array(row.public_key); // SEAL takes no Buffer
  return { keyId: row.key_id, parameters: row.parameters, publicKey, custodian: row.custodian, state: row.state, thumbprint: row.thumbprint };
}
