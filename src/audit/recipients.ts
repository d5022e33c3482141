import type { Sql } from '../store/database.ts';
import type { FieldRef, GrantId, InstitutionId, SubjectId } from '../vocabulary.ts';

/** Who received one field of one enterprise under one grant, as the log has it. */
export type Recipient = {
  readonly institution: InstitutionId;
  readonly grant: GrantId;
  /** How: of the outcomes' dispositions, sorted. */
  readonly dispositions: readonly string[];
  /** How often. */
  readonly received: number;
  /** Indices of the entries, newest first; at most as many as asked for. */
  readonly entries: readonly number[];
};

/**
 * Everybody who was ever answered about a field of an enterprise, by institution and grant: disclosed in any form,
 * compared, or behind a score of its own. Records that were erased are nobody's any more.
 * @param entriesMax indices given for each
 */
export async function recipientsOf(sql: Sql, subject: SubjectId, field: FieldRef, entriesMax: number): Promise<Recipient[]> {
  type Row = { institution: InstitutionId; grant: GrantId; dispositions: string[]; received: number; entries: (number | string)[] };
  const { rows } = await sql.query<Row>(
    `with answers as (
       select index, institution, record::jsonb as record from audit_entry where subject = $1 and kind in ('query.released', 'score.released')
     ), received as (
       select index, institution, record ->> 'grant' as grant_id,
              array(select distinct o ->> 'disposition' from jsonb_array_elements(record -> 'outcomes') as o where o ->> 'disposition' <> 'withhold' and o -> 'fields' ? $2) as dispositions
       from answers
     )
     select institution, grant_id as grant, count(distinct index)::integer as received, array_agg(distinct disposition order by disposition) as dispositions,
            (array_agg(distinct index order by index desc))[1:$3] as entries
     from received, unnest(dispositions) as disposition
     group by institution, grant_id order by institution, grant_id`,
    [subject, field, entriesMax],
  );
  return rows.map(({ entries, ...recipient }) => ({ ...recipient, entries: entries.map(Number) }));
}
