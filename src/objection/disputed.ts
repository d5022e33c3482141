import type { Sql } from '../store/database.ts';
import type { FieldRef, SubjectId } from '../vocabulary.ts';

/**
 * Fields of these enterprises to which an accepted objection waits for its department: one statement for all, out of an
 * index that holds such objections and nothing else. An enterprise without any is not in the map.
 */
export async function disputedFields(sql: Sql, subjects: readonly SubjectId[]): Promise<ReadonlyMap<SubjectId, readonly FieldRef[]>> {
  const { rows } = await sql.query<{ subject: SubjectId; fields: FieldRef[] }>({
    name: 'objection disputed',
    text: "select subject, array_agg(distinct field order by field) as fields from objection where subject = any($1::text[]) and state = 'accepted' and about = 'record' group by subject",
    values: [subjects],
  });
  return new Map(rows.map(({ subject, fields }) => [subject, fields]));
}
