import { arrayParameter } from '../../store/array-parameter.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { FieldRef, GrantId, InstitutionId, SubjectId } from '../../vocabulary.ts';
import type { ModelRef } from '../protocol.ts';

/** Enterprises whose scores one log entry released, each with the grant it was spent on and the fields behind the model it disputed: the entry itself names none of them. */
export type ScoreRelease = { readonly entry: number; readonly institution: InstitutionId; readonly model: ModelRef; readonly released: readonly { readonly subject: SubjectId; readonly grant: GrantId; readonly disputed?: readonly FieldRef[] }[] };

/** Writes for the access history of each enterprise what a part released; in the transaction that appended the entry. */
export async function recordScoreRelease(tx: Tx, { entry, institution, model, released }: ScoreRelease): Promise<void> {
  if (released.length === 0) return;
  await tx.query({
    name: 'scoring record release',
    text: `insert into score_release (entry, subject, institution, model, grant_id, disputed)
           select $1::bigint, subject, $2::text, $3::text, grant_id, string_to_array(nullif(disputed, ''), ' ')
           from unnest($4::text[], $5::text[], $6::text[]) as s (subject, grant_id, disputed) order by subject`,
    values: [
      entry, institution, model, arrayParameter(released.map(({ subject }) => subject)), arrayParameter(released.map(({ grant }) => grant)),
      arrayParameter(released.map(({ disputed = [] }) => disputed.join(' '))), // an array of arrays would have to be rectangular
    ],
  });
}

/** An entry that released a score of an enterprise without naming it, and the fields it disputed then. */
export type OwnRelease = { readonly entry: number; readonly disputed: readonly FieldRef[] };

/** Newest first: entries of the log that released a score of this enterprise without naming it. */
export async function scoreReleasesOf(sql: Sql, subject: SubjectId, options: { readonly beforeEntry?: number; readonly institution?: string; readonly limit: number }): Promise<OwnRelease[]> {
  const { rows } = await sql.query<OwnRelease>({
    name: 'scoring releases of subject',
    text: `select entry, coalesce(disputed, '{}') as disputed from score_release where subject = $1 and ($2::bigint is null or entry < $2) and ($3::text is null or institution = $3)
           order by entry desc limit $4`,
    values: [subject, options.beforeEntry ?? null, options.institution ?? null, options.limit],
  });
  return rows;
}

/** What one entry released of this enterprise without naming it; undefined when it did not. */
export async function scoreReleaseIn(sql: Sql, subject: SubjectId, entry: number): Promise<OwnRelease | undefined> {
  const { rows } = await sql.query<OwnRelease>({
    name: 'scoring release in', text: "select entry, coalesce(disputed, '{}') as disputed from score_release where subject = $1 and entry = $2", values: [subject, entry],
  });
  return rows[0];
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
