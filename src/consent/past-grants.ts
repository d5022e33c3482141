import type { Sql } from '../store/database.ts';
import type { Grant, GrantId, TimeMs } from '../vocabulary.ts';
import { fieldSets } from './field-sets.ts';
import { grantColumns, grantFromRow, type GrantRow } from './grant-row.ts';

/** Grants that answers were given under, whatever became of them since: their terms never change. Unknown ids are left out. */
export async function pastGrants(sql: Sql, ids: readonly GrantId[], atMs: TimeMs): Promise<ReadonlyMap<GrantId, Grant>> {
  const { rows } = await sql.query<GrantRow>({ name: 'consent past grants', text: `select ${grantColumns} from consent_grant g where g.id = any($1::text[])`, values: [[...new Set(ids)]] });
  const sets = await fieldSets(sql, new Set(rows.map(({ field_set: set }) => set)));
  return new Map(rows.flatMap((row) => {
    const fields = sets.get(row.field_set);
    return fields === undefined ? [] : [[row.id, grantFromRow(row, fields, atMs)]];
  }));
}
