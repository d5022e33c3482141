import { VeilgateError } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { TimeMs } from '../../vocabulary.ts';
import type { FeatureId } from '../protocol.ts';
import type { Column } from './columns.ts';

/** A column under the active key that has no equal under the pending one yet. */
export type WaitingColumn = Column & { readonly declaration: string; readonly envelope: string; readonly department: string };

/** What `filled` of the twin must be at least as new as: columns of the active key that wait for re-encryption. */
const waiting = `
  from score_column old join score_key oldkey on oldkey.key_id = old.key_id and oldkey.state = 'active'
  where not exists (
    select from score_column fresh join score_key newkey on newkey.key_id = fresh.key_id and newkey.state = 'pending'
    where fresh.feature = old.feature and fresh.block = old.block and fresh.revision >= old.revision)`;

/** Columns to re-encrypt, by block; `features`: only these. */
export async function waitingColumns(sql: Sql, features: readonly FeatureId[], limit: number): Promise<WaitingColumn[]> {
  const { rows } = await sql.query<WaitingColumn>(
    `select old.feature, old.block, old.revision, old.digest, old.packed_digest as "packedDigest", old.filled, old.stale, old.declaration, old.envelope, old.department ${waiting} and old.feature = any ($1::text[]) order by old.block, old.feature limit $2`,
    [features, limit],
  );
  return rows;
}

/** How many columns still wait: of these features, and of all. */
export async function waitingCount(sql: Sql, features: readonly FeatureId[]): Promise<{ readonly own: number; readonly all: number }> {
  const { rows: [row] } = await sql.query<{ own: number; all: number }>(`select count(*) filter (where old.feature = any ($1::text[])) as own, count(*) as all ${waiting}`, [features]);
  return row ?? { own: 0, all: 0 };
}

/**
 * Makes the pending key the active one when every column is complete under it. What the old key held is removed
 * afterwards, by removeRetiredColumns.
 * @returns whether it did; false when columns still wait or no key is pending
 */
export async function finishRotation(tx: Tx, nowMs: TimeMs): Promise<boolean> {
  await tx.query("select pg_advisory_xact_lock(hashtext('veilgate score key'))");
  // keys before columns, as keyForStorage does
  const { rows: keys } = await tx.query<{ key_id: string; state: string }>("select key_id, state from score_key where state <> 'retired' order by key_id for update");
  const pending = keys.find(({ state }) => state === 'pending');
  if (pending === undefined) return false;
  // nothing may be stored under the old key between the last look and the end of this transaction
  await tx.query('lock table score_column in share row exclusive mode');
  if ((await waitingCount(tx, [])).all > 0) return false;
  const { rows: [old] } = await tx.query<{ key_id: string }>("update score_key set state = 'retired' where state = 'active' returning key_id");
  if (old === undefined) throw new VeilgateError('FEATURE_KEY_UNKNOWN', 'No key is active: nothing can follow it.');
  await tx.query("update score_key set state = 'active', activated_at = to_timestamp($2::double precision / 1000) where key_id = $1", [pending.key_id, nowMs]);
  return true;
}

/** Columns that one statement removes: each has some seventy rows behind it, and statements may not take long. */
export const retiredAtOnce = 200;

/** Removes up to retiredAtOnce ciphertexts of keys that are no longer in use. @returns how many; call until it is fewer */
export async function removeRetiredColumns(sql: Sql): Promise<number> {
  const { rowCount } = await sql.query(
    `delete from score_column where ctid = any (array(
       select c.ctid from score_column c join score_key k on k.key_id = c.key_id where k.state = 'retired' limit $1))`,
    [retiredAtOnce],
  );
  return rowCount ?? 0;
}
