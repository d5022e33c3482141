import { isIP } from 'node:net';
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import { parseStrictJson } from '../strict-json.ts';
import { isUniqueViolation, type Database, type Sql, type Tx } from '../store/database.ts';
import { accountColumns, accountOf, needsSecondFactor, type Account, type AccountRow } from './accounts.ts';
import type { PasskeyChallenges } from './passkey-challenges.ts';

/** For whom passkeys are made and where browsers use them (WebAuthn: relying party). */
export type RelyingParty = { readonly id: string; readonly origin: string };

/** Undefined where passkeys cannot work: they belong to a name, not to an address. */
export function relyingParty(issuer: string): RelyingParty | undefined {
  const { hostname, origin } = new URL(issuer);
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? { id: hostname, origin } : undefined;
}

export type Passkey = { readonly credentialId: string; readonly createdAtMs: number; readonly lastUsedAtMs: number | null };

export const passkeysMax = 10;
/** Characters of what a browser sends of a passkey. */
export const credentialLengthMax = 8192;
/** COSE algorithms (RFC 9053): EdDSA, ES256, RS256. */
const algorithms = [-8, -7, -257];

export type PasskeyAnswer = {
  /** JSON of the PublicKeyCredential, as the browser's toJSON writes it. */
  readonly credential: string;
  readonly browserId: string;
};

type Desk = { readonly database: Database; readonly clock: Clock; readonly challenges: PasskeyChallenges; readonly party: RelyingParty };

/** What navigator.credentials.create takes, as JSON. The person must be verified; the key must be found without a name. */
export function creationOptions(desk: Omit<Desk, 'database'>, account: Account, browserId: string, existing: readonly Passkey[], name: string): object {
  return {
    challenge: desk.challenges.make('add', browserId),
    rp: { id: desk.party.id, name },
    user: { id: account.accountId, name: account.subject ?? account.username, displayName: account.subject ?? account.username },
    pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    attestation: 'none',
    excludeCredentials: existing.map(({ credentialId }) => ({ type: 'public-key', id: credentialId })),
    timeout: 120_000,
  };
}

/** What navigator.credentials.get takes, as JSON. */
export function requestOptions(desk: Omit<Desk, 'database'>, browserId: string): object {
  return { challenge: desk.challenges.make('sign-in', browserId), rpId: desk.party.id, userVerification: 'required', timeout: 120_000 };
}

/** Adds a passkey to the account. @param also what happens in the same transaction. Errors: REQUEST_INVALID, those of `also`. */
export async function addPasskey(
  { database, clock, challenges, party }: Desk,
  account: Account,
  { credential, browserId }: PasskeyAnswer,
  also: (tx: Tx) => Promise<void> = async () => {},
): Promise<void> {
  let challenge = '';
  const made = await verifyRegistrationResponse({
    response: parsed(credential) as Parameters<typeof verifyRegistrationResponse>[0]['response'], // checked by the library
    expectedChallenge: (given) => challenges.isOurs(challenge = given, 'add', browserId),
    expectedOrigin: party.origin, expectedRPID: party.id, requireUserVerification: true, supportedAlgorithmIDs: algorithms,
  }).catch(() => undefined);
  if (made?.verified !== true) throw notAdded();
  const { id, publicKey, counter } = made.registrationInfo.credential;
  try {
    await database.transaction('add a passkey', async (tx) => {
      if (!await challenges.answer(tx, challenge)) throw notAdded();
      await tx.query('select from account where account_id = $1 for update', [account.accountId]);
      const { rowCount } = await tx.query(
        `insert into account_passkey (credential_id, account_id, public_key, sign_count, created_at_ms)
         select $1, $2, $3, $4, $5 where (select count(*) from account_passkey where account_id = $2) < $6`,
        [id, account.accountId, Buffer.from(publicKey), counter, clock.nowMs(), passkeysMax],
      );
      if (rowCount !== 1) throw notAdded();
      await also(tx);
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw notAdded();
    throw error;
  }
}

/** Who signs in with a passkey. One answer for whatever is wrong. Errors: ACCOUNT_SIGN_IN_FAILED. */
export async function signInWithPasskey({ database, clock, challenges, party }: Desk, { credential, browserId }: PasskeyAnswer): Promise<Account> {
  const response = parsed(credential) as Parameters<typeof verifyAuthenticationResponse>[0]['response'] | undefined; // checked by the library
  const { rows: [row] } = await database.query<AccountRow & { credential_id: string; public_key: Buffer; sign_count: number }>(
    `select credential_id, public_key, sign_count, ${accountColumns('a')}
     from account_passkey join account a using (account_id) where credential_id = $1`,
    [typeof response?.id === 'string' ? response.id : ''],
  );
  if (response === undefined || row === undefined) throw signInFailed();
  let challenge = '';
  const answered = await verifyAuthenticationResponse({
    response,
    expectedChallenge: (given) => challenges.isOurs(challenge = given, 'sign-in', browserId),
    expectedOrigin: party.origin, expectedRPID: party.id, requireUserVerification: true,
    credential: { id: row.credential_id, publicKey: new Uint8Array(row.public_key), counter: row.sign_count },
  }).catch(() => undefined);
  const { userHandle } = response.response;
  if (answered?.verified !== true || (userHandle !== undefined && userHandle !== row.account_id)) throw signInFailed();
  const { newCounter } = answered.authenticationInfo;
  await database.transaction('sign in with a passkey', async (tx) => {
    if (!await challenges.answer(tx, challenge)) throw signInFailed();
    // of two copies of one key only one can be ahead; keys that do not count stay at 0
    const { rowCount } = await tx.query(
      'update account_passkey set sign_count = $2, last_used_at_ms = $3 where credential_id = $1 and (sign_count < $2 or (sign_count = 0 and $2 = 0))',
      [row.credential_id, newCounter, clock.nowMs()],
    );
    if (rowCount !== 1) throw signInFailed();
  });
  return accountOf(row);
}

/** Oldest first. */
export async function listPasskeys(sql: Sql, accountId: string): Promise<readonly Passkey[]> {
  const { rows } = await sql.query<{ credential_id: string; created_at_ms: number; last_used_at_ms: number | null }>(
    'select credential_id, created_at_ms, last_used_at_ms from account_passkey where account_id = $1 order by created_at_ms, credential_id', [accountId],
  );
  return rows.map((row) => ({ credentialId: row.credential_id, createdAtMs: row.created_at_ms, lastUsedAtMs: row.last_used_at_ms }));
}

/** @returns false when the account has no such passkey. Errors: ACCOUNT_FACTOR_NEEDED for the only second factor of an account that needs one. */
export async function removePasskey(database: Database, account: Account, credentialId: string): Promise<boolean> {
  const { accountId } = account;
  return database.transaction('remove a passkey', async (tx) => {
    await tx.query('select from account where account_id = $1 for update', [accountId]); // of two removals at once one sees the other
    const { rowCount } = await tx.query('delete from account_passkey where account_id = $1 and credential_id = $2', [accountId, credentialId]);
    if (rowCount === 1 && needsSecondFactor(account) && !await hasSecondFactor(tx, accountId)) {
      throw new VeilgateError('ACCOUNT_FACTOR_NEEDED', 'This is the only second factor of your account: add another passkey before you remove it.');
    }
    return rowCount === 1;
  });
}

async function hasSecondFactor(sql: Sql, accountId: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    'select from account_passkey where account_id = $1 union all select from account_one_time_password where account_id = $1 and enrolled_at_ms is not null limit 1', [accountId]);
  return rowCount === 1;
}

function parsed(credential: string): { readonly id?: unknown } | undefined {
  try {
    const value = parseStrictJson(credential, { maxLength: credentialLengthMax, maxDepth: 6 });
    return typeof value === 'object' && value !== null && 'response' in value && typeof value.response === 'object' && value.response !== null ? value as { readonly id?: unknown } : undefined;
  } catch {
    return undefined;
  }
}

function notAdded(): VeilgateError {
  return new VeilgateError('REQUEST_INVALID', 'The passkey could not be added: try again, with another device if it stays so.', { field: 'credential' });
}

function signInFailed(): VeilgateError {
  return new VeilgateError('ACCOUNT_SIGN_IN_FAILED', 'The passkey was not accepted: try again, or sign in with your password.');
}
