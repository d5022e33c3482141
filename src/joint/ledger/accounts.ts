import type { Brand, DatasetId, InstitutionId } from '../../vocabulary.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { NanoRho } from '../noise/accountant.ts';

/** Name of an account of the privacy ledger. */
export type Account = Brand<string, 'Account'>;

export type Balance = { readonly account: Account; readonly total: NanoRho; readonly spent: NanoRho };

/** Everything a release is charged to: the project, and for each dataset the institution's share and everybody's. */
export function accountsOf(project: string, institution: InstitutionId, datasets: readonly DatasetId[]): Account[] {
  const names = datasets.flatMap((dataset) => [`institution/${institution}/${dataset}`, `dataset/${dataset}`]);
  return [...new Set([`project/${project}`, ...names])].sort() as Account[];
}

/** Opens accounts that do not exist and raises those that do; none is ever lowered. */
export async function provide(tx: Tx, accounts: readonly { readonly account: Account; readonly total: NanoRho }[]): Promise<void> {
  await tx.query({
    name: 'joint provide',
    text: `insert into joint_account (account, total) select * from unnest($1::text[], $2::bigint[]) order by 1
           on conflict (account) do update set total = greatest(joint_account.total, excluded.total)`,
    values: [accounts.map(({ account }) => account), accounts.map(({ total }) => total)],
  });
}

/** Balances, for partner and officers to see. An account that was never opened has none. */
export async function balances(sql: Sql, accounts: readonly Account[]): Promise<Balance[]> {
  const { rows } = await sql.query<{ account: Account; total: NanoRho; spent: NanoRho }>({
    name: 'joint balances', text: 'select account, total, spent from joint_account where account = any($1::text[]) order by account', values: [accounts],
  });
  return rows;
}
