import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import { listAccounts, removeAccount, type Account, type AccountOverview } from '../../authorization/accounts.ts';
import { inviteStaff, type Invitation } from '../../authorization/invitations.ts';
import type { Clock } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import { requireOwnKey } from '../../identity/admit.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { Caller, PartyId, TimeMs } from '../../vocabulary.ts';

/**
 * Invites a person of the caller's, an officer or an institution, which must prove its key.
 * Errors: ACCOUNT_KEY_REQUIRED, PARTY_NOT_PERMITTED, ACCOUNT_LIMIT_REACHED, REQUEST_INVALID.
 */
export async function invitePerson(tx: Tx, caller: Caller, personName: string, clock: Clock): Promise<Invitation> {
  requireOwnKey(caller);
  const { party, kind } = caller;
  if (kind === 'enterprise') throw new VeilgateError('PARTY_NOT_PERMITTED', 'An enterprise\'s representative is invited by the platform\'s registrar: ask there.');
  if (kind === 'department') throw new VeilgateError('PARTY_NOT_PERMITTED', 'Departments work with their keys: there is no console for them.');
  const invitation = await inviteStaff(tx, clock, { party, kind, personName });
  await appendRecords(tx, [{ ...recordHead('account.invited', clock.nowMs(), party), party, account: invitation.accountId }]);
  return invitation;
}

export async function accountsOf(sql: Sql, { party }: Caller, clock: Clock): Promise<readonly AccountOverview[]> {
  return listAccounts(sql, party, clock.nowMs());
}

/** Errors: ACCOUNT_KEY_REQUIRED, PARTY_NOT_PERMITTED, ACCOUNT_NOT_FOUND. */
export async function removePerson(tx: Tx, caller: Caller, accountId: string, clock: Clock): Promise<void> {
  requireOwnKey(caller);
  const { party, kind } = caller;
  if (kind === 'enterprise') throw new VeilgateError('PARTY_NOT_PERMITTED', 'An enterprise\'s account is replaced by a new activation code: ask the platform\'s registrar.');
  if (!await removeAccount(tx, party, accountId)) throw new VeilgateError('ACCOUNT_NOT_FOUND', 'There is no such account of yours: look at the list.');
  await appendRecords(tx, [{ ...recordHead('account.removed', clock.nowMs(), party), party, account: accountId }]);
}

/** Writes to the log, in the same transaction, that somebody's account works from now on. */
export async function recordActivation(tx: Tx, { accountId, party, subject }: Account, atMs: TimeMs): Promise<void> {
  await appendRecords(tx, [subject === undefined
    ? { ...recordHead('account.activated', atMs, party), party, account: accountId }
    : { ...recordHead('enterprise.activated', atMs, 'platform' as PartyId), subject }]);
}
