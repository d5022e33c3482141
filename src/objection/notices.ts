import { VeilgateError } from '../errors.ts';
import type { Sql, Tx } from '../store/database.ts';
import type { FieldRef, GrantId, InstitutionId, PartyId, SubjectId, TimeMs } from '../vocabulary.ts';
import { newId } from './registry.ts';

export const noticePageMax = 100;
/** Log entries a notice names; the count says how many there were. */
export const noticeEntriesMax = 100;

/** To one institution, under one grant of its: a field it received was corrected. */
export type Notice = {
  readonly id: string;
  readonly objection: string;
  readonly institution: InstitutionId;
  readonly grant: GrantId;
  readonly subject: SubjectId;
  readonly field: FieldRef;
  /** How it received it. */
  readonly dispositions: readonly string[];
  /** How often. */
  readonly received: number;
  /** Indices of log entries, newest first; at most noticeEntriesMax. */
  readonly entries: readonly number[];
  readonly correctedMs: TimeMs;
  readonly acknowledgedMs: TimeMs | null;
};

type Row = {
  id: string; objection: string; institution: InstitutionId; grant_id: GrantId; subject: SubjectId; field: FieldRef; dispositions: string[]; received: number;
  entries: (number | string)[]; corrected_ms: TimeMs; acknowledged_ms: TimeMs | null;
};
const columns = 'id, objection, institution, grant_id, subject, field, dispositions, received, entries, corrected_ms, acknowledged_ms';
const idShape = /^[A-Za-z0-9_-]{22}$/;

export type NewNotice = Omit<Notice, 'id' | 'acknowledgedMs'>;

/** Writes the notices of one correction. @returns them in the same order */
export async function insertNotices(tx: Tx, notices: readonly NewNotice[]): Promise<Notice[]> {
  const made = notices.map((notice): Notice => ({ ...notice, id: newId(), acknowledgedMs: null }));
  // as one JSON text: lists within a list are no array of PostgreSQL
  const rows = made.map(({ grant: grant_id, correctedMs: corrected_ms, acknowledgedMs: acknowledged_ms, ...same }): Row => (
    { ...same, grant_id, corrected_ms, acknowledged_ms, dispositions: [...same.dispositions], entries: [...same.entries] }));
  await tx.query(`insert into objection_notice (${columns}) select ${columns} from jsonb_populate_recordset(null::objection_notice, $1::jsonb)`, [JSON.stringify(rows)]);
  return made;
}

export type NoticeFilter = {
  readonly institution: InstitutionId;
  readonly open: boolean;
  /** Id of the last notice of the page before. */
  readonly after?: string;
  readonly limit: number;
};

/** An institution's own, newest first. @param filter.open only those it has not acknowledged */
export async function listNotices(sql: Sql, { institution, open, after, limit }: NoticeFilter): Promise<Notice[]> {
  const { rows } = await sql.query<Row>(
    `select ${columns} from objection_notice
     where institution = $1 and (not $2 or acknowledged_ms is null)
       and ($3::text is null or (corrected_ms, id) < (select corrected_ms, id from objection_notice where id = $3 and institution = $1))
     order by corrected_ms desc, id desc limit $4`,
    [institution, open, after ?? null, limit],
  );
  return rows.map(noticeOf);
}

/** Notices of one correction that are shown at once. */
export const noticesShownMax = 1000;

/** The notices of one correction, by institution and grant; at most noticesShownMax. */
export async function noticesOf(sql: Sql, objection: string): Promise<Notice[]> {
  const { rows } = await sql.query<Row>({ name: 'objection notices of', text: `select ${columns} from objection_notice where objection = $1 order by institution, grant_id limit $2`, values: [objection, noticesShownMax] });
  return rows.map(noticeOf);
}

/**
 * The institution has seen it; a second time changes nothing.
 * @returns the notice, and whether this was the first time
 * Errors: NOTICE_NOT_FOUND, equal for somebody else's and none.
 */
export async function acknowledgeNotice(tx: Tx, id: string, institution: InstitutionId, by: PartyId, atMs: TimeMs): Promise<{ readonly notice: Notice; readonly first: boolean }> {
  const { rows: [row] } = idShape.test(id)
    ? await tx.query<Row>(`select ${columns} from objection_notice where id = $1 and institution = $2 for no key update`, [id, institution])
    : { rows: [] };
  if (row === undefined) throw new VeilgateError('NOTICE_NOT_FOUND', 'There is no such notice, or it is not for you.');
  const notice = noticeOf(row);
  if (notice.acknowledgedMs !== null) return { notice, first: false };
  await tx.query('update objection_notice set acknowledged_ms = $2, acknowledged_by = $3 where id = $1', [id, atMs, by]);
  return { notice: { ...notice, acknowledgedMs: atMs }, first: true };
}

function noticeOf({ grant_id: grant, entries, corrected_ms: correctedMs, acknowledged_ms: acknowledgedMs, ...same }: Row): Notice {
  return { ...same, grant, entries: entries.map(Number), correctedMs, acknowledgedMs };
}
