import type { ErrorCode } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { GrantId, IsoDate, PolicyVersion, SubjectId } from '../../vocabulary.ts';
import type { Position } from '../protocol.ts';

/** An enterprise that can be scored, as planning found it. */
export type Planned = { readonly subject: SubjectId; readonly grant: GrantId; readonly position: Position };
/** One that is not, and why. */
export type Unscored = { readonly subject: SubjectId; readonly reason: ErrorCode };

export type ChunkPlan = {
  readonly job: string;
  readonly n: number;
  readonly planned: readonly Planned[];
  readonly unscored: readonly Unscored[];
  /** Under which `planned` were found permitted. */
  readonly policy: PolicyVersion;
  readonly day: IsoDate;
};

/** Keeps what planning made of a chunk. @returns false when that was done before: then nothing is changed */
export async function storeChunkPlan(tx: Tx, { job, n, planned, unscored, policy, day }: ChunkPlan): Promise<boolean> {
  const { rowCount } = await tx.query(
    'insert into scoring_job_chunk (job, n, asked, planned, subjects, reasons) values ($1, $2, $3, $4, $5, $6) on conflict do nothing',
    [job, n, planned.length + unscored.length, planned.length, unscored.map(({ subject }) => subject), unscored.map(({ reason }) => reason)],
  );
  if (rowCount === 0) return false;
  const fragments = [...Map.groupBy(planned, ({ position }) => position.block)].map(([block, members]) => ({ block, members: members.toSorted((one, other) => one.position.slot - other.position.slot) }));
  // arrays of arrays of different lengths cannot be parameters: one text for each fragment, cut by the server
  const joined = (pick: (planned: Planned) => string | number) => fragments.map(({ members }) => members.map(pick).join(','));
  await tx.query({
    name: 'scoring store fragments',
    text: `insert into scoring_job_fragment (job, block, chunk, slots, subjects, grants, policy, day)
           select $1, block, $2, string_to_array(slots, ',')::integer[], string_to_array(subjects, ','), string_to_array(grants, ','), $3, $4
           from unnest($5::integer[], $6::text[], $7::text[], $8::text[]) as f (block, slots, subjects, grants)`,
    values: [job, n, policy, day, fragments.map(({ block }) => block), joined(({ position }) => position.slot), joined(({ subject }) => subject), joined(({ grant }) => grant)],
  });
  return true;
}

/** Makes a part of each block once every chunk is planned. The caller has the job to itself. @returns how many parts, undefined before */
export async function cutIntoParts(tx: Tx, job: string, chunks: number): Promise<number | undefined> {
  const { rows: [done] } = await tx.query<{ chunks: number }>('select count(*)::integer as chunks from scoring_job_chunk where job = $1', [job]);
  if (done?.chunks !== chunks) return undefined;
  await tx.query(
    `insert into scoring_job_part (job, n, block, asked)
     select $1, row_number() over (order by block) - 1, block, sum(cardinality(slots)) from scoring_job_fragment where job = $1 group by block`,
    [job],
  );
  const { rowCount } = await tx.query("update scoring_job set state = 'running' where id = $1 and state = 'planning'", [job]);
  if (rowCount === 0) return undefined;
  const { rows: [made] } = await tx.query<{ parts: number }>('select count(*)::integer as parts from scoring_job_part where job = $1', [job]);
  return made?.parts;
}

/** Who is planned for one block. */
export type BlockPlan = {
  readonly planned: readonly Planned[];
  /** Named again on the same list: scored once. */
  readonly repeated: readonly Unscored[];
  /** Under which each was found permitted: more than one when the policy changed while the list was planned. */
  readonly policies: ReadonlySet<PolicyVersion>;
  readonly days: ReadonlySet<IsoDate>;
};

/** Ascending by slot. */
export async function readBlockPlan(sql: Sql, job: string, block: number): Promise<BlockPlan> {
  const { rows } = await sql.query<{ slots: readonly number[]; subjects: string; grants: string; policy: PolicyVersion; day: IsoDate }>({
    name: 'scoring read fragments',
    text: `select slots, array_to_string(subjects, ',') as subjects, array_to_string(grants, ',') as grants, policy, day
           from scoring_job_fragment where job = $1 and block = $2 order by chunk`,
    values: [job, block],
  });
  const bySlot = new Map<number, Planned>();
  const repeated: Unscored[] = [];
  for (const row of rows) {
    const subjects = row.subjects.split(',') as SubjectId[];
    const grants = row.grants.split(',') as GrantId[];
    row.slots.forEach((slot, at) => {
      const subject = subjects[at] as SubjectId;
      if (bySlot.has(slot)) repeated.push({ subject, reason: 'SCORE_SUBJECT_REPEATED' });
      else bySlot.set(slot, { subject, grant: grants[at] as GrantId, position: { block, slot } });
    });
  }
  return {
    planned: [...bySlot.values()].sort((one, other) => one.position.slot - other.position.slot),
    repeated, policies: new Set(rows.map(({ policy }) => policy)), days: new Set(rows.map(({ day }) => day)),
  };
}
