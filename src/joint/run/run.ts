import { randomBytes } from 'node:crypto';
import { VeilgateError } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { InstitutionId, TimeMs } from '../../vocabulary.ts';
import type { BundleSpec } from '../lottery/bundle.ts';
import { seedBytes } from '../lottery/keystream.ts';
import type { Opening } from '../lottery/lottery.ts';

export type RunState = 'drawn' | 'opened' | 'honest' | 'loaded' | 'ready' | 'cheated' | 'late';

/** One lottery and what is done with its drawn bundle, for one project over one cohort. */
export type JointRun = {
  readonly id: string;
  readonly project: string;
  readonly cohort: string;
  readonly institution: InstitutionId;
  readonly spec: BundleSpec;
  readonly digests: readonly string[];
  readonly drawn: number;
  readonly state: RunState;
  readonly drawnMs: TimeMs;
  readonly deadlineMs: TimeMs;
  readonly opening: Opening | undefined;
  readonly cheated: number | null;
  /** Pads of a whole bundle, and how many of them came. */
  readonly pads: number;
  readonly received: number;
  readonly hasKey: boolean;
  /** Uploads that did not fit the digest. */
  readonly rejected: number;
};

type Row = Omit<JointRun, 'opening'> & { readonly opening: Uint8Array | null };

const columns = `id, project, cohort, institution, spec, digests, drawn, state, opening, cheated, pads, received, rejected,
  public_key is not null as "hasKey", drawn_ms as "drawnMs", deadline_ms as "deadlineMs"`;

export type NewRun = Pick<JointRun, 'project' | 'cohort' | 'institution' | 'spec' | 'digests' | 'drawn' | 'pads' | 'drawnMs' | 'deadlineMs'>;

/**
 * Stores a draw, or finds the one that stands for this project and cohort: whoever asks again, after a crash or on
 * purpose, never draws again.
 * @returns the run, and whether it is new
 */
export async function drawOnce(tx: Tx, run: NewRun): Promise<{ readonly run: JointRun; readonly isNew: boolean }> {
  const { rows } = await tx.query<Row>({
    name: 'joint run draw',
    text: `insert into joint_run (id, project, cohort, institution, spec, digests, drawn, state, drawn_ms, deadline_ms, pads)
           values ($1, $2, $3, $4, $5, $6, $7, 'drawn', $8, $9, $10)
           on conflict (project, cohort) do nothing returning ${columns}`,
    values: [randomBytes(16).toString('base64url'), run.project, run.cohort, run.institution, JSON.stringify(run.spec), run.digests, run.drawn, run.drawnMs, run.deadlineMs, run.pads],
  });
  if (rows[0] !== undefined) return { run: fromRow(rows[0]), isNew: true };
  const { rows: [standing] } = await tx.query<Row>(`select ${columns} from joint_run where project = $1 and cohort = $2`, [run.project, run.cohort]);
  return { run: fromRow(standing as Row), isNew: false };
}

export async function findRun(sql: Sql, id: string): Promise<JointRun | undefined> {
  const { rows: [row] } = await sql.query<Row>({ name: 'joint run', text: `select ${columns} from joint_run where id = $1`, values: [id] });
  return row === undefined ? undefined : fromRow(row);
}

/** The same, in place until the transaction ends. */
export async function lockRun(tx: Tx, id: string): Promise<JointRun | undefined> {
  const { rows: [row] } = await tx.query<Row>({ name: 'joint run lock', text: `select ${columns} from joint_run where id = $1 for update`, values: [id] });
  return row === undefined ? undefined : fromRow(row);
}

/** Errors: JOINT_RUN_NOT_FOUND, the same for one that is not there and for another's. */
export function requireOwn(run: JointRun | undefined, institution: InstitutionId): JointRun {
  if (run === undefined || run.institution !== institution) throw new VeilgateError('JOINT_RUN_NOT_FOUND', 'You have no such run: check its id.');
  return run;
}

/** Errors: JOINT_RUN_STATE_CONFLICT. */
export function requireState({ state }: Pick<JointRun, 'state'>, states: readonly RunState[], message: string): void {
  if (!states.includes(state)) throw new VeilgateError('JOINT_RUN_STATE_CONFLICT', message, { state });
}

/** Newest first. */
export async function runsOf(sql: Sql, institution: InstitutionId, limit: number): Promise<JointRun[]> {
  const { rows } = await sql.query<Row>(`select ${columns} from joint_run where institution = $1 order by drawn_ms desc, id limit $2`, [institution, limit]);
  return rows.map(fromRow);
}

/** Runs whose seeds have not come in time. */
export async function lateRuns(sql: Sql, nowMs: TimeMs, limit: number): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>("select id from joint_run where state = 'drawn' and deadline_ms < $1 order by deadline_ms limit $2", [nowMs, limit]);
  return rows.map(({ id }) => id);
}

/** The seeds came: kept until they are judged, and as evidence. */
export async function storeOpening(tx: Tx, id: string, opening: Opening): Promise<void> {
  const bytes = Buffer.alloc(opening.length * seedBytes);
  opening.forEach((seed, at) => seed !== undefined && bytes.set(seed, at * seedBytes));
  await tx.query("update joint_run set opening = $2, state = 'opened' where id = $1 and state = 'drawn'", [id, bytes]);
}

export async function settleLottery(tx: Tx, id: string, outcome: { readonly state: 'honest' | 'late' } | { readonly state: 'cheated'; readonly bundle: number }, atMs: TimeMs): Promise<void> {
  await tx.query('update joint_run set state = $2, cheated = $3, judged_ms = $4 where id = $1', [id, outcome.state, outcome.state === 'cheated' ? outcome.bundle : null, atMs]);
}

export async function setRunState(tx: Tx, id: string, state: 'loaded' | 'ready'): Promise<void> {
  await tx.query('update joint_run set state = $2 where id = $1', [id, state]);
}

function fromRow({ opening, ...row }: Row): JointRun {
  if (opening === null) return { ...row, opening: undefined };
  return { ...row, opening: row.digests.map((_, at) => (at === row.drawn ? undefined : new Uint8Array(opening.subarray(at * seedBytes, (at + 1) * seedBytes)))) };
}
