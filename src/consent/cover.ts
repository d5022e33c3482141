import type { Sql } from '../store/database.ts';
import type { ConsentCeiling, FieldRef, Grant, GrantId, InstitutionId, IsoDate, PurposeCode, SubjectId, TimeMs } from '../vocabulary.ts';
import { damagedFieldSet, fieldSets } from './field-sets.ts';

/** One grant in force, as far as statistics over many enterprises need it. */
export type GrantInForce = {
  readonly id: GrantId;
  readonly subject: SubjectId;
  readonly fields: ReadonlyMap<FieldRef, ConsentCeiling>;
  readonly kind: Grant['kind'];
  readonly origin: Grant['origin'];
  readonly createdAtMs: TimeMs;
  /** First and last day the data may be about; null: no bound. */
  readonly dataFrom: IsoDate | null;
  readonly dataTo: IsoDate | null;
};

export type CoverLookup = {
  readonly institution: InstitutionId;
  readonly purpose: PurposeCode;
  /** Only grants of these enterprises; absent: of all. */
  readonly subjects?: readonly SubjectId[];
  readonly atMs: TimeMs;
  readonly max: number;
};

type Row = Pick<GrantInForce, 'id' | 'subject' | 'kind' | 'origin'> & { readonly field_set: string; readonly created_ms: TimeMs; readonly data_from: IsoDate | null; readonly data_to: IsoDate | null };

const inForce = (ofWhom: string) => `select id, subject, field_set, kind, origin, created_ms, data_from, data_to from consent_grant
  where institution = $1 and purpose = $2 and state = 'active' and valid_from_ms <= $3 and valid_until_ms > $3 ${ofWhom}
  order by id limit $4`;
const ofAll = inForce('');
const ofSome = inForce('and subject = any($5::text[])');

/**
 * Every grant to an institution for a purpose that is in force at a moment; an enterprise may have several. Nothing is spent.
 * @param hold `sql` is a transaction and none of these grants may end before it does: whoever revokes one waits
 */
export async function grantsInForce(sql: Sql, { institution, purpose, subjects, atMs, max }: CoverLookup, hold = false): Promise<GrantInForce[]> {
  const text = subjects === undefined ? ofAll : ofSome;
  const { rows } = await sql.query<Row>({
    // without a name: the plan that is kept of a named statement goes through the whole list for each grant, 10^9 comparisons
    // for 30,000 enterprises; one made for this list looks them up
    text: hold ? `${text} for share` : text, // locked in the order of ids, as consumeGrants does
    values: [institution, purpose, atMs, max, ...(subjects === undefined ? [] : [subjects])],
  });
  const sets = await fieldSets(sql, rows.map(({ field_set }) => field_set));
  return rows.map(({ id, subject, field_set: set, kind, origin, created_ms: createdAtMs, data_from: dataFrom, data_to: dataTo }) => {
    const fields = sets.get(set);
    if (fields === undefined) throw damagedFieldSet();
    return { id, subject, fields, kind, origin, createdAtMs, dataFrom, dataTo };
  });
}
