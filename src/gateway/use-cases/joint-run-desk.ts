import { recordHead } from '../../audit/entry.ts';
import type { JointRefused } from '../../audit/joint-run-entry.ts';
import { VeilgateError, type ErrorCode } from '../../errors.ts';
import type { Clock } from '../../clock.ts';
import type { TaskQueue } from '../../jobs/queue.ts';
import { activeProject, projectNotFound, type RegisteredProject } from '../../joint/project/registry.ts';
import { findRun, requireOwn, type JointRun } from '../../joint/run/run.ts';
import type { Sql } from '../../store/database.ts';
import type { InstitutionId, PartyId } from '../../vocabulary.ts';
import type { JointDesk } from './joint-projects.ts';
import type { PolicyStanding } from './policy-standing.ts';

/** What runs need beyond projects and cohorts. */
export type JointRunDesk = JointDesk & { readonly queue: TaskQueue; readonly standing: PolicyStanding };

export const platform = 'platform' as PartyId;

/** Facts that every record of a run names. */
export function ofRun({ id, project, cohort, institution }: Pick<JointRun, 'id' | 'project' | 'cohort' | 'institution'>) {
  return { institution, project, cohort, run: id };
}

/** A run of this institution. Errors: JOINT_RUN_NOT_FOUND. */
export async function ownRun(sql: Sql, id: string, institution: InstitutionId): Promise<JointRun> {
  return requireOwn(await findRun(sql, id), institution);
}

/** The project of this partner, when it may be worked under. Errors: JOINT_PROJECT_NOT_FOUND, JOINT_PROJECT_STATE_CONFLICT. */
export async function ownActiveProject({ database, clock }: { readonly database: Sql; readonly clock: Clock }, id: string, institution: InstitutionId): Promise<RegisteredProject> {
  const found = await activeProject(database, id, clock.nowMs());
  if (found.project.partner !== institution) throw projectNotFound();
  return found;
}

/** What the log says of a refused question. The rule is detail.rule where the error names one, else its code. */
export function refusalRecord({ clock }: Pick<JointDesk, 'clock'>, run: JointRun, question: string | null, error: VeilgateError): JointRefused {
  return { ...recordHead('joint.refused', clock.nowMs(), run.institution), ...ofRun(run), question, code: error.code, rule: ruleOf(error) };
}

export function ruleOf({ code, detail }: { readonly code: ErrorCode; readonly detail?: VeilgateError['detail'] }): string {
  const rule = detail?.rule;
  return typeof rule === 'string' ? rule : code.toLowerCase();
}
