import { appendRecords } from '../../audit/append.ts';
import { recordHead, type AuditRecord } from '../../audit/entry.ts';
import { recipientsOf } from '../../audit/recipients.ts';
import type { Clock } from '../../clock.ts';
import { acknowledgeNotice, insertNotices, noticeEntriesMax, type Notice } from '../../objection/notices.ts';
import type { Objection } from '../../objection/objection.ts';
import type { Tx } from '../../store/database.ts';
import type { Caller, InstitutionId, PartyId, TimeMs } from '../../vocabulary.ts';

/**
 * Writes a notice for everybody who was ever answered about the corrected field, as the log has it.
 * @returns what the log must say of them, for the caller to append in the same transaction
 */
export async function issueNotices(tx: Tx, objection: Extract<Objection, { readonly about: 'record' }>, by: PartyId, atMs: TimeMs): Promise<AuditRecord[]> {
  const recipients = await recipientsOf(tx, objection.subject, objection.field, noticeEntriesMax);
  const notices = await insertNotices(tx, recipients.map((recipient) => ({ ...recipient, objection: objection.id, subject: objection.subject, field: objection.field, correctedMs: atMs })));
  return notices.map((notice) => ({ ...recordHead('notice.issued', atMs, by), ...factsOf(notice) }));
}

/** An institution has seen a notice for it. Errors: NOTICE_NOT_FOUND. */
export async function acknowledge({ clock }: { readonly clock: Clock }, tx: Tx, caller: Caller, id: string): Promise<Notice> {
  const atMs = clock.nowMs();
  const { notice, first } = await acknowledgeNotice(tx, id, caller.party as InstitutionId, caller.party, atMs);
  if (first) await appendRecords(tx, [{ ...recordHead('notice.acknowledged', atMs, caller.party), ...factsOf(notice) }]);
  return notice;
}

function factsOf({ id, objection, institution, subject, grant, field }: Notice) {
  return { notice: id, objection, institution, subject, grant, field };
}
