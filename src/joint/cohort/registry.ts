import { createHash, randomBytes, randomInt } from 'node:crypto';
import { canonicalJson } from '../../canonical.ts';
import { VeilgateError } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { Brand, DatasetId, InstitutionId, SubjectId, TimeMs } from '../../vocabulary.ts';
import type { ProjectId } from '../project/document.ts';
import { pointsMax } from './alignment.ts';

/** 22 base64url characters, 128 random bits. */
export type CohortId = Brand<string, 'CohortId'>;

/** What is known of a cohort without its members. */
export type CohortHead = {
  readonly id: CohortId;
  readonly project: ProjectId;
  readonly institution: InstitutionId;
  readonly datasets: readonly DatasetId[];
  readonly size: number;
  /** k when it was formed: fewest by which a later cohort may differ from it. */
  readonly cohortMin: number;
  /** Equal for equal members, whatever their positions. */
  readonly membersDigest: string;
  /** SHA-256, lower-case hex, over project, size and members in the order of positions. */
  readonly digest: string;
  readonly formedMs: TimeMs;
};

export type Cohort = CohortHead & {
  /** In the order of positions. */
  readonly members: readonly SubjectId[];
};

type Row = { readonly id: CohortId; readonly project: ProjectId; readonly institution: InstitutionId; readonly datasets: DatasetId[]; readonly size: number; readonly cohort_min: number; readonly members_digest: string; readonly digest: string; readonly formed_ms: TimeMs };

const columns = 'id, project, institution, datasets, size, cohort_min, members_digest, digest, formed_ms';
const codeLength = 18;
const idShape = /^[A-Za-z0-9_-]{22}$/;
export const cohortPageMax = 100;

/** A cohort with its members, in a few statements of 8,192 each. Errors: COHORT_NOT_FOUND. */
export async function cohortOf(sql: Sql, id: string): Promise<Cohort> {
  const head = await cohortHead(sql, id);
  const { rows } = await sql.query<{ codes: string }>({ name: 'joint cohort codes', text: 'select codes from joint_cohort_chunk where cohort = $1 order by n', values: [id] });
  const members = rows.flatMap(({ codes }) => codesIn(codes));
  if (members.length !== head.size || orderDigest(head.project, members) !== head.digest) throw new VeilgateError('INTERNAL', 'A stored cohort is damaged: tell the platform\'s operator.');
  return { ...head, members };
}

/** Errors: COHORT_NOT_FOUND. */
export async function cohortHead(sql: Sql, id: string): Promise<CohortHead> {
  const { rows: [row] } = idShape.test(id) ? await sql.query<Row>({ name: 'joint cohort', text: `select ${columns} from joint_cohort where id = $1`, values: [id] }) : { rows: [] };
  if (row === undefined) throw cohortNotFound();
  return headOf(row);
}

/** Codes at the positions of one chunk; empty behind the last. */
export async function cohortChunk(sql: Sql, id: CohortId, n: number): Promise<SubjectId[]> {
  const { rows: [row] } = await sql.query<{ codes: string }>({ name: 'joint cohort chunk', text: 'select codes from joint_cohort_chunk where cohort = $1 and n = $2', values: [id, n] });
  return row === undefined ? [] : codesIn(row.codes);
}

/** Cohorts of a project, newest first; at most cohortPageMax. */
export async function cohortsOf(sql: Sql, project: ProjectId): Promise<CohortHead[]> {
  const { rows } = await sql.query<Row>({ name: 'joint cohorts', text: `select ${columns} from joint_cohort where project = $1 order by formed_ms desc, id limit $2`, values: [project, cohortPageMax] });
  return rows.map(headOf);
}

/** Every cohort this institution ever had that touches one of the datasets; one for each set of members, that of the greatest k. */
export async function earlierCohorts(sql: Sql, institution: InstitutionId, datasets: readonly DatasetId[]): Promise<CohortHead[]> {
  const { rows } = await sql.query<Row>({
    name: 'joint earlier cohorts',
    text: `select distinct on (members_digest) ${columns} from joint_cohort where institution = $1 and datasets && $2::text[] order by members_digest, cohort_min desc`,
    values: [institution, datasets],
  });
  return rows.map(headOf);
}

/** Cohorts formed and alignments begun by an institution since a moment. */
export async function begunSince(sql: Sql, institution: InstitutionId, sinceMs: TimeMs): Promise<{ readonly cohorts: number; readonly alignments: number }> {
  const { rows: [row] } = await sql.query<{ cohorts: number; alignments: number }>({
    name: 'joint begun since',
    text: `select (select count(*) from joint_cohort where institution = $1 and formed_ms >= $2)::integer as cohorts,
                  (select count(*) from joint_alignment where institution = $1 and opened_ms >= $2)::integer as alignments`,
    values: [institution, sinceMs],
  });
  return row ?? { cohorts: 0, alignments: 0 };
}

/** Held until the transaction ends: one cohort or alignment of an institution is decided at a time, on whichever node. */
export async function lockInstitution(tx: Tx, institution: InstitutionId): Promise<void> {
  await tx.query({ name: 'joint lock institution', text: "select pg_advisory_xact_lock(hashtextextended('joint modelling ' || $1, 0))", values: [institution] });
}

/** Puts members in a random order of positions and keeps them. */
export async function insertCohort(tx: Tx, { project, institution, datasets, cohortMin, members }: Pick<Cohort, 'project' | 'institution' | 'datasets' | 'cohortMin' | 'members'>, atMs: TimeMs): Promise<Cohort> {
  const placed = shuffled(members);
  const cohort: Cohort = {
    id: randomBytes(16).toString('base64url') as CohortId, project, institution, datasets, size: placed.length, cohortMin,
    membersDigest: membersDigest(placed), digest: orderDigest(project, placed), formedMs: atMs, members: placed,
  };
  await tx.query({
    name: 'joint form cohort',
    text: 'insert into joint_cohort (id, project, institution, datasets, size, cohort_min, members_digest, digest, formed_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
    values: [cohort.id, project, institution, datasets, cohort.size, cohortMin, cohort.membersDigest, cohort.digest, atMs],
  });
  for (let n = 0; n * pointsMax < placed.length; n += 1) {
    await tx.query({ name: 'joint place cohort', text: 'insert into joint_cohort_chunk (cohort, n, codes) values ($1, $2, $3)', values: [cohort.id, n, placed.slice(n * pointsMax, (n + 1) * pointsMax).join('')] });
  }
  return cohort;
}

/** SHA-256, hex, of the members whatever their order. */
export function membersDigest(members: readonly SubjectId[]): string {
  const digest = createHash('sha256');
  for (const code of members.toSorted()) digest.update(`${code}\n`);
  return digest.digest('hex');
}

function orderDigest(project: ProjectId, members: readonly SubjectId[]): string {
  return createHash('sha256').update(canonicalJson({ v: 1, project, size: members.length })).update(members.join('')).digest('hex');
}

/** Fisher and Yates with cryptographic randomness: a position says nothing about who stands there. */
function shuffled(members: readonly SubjectId[]): SubjectId[] {
  const placed = members.toSorted();
  for (let at = placed.length - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1);
    [placed[at], placed[other]] = [placed[other] as SubjectId, placed[at] as SubjectId];
  }
  return placed;
}

function codesIn(text: string): SubjectId[] {
  return Array.from({ length: text.length / codeLength }, (_, at) => text.slice(at * codeLength, (at + 1) * codeLength) as SubjectId);
}

function headOf({ cohort_min: cohortMin, members_digest: membersDigestOf, formed_ms: formedMs, ...row }: Row): CohortHead {
  return { ...row, cohortMin, membersDigest: membersDigestOf, formedMs };
}

export function cohortNotFound(): VeilgateError {
  return new VeilgateError('COHORT_NOT_FOUND', 'There is no such cohort, or it is not yours to see.');
}
