import type { Sql, Tx } from '../../store/database.ts';
import type { SubjectId } from '../../vocabulary.ts';
import type { Position } from '../protocol.ts';

/** Enterprises in one block: the slots of every parameter set in use. */
export const slotsPerBlock = 4096;

/** Where enterprises stand; one that has no position is not in the map. */
export async function positionsOf(_sql: Sql, _subjects: readonly SubjectId[]): Promise<Map<SubjectId, Position>> {
  return new Map();
}

/** The same, giving a position to each that has none: the next free one. */
export async function assignPositions(_tx: Tx, _subjects: readonly SubjectId[]): Promise<Map<SubjectId, Position>> {
  return new Map();
}
