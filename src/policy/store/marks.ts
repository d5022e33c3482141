import type { Sql } from '../../store/database.ts';
import type { TimeMs } from '../../vocabulary.ts';

/** By what a process sees that it must look closer. */
export type PolicyMarks = {
  readonly inForce: number | null;
  /** Ids of the withholds that hold, in one text. */
  readonly withholds: string;
  /** An approved version whose time has come. */
  readonly due: number | null;
};

/** One statement that touches a handful of rows: every process asks it a few times a second. */
export async function policyMarks(sql: Sql, nowMs: TimeMs): Promise<PolicyMarks> {
  const { rows: [row] } = await sql.query<PolicyMarks>({
    name: 'policy marks',
    text: `select (select number from policy_version where state = 'in_force') as "inForce",
                  (select coalesce(string_agg(id, ' ' order by id), '') from policy_withhold where ended_ms is null) as withholds,
                  (select number from policy_version where state = 'approved' and (effective_ms is null or effective_ms <= $1)) as due`,
    values: [nowMs],
  });
  return row as PolicyMarks;
}
