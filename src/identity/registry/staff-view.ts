import type { Sql } from '../../store/database.ts';
import type { PartyId, TimeMs } from '../../vocabulary.ts';
import type { DisplayName, OfficerRole, PartyStatus } from './party.ts';

/** An officer or a department as officers see it. */
export type StaffView = {
  readonly id: PartyId;
  readonly kind: 'officer' | 'department';
  readonly name: DisplayName | null;
  readonly status: PartyStatus;
  /** Empty for departments. */
  readonly roles: readonly OfficerRole[];
  /** Null: one of the first officers. */
  readonly registeredBy: PartyId | null;
  readonly registeredMs: TimeMs;
};

/** Rows one page lists. */
export const staffPageMax = 200;

/** Officers and departments by id, at most staffPageMax, beginning behind `after`. */
export async function listStaff(sql: Sql, after = ''): Promise<StaffView[]> {
  const { rows } = await sql.query<Omit<StaffView, 'name'> & { readonly en: string | null; readonly zh: string | null }>({
    name: 'registry staff',
    text: `select p.id, p.kind, p.name_en as en, p.name_zh as zh, p.status, coalesce(o.roles, '{}') as roles, p.registered_by as "registeredBy", p.registered_ms as "registeredMs"
           from party p left join officer o on o.id = p.id where p.kind in ('officer', 'department') and p.id > $1 order by p.id limit $2`,
    values: [after, staffPageMax],
  });
  return rows.map(({ en, zh, ...rest }) => ({ ...rest, name: en === null || zh === null ? null : { en, zh } }));
}
