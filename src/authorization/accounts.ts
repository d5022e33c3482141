import type { Sql, Tx } from '../store/database.ts';
import type { PartyId, PartyKind, SubjectId, TimeMs } from '../vocabulary.ts';

/** Parties whose people sign in to pages and console; departments call with their keys. */
export type AccountKind = Exclude<PartyKind, 'department'>;

/** One person, and the one party the person acts for. */
export type Account = {
  readonly accountId: string;
  readonly party: PartyId;
  readonly kind: AccountKind;
  /** Present for enterprises. */
  readonly subject?: SubjectId;
  /** As whoever invited the person wrote it; null: not told. */
  readonly personName: string | null;
  readonly username: string;
};

/** A person of a party, as the party sees it: who may sign in, or is invited to. */
export type AccountOverview = {
  readonly accountId: string;
  readonly personName: string | null;
  /** null: the invitation was not taken up yet. */
  readonly username: string | null;
  readonly secondFactors: readonly ('one_time_password' | 'passkey')[];
  /** null: as above. */
  readonly createdAtMs: TimeMs | null;
  /** Last sign-in. */
  readonly lastUsedAtMs: TimeMs | null;
  /** When the code ends that is open for this account; null: none is. */
  readonly invitedUntilMs: TimeMs | null;
};

export type AccountRow = {
  readonly account_id: string; readonly party: PartyId; readonly kind: AccountKind; readonly subject: SubjectId | null;
  readonly person_name: string | null; readonly username: string;
};

/** Columns of an AccountRow for a select list. */
export function accountColumns(table: string): string {
  return ['account_id', 'party', 'kind', 'subject', 'person_name', 'username'].map((column) => `${table}.${column}`).join(', ');
}

export function accountOf(row: AccountRow | undefined): Account {
  if (row === undefined) throw new Error('no account row');
  const subject = row.subject === null ? {} : { subject: row.subject };
  return { accountId: row.account_id, party: row.party, kind: row.kind, ...subject, personName: row.person_name, username: row.username };
}

/** Whether nothing may happen in the account's name before a second factor was shown. */
export function needsSecondFactor({ kind }: Pick<Account, 'kind'>): boolean {
  return kind !== 'enterprise';
}

/** The account behind a token's `sub`. */
export async function findAccount(sql: Sql, accountId: string): Promise<Account | undefined> {
  const { rows: [row] } = await sql.query<AccountRow>(`select ${accountColumns('account')} from account where account_id = $1`, [accountId]);
  return row === undefined ? undefined : accountOf(row);
}

/** A party's accounts and open invitations, oldest first. */
export async function listAccounts(sql: Sql, party: PartyId, nowMs: TimeMs): Promise<readonly AccountOverview[]> {
  const { rows } = await sql.query<{
    account_id: string; person_name: string | null; username: string | null; created_at_ms: TimeMs | null; last_used_at_ms: TimeMs | null;
    invited_until_ms: TimeMs | null; one_time_password: boolean; passkey: boolean;
  }>(
    `select account_id, coalesce(i.person_name, a.person_name) as person_name, a.username, a.created_at_ms, a.last_used_at_ms, i.expires_at_ms as invited_until_ms,
       exists (select from account_one_time_password o where o.account_id = a.account_id and o.enrolled_at_ms is not null) as one_time_password,
       exists (select from account_passkey p where p.account_id = a.account_id) as passkey
     from (select * from account where party = $1) a
     full join (select * from account_invitation where party = $1 and expires_at_ms > $2) i using (account_id)
     order by a.created_at_ms, i.expires_at_ms, account_id`,
    [party, nowMs],
  );
  return rows.map((row) => ({
    accountId: row.account_id, personName: row.person_name, username: row.username,
    secondFactors: [...(row.one_time_password ? ['one_time_password' as const] : []), ...(row.passkey ? ['passkey' as const] : [])],
    createdAtMs: row.created_at_ms, lastUsedAtMs: row.last_used_at_ms, invitedUntilMs: row.invited_until_ms,
  }));
}

/** Removes an account or invitation and ends the account's sessions. @returns false when the party has no such account */
export async function removeAccount(tx: Tx, party: PartyId, accountId: string): Promise<boolean> {
  const invitations = await tx.query('delete from account_invitation where account_id = $1 and party = $2', [accountId, party]);
  const accounts = await tx.query('delete from account where account_id = $1 and party = $2', [accountId, party]);
  return (invitations.rowCount ?? 0) + (accounts.rowCount ?? 0) > 0;
}
