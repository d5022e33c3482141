import { arrayParameter } from '../../store/array-parameter.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { InstitutionId, SubjectId } from '../../vocabulary.ts';
import type { ModelRef } from '../protocol.ts';

/** Enterprises whose scores one log entry released: the entry itself names none of them. */
export type ScoreRelease = { readonly entry: number; readonly institution: InstitutionId; readonly model: ModelRef; readonly subjects: readonly SubjectId[] };

/** Writes for the access history of each enterprise what a part released; in the transaction that appended the entry. */
export async function recordScoreRelease(tx: Tx, { entry, institution, model, subjects }: ScoreRelease): Promise<void> {
  if (subjects.length === 0) return;
  await tx.query({
    name: 'scoring record release',
    text: `insert into score_release (entry, subject, institution, model)
           select $1::bigint, subject, $2::text, $3::text from unnest($4::text[]) as s (subject) order by subject`,
    values: [entry, institution, model, arrayParameter(subjects)],
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
