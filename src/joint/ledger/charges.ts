import { VeilgateError } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { InstitutionId, TimeMs } from '../../vocabulary.ts';
import { nanoRhoPerRho, type NanoRho } from '../noise/accountant.ts';
import type { Account } from './accounts.ts';

/**
 * Reserve → compute → commit. A question is charged before it is computed, and its answer, the end of its charge and
 * the log's record are one transaction: nothing leaves uncharged or unlogged, and whoever crashes in between finds
 * the charge reserved and computes again under it. A question that was answered is answered the same again.
 */
export type Question = {
  /** SHA-256, hex: statement, cohort, bundle and shifts in canonical form. */
  readonly digest: string;
  readonly project: string;
  readonly institution: InstitutionId;
  readonly cost: NanoRho;
  readonly accounts: readonly Account[];
};

/** `reserved`: compute it; `answered`: the answer is stored. */
export type Reservation = 'reserved' | 'answered';

/**
 * Takes the cost from every account or from none. The same question asked twice at once is charged once.
 * Errors: JOINT_BUDGET_EXHAUSTED, which says which account has how much left.
 */
export async function reserve(tx: Tx, question: Question, atMs: TimeMs): Promise<Reservation> {
  const { digest, project, institution, cost, accounts } = question;
  const inserted = await tx.query({
    name: 'joint reserve',
    text: `insert into joint_charge (question, project, institution, cost, accounts, state, reserved_at)
           values ($1, $2, $3, $4, $5, 'reserved', to_timestamp($6::double precision / 1000))
           on conflict (question) do update set state = 'reserved', settled_at = null, cost = excluded.cost, accounts = excluded.accounts, reserved_at = excluded.reserved_at
           where joint_charge.state = 'returned'
           returning 1`,
    values: [digest, project, institution, cost, accounts, atMs],
  });
  if (inserted.rows.length === 0) {
    const { rows: [known] } = await tx.query<{ state: string }>({ name: 'joint charge', text: 'select state from joint_charge where question = $1', values: [digest] });
    return known?.state === 'released' ? 'answered' : 'reserved';
  }
  // in the order of their names, so that two questions never wait for each other in a circle
  const { rows } = await tx.query<{ account: Account; total: number; spent: number }>({
    name: 'joint lock accounts', text: 'select account, total, spent from joint_account where account = any($1::text[]) order by account for update', values: [accounts],
  });
  const left = new Map(rows.map(({ account, total, spent }) => [account, total - spent]));
  const short = accounts.filter((account) => (left.get(account) ?? 0) < cost);
  if (short.length > 0) {
    throw new VeilgateError('JOINT_BUDGET_EXHAUSTED', 'The privacy budget does not cover this question: ask for less or coarser, or have the budget raised; detail.accounts says which.', {
      cost_rho: cost / nanoRhoPerRho, accounts: short.map((account) => ({ account, left_rho: (left.get(account) ?? 0) / nanoRhoPerRho })),
    });
  }
  await tx.query({ name: 'joint spend', text: 'update joint_account set spent = spent + $2 where account = any($1::text[])', values: [accounts, cost] });
  return 'reserved';
}

/**
 * Stores the answer and ends the charge, as part of the transaction that appends the log's record.
 * @returns false when somebody else has answered the question meanwhile: their answer stands, this one must be thrown away
 */
export async function commit(tx: Tx, question: string, results: readonly Uint8Array[], entry: number, atMs: TimeMs): Promise<boolean> {
  const { rows } = await tx.query({
    name: 'joint commit',
    text: `update joint_charge set state = 'released', settled_at = to_timestamp($2::double precision / 1000), entry = $3 where question = $1 and state = 'reserved' returning 1`,
    values: [question, atMs, entry],
  });
  if (rows.length === 0) return false;
  for (const [part, result] of results.entries()) {
    await tx.query({ name: 'joint answer', text: 'insert into joint_answer (question, part, result) values ($1, $2, $3)', values: [question, part, result] });
  }
  return true;
}

/** Gives a charge back of which nothing left: its computation failed for good. Accounts are held in the order in which charges hold them. Without effect on one that was released. */
export async function giveBack(tx: Tx, question: string, atMs: TimeMs): Promise<void> {
  await tx.query({
    name: 'joint give back',
    text: `with returned as (
             update joint_charge set state = 'returned', settled_at = to_timestamp($2::double precision / 1000) where question = $1 and state = 'reserved' returning cost, accounts
           ), held as (
             select account from joint_account where account in (select unnest(accounts) from returned) order by account for update
           )
           update joint_account set spent = spent - returned.cost from returned, held where joint_account.account = held.account`,
    values: [question, atMs],
  });
}

/** The stored answer, in the order of the question's columns; undefined while there is none. */
export async function answerOf(sql: Sql, question: string): Promise<Uint8Array[] | undefined> {
  const { rows } = await sql.query<{ result: Uint8Array }>({ name: 'joint answers', text: 'select result from joint_answer where question = $1 order by part', values: [question] });
  return rows.length === 0 ? undefined : rows.map(({ result }) => new Uint8Array(result));
}
