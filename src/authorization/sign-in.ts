import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { Database, Sql } from '../store/database.ts';
import { accountColumns, accountOf, needsSecondFactor, type Account, type AccountRow } from './accounts.ts';
import { findOneTimePassword, type OneTimePasswordKeys } from './one-time-passwords.ts';
import { hashPassword, vetPassword, verifyPassword } from './passwords.ts';
import { endSessionsOf } from './sessions.ts';
import { addressBackOff, addressKey, refuseWhileBlocked, uncountTry, type BackOff } from './throttle.ts';

const accountBackOff: BackOff = { freeTries: 5, pauseMs: 30_000, pauseMaxMs: 900_000 };

export type SignInDesk = { readonly database: Database; readonly clock: Clock; readonly oneTimePasswords: OneTimePasswordKeys };
export type SignInForm = { readonly username: string; readonly password: string; /** '' where the account has none. */ readonly oneTimePassword: string; readonly address: string };

/**
 * One answer and one duration for an unknown user, a wrong password and a wrong, used or missing one-time password; names and
 * addresses that fail are slowed down whether or not the name exists. Errors: ACCOUNT_SIGN_IN_FAILED, ACCOUNT_LOCKED, REQUEST_RATE_LIMITED.
 */
export async function signIn({ database, clock, oneTimePasswords }: SignInDesk, form: SignInForm): Promise<Account> {
  const username = form.username.trim().toLowerCase().slice(0, 64);
  const nameTries = `sign-in name ${username}`;
  const rightAfterAll = await countAddressTry(database, clock, form.address);
  await refuseWhileBlocked(database, clock, nameTries, accountBackOff);

  const { rows: [row] } = await database.query<AccountRow & { password_hash: string }>(
    `select ${accountColumns('account')}, password_hash from account where username = $1`,
    [username],
  );
  const { matches, outdated } = await verifyPassword(form.password, row?.password_hash);
  // looked up whether or not the password is right, or the time it takes would tell; used up only where all is right
  const second = await findOneTimePassword(database, clock, oneTimePasswords, { accountId: row?.account_id ?? '', typed: form.oneTimePassword, enrolling: false });
  if (!matches) throw signInFailed();
  const account = accountOf(row);
  if (needsSecondFactor(account) && await second?.take() !== true) throw signInFailed();

  if (outdated) await storePassword(database, account, await hashPassword(form.password));
  await uncountTry(database, nameTries, true);
  await rightAfterAll();
  return account;
}

/** The password once more of an account that is signed in. Errors: ACCOUNT_SIGN_IN_FAILED, ACCOUNT_LOCKED, REQUEST_RATE_LIMITED. */
export async function confirmPassword(database: Database, clock: Clock, { accountId }: Account, form: { readonly password: string; readonly address: string }): Promise<void> {
  const accountTries = `confirm ${accountId}`;
  const rightAfterAll = await countAddressTry(database, clock, form.address);
  await refuseWhileBlocked(database, clock, accountTries, accountBackOff);
  const { rows } = await database.query<{ password_hash: string }>('select password_hash from account where account_id = $1', [accountId]);
  const { matches } = await verifyPassword(form.password, rows[0]?.password_hash);
  if (!matches) throw new VeilgateError('ACCOUNT_SIGN_IN_FAILED', 'The password is wrong: check it and try again.', { field: 'password' });
  await uncountTry(database, accountTries, true);
  await rightAfterAll();
}

/** A one-time password of an account that is signed in. Errors: ACCOUNT_SIGN_IN_FAILED, ACCOUNT_LOCKED. */
export async function confirmOneTimePassword({ database, clock, oneTimePasswords }: SignInDesk, accountId: string, typed: string): Promise<void> {
  const accountTries = `confirm ${accountId}`;
  await refuseWhileBlocked(database, clock, accountTries, accountBackOff);
  const found = await findOneTimePassword(database, clock, oneTimePasswords, { accountId, typed, enrolling: false });
  if (await found?.take() !== true) throw new VeilgateError('ACCOUNT_SIGN_IN_FAILED', 'The one-time password is wrong or was used: wait for the next one and type that.', { field: 'one_time_password' });
  await uncountTry(database, accountTries, true);
}

/** Takes a new password for the old one and ends the account's sessions in all browsers. Errors: those of confirmPassword, REQUEST_INVALID. */
export async function changePassword(
  database: Database,
  clock: Clock,
  account: Account,
  form: { readonly password: string; readonly newPassword: string; readonly address: string },
): Promise<void> {
  vetPassword(form.newPassword, [account.username, account.subject ?? account.party]);
  await confirmPassword(database, clock, account, form);
  const hash = await hashPassword(form.newPassword);
  await database.transaction('change a password', async (tx) => {
    await storePassword(tx, account, hash);
    await endSessionsOf(tx, account.accountId);
  });
}

/** Counts a try to sign in from an address before it is looked at. @returns takes the count back, when the try was right. Errors: ACCOUNT_LOCKED. */
export async function countAddressTry(database: Database, clock: Clock, address: string): Promise<() => Promise<void>> {
  const addressTries = `sign-in ${addressKey(address)}`;
  await refuseWhileBlocked(database, clock, addressTries, addressBackOff);
  return () => uncountTry(database, addressTries, false);
}

async function storePassword(sql: Sql, { accountId }: Account, hash: string): Promise<void> {
  await sql.query('update account set password_hash = $2 where account_id = $1', [accountId, hash]);
}

function signInFailed(): VeilgateError {
  return new VeilgateError('ACCOUNT_SIGN_IN_FAILED', 'User name, password or one-time password is wrong: check all of them and try again.');
}
