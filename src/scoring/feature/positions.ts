import { arrayParameter } from '../../store/array-parameter.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { SubjectId, TimeMs } from '../../vocabulary.ts';
import type { Position } from '../protocol.ts';

/** Enterprises in one block: the slots of every parameter set in use. */
export const slotsPerBlock = 4096;
/** Highest number of a block: 10^8 enterprises. */
export const blockMax = 24_414;
/** Enterprises one call may ask for. */
export const positionsMax = 10_000;

type Row = { readonly subject: SubjectId; readonly place: number };

/** Where enterprises stand; one that has no position is not in the map. One statement for any number. */
export async function positionsOf(sql: Sql, subjects: readonly SubjectId[]): Promise<Map<SubjectId, Position>> {
  const { rows } = await sql.query<Row>({
    name: 'score-positions-of',
    text: 'select p.subject, p.place from unnest($1::text[]) as wanted (subject) join score_position p on p.subject = wanted.subject',
    values: [arrayParameter(subjects)],
  });
  return asMap(rows);
}

/**
 * The same, giving the next free place to each that has none, in the order asked. Dense: no place is passed over, and
 * none is given twice, also when many ask at once. The caller has seen that the codes are valid.
 */
export async function assignPositions(tx: Tx, subjects: readonly SubjectId[], nowMs: TimeMs): Promise<Map<SubjectId, Position>> {
  const found = await positionsOf(tx, subjects);
  const unseen = [...new Set(subjects)].filter((subject) => !found.has(subject));
  if (unseen.length === 0) return found;
  await tx.query("select pg_advisory_xact_lock(hashtext('veilgate score position'))");
  const { rows } = await tx.query<Row>({
    name: 'score-positions-assign',
    text: `
      with unseen as (
        select w.subject, row_number() over (order by w.at) - 1 as offset_
        from unnest($1::text[]) with ordinality as w (subject, at)
        where not exists (select from score_position p where p.subject = w.subject)
      ), added as (
        insert into score_position (place, subject, assigned_at)
        select (select coalesce(max(place) + 1, 0) from score_position) + offset_, subject, to_timestamp($2::double precision / 1000) from unseen
        returning subject, place
      )
      select subject, place from added
      union all
      select p.subject, p.place from score_position p join unnest($1::text[]) as w (subject) on p.subject = w.subject`,
    values: [unseen, nowMs],
  });
  return new Map([...found, ...asMap(rows)]);
}

/** How many places were ever given: blocks are numbered below this divided by slotsPerBlock. */
export async function placesGiven(sql: Sql): Promise<number> {
  const { rows: [row] } = await sql.query<{ given: number }>({ name: 'score-places-given', text: 'select coalesce(max(place) + 1, 0)::bigint as given from score_position' });
  return row?.given ?? 0;
}

/**
 * For each block, which slots hold an enterprise now: slots/8 bytes, bit i least significant first. With the blocks'
 * locks held, so that a removal waits for the transaction, or the transaction for it.
 */
export async function assignedSlots(tx: Tx, blocks: readonly number[]): Promise<Map<number, Uint8Array>> {
  await lockBlocks(tx, blocks, 'shared');
  const { rows } = await tx.query<{ block: number; slots: readonly number[] }>({
    name: 'score-slots-assigned',
    text: `select b.block, array(select (p.place % ${slotsPerBlock})::integer from score_position p
             where p.place >= b.block * ${slotsPerBlock}::bigint and p.place < (b.block + 1) * ${slotsPerBlock}::bigint and p.subject is not null) as slots
           from unnest($1::integer[]) as b (block)`,
    values: [blocks],
  });
  return new Map(rows.map(({ block, slots }) => [block, bitmapOf(slots)]));
}

/** Keeps a block's slots as they are until the transaction ends. Blocks in ascending order, so that nobody waits in a circle. */
export async function lockBlocks(tx: Tx, blocks: readonly number[], mode: 'shared' | 'exclusive'): Promise<void> {
  const lock = mode === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  await tx.query({
    name: `score-block-lock-${mode}`,
    text: `select count(${lock}(hashtext('veilgate score block'), block)) from (select distinct block from unnest($1::integer[]) as b (block) order by block) as ordered`,
    values: [blocks],
  });
}

/** A bitmap with these slots set. */
export function bitmapOf(slots: Iterable<number>): Uint8Array {
  const bits = new Uint8Array(slotsPerBlock / 8);
  for (const slot of slots) bits[slot >> 3] = (bits[slot >> 3] as number) | (1 << (slot & 7));
  return bits;
}

/** True when every bit of `part` is set in `whole`. */
export function within(part: Uint8Array, whole: Uint8Array): boolean {
  return part.length === whole.length && part.every((bits, at) => (bits & ~(whole[at] as number)) === 0);
}

export function positionOf(place: number): Position {
  return { block: Math.floor(place / slotsPerBlock), slot: place % slotsPerBlock };
}

function asMap(rows: readonly Row[]): Map<SubjectId, Position> {
  return new Map(rows.map(({ subject, place }) => [subject, positionOf(place)]));
}
