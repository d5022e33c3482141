import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { dayMs } from '../calendar.ts';
import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import { isOneLine, oneLineProblem } from '../one-line.ts';
import { isUniqueViolation, type Database, type Tx } from '../store/database.ts';
import { isUscc } from '../uscc.ts';
import type { PartyId, SubjectId, TimeMs } from '../vocabulary.ts';
import { accountColumns, accountOf, needsSecondFactor, type Account, type AccountKind, type AccountRow } from './accounts.ts';
import { hashPassword, vetPassword } from './passwords.ts';
import { endSessionsOf } from './sessions.ts';
import { addressBackOff, addressKey, refuseWhileBlocked, uncountTry } from './throttle.ts';

const invitationDays = 7;
/** Anybody may try, so few would let anybody use them up; 80 random bits bear many. */
const invitationTries = 10_000;
/** People of one institution. */
export const accountsMax = 20;
const personNameLengthMax = 100;
const usernameShape = /^[a-z0-9][a-z0-9._@-]{2,63}$/;

/** What an invited person gets: the code is shown once. */
export type Invitation = { readonly accountId: string; readonly code: string; readonly endsAtMs: TimeMs };

/**
 * Prepares an enterprise's account: the registrar hands the code (16 characters in four groups, 80 random bits) to its
 * representative, who chooses a user name and a password with it within 7 days.
 * For an enterprise that has an account this is how a lost password is replaced: the old one works until then.
 * An earlier code stops working. Errors: REQUEST_INVALID.
 */
export async function inviteRepresentative(
  tx: Tx,
  clock: Clock,
  { party, subject, personName = null }: { readonly party: PartyId; readonly subject: SubjectId; readonly personName?: string | null },
): Promise<Invitation> {
  if (!isUscc(subject)) throw new VeilgateError('REQUEST_INVALID', 'Give the enterprise\'s unified social credit code with a right check digit.', { pointer: '/subject' });
  return invite(tx, clock, { party, kind: 'enterprise', subject, personName, accountId: await onlyAccountOf(tx, party) ?? newAccountId() });
}

/**
 * The same for a person of an officer's or institution's: their code works until a second factor is enrolled with it.
 * An officer is one person, whose next invitation replaces what was there; an institution has up to 20, each anew.
 * Errors: REQUEST_INVALID, ACCOUNT_LIMIT_REACHED.
 */
export async function inviteStaff(
  tx: Tx,
  clock: Clock,
  { party, kind, personName }: { readonly party: PartyId; readonly kind: Exclude<AccountKind, 'enterprise'>; readonly personName: string },
): Promise<Invitation> {
  await tx.query("select pg_advisory_xact_lock(hashtext('veilgate accounts'), hashtext($1))", [party]);
  if (kind === 'officer') return invite(tx, clock, { party, kind, subject: null, personName, accountId: await onlyAccountOf(tx, party) ?? newAccountId() });
  const { rowCount } = await tx.query(
    'select account_id from account where party = $1 union select account_id from account_invitation where party = $1 and expires_at_ms > $2', [party, clock.nowMs()]);
  if ((rowCount ?? 0) >= accountsMax) throw new VeilgateError('ACCOUNT_LIMIT_REACHED', `An institution has at most ${accountsMax} accounts and invitations: remove one of somebody who left.`);
  return invite(tx, clock, { party, kind, subject: null, personName, accountId: newAccountId() });
}

type Invited = { readonly accountId: string; readonly party: PartyId; readonly kind: AccountKind; readonly subject: SubjectId | null; readonly personName: string | null };

async function invite(tx: Tx, clock: Clock, { accountId, party, kind, subject, personName }: Invited): Promise<Invitation> {
  if (personName !== null && !isOneLine(personName, personNameLengthMax)) {
    throw new VeilgateError('REQUEST_INVALID', `A person's name has at most ${personNameLengthMax} characters and ${oneLineProblem}.`, { pointer: '/name' });
  }
  const code = newCode();
  const endsAtMs = (clock.nowMs() + invitationDays * dayMs) as TimeMs;
  await tx.query(
    `insert into account_invitation (account_id, party, kind, subject, person_name, code_hash, attempts_left, expires_at_ms) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (account_id) do update set person_name = excluded.person_name, code_hash = excluded.code_hash,
       attempts_left = excluded.attempts_left, expires_at_ms = excluded.expires_at_ms`,
    [accountId, party, kind, subject, personName, codeHash(subject ?? party, code), invitationTries, endsAtMs],
  );
  return { accountId, code, endsAtMs };
}

async function onlyAccountOf(tx: Tx, party: PartyId): Promise<string | undefined> {
  const { rows } = await tx.query<{ account_id: string }>(
    'select account_id from account where party = $1 union all select account_id from account_invitation where party = $1 limit 1', [party]);
  return rows[0]?.account_id;
}

/** Called in the transaction in which an account comes to work; a throw undoes it. */
export type OnActivated = (tx: Tx, account: Account) => Promise<void>;

export type ActivationForm = {
  /** What is typed beside the code: an enterprise's credit code, otherwise the party's id. */
  readonly holder: string;
  readonly code: string; readonly username: string; readonly password: string; readonly address: string;
};

/**
 * Makes the account, or replaces its user name and password, ends its sessions and forgets its second factors. An account that
 * needs a second factor does not work before `completeActivation`; until then its code can be used again.
 * Errors: ACCOUNT_ACTIVATION_INVALID (one answer for every wrong or unknown code), ACCOUNT_NAME_TAKEN (the code can be
 * used again), REQUEST_INVALID, ACCOUNT_LOCKED, REQUEST_RATE_LIMITED.
 */
export async function activateAccount(database: Database, clock: Clock, form: ActivationForm, onActivated: OnActivated = async () => {}): Promise<Account> {
  const username = form.username.trim().toLowerCase();
  if (!usernameShape.test(username)) {
    throw new VeilgateError('REQUEST_INVALID', 'Choose a user name of 3 to 64 letters, digits, dots, hyphens, underscores or @.', { field: 'username' });
  }
  vetPassword(form.password, [username, form.holder.trim()].filter((name) => name !== ''));
  const addressTries = `activation ${addressKey(form.address)}`;
  await refuseWhileBlocked(database, clock, addressTries, addressBackOff);

  const holder = typedHolder(form.holder);
  const hash = codeHash(holder, form.code);
  const { rows } = await database.query<{ account_id: string; code_hash: Buffer }>(
    `update account_invitation set attempts_left = attempts_left - 1
     where (subject = $1 or (party = $1 and subject is null)) and attempts_left > 0 and expires_at_ms > $2 returning account_id, code_hash`,
    [holder, clock.nowMs()],
  );
  const meant = rows.filter((row) => timingSafeEqual(row.code_hash, hash))[0];
  if (meant === undefined) throw activationInvalid();

  const passwordHash = await hashPassword(form.password);
  const account = await makeAccount(database, clock, { accountId: meant.account_id, tried: rows.map((row) => row.account_id), hash, username, passwordHash }, onActivated);
  await uncountTry(database, addressTries, false);
  return account;
}

type NewAccount = { readonly accountId: string; readonly tried: readonly string[]; readonly hash: Buffer; readonly username: string; readonly passwordHash: string };

async function makeAccount(database: Database, clock: Clock, { accountId, tried, hash, username, passwordHash }: NewAccount, onActivated: OnActivated): Promise<Account> {
  try {
    return await database.transaction('activate an account', async (tx) => {
      await tx.query('update account_invitation set attempts_left = attempts_left + 1 where account_id = any($1)', [tried]); // it was right
      const { rows: [row] } = await tx.query<AccountRow>(
        `insert into account (account_id, party, kind, subject, person_name, username, password_hash, created_at_ms)
         select account_id, party, kind, subject, person_name, $3, $4, $5 from account_invitation where account_id = $1 and code_hash = $2 for update
         on conflict (account_id) do update set username = excluded.username, password_hash = excluded.password_hash,
           person_name = coalesce(excluded.person_name, account.person_name)
         returning ${accountColumns('account')}`,
        [accountId, hash, username, passwordHash, clock.nowMs()],
      );
      if (row === undefined) throw activationInvalid();
      const account = accountOf(row);
      await endSessionsOf(tx, accountId);
      // they may be another person's
      await tx.query('delete from account_passkey where account_id = $1', [accountId]);
      await tx.query('delete from account_one_time_password where account_id = $1', [accountId]);
      if (!needsSecondFactor(account)) await completeActivation(tx, account, onActivated);
      return account;
    });
  } catch (error) {
    if (isUniqueViolation(error, 'account_username')) throw new VeilgateError('ACCOUNT_NAME_TAKEN', 'This user name is taken: choose another.', { field: 'username' });
    throw error;
  }
}

/** Uses the code up, from when on the account works. Errors: ACCOUNT_ACTIVATION_INVALID when it was used up, replaced or removed meanwhile. */
export async function completeActivation(tx: Tx, account: Account, onActivated: OnActivated = async () => {}): Promise<void> {
  const { rowCount } = await tx.query('delete from account_invitation where account_id = $1', [account.accountId]);
  if (rowCount !== 1) throw activationInvalid();
  await onActivated(tx, account);
}

function activationInvalid(): VeilgateError {
  return new VeilgateError('ACCOUNT_ACTIVATION_INVALID', 'The name and the activation code do not fit together, or the code was used or has expired: ask for a new one where you got it.');
}

/** Credit codes are written in capitals, party ids never. */
function typedHolder(holder: string): string {
  const typed = holder.trim();
  return isUscc(typed.toUpperCase()) ? typed.toUpperCase() : typed.toLowerCase();
}

function newAccountId(): string {
  return randomBytes(16).toString('base64url');
}

// Crockford's base32: no letters that are read as digits
const codeAlphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function newCode(): string {
  const characters = Array.from(randomBytes(16), (byte) => codeAlphabet.charAt(byte & 31));
  return [0, 4, 8, 12].map((at) => characters.slice(at, at + 4).join('')).join('-');
}

function codeHash(holder: string, code: string): Buffer {
  const typed = code.slice(0, 64).toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  return createHash('sha256').update(`activation\n${holder}\n${typed}`).digest();
}
