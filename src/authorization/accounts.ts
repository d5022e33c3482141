import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import { isUniqueViolation, type Database, type Sql, type Tx } from '../store/database.ts';
import { isUscc } from '../uscc.ts';
import type { SubjectId } from '../vocabulary.ts';
import { hashPassword, vetPassword, verifyPassword } from './passwords.ts';
import { addressKey, countTry, uncountTry, type BackOff } from './throttle.ts';

export type EnterpriseAccount = {
  readonly accountId: string;
  readonly subject: SubjectId;
  readonly representativeName: string | null;
};

const activationDays = 7;
const activationTries = 10;
/** A person reads it on a page: nothing that cannot be seen, or that turns what stands around it. */
const representativeNameGrammar = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,100}$/u;
const usernameShape = /^[a-z0-9][a-z0-9._@-]{2,63}$/;

const accountBackOff: BackOff = { freeTries: 5, pauseMs: 30_000, pauseMaxMs: 900_000 };
const addressBackOff: BackOff = { freeTries: 20, pauseMs: 60_000, pauseMaxMs: 3_600_000 };

/**
 * Prepares an account: the officer hands the returned code (16 characters in four groups, 80 random bits) to the
 * enterprise, whose representative chooses a user name and a password with it within 7 days and 10 tries.
 * For an enterprise that has an account this is how a lost password is replaced: the old one works until then.
 * An earlier code stops working. Errors: REQUEST_INVALID.
 */
export async function registerEnterpriseAccount(
  tx: Tx,
  clock: Clock,
  enterprise: { readonly subject: SubjectId; readonly representativeName?: string },
): Promise<string> {
  if (!isUscc(enterprise.subject)) throw new VeilgateError('REQUEST_INVALID', 'Give the enterprise\'s unified social credit code with a right check digit.', { pointer: '/subject' });
  const name = enterprise.representativeName ?? null;
  if (name !== null && !representativeNameGrammar.test(name)) {
    throw new VeilgateError('REQUEST_INVALID', 'Give the representative\'s name in 1 to 100 printable characters.', { pointer: '/representativeName' });
  }
  const code = newCode();
  await tx.query(
    `insert into enterprise_activation (subject, representative_name, code_hash, attempts_left, expires_at_ms) values ($1, $2, $3, $4, $5)
     on conflict (subject) do update set representative_name = excluded.representative_name, code_hash = excluded.code_hash,
       attempts_left = excluded.attempts_left, expires_at_ms = excluded.expires_at_ms`,
    [enterprise.subject, name, codeHash(enterprise.subject, code), activationTries, clock.nowMs() + activationDays * 86_400_000],
  );
  return code;
}

/** Called in the transaction that makes the account; a throw undoes it. */
export type OnActivated = (tx: Tx, subject: SubjectId) => Promise<void>;

/**
 * Makes the account, or replaces its user name and password, and ends its sessions.
 * Errors: ENTERPRISE_ACTIVATION_INVALID (one answer for every wrong or unknown code), ENTERPRISE_EXISTS (user name
 * taken; the code can be used again), REQUEST_INVALID, ENTERPRISE_LOCKED, REQUEST_RATE_LIMITED.
 */
export async function activateAccount(
  database: Database,
  clock: Clock,
  form: { readonly subject: string; readonly code: string; readonly username: string; readonly password: string; readonly address: string },
  onActivated: OnActivated = async () => {},
): Promise<EnterpriseAccount> {
  const username = form.username.trim().toLowerCase();
  if (!usernameShape.test(username)) {
    throw new VeilgateError('REQUEST_INVALID', 'Choose a user name of 3 to 64 letters, digits, dots, hyphens, underscores or @.', { field: 'username' });
  }
  vetPassword(form.password, [username, form.subject.trim()].filter((name) => name !== ''));
  const addressTries = `activation ${addressKey(form.address)}`;
  await refuseWhileBlocked(database, clock, addressTries, addressBackOff);

  const subject = form.subject.trim().toUpperCase();
  const hash = codeHash(subject, form.code);
  const { rows } = await database.query<{ code_hash: Buffer }>(
    'update enterprise_activation set attempts_left = attempts_left - 1 where subject = $1 and attempts_left > 0 and expires_at_ms > $2 returning code_hash',
    [subject, clock.nowMs()],
  );
  if (!timingSafeEqual(rows[0]?.code_hash ?? Buffer.alloc(32), hash)) throw activationInvalid();

  const passwordHash = await hashPassword(form.password);
  const account = await makeAccount(database, clock, { subject, hash, username, passwordHash }, onActivated);
  await uncountTry(database, addressTries, false);
  return account;
}

async function makeAccount(
  database: Database,
  clock: Clock,
  { subject, hash, username, passwordHash }: { readonly subject: string; readonly hash: Buffer; readonly username: string; readonly passwordHash: string },
  onActivated: OnActivated,
): Promise<EnterpriseAccount> {
  try {
    return await database.transaction('activate an enterprise account', async (tx) => {
      const used = await tx.query<{ representative_name: string | null }>(
        'delete from enterprise_activation where subject = $1 and code_hash = $2 returning representative_name',
        [subject, hash],
      );
      const activation = used.rows[0];
      if (activation === undefined) throw activationInvalid();
      const { rows } = await tx.query<AccountRow>(
        `insert into enterprise_account (account_id, subject, representative_name, username, password_hash, created_at_ms) values ($1, $2, $3, $4, $5, $6)
         on conflict (subject) do update set username = excluded.username, password_hash = excluded.password_hash,
           representative_name = coalesce(excluded.representative_name, enterprise_account.representative_name)
         returning account_id, subject, representative_name`,
        [randomBytes(16).toString('base64url'), subject, activation.representative_name, username, passwordHash, clock.nowMs()],
      );
      const account = accountOf(rows[0]);
      await tx.query('delete from enterprise_session where account_id = $1', [account.accountId]);
      await tx.query('delete from enterprise_passkey where account_id = $1', [account.accountId]); // they may be another person's
      await onActivated(tx, account.subject);
      return account;
    });
  } catch (error) {
    if (isUniqueViolation(error, 'enterprise_account_username')) {
      throw new VeilgateError('ENTERPRISE_EXISTS', 'This user name is taken: choose another.', { field: 'username' });
    }
    throw error;
  }
}

/**
 * One answer and one duration for an unknown user and a wrong password; names and addresses that fail are
 * slowed down whether or not the name exists. Errors: ENTERPRISE_SIGN_IN_FAILED, ENTERPRISE_LOCKED, REQUEST_RATE_LIMITED.
 */
export async function signIn(
  database: Database,
  clock: Clock,
  form: { readonly username: string; readonly password: string; readonly address: string },
): Promise<EnterpriseAccount> {
  const username = form.username.trim().toLowerCase().slice(0, 64);
  const nameTries = `sign-in name ${username}`;
  const rightAfterAll = await countAddressTry(database, clock, form.address);
  await refuseWhileBlocked(database, clock, nameTries, accountBackOff);

  const { rows } = await database.query<AccountRow & { password_hash: string }>(
    'select account_id, subject, representative_name, password_hash from enterprise_account where username = $1',
    [username],
  );
  const { matches, outdated } = await verifyPassword(form.password, rows[0]?.password_hash);
  if (!matches) throw new VeilgateError('ENTERPRISE_SIGN_IN_FAILED', 'User name or password is wrong: check both and try again.');

  const account = accountOf(rows[0]);
  if (outdated) await database.query('update enterprise_account set password_hash = $2 where account_id = $1', [account.accountId, await hashPassword(form.password)]);
  await uncountTry(database, nameTries, true);
  await rightAfterAll();
  return account;
}

/** The password once more of an account that is signed in. Errors: ENTERPRISE_SIGN_IN_FAILED, ENTERPRISE_LOCKED, REQUEST_RATE_LIMITED. */
export async function confirmPassword(database: Database, clock: Clock, { accountId }: EnterpriseAccount, form: { readonly password: string; readonly address: string }): Promise<void> {
  const accountTries = `confirm ${accountId}`;
  const rightAfterAll = await countAddressTry(database, clock, form.address);
  await refuseWhileBlocked(database, clock, accountTries, accountBackOff);
  const { rows } = await database.query<{ password_hash: string }>('select password_hash from enterprise_account where account_id = $1', [accountId]);
  const { matches } = await verifyPassword(form.password, rows[0]?.password_hash);
  if (!matches) throw new VeilgateError('ENTERPRISE_SIGN_IN_FAILED', 'The password is wrong: check it and try again.', { field: 'password' });
  await uncountTry(database, accountTries, true);
  await rightAfterAll();
}

/** Counts a try to sign in from an address before it is looked at. @returns takes the count back, when the try was right. Errors: ENTERPRISE_LOCKED. */
export async function countAddressTry(database: Database, clock: Clock, address: string): Promise<() => Promise<void>> {
  const addressTries = `sign-in ${addressKey(address)}`;
  await refuseWhileBlocked(database, clock, addressTries, addressBackOff);
  return () => uncountTry(database, addressTries, false);
}

/** The account behind a token's `sub`. */
export async function findAccount(sql: Sql, accountId: string): Promise<EnterpriseAccount | undefined> {
  const { rows } = await sql.query<AccountRow>('select account_id, subject, representative_name from enterprise_account where account_id = $1', [accountId]);
  return rows[0] === undefined ? undefined : accountOf(rows[0]);
}

export type AccountRow = { readonly account_id: string; readonly subject: string; readonly representative_name: string | null };

export function accountOf(row: AccountRow | undefined): EnterpriseAccount {
  if (row === undefined) throw new Error('no account row');
  return { accountId: row.account_id, subject: row.subject as SubjectId, representativeName: row.representative_name };
}

async function refuseWhileBlocked(database: Database, clock: Clock, key: string, backOff: BackOff): Promise<void> {
  const nextTryMs = await countTry(database, clock, key, backOff);
  if (nextTryMs === undefined) return;
  const retryAfterS = Math.max(1, Math.ceil((nextTryMs - clock.nowMs()) / 1000));
  throw new VeilgateError('ENTERPRISE_LOCKED', `Too many failed tries: wait ${retryAfterS} seconds and try again.`, { retryAfterS });
}

function activationInvalid(): VeilgateError {
  return new VeilgateError('ENTERPRISE_ACTIVATION_INVALID', 'Credit code and activation code do not fit together, or the code was used or has expired: ask the registrar for a new one.');
}

// Crockford's base32: no letters that are read as digits
const codeAlphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function newCode(): string {
  const characters = Array.from(randomBytes(16), (byte) => codeAlphabet.charAt(byte & 31));
  return [0, 4, 8, 12].map((at) => characters.slice(at, at + 4).join('')).join('-');
}

function codeHash(subject: string, code: string): Buffer {
  const typed = code.slice(0, 64).toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  return createHash('sha256').update(`activation\n${subject}\n${typed}`).digest();
}
