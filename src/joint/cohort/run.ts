import { createHash, randomBytes } from 'node:crypto';
import { VeilgateError } from '../../errors.ts';
import { isUniqueViolation, type Sql, type Tx } from '../../store/database.ts';
import type { Brand, InstitutionId, TimeMs } from '../../vocabulary.ts';
import { pointsMax } from './alignment.ts';
import type { CohortHead, CohortId } from './registry.ts';
import { pointBytes } from './group.ts';
import { openSecret, sealSecret, type MaskSecrets } from './sealed-secret.ts';

/** 22 base64url characters; goes into every hash of the run. */
export type AlignmentId = Brand<string, 'AlignmentId'>;

/** One alignment of a partner's list with a cohort. */
export type AlignmentRun = {
  readonly id: AlignmentId;
  readonly cohort: CohortId;
  readonly institution: InstitutionId;
  /** How many codes the partner's list has. */
  readonly points: number;
  /** As of the moment it was read: past its deadline a run is expired. */
  readonly state: 'open' | 'done' | 'expired';
  readonly openedMs: TimeMs;
  readonly deadlineMs: TimeMs;
};

type Row = { readonly id: AlignmentId; readonly cohort: CohortId; readonly institution: InstitutionId; readonly points: number; readonly secret: Buffer | null; readonly state: AlignmentRun['state']; readonly opened_ms: TimeMs; readonly deadline_ms: TimeMs };
export type ChunkSide = 'partner' | 'cohort';

const columns = 'id, cohort, institution, points, secret, state, opened_ms, deadline_ms';
const idShape = /^[A-Za-z0-9_-]{22}$/;

/** Begins a run under a secret of its own. @param secret the platform's scalar, kept encrypted until the run is over */
export async function openRun(tx: Tx, secrets: MaskSecrets, { cohort, points, secret, deadlineMs }: { readonly cohort: CohortHead; readonly points: number; readonly secret: Uint8Array; readonly deadlineMs: TimeMs }, atMs: TimeMs): Promise<AlignmentRun> {
  const id = randomBytes(16).toString('base64url') as AlignmentId;
  await tx.query({
    name: 'joint open alignment',
    text: 'insert into joint_alignment (id, cohort, institution, points, secret, opened_ms, deadline_ms) values ($1, $2, $3, $4, $5, $6, $7)',
    values: [id, cohort.id, cohort.institution, points, sealSecret(secrets, id, secret), atMs, deadlineMs],
  });
  return { id, cohort: cohort.id, institution: cohort.institution, points, state: 'open', openedMs: atMs, deadlineMs };
}

/** A run of this institution. Somebody else's and none look alike. Errors: ALIGNMENT_NOT_FOUND. */
export async function ownRun(sql: Sql, id: string, institution: InstitutionId, atMs: TimeMs): Promise<AlignmentRun> {
  const { rows: [row] } = idShape.test(id) ? await sql.query<Row>({ name: 'joint alignment', text: `select ${columns} from joint_alignment where id = $1 and institution = $2`, values: [id, institution] }) : { rows: [] };
  if (row === undefined) throw new VeilgateError('ALIGNMENT_NOT_FOUND', 'There is no such alignment, or it is not yours.');
  return { id: row.id, cohort: row.cohort, institution: row.institution, points: row.points, state: stateAt(row, atMs), openedMs: row.opened_ms, deadlineMs: row.deadline_ms };
}

/** The platform's secret while the run is open. Errors: ALIGNMENT_STATE_CONFLICT. */
export async function secretOf(sql: Sql, secrets: MaskSecrets, id: AlignmentId, atMs: TimeMs): Promise<Uint8Array> {
  const { rows: [row] } = await sql.query<Row>({ name: 'joint alignment secret', text: `select ${columns} from joint_alignment where id = $1`, values: [id] });
  if (row === undefined || row.secret === null || stateAt(row, atMs) !== 'open') throw runOver();
  return openSecret(secrets, id, row.secret);
}

/** Chunks that were worked out, by side. */
export async function chunksDone(sql: Sql, id: AlignmentId): Promise<Readonly<Record<ChunkSide, readonly number[]>>> {
  const { rows } = await sql.query<{ side: ChunkSide; n: number }>({ name: 'joint alignment chunks', text: 'select side, n from joint_alignment_chunk where run = $1 order by n', values: [id] });
  const of = (wanted: ChunkSide) => rows.filter(({ side }) => side === wanted).map(({ n }) => n);
  return { partner: of('partner'), cohort: of('cohort') };
}

/**
 * What was worked out for a chunk; undefined when nothing was yet.
 * @param sent the partner's points; other ones than those of the first time are refused
 * Errors: ALIGNMENT_CHUNK_REFUSED.
 */
export async function storedChunk(sql: Sql, id: AlignmentId, side: ChunkSide, n: number, sent?: Uint8Array): Promise<Uint8Array | undefined> {
  const { rows: [row] } = await sql.query<{ sent: Buffer | null; points: Buffer }>({ name: 'joint alignment chunk', text: 'select sent, points from joint_alignment_chunk where run = $1 and side = $2 and n = $3', values: [id, side, n] });
  if (row === undefined) return undefined;
  if (sent !== undefined && row.sent?.equals(digestOf(sent)) !== true) {
    throw new VeilgateError('ALIGNMENT_CHUNK_REFUSED', 'Another chunk came under this number before: send the same points again, or begin another alignment.', { rule: 'chunk_fixed', chunk: n });
  }
  return row.points;
}

/** Keeps what was worked out, while the run is open; the first to keep it wins. Errors: ALIGNMENT_STATE_CONFLICT, ALIGNMENT_CHUNK_REFUSED. */
export async function keepChunk(sql: Sql, id: AlignmentId, side: ChunkSide, n: number, points: Uint8Array, sent?: Uint8Array): Promise<Uint8Array> {
  try {
    const { rowCount } = await sql.query({
      name: 'joint keep alignment chunk',
      text: `insert into joint_alignment_chunk (run, side, n, sent, points) select id, $2, $3, $4, $5 from joint_alignment where id = $1 and state = 'open' for share`,
      values: [id, side, n, sent === undefined ? null : digestOf(sent), points],
    });
    if (rowCount === 0) throw runOver();
    return points;
  } catch (error) {
    if (!isUniqueViolation(error, 'joint_alignment_chunk_pkey')) throw error;
    return (await storedChunk(sql, id, side, n, sent)) ?? points;
  }
}

/** Ends a run and deletes its secret and all points. @returns false when it was over. */
export async function closeRun(tx: Tx, id: AlignmentId, outcome: 'done' | 'expired', atMs: TimeMs): Promise<boolean> {
  const { rowCount } = await tx.query({ name: 'joint close alignment', text: "update joint_alignment set state = $2, secret = null, closed_ms = $3 where id = $1 and state = 'open'", values: [id, outcome, atMs] });
  if (rowCount === 0) return false;
  await tx.query({ name: 'joint forget alignment', text: 'delete from joint_alignment_chunk where run = $1', values: [id] });
  return true;
}

/** Open runs whose deadline has passed. */
export async function overdueRuns(sql: Sql, atMs: TimeMs, max: number): Promise<Pick<AlignmentRun, 'id' | 'cohort' | 'institution'>[]> {
  const { rows } = await sql.query<Pick<AlignmentRun, 'id' | 'cohort' | 'institution'>>({
    name: 'joint overdue alignments', text: "select id, cohort, institution from joint_alignment where state = 'open' and deadline_ms <= $1 order by deadline_ms limit $2", values: [atMs, max],
  });
  return rows;
}

/** Points of chunk n in a list of `count`; undefined when there is no such chunk. */
export function pointsInChunk(count: number, n: number): number | undefined {
  const points = Math.min(pointsMax, count - n * pointsMax);
  return n >= 0 && points > 0 ? points : undefined;
}

export const chunkBytesMax = pointsMax * pointBytes;

function stateAt({ state, deadline_ms: deadlineMs }: Pick<Row, 'state' | 'deadline_ms'>, atMs: TimeMs): AlignmentRun['state'] {
  return state === 'open' && atMs >= deadlineMs ? 'expired' : state;
}

function digestOf(points: Uint8Array): Buffer {
  return createHash('sha256').update(points).digest();
}

function runOver(): VeilgateError {
  return new VeilgateError('ALIGNMENT_STATE_CONFLICT', 'The alignment is over and its secret deleted: begin another one.');
}
