import type { Sql, Tx } from '../../store/database.ts';
import type { Unscored } from './plan.ts';

export type PartState = 'pending' | 'released' | 'empty' | 'failed' | 'stopped';

/** One block of a job. */
export type Part = { readonly job: string; readonly n: number; readonly block: number; readonly state: PartState; readonly refusals: number };

/** What a run left for the release of its part. */
export type Evaluated = {
  /** jti of the ticket. */
  readonly ticket: string;
  /** Slots of the ticket, ascending. */
  readonly slots: readonly number[];
  /** Masks, sealed: see sealed-masks.ts. */
  readonly masks: Uint8Array;
  readonly custodianHalf: string;
};

export async function readPart(sql: Sql, job: string, n: number): Promise<Part | undefined> {
  const { rows } = await sql.query<Part>({ name: 'scoring part', text: 'select job, n, block, state, refusals from scoring_job_part where job = $1 and n = $2', values: [job, n] });
  return rows[0];
}

/** Keeps what a run made, unless another run was first or the part is decided. */
export async function storeEvaluated(sql: Sql, { job, n }: Pick<Part, 'job' | 'n'>, made: Evaluated): Promise<void> {
  await sql.query({
    name: 'scoring store evaluated',
    text: `update scoring_job_part set ticket = $3, slots = $4, masks = $5, custodian_half = $6
           where job = $1 and n = $2 and state = 'pending' and custodian_half is null`,
    values: [job, n, made.ticket, made.slots, made.masks, made.custodianHalf],
  });
}

type EvaluatedRow = { readonly ticket: string; readonly slots: readonly number[]; readonly masks: Uint8Array; readonly custodianHalf: string };

export async function readEvaluated(sql: Sql, { job, n }: Pick<Part, 'job' | 'n'>): Promise<Evaluated | undefined> {
  const { rows } = await sql.query<EvaluatedRow>({
    name: 'scoring read evaluated',
    text: `select ticket, slots, masks, custodian_half as "custodianHalf" from scoring_job_part
           where job = $1 and n = $2 and state = 'pending' and custodian_half is not null`,
    values: [job, n],
  });
  return rows[0];
}

/** Locks a part that nobody has decided; undefined when somebody has. */
export async function lockPendingPart(tx: Tx, { job, n }: Pick<Part, 'job' | 'n'>): Promise<Evaluated | 'not evaluated' | undefined> {
  const { rows: [row] } = await tx.query<EvaluatedRow & { readonly state: PartState }>({
    name: 'scoring lock part',
    text: 'select state, ticket, slots, masks, custodian_half as "custodianHalf" from scoring_job_part where job = $1 and n = $2 for update',
    values: [job, n],
  });
  if (row?.state !== 'pending') return undefined;
  return row.custodianHalf === null ? 'not evaluated' : row;
}

export type Decided = {
  readonly state: 'released' | 'empty' | 'failed';
  readonly unscored: readonly Unscored[];
  readonly released: number;
  /** Present when released. */
  readonly result?: {
    readonly gatewayHalf: string; readonly record: string; readonly entry: number; readonly entrySalt: Uint8Array; readonly listSalt: Uint8Array; readonly receipt: string;
  };
};

/** Decides a part that lockPendingPart gave. Masks go, and the custodian's half unless it is released. */
export async function decidePart(tx: Tx, { job, n }: Pick<Part, 'job' | 'n'>, decided: Decided): Promise<void> {
  const { result } = decided;
  await tx.query({
    name: 'scoring decide part',
    text: `update scoring_job_part
           set state = $3, released = $4, unscored = $5, reasons = $6, masks = null, slots = null,
               custodian_half = case when $3 = 'released' then custodian_half end,
               gateway_half = $7, record = $8, entry = $9, entry_salt = $10, list_salt = $11, receipt = $12
           where job = $1 and n = $2`,
    values: [
      job, n, decided.state, decided.released, decided.unscored.map(({ subject }) => subject), decided.unscored.map(({ reason }) => reason),
      result?.gatewayHalf ?? null, result?.record ?? null, result?.entry ?? null, result?.entrySalt ?? null, result?.listSalt ?? null, result?.receipt ?? null,
    ],
  });
}

/** Counts a refusal by the custodian. @returns how many there were */
export async function countRefusal(sql: Sql, { job, n }: Pick<Part, 'job' | 'n'>): Promise<number> {
  const { rows } = await sql.query<{ refusals: number }>('update scoring_job_part set refusals = refusals + 1 where job = $1 and n = $2 returning refusals', [job, n]);
  return rows[0]?.refusals ?? 0;
}

export async function hasPendingParts(sql: Sql, job: string): Promise<boolean> {
  const { rows } = await sql.query<{ some: boolean }>({ name: 'scoring pending parts', text: "select exists (select from scoring_job_part where job = $1 and state = 'pending') as some", values: [job] });
  return rows[0]?.some === true;
}

/** What a bank fetches of a released part. */
export type PartResult = {
  readonly n: number;
  readonly state: PartState;
  readonly released: number;
  readonly custodianHalf: string | null;
  readonly gatewayHalf: string | null;
  readonly record: string | null;
  readonly entry: number | null;
  readonly entrySalt: Uint8Array | null;
  readonly listSalt: Uint8Array | null;
  readonly receipt: string | null;
};

export async function readPartResult(sql: Sql, job: string, n: number): Promise<PartResult | undefined> {
  const { rows } = await sql.query<PartResult>(
    `select n, state, released, custodian_half as "custodianHalf", gateway_half as "gatewayHalf", record, entry, entry_salt as "entrySalt", list_salt as "listSalt", receipt
     from scoring_job_part where job = $1 and n = $2`,
    [job, n],
  );
  return rows[0];
}
