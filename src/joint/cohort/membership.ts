import type { Sql } from '../../store/database.ts';
import type { InstitutionId, SubjectId, TimeMs } from '../../vocabulary.ts';
import type { ProjectId } from '../project/document.ts';
import type { CohortId } from './registry.ts';

/** A cohort that counts an enterprise in. */
export type Membership = { readonly cohort: CohortId; readonly project: ProjectId; readonly institution: InstitutionId; readonly size: number; readonly formedMs: TimeMs };

/** Cohorts of one institution that are looked through, the newest first. */
const cohortsLookedAt = 20;
/** Characters of a credit code in a chunk. */
const codeLength = 18;

/**
 * Cohorts of these institutions, the newest `cohortsLookedAt` of each, of which the enterprise is a member. Members are
 * kept as text, so each look reads every chunk: for one enterprise now and then, not for a list.
 */
export async function membershipsOf(sql: Sql, subject: SubjectId, institutions: readonly InstitutionId[]): Promise<Membership[]> {
  if (institutions.length === 0) return [];
  const { rows } = await sql.query<{ id: CohortId; project: ProjectId; institution: InstitutionId; size: number; formed_ms: TimeMs }>({
    name: 'joint memberships',
    text: `select c.id, c.project, c.institution, c.size, c.formed_ms
           from unnest($2::text[]) as asked (institution)
           cross join lateral (select * from joint_cohort where institution = asked.institution order by formed_ms desc, id limit ${cohortsLookedAt}) c
           where exists (select from joint_cohort_chunk k where k.cohort = c.id and strpos(k.codes, $1) % ${codeLength} = 1)
           order by c.formed_ms desc, c.id`,
    values: [subject, institutions],
  });
  return rows.map(({ id, project, institution, size, formed_ms: formedMs }) => ({ cohort: id, project, institution, size, formedMs }));
}
