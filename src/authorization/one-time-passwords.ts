import { hkdfSync, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import type { Clock } from '../clock.ts';
import type { Sql } from '../store/database.ts';
import { openBytes, sealBytes } from './sealed-payload.ts';

/** What authenticator apps expect (RFC 6238): SHA-1, six digits, a new one every 30 seconds. */
const digits = 6;
const periodS = 30;
/** One step before and after: clocks of telephones differ, and people are slow. */
const window = 1;
const secretBytes = 20;

/** Keys that secrets are kept under; 32 bytes each, the first seals, all open. */
export type OneTimePasswordKeys = readonly Buffer[];

/** @param cookieKeys the authorization server's; they are the same on all nodes */
export function oneTimePasswordKeys(cookieKeys: readonly string[]): OneTimePasswordKeys {
  return cookieKeys.map((key) => Buffer.from(hkdfSync('sha256', key, '', 'veilgate one-time password secret', 32)));
}

/** For the person's app: `uri` is what its QR code says, `secret` the same to type (base32). */
export type Enrolment = { readonly uri: string; readonly secret: string };

/** The secret of an account that is being activated, the same until it is enrolled, however often the page is shown. */
export async function enrolment(sql: Sql, keys: OneTimePasswordKeys, account: { readonly accountId: string; readonly username: string }, issuer: string): Promise<Enrolment> {
  const { accountId } = account;
  await sql.query(
    'insert into account_one_time_password (account_id, secret, last_step) values ($1, $2, 0) on conflict do nothing',
    [accountId, sealBytes(firstOf(keys), randomBytes(secretBytes), accountId)],
  );
  const { rows: [row] } = await sql.query<Row>('select secret, last_step from account_one_time_password where account_id = $1 and enrolled_at_ms is null', [accountId]);
  const secret = row === undefined ? undefined : opened(keys, accountId, row.secret)?.secret;
  if (secret === undefined) throw new Error('the secret of an enrolment cannot be read');
  const app = generator(secret, { issuer, label: account.username });
  return { uri: app.toString(), secret: app.secret.base32 };
}

/** Enrols the secret with a password that its app has made. @returns false when the password is wrong */
export async function enrolOneTimePassword(sql: Sql, clock: Clock, keys: OneTimePasswordKeys, accountId: string, typed: string): Promise<boolean> {
  return await findOneTimePassword(sql, clock, keys, { accountId, typed, enrolling: true }).then((found) => found?.take()) ?? false;
}

/** The time step, as RFC 6238 counts it, in which the secret makes this password; undefined when none near now does. */
export function stepOf(secret: Uint8Array, typed: string, nowMs: number): number | undefined {
  const code = typed.replaceAll(/\s/g, '');
  if (!/^[0-9]{6}$/.test(code)) return undefined;
  const delta = generator(secret).validate({ token: code, timestamp: nowMs, window });
  return delta === null ? undefined : Math.floor(nowMs / (periodS * 1000)) + delta;
}

type Row = { readonly secret: Buffer; readonly last_step: number };

type Typed = { readonly accountId: string; readonly typed: string; /** For a secret that is not enrolled yet. */ readonly enrolling: boolean };

/**
 * Looks a password up without using it up. @returns undefined when it is wrong or the account has none, else `take`, which
 * takes it, and no other of its step or before ever after; false when that happened already
 */
export async function findOneTimePassword(sql: Sql, clock: Clock, keys: OneTimePasswordKeys, { accountId, typed, enrolling }: Typed): Promise<{ readonly take: () => Promise<boolean> } | undefined> {
  const { rows: [row] } = await sql.query<Row>(
    'select secret, last_step from account_one_time_password where account_id = $1 and (enrolled_at_ms is null) = $2', [accountId, enrolling]);
  const known = row === undefined ? undefined : opened(keys, accountId, row.secret);
  const step = known === undefined ? undefined : stepOf(known.secret, typed, clock.nowMs());
  if (row === undefined || known === undefined || step === undefined || step <= row.last_step) return undefined;
  const secret = known.outdated ? sealBytes(firstOf(keys), known.secret, accountId) : row.secret;
  return {
    async take() {
      const { rowCount } = await sql.query(
        `update account_one_time_password set last_step = $2, secret = $4, enrolled_at_ms = coalesce(enrolled_at_ms, $5)
         where account_id = $1 and last_step < $2 and (enrolled_at_ms is null) = $3`,
        [accountId, step, enrolling, secret, clock.nowMs()],
      );
      return rowCount === 1;
    },
  };
}

function opened(keys: OneTimePasswordKeys, accountId: string, sealed: Buffer): { readonly secret: Buffer; readonly outdated: boolean } | undefined {
  for (const [at, key] of keys.entries()) {
    try {
      return { secret: openBytes(key, sealed, accountId), outdated: at > 0 };
    } catch {
      // sealed under another of the keys
    }
  }
  return undefined;
}

function generator(secret: Uint8Array, names: { readonly issuer?: string; readonly label?: string } = {}): TOTP {
  return new TOTP({ ...names, secret: new Secret({ buffer: new Uint8Array(secret).buffer }), algorithm: 'SHA1', digits, period: periodS });
}

function firstOf(keys: OneTimePasswordKeys): Buffer {
  const [first] = keys;
  if (first === undefined) throw new Error('no key to keep secrets under');
  return first;
}
