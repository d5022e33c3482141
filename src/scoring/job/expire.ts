import type { Sql, Tx } from '../../store/database.ts';
import type { TimeMs } from '../../vocabulary.ts';

/** Jobs whose request has expired before they finished: they are ended one by one. */
export async function expiredJobs(sql: Sql, atMs: TimeMs, limit: number): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(
    "select id from scoring_job where state in ('open', 'planning', 'running') and expires_ms <= $1 order by expires_ms limit $2", [atMs, limit],
  );
  return rows.map(({ id }) => id);
}

/** Deletes results nobody may fetch any more, and the lists of enterprises in reports with them. @returns how many jobs */
export async function dropResults(sql: Sql, atMs: TimeMs, limit: number): Promise<number> {
  const { rows } = await sql.query<{ jobs: number }>(
    `with over as (
       select id from scoring_job where results_until_ms <= $1 order by results_until_ms limit $2
     ), parts as (
       update scoring_job_part p set custodian_half = null, gateway_half = null, record = null, entry_salt = null, subjects_salt = null,
              unscored = '{}', reasons = '{}'
       from over where p.job = over.id
     ), chunks as (
       update scoring_job_chunk c set subjects = '{}', reasons = '{}' from over where c.job = over.id
     ), marked as (
       update scoring_job j set results_until_ms = null from over where j.id = over.id returning 1
     )
     select count(*)::integer as jobs from marked`,
    [atMs, limit],
  );
  return rows[0]?.jobs ?? 0;
}

/** Forgets one list and all jobs over it. @returns false, with nothing changed, while one of them is open or under way */
export async function forgetList(tx: Tx, list: string): Promise<boolean> {
  const { rows: [live] } = await tx.query("select from scoring_job where list = $1 and state in ('open', 'planning', 'running') limit 1", [list]);
  if (live !== undefined) return false;
  await tx.query('delete from scoring_job where list = $1', [list]);
  await tx.query('delete from scoring_list where id = $1', [list]);
  return true;
}

/** Forgets lists over which no job ran for long, and with each the jobs over it. @returns how many lists */
export async function forgetLists(sql: Sql, atMs: TimeMs, limit: number): Promise<number> {
  const { rows } = await sql.query<{ lists: number }>(
    `with old as (
       select l.id from scoring_list l where l.keep_until_ms <= $1
         and not exists (select from scoring_job j where j.list = l.id and (j.state in ('open', 'planning', 'running') or j.results_until_ms is not null))
       order by l.keep_until_ms limit $2
     ), jobs as (
       delete from scoring_job j using old where j.list = old.id
     ), lists as (
       delete from scoring_list l using old where l.id = old.id returning 1
     )
     select count(*)::integer as lists from lists`,
    [atMs, limit],
  );
  return rows[0]?.lists ?? 0;
}
