import type { Sql, Tx } from '../../store/database.ts';
import type { ScoreKey } from '../feature/keys.ts';
import type { Unscored } from './plan.ts';

export type PartState = 'pending' | 'released' | 'empty' | 'failed' | 'stopped';

/** One block of a job. */
export type Part = { readonly job: string; readonly n: number; readonly block: number; readonly state: PartState; readonly refusals: number };

/** What a run left for the release of its part. */
export type Evaluated = {
  /** jti of the ticket, and the salt under which it names the grants. */
  readonly ticket: string;
  readonly ticketSalt: string;
  /** The key it was computed under. */
  readonly key: Pick<ScoreKey, 'keyId' | 'parameters' | 'custodian'>;
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
    text: `update scoring_job_part set ticket = $3, ticket_salt = $4, slots = $5, masks = $6, custodian_half = $7, key_id = $8, parameters = $9, custodian = $10
           where job = $1 and n = $2 and state = 'pending' and custodian_half is null`,
    values: [job, n, made.ticket, made.ticketSalt, made.slots, Buffer.from(made.masks), made.custodianHalf, made.key.keyId, made.key.parameters, made.key.custodian],
  });
}

const evaluatedColumns = `ticket, ticket_salt as "ticketSalt", key_id as "keyId", parameters, custodian, slots, masks, custodian_half as "custodianHalf"`;
type EvaluatedRow = Omit<Evaluated, 'key'> & Evaluated['key'];

function evaluatedOf({ keyId, parameters, custodian, ticket, ticketSalt, slots, masks, custodianHalf }: EvaluatedRow): Evaluated {
  return { ticket, ticketSalt, key: { keyId, parameters, custodian }, slots, masks, custodianHalf };
}

export async function readEvaluated(sql: Sql, { job, n }: Pick<Part, 'job' | 'n'>): Promise<Evaluated | undefined> {
  const { rows } = await sql.query<EvaluatedRow>({
    name: 'scoring read evaluated',
    text: `select ${evaluatedColumns} from scoring_job_part
           where job = $1 and n = $2 and state = 'pending' and custodian_half is not null`,
    values: [job, n],
  });
  return rows[0] && evaluatedOf(rows[0]);
}

/** Locks a part that nobody has decided; undefined when somebody has. */
export async function lockPendingPart(tx: Tx, { job, n }: Pick<Part, 'job' | 'n'>): Promise<Evaluated | 'not evaluated' | undefined> {
  const { rows: [row] } = await tx.query<EvaluatedRow & { readonly state: PartState }>({
    name: 'scoring lock part',
    text: `select state, ${evaluatedColumns} from scoring_job_part where job = $1 and n = $2 for update`,
    values: [job, n],
  });
  if (row?.state !== 'pending') return undefined;
  return row.custodianHalf === null ? 'not evaluated' : evaluatedOf(row);
}

export type Decided = {
  readonly state: 'released' | 'empty' | 'failed';
  readonly unscored: readonly Unscored[];
  readonly released: number;
  /** Present when released. */
  readonly result?: {
    readonly gatewayHalf: string; readonly record: string; readonly subjectsSalt: string;
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
               gateway_half = $7, record = $8, subjects_salt = $9
           where job = $1 and n = $2`,
    values: [
      job, n, decided.state, decided.released, decided.unscored.map(({ subject }) => subject), decided.unscored.map(({ reason }) => reason),
      result?.gatewayHalf ?? null, result?.record ?? null, result?.subjectsSalt ?? null,
    ],
  });
}

/** Where the record of a released part stands in the log: written last, because whoever holds the log's lock keeps all others waiting. */
export async function noteEntry(tx: Tx, { job, n }: Pick<Part, 'job' | 'n'>, { index, salt }: { readonly index: number; readonly salt: Uint8Array }): Promise<void> {
  await tx.query({ name: 'scoring note entry', text: 'update scoring_job_part set entry = $3, entry_salt = $4 where job = $1 and n = $2', values: [job, n, index, Buffer.from(salt)] });
}

/** True when the job has so many parts that there is one of this number. */
export async function hasPart(sql: Sql, job: string, n: number): Promise<boolean> {
  const { rowCount } = await sql.query({ name: 'scoring has part', text: 'select from scoring_job_part where job = $1 and n = $2', values: [job, n] });
  return rowCount === 1;
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
  readonly subjectsSalt: string | null;
};

export async function readPartResult(sql: Sql, job: string, n: number): Promise<PartResult | undefined> {
  const { rows } = await sql.query<PartResult>(
    `select n, state, released, custodian_half as "custodianHalf", gateway_half as "gatewayHalf", record, entry, entry_salt as "entrySalt", subjects_salt as "subjectsSalt"
     from scoring_job_part where job = $1 and n = $2`,
    [job, n],
  );
  return rows[0];
}
