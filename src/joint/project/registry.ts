import { randomBytes } from 'node:crypto';
import { shanghaiDate } from '../../calendar.ts';
import { canonicalJson } from '../../canonical.ts';
import { VeilgateError } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { InstitutionId, PartyId, TimeMs } from '../../vocabulary.ts';
import { projectFromJson, projectToJson, type JointProject, type JointProjectJson, type ProjectId } from './document.ts';
import { projectDigest } from './shape.ts';

export type ProjectState = 'proposed' | 'approved' | 'active' | 'refused' | 'ended' | 'stopped';

/** A project and how it got there. */
export type RegisteredProject = {
  readonly id: ProjectId;
  readonly project: JointProject;
  /** SHA-256, lower-case hex, of the document. */
  readonly digest: string;
  /** As of the moment it was read: past its last day a project is ended. */
  readonly state: ProjectState;
  readonly proposedBy: PartyId;
  readonly proposedMs: TimeMs;
  /** At most two, in the order they came. */
  readonly approvals: readonly { readonly by: PartyId; readonly atMs: TimeMs }[];
  readonly closedBy: PartyId | null;
  readonly closedMs: TimeMs | null;
  /** Code of why it was refused, stopped or ended. */
  readonly reason: string | null;
};

type Row = {
  readonly id: ProjectId; readonly document: string; readonly digest: string; readonly state: ProjectState; readonly proposed_by: PartyId; readonly proposed_ms: TimeMs;
  readonly first_by: PartyId | null; readonly first_ms: TimeMs | null; readonly second_by: PartyId | null; readonly second_ms: TimeMs | null;
  readonly closed_by: PartyId | null; readonly closed_ms: TimeMs | null; readonly reason: string | null;
};

const columns = 'id, document, digest, state, proposed_by, proposed_ms, first_by, first_ms, second_by, second_ms, closed_by, closed_ms, reason';
export const projectPageMax = 100;
const idShape = /^[A-Za-z0-9_-]{22}$/;

/**
 * The project when it may be worked under at this moment: approved by two, not stopped, not past its last day.
 * Errors: JOINT_PROJECT_NOT_FOUND, JOINT_PROJECT_STATE_CONFLICT.
 */
export async function activeProject(sql: Sql, id: string, atMs: TimeMs): Promise<RegisteredProject> {
  const found = await readProject(sql, id, atMs);
  if (found.state !== 'approved' && found.state !== 'active') throw stateConflict(found.state);
  return found;
}

/** activeProject, held until the transaction ends: nobody stops it meanwhile. */
export async function holdProject(tx: Tx, id: string, atMs: TimeMs): Promise<RegisteredProject> {
  const { rows } = await tx.query<Row>({ name: 'joint hold project', text: `select ${columns} from joint_project where id = $1 for share`, values: [id] });
  const found = registered(rows[0], atMs);
  if (found.state !== 'approved' && found.state !== 'active') throw stateConflict(found.state);
  return found;
}

/** Errors: JOINT_PROJECT_NOT_FOUND. */
export async function readProject(sql: Sql, id: string, atMs: TimeMs): Promise<RegisteredProject> {
  const { rows } = idShape.test(id) ? await sql.query<Row>({ name: 'joint read project', text: `select ${columns} from joint_project where id = $1`, values: [id] }) : { rows: [] };
  return registered(rows[0], atMs);
}

/** Newest first; at most projectPageMax. @param partner only this institution's, as partner or as author */
export async function listProjects(sql: Sql, { partner, after }: { readonly partner?: PartyId | undefined; readonly after?: string | undefined }, atMs: TimeMs): Promise<RegisteredProject[]> {
  const { rows } = await sql.query<Row>({
    name: 'joint list projects',
    text: `select ${columns} from joint_project
           where ($1::text is null or partner = $1) and ($2::text is null or (proposed_ms, id) < (select proposed_ms, id from joint_project where id = $2))
           order by proposed_ms desc, id desc limit $3`,
    values: [partner ?? null, after ?? null, projectPageMax],
  });
  return rows.map((row) => registered(row, atMs));
}

/** Projects that wait for a decision and that this partner would work under. */
export async function countProposed(sql: Sql, partner: InstitutionId): Promise<number> {
  const { rows: [row] } = await sql.query<{ open: number }>({ name: 'joint count proposed', text: "select count(*)::integer as open from joint_project where partner = $1 and state = 'proposed'", values: [partner] });
  return row?.open ?? 0;
}

/** Registers a checked project for others to decide on. */
export async function insertProject(tx: Tx, { project, by }: { readonly project: JointProject; readonly by: PartyId }, atMs: TimeMs): Promise<{ readonly id: ProjectId; readonly digest: string }> {
  const id = randomBytes(16).toString('base64url') as ProjectId;
  const digest = projectDigest(project);
  await tx.query({
    name: 'joint propose project',
    text: 'insert into joint_project (id, document, digest, partner, ends_on, proposed_by, proposed_ms) values ($1, $2, $3, $4, $5, $6, $7)',
    values: [id, canonicalJson(projectToJson(project)), digest, project.partner, project.endsOn, by, atMs],
  });
  return { id, digest };
}

/**
 * Locks a proposal for its decision.
 * @param digest of the document that was read; another one means that something else would be decided
 * Errors: JOINT_PROJECT_NOT_FOUND, JOINT_PROJECT_CHANGED, JOINT_PROJECT_STATE_CONFLICT.
 */
export async function lockProposal(tx: Tx, id: string, digest: string, atMs: TimeMs): Promise<RegisteredProject> {
  const proposal = await lockProject(tx, id, atMs);
  if (proposal.digest !== digest) throw new VeilgateError('JOINT_PROJECT_CHANGED', 'The project is another one than the one you read: read it again before you decide.', { digest: proposal.digest });
  if (proposal.state !== 'proposed') throw stateConflict(proposal.state);
  return proposal;
}

/** Writes one approval of a locked proposal. @returns the state after it. Errors: JOINT_PROJECT_SAME_PERSON. */
export async function approveProject(tx: Tx, proposal: RegisteredProject, by: PartyId, atMs: TimeMs): Promise<'proposed' | 'approved'> {
  if (proposal.proposedBy === by) throw new VeilgateError('JOINT_PROJECT_SAME_PERSON', 'You proposed this project: two others must approve it.');
  if (proposal.approvals.some((approval) => approval.by === by)) throw new VeilgateError('JOINT_PROJECT_SAME_PERSON', 'You have approved this project: somebody else must approve it too.');
  if (proposal.approvals.length === 0) {
    await tx.query({ name: 'joint first approval', text: 'update joint_project set first_by = $2, first_ms = $3 where id = $1', values: [proposal.id, by, atMs] });
    return 'proposed';
  }
  await tx.query({ name: 'joint second approval', text: "update joint_project set second_by = $2, second_ms = $3, state = 'approved' where id = $1", values: [proposal.id, by, atMs] });
  return 'approved';
}

/** The first cohort was formed. */
export async function activateProject(tx: Tx, id: ProjectId): Promise<void> {
  await tx.query({ name: 'joint activate project', text: "update joint_project set state = 'active' where id = $1 and state = 'approved'", values: [id] });
}

export type Closing = { readonly state: 'refused' | 'stopped' | 'ended'; readonly by: PartyId; readonly reason: string };

/**
 * Ends a project for good: `refused` while it is proposed, `stopped` or `ended` when it is approved or active.
 * Errors: JOINT_PROJECT_NOT_FOUND, JOINT_PROJECT_STATE_CONFLICT.
 */
export async function closeProject(tx: Tx, id: string, { state, by, reason }: Closing, atMs: TimeMs): Promise<RegisteredProject> {
  const found = await lockProject(tx, id, atMs);
  const from: readonly ProjectState[] = state === 'refused' ? ['proposed'] : ['approved', 'active'];
  if (!from.includes(found.state)) throw stateConflict(found.state);
  await tx.query({ name: 'joint close project', text: 'update joint_project set state = $2, closed_by = $3, closed_ms = $4, reason = $5 where id = $1', values: [id, state, by, atMs, reason] });
  return { ...found, state, closedBy: by, closedMs: atMs, reason };
}

/** Projects whose last day is over and that nobody has closed. Locked; skips what others hold. */
export async function overdueProjects(tx: Tx, atMs: TimeMs, max: number): Promise<ProjectId[]> {
  const { rows } = await tx.query<{ id: ProjectId }>({
    name: 'joint overdue projects',
    text: "select id from joint_project where state in ('approved', 'active') and ends_on < $1::date order by id limit $2 for no key update skip locked",
    values: [shanghaiDate(atMs), max],
  });
  return rows.map(({ id }) => id);
}

/** Writes the end of overdue projects. */
export async function endOverdue(tx: Tx, ids: readonly ProjectId[], atMs: TimeMs): Promise<void> {
  await tx.query({
    name: 'joint end overdue', text: "update joint_project set state = 'ended', closed_by = 'platform', closed_ms = $2, reason = 'time_over' where id = any($1::text[])", values: [ids, atMs],
  });
}

async function lockProject(tx: Tx, id: string, atMs: TimeMs): Promise<RegisteredProject> {
  const { rows } = idShape.test(id) ? await tx.query<Row>({ name: 'joint lock project', text: `select ${columns} from joint_project where id = $1 for no key update`, values: [id] }) : { rows: [] };
  return registered(rows[0], atMs);
}

function registered(row: Row | undefined, atMs: TimeMs): RegisteredProject {
  if (row === undefined) throw projectNotFound();
  const project = projectFromJson(JSON.parse(row.document) as JointProjectJson);
  const over = project.endsOn < shanghaiDate(atMs) && (row.state === 'approved' || row.state === 'active');
  return {
    id: row.id, project, digest: row.digest, state: over ? 'ended' : row.state, proposedBy: row.proposed_by, proposedMs: row.proposed_ms,
    approvals: [...(row.first_by === null ? [] : [{ by: row.first_by, atMs: row.first_ms as TimeMs }]), ...(row.second_by === null ? [] : [{ by: row.second_by, atMs: row.second_ms as TimeMs }])],
    closedBy: row.closed_by, closedMs: row.closed_ms, reason: over ? 'time_over' : row.reason,
  };
}

export function projectNotFound(): VeilgateError {
  return new VeilgateError('JOINT_PROJECT_NOT_FOUND', 'There is no such project, or it is not yours to see.');
}

function stateConflict(state: ProjectState): VeilgateError {
  return new VeilgateError('JOINT_PROJECT_STATE_CONFLICT', `The project is ${state}: read it again.`, { state });
}
