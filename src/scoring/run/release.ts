import { arrayParameter } from '../../store/array-parameter.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { GrantId, InstitutionId, SubjectId } from '../../vocabulary.ts';
import type { ModelRef } from '../protocol.ts';

/** Enterprises whose scores one log entry released, each with the grant it was spent on: the entry itself names none of them. */
export type ScoreRelease = { readonly entry: number; readonly institution: InstitutionId; readonly model: ModelRef; readonly released: readonly { readonly subject: SubjectId; readonly grant: GrantId }[] };

/** Writes for the access history of each enterprise what a part released; in the transaction that appended the entry. */
export async function recordScoreRelease(tx: Tx, { entry, institution, model, released }: ScoreRelease): Promise<void> {
  if (released.length === 0) return;
  await tx.query({
    name: 'scoring record release',
    text: `insert into score_release (entry, subject, institution, model, grant_id)
           select $1::bigint, subject, $2::text, $3::text, grant_id from unnest($4::text[], $5::text[]) as s (subject, grant_id) order by subject`,
    values: [entry, institution, model, arrayParameter(released.map(({ subject }) => subject)), arrayParameter(released.map(({ grant }) => grant))],
  });
}

/** Newest first: entries of the log that released a score of this enterprise without naming it. */
export async function scoreReleasesOf(sql: Sql, subject: SubjectId, options: { readonly beforeEntry?: number; readonly institution?: string; readonly limit: number }): Promise<number[]> {
  const { rows } = await sql.query<{ entry: number }>({
    name: 'scoring releases of subject',
    text: `select entry from score_release where subject = $1 and ($2::bigint is null or entry < $2) and ($3::text is null or institution = $3)
           order by entry desc limit $4`,
    values: [subject, options.beforeEntry ?? null, options.institution ?? null, options.limit],
  });
  return rows.map(({ entry }) => entry);
}

/** True when the entry released a score of this enterprise without naming it. */
export async function isReleasedIn(sql: Sql, subject: SubjectId, entry: number): Promise<boolean> {
  const { rowCount } = await sql.query({ name: 'scoring is released in', text: 'select 1 from score_release where subject = $1 and entry = $2', values: [subject, entry] });
  return rowCount === 1;
}

/** Who received scores of one enterprise under one grant, in lists. */
export type ScoreReceiver = { readonly institution: InstitutionId; readonly grant: GrantId; readonly received: number; readonly entries: readonly number[] };

/**
 * Everybody who received a score of an enterprise under one of these models out of a list, by institution and grant.
 * @param entriesMax indices given for each, newest first
 */
export async function scoreReceiversOf(sql: Sql, subject: SubjectId, models: readonly ModelRef[], entriesMax: number): Promise<ScoreReceiver[]> {
  const { rows } = await sql.query<ScoreReceiver>({
    name: 'scoring receivers of subject',
    text: `select institution, grant_id as grant, count(*)::integer as received, (array_agg(entry order by entry desc))[1:$3] as entries
           from score_release where subject = $1 and model = any($2::text[]) and grant_id is not null
           group by institution, grant_id order by institution, grant_id`,
    values: [subject, models, entriesMax],
  });
  return rows.map(({ entries, ...receiver }) => ({ ...receiver, entries: entries.map(Number) }));
}
