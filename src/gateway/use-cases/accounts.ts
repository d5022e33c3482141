import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import type { Account } from '../../authorization/accounts.ts';
import type { Tx } from '../../store/database.ts';
import type { PartyId, TimeMs } from '../../vocabulary.ts';

/** Writes to the log, in the same transaction, that somebody's account works from now on. */
export async function recordActivation(tx: Tx, { accountId, party, subject }: Account, atMs: TimeMs): Promise<void> {
  await appendRecords(tx, [subject === undefined
    ? { ...recordHead('account.activated', atMs, party), party, account: accountId }
    : { ...recordHead('enterprise.activated', atMs, 'platform' as PartyId), subject }]);
}
