import { hash } from 'node:crypto';
import { VeilgateError } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { JointRun } from './run.ts';

export type StoredShifts = { readonly shifts: Uint8Array; /** SHA-256, hex. */ readonly digest: string };

/**
 * Fixes the shifts of a partner column, for good; the same ones once more change nothing.
 * Errors: JOINT_INPUT_INVALID; JOINT_SHIFTS_FIXED for different ones over the same pads.
 */
export async function fixShifts(tx: Tx, { id, spec }: Pick<JointRun, 'id' | 'spec'>, name: string, shifts: Uint8Array): Promise<string> {
  const column = spec.columns.find((each) => each.name === name);
  if (column === undefined) throw new VeilgateError('JOINT_INPUT_INVALID', 'The project has no such partner column: check its name.');
  if (shifts.length !== spec.rows || shifts.some((shift) => shift >= column.bins)) {
    throw new VeilgateError('JOINT_INPUT_INVALID', 'Shifts are one byte for every row of the cohort, each one of the column\'s bins: make them from the drawn bundle\'s pads.', { rows: spec.rows, bins: column.bins });
  }
  const digest = hash('sha256', shifts, 'hex');
  await tx.query('insert into joint_shifts (run, name, shifts, digest) values ($1, $2, $3, $4) on conflict (run, name) do nothing', [id, name, shifts, digest]);
  const { rows: [fixed] } = await tx.query<{ digest: string }>('select digest from joint_shifts where run = $1 and name = $2', [id, name]);
  if (fixed?.digest !== digest) {
    throw new VeilgateError('JOINT_SHIFTS_FIXED', 'The shifts of this column are fixed, and these are others: two sets over the same pads would tell how your columns differ. A column that changed needs a new cohort and lottery.');
  }
  return digest;
}

export async function shiftsOf(sql: Sql, run: string, name: string): Promise<StoredShifts | undefined> {
  const { rows: [row] } = await sql.query<{ shifts: Uint8Array; digest: string }>({ name: 'joint shifts', text: 'select shifts, digest from joint_shifts where run = $1 and name = $2', values: [run, name] });
  return row === undefined ? undefined : { shifts: new Uint8Array(row.shifts), digest: row.digest };
}

/** Names of the columns whose shifts are there. */
export async function fixedColumns(sql: Sql, run: string): Promise<string[]> {
  const { rows } = await sql.query<{ name: string }>('select name from joint_shifts where run = $1 order by name', [run]);
  return rows.map(({ name }) => name);
}
