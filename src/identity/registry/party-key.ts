import { isoTime } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { PartyId, PublicJwk, TimeMs } from '../../vocabulary.ts';
import { jwkThumbprint, type KeyUse } from '../vetting.ts';

/** Keys one party may have, retired ones included. */
const keysMax = 100;

/** Errors: KEY_DUPLICATE when the key, whoever registered it for whatever use, or the party's kid was there before. */
export async function insertKey(tx: Tx, party: PartyId, jwk: PublicJwk, use: KeyUse, nowMs: TimeMs): Promise<string> {
  const thumbprint = jwkThumbprint(jwk);
  const { rowCount } = await tx.query(
    `insert into party_key (thumbprint, party, kid, use, jwk, added_ms)
     select $1, $2, $3, $4, $5, $6 where (select count(*) from party_key where party = $2) < $7 on conflict do nothing`,
    [thumbprint, party, jwk.kid, use, JSON.stringify(jwk), nowMs, keysMax],
  );
  if (rowCount !== 1) {
    throw new VeilgateError('KEY_DUPLICATE', 'This key, or its kid for this party, was registered before: make a new key pair for each party and use.', { thumbprint });
  }
  return thumbprint;
}

export type PartyKey = { readonly thumbprint: string; readonly kid: string; readonly use: KeyUse; readonly jwk: PublicJwk };

/** A party's keys in use, oldest first. */
export async function activeKeys(sql: Sql, party: PartyId, use?: KeyUse): Promise<readonly PartyKey[]> {
  const { rows } = await sql.query<PartyKey>({
    name: 'identity active keys',
    text: 'select thumbprint, kid, use, jwk from party_key where party = $1 and retired_ms is null and ($2::text is null or use = $2) order by added_ms, thumbprint',
    values: [party, use ?? null],
  });
  return rows;
}

/** The signature key a party calls `kid`; undefined when there is none in use. */
export async function activeSignatureKey(sql: Sql, party: PartyId, kid: string): Promise<PublicJwk | undefined> {
  const { rows } = await sql.query<{ jwk: PublicJwk }>({
    name: 'identity signature key',
    text: "select jwk from party_key where party = $1 and kid = $2 and use = 'sig' and retired_ms is null",
    values: [party, kid],
  });
  return rows[0]?.jwk;
}

/** The encryption keys in use of many parties, newest first; a party without one is not in the answer. */
export async function activeEncryptionKeys(sql: Sql, parties: readonly PartyId[]): Promise<ReadonlyMap<PartyId, readonly PublicJwk[]>> {
  const { rows } = await sql.query<{ party: PartyId; keys: PublicJwk[] }>({
    name: 'identity encryption keys',
    text: `select party, jsonb_agg(jwk order by added_ms desc, thumbprint) as keys from party_key
           where party = any($1::text[]) and use = 'enc' and retired_ms is null group by party`,
    values: [[...new Set(parties)]],
  });
  return new Map(rows.map(({ party, keys }) => [party, keys]));
}

/** Encryption keys in use by their thumbprints, whose ever they are: the caller checks that. */
export async function activeEncryptionKeysNamed(sql: Sql, thumbprints: readonly string[]): Promise<readonly { readonly party: PartyId; readonly thumbprint: string; readonly jwk: PublicJwk }[]> {
  const { rows } = await sql.query<{ party: PartyId; thumbprint: string; jwk: PublicJwk }>({
    name: 'identity encryption keys named',
    text: "select party, thumbprint, jwk from party_key where thumbprint = any($1::text[]) and use = 'enc' and retired_ms is null",
    values: [[...new Set(thumbprints)]],
  });
  return rows;
}

/** A public key with the time in which it was in use: RFC 3339, UTC; null while it is. */
export type DatedKey = { readonly jwk: PublicJwk; readonly thumbprint: string; readonly addedAt: string; readonly retiredAt: string | null };

/** The signature key a party calls or called `kid`, retired or not: a kid never comes to mean another key. */
export async function signatureKeyEver(sql: Sql, party: PartyId, kid: string): Promise<DatedKey | undefined> {
  const { rows: [row] } = await sql.query<{ jwk: PublicJwk; thumbprint: string; added_ms: TimeMs; retired_ms: TimeMs | null }>(
    "select jwk, thumbprint, added_ms, retired_ms from party_key where party = $1 and kid = $2 and use = 'sig'", [party, kid],
  );
  return row && { jwk: row.jwk, thumbprint: row.thumbprint, addedAt: isoTime(row.added_ms), retiredAt: row.retired_ms === null ? null : isoTime(row.retired_ms) };
}

/** @returns what the key was for; undefined when the party has no such key in use */
export async function markRetired(tx: Tx, party: PartyId, thumbprint: string, nowMs: TimeMs): Promise<KeyUse | undefined> {
  const { rows } = await tx.query<{ use: KeyUse }>(
    'update party_key set retired_ms = $3 where party = $1 and thumbprint = $2 and retired_ms is null returning use',
    [party, thumbprint, nowMs],
  );
  return rows[0]?.use;
}
