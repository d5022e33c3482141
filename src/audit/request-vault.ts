import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hash } from 'node:crypto';
import { VeilgateError } from '../errors.ts';
import type { Sql } from '../store/database.ts';
import { isoTime } from '../clock.ts';
import type { TimeMs } from '../vocabulary.ts';

/**
 * Encrypts the signed requests that are kept beside their records. Each has a key of its own, made of the platform's
 * secret and the salt of its entry: so a fixed nonce is used once only, who has the database cannot read a request, and
 * who has an old copy of the table cannot either once the entry's salt was erased.
 */
export type RequestVault = {
  /** Which secret `seal` uses; stored beside what it made. */
  readonly keyVersion: number;
  /** AES-256-GCM (NIST SP 800-38D) of a compact JWS, tag at the end; the entry's commitment is its associated data. */
  readonly seal: (request: string, salt: Uint8Array, commitment: Uint8Array) => readonly [ciphertext: Buffer, tag: Buffer];
  /** Errors: AUDIT_REQUEST_UNREADABLE when this process lacks the secret, or a byte of it is not what was sealed. */
  readonly open: (kept: { readonly keyVersion: number; readonly sealed: Uint8Array; readonly salt: Uint8Array; readonly commitment: Uint8Array }) => string;
};

export type RequestSecrets = { readonly secrets: ReadonlyMap<number, Uint8Array>; readonly currentVersion: number };

const algorithm = 'aes-256-gcm';
const tagLength = 16;
/** Each key encrypts one text. */
const nonce = Buffer.alloc(12);

export function requestVault({ secrets, currentVersion }: RequestSecrets): RequestVault {
  const keys = new Map([...secrets].map(([version, secret]) => [version, createSecretKey(secret)]));
  const keyOf = (version: number, salt: Uint8Array) => {
    const secret = keys.get(version);
    if (secret === undefined) throw new VeilgateError('AUDIT_REQUEST_UNREADABLE', 'The signed request is encrypted under a secret that this gateway does not have: put it back into the keys folder, or start the gateway anew after a rotation.', { key_version: version });
    // a cipher from raw bytes costs 10 µs more
    return createSecretKey(createHmac('sha256', secret).update(salt).digest());
  };
  return {
    keyVersion: currentVersion,
    seal(request, salt, commitment) {
      const cipher = createCipheriv(algorithm, keyOf(currentVersion, salt), nonce, { authTagLength: tagLength });
      cipher.setAAD(commitment);
      const ciphertext = cipher.update(request, 'latin1'); // a compact JWS is ASCII
      cipher.final();
      return [ciphertext, cipher.getAuthTag()];
    },
    open({ keyVersion, sealed, salt, commitment }) {
      const decipher = createDecipheriv(algorithm, keyOf(keyVersion, salt), nonce, { authTagLength: tagLength });
      decipher.setAAD(commitment);
      try {
        decipher.setAuthTag(sealed.subarray(-tagLength));
        return decipher.update(sealed.subarray(0, -tagLength), undefined, 'latin1') + decipher.final('latin1');
      } catch {
        throw new VeilgateError('AUDIT_REQUEST_UNREADABLE', 'The signed request beside this entry was changed, or belongs to another entry or secret: tell the platform\'s operator.');
      }
    },
  };
}

/**
 * The compact JWS an entry's record has the digest of.
 * Errors: AUDIT_REQUEST_NOT_FOUND when none is kept (any more), AUDIT_REQUEST_UNREADABLE.
 */
export async function readRequest(sql: Sql, vault: RequestVault, index: number): Promise<string> {
  const { rows: [row] } = await sql.query<{ key_version: number; sealed: Buffer; salt: Buffer; commitment: Buffer; digest: string | null }>({
    name: 'audit request',
    text: `select key_version, sealed, salt, commitment, record::jsonb ->> 'request' as digest
           from audit_request join audit_entry using (index) where index = $1 and salt is not null`,
    values: [index],
  });
  if (row === undefined) throw new VeilgateError('AUDIT_REQUEST_NOT_FOUND', 'No signed request is kept beside this entry: it never had one, it was erased, or its time has ended.');
  const request = vault.open({ keyVersion: row.key_version, sealed: row.sealed, salt: row.salt, commitment: row.commitment });
  if (hash('sha256', request, 'hex') !== row.digest) throw new VeilgateError('AUDIT_REQUEST_UNREADABLE', 'The signed request beside this entry is not the one its record names: tell the platform\'s operator.');
  return request;
}

/** Longest batch of `deleteRequestsBefore`; how many oldest requests one call looks at. */
export const requestsDeletedMax = 10_000;

/**
 * Deletes requests whose entries are older than a time, at most `requestsDeletedMax`. Looks at the oldest only: the log
 * is in the order of time.
 * @returns how many there were
 */
export async function deleteRequestsBefore(sql: Sql, beforeMs: TimeMs): Promise<number> {
  const { rowCount } = await sql.query({
    name: 'audit requests ended',
    text: `delete from audit_request where index in (
             select index from (select index from audit_request order by index limit $2) oldest join audit_entry using (index) where at < $1)`,
    values: [isoTime(beforeMs), requestsDeletedMax],
  });
  return rowCount ?? 0;
}
