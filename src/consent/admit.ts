import type { VeilgateError } from '../errors.ts';
import { arrayParameter } from '../store/array-parameter.ts';
import type { Sql } from '../store/database.ts';
import { isUscc } from '../uscc.ts';
import type { Grant, GrantId, InstitutionId, PurposeCode, SubjectId, TimeMs } from '../vocabulary.ts';
import { damagedFieldSet, fieldSets, type FieldSet } from './field-sets.ts';
import { grantColumns, grantFromRow, isGrantId, usability, type GrantRow } from './grant-row.ts';
import { consentRequired, unusable } from './refusals.ts';

export type GrantLookup = {
  readonly institution: InstitutionId;
  readonly subject: SubjectId;
  readonly purpose: PurposeCode;
  /** Absent: the institution's widest, then latest, usable grant for this subject and purpose. */
  readonly grant?: GrantId;
  readonly atMs: TimeMs;
};

const purposeShape = /^[a-z][a-z0-9_]{0,63}$/;

// Both branches look one grant up by index: by id alone, so that no other index tempts the planner (whose grant it is,
// `admitted` checks), or without an id the best that can be used, else the latest of any state (the parts of an append
// run only as far as the limit needs).
const text = `
  select w.n::integer as n, ${grantColumns}
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) with ordinality as w (institution, subject, purpose, grant_id, at_ms, n)
  cross join lateral (
    select * from consent_grant where id = w.grant_id
    union all
    (select * from (
      (select * from consent_grant c
       where w.grant_id is null and c.institution = w.institution and c.subject = w.subject and c.purpose = w.purpose and c.state = 'active'
         and c.valid_from_ms <= w.at_ms and c.valid_until_ms > w.at_ms
         and (c.frequency_max is null or w.at_ms >= c.window_ends_ms or c.window_uses < c.frequency_max)
       order by c.width desc, c.created_ms desc limit 1)
      union all
      (select * from consent_grant c
       where w.grant_id is null and c.institution = w.institution and c.subject = w.subject and c.purpose = w.purpose
       order by c.created_ms desc limit 1)
    ) best limit 1)
  ) g`;

/**
 * Finds the grant each query may be answered under: one statement for the batch (and one more for field lists this
 * process has not met). Nothing is spent or locked; `consumeGrants` decides again at release.
 * @returns in order, the grant or why there is none: CONSENT_REQUIRED, equal for whoever has no grant of their own;
 *   for an own grant CONSENT_EXPIRED, CONSENT_PAUSED, CONSENT_REVOKED, CONSENT_EXHAUSTED, CONSENT_NOT_YET_VALID, CONSENT_FREQUENCY_EXCEEDED
 */
export async function admitGrants(sql: Sql, lookups: readonly GrantLookup[]): Promise<(Grant | VeilgateError)[]> {
  // what cannot be found is not asked for: odd characters in one query must not fail the statement of all
  const asked = lookups.map((lookup) => (lookup.grant === undefined || isGrantId(lookup.grant)) && purposeShape.test(lookup.purpose) && isUscc(lookup.subject));
  const wanted = asked.every(Boolean) ? lookups : lookups.filter((_, at) => asked[at]);
  const rows = new Map<GrantLookup, GrantRow>();
  if (wanted.length > 0) {
    const found = await sql.query<GrantRow & { n: number }>({
      name: 'consent admit',
      text,
      values: [
        wanted.map(({ institution }) => institution),
        wanted.map(({ subject }) => subject),
        wanted.map(({ purpose }) => purpose),
        wanted.map(({ grant }) => grant ?? null),
        wanted.map(({ atMs }) => atMs),
      ].map(arrayParameter),
    });
    for (const row of found.rows) rows.set(wanted[row.n - 1] as GrantLookup, row);
  }
  const sets = await fieldSets(sql, fieldSetsOf(rows.values()));
  return lookups.map((lookup) => admitted(lookup, rows.get(lookup), sets));
}

function admitted(lookup: GrantLookup, row: GrantRow | undefined, sets: ReadonlyMap<string, FieldSet>): Grant | VeilgateError {
  if (row === undefined || row.institution !== lookup.institution || row.subject !== lookup.subject || row.purpose !== lookup.purpose) return consentRequired();
  const refusal = unusable(usability(row), lookup.atMs);
  if (refusal !== undefined) return refusal;
  const fields = sets.get(row.field_set);
  return fields === undefined ? damagedFieldSet() : grantFromRow(row, fields, lookup.atMs);
}

function* fieldSetsOf(rows: Iterable<GrantRow>): Iterable<string> {
  for (const row of rows) yield row.field_set;
}
