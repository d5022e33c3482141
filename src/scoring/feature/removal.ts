import type { Tx } from '../../store/database.ts';
import type { SubjectId, TimeMs } from '../../vocabulary.ts';
import type { FeatureId, Position } from '../protocol.ts';
import { lockBlocks, positionsOf, slotsPerBlock } from './positions.ts';

/** What was taken out: the columns that must be encrypted anew to lose the value itself. */
export type Removal = { readonly position: Position; readonly columns: readonly { readonly key: string; readonly feature: FeatureId }[] };

/**
 * Takes an enterprise out of every column of every department and key at once: its slot is empty from the commit on
 * and is given to nobody else. The ciphertexts still hold its values, unreachable, until their blocks are refreshed.
 * @param features the caller's own: it must have a value of the enterprise in one of them, or nothing happens
 * @returns undefined when the enterprise has no place, or none in the caller's columns
 */
export async function removeSubject(tx: Tx, subject: SubjectId, features: readonly FeatureId[], nowMs: TimeMs): Promise<Removal | undefined> {
  const before = (await positionsOf(tx, [subject])).get(subject);
  if (before === undefined) return undefined;
  await lockBlocks(tx, [before.block], 'exclusive');
  const { block, slot } = before;
  // get_bit counts from the least significant bit of each byte, as `filled` does
  const { rows: own } = await tx.query('select from score_column where block = $1 and feature = any ($2::text[]) and get_bit(filled, $3) = 1 limit 1', [block, features, slot]);
  if (own.length === 0) return undefined;
  const { rows: gone } = await tx.query(
    'update score_position set subject = null, removed_at = to_timestamp($2::double precision / 1000) where place = $1 and subject = $3 returning place',
    [block * slotsPerBlock + slot, nowMs, subject],
  );
  if (gone.length === 0) return undefined; // another removal was first
  const { rows: columns } = await tx.query<{ key: string; feature: FeatureId }>(
    'update score_column set filled = set_bit(filled, $2, 0), stale = true where block = $1 and get_bit(filled, $2) = 1 returning key_id as key, feature',
    [block, slot],
  );
  return { position: before, columns };
}
