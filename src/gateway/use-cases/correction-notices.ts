import { appendRecords } from '../../audit/append.ts';
import { recordHead, type AuditRecord } from '../../audit/entry.ts';
import { recipientsOf, type Recipient } from '../../audit/recipients.ts';
import type { Clock } from '../../clock.ts';
import { acknowledgeNotice, insertNotices, noticeEntriesMax, type Notice } from '../../objection/notices.ts';
import type { Objection } from '../../objection/objection.ts';
import { modelsEverApproved, modelsOn } from '../../scoring/model/registry.ts';
import type { Feature, FeatureId } from '../../scoring/protocol.ts';
import { scoreReceiversOf } from '../../scoring/run/release.ts';
import type { Tx } from '../../store/database.ts';
import type { Caller, InstitutionId, PartyId, TimeMs } from '../../vocabulary.ts';

/**
 * Writes a notice for everybody who was ever answered about the corrected field, as the log has it, or given a score
 * that a list asked for and the field is behind, as the scores' own record has it: the log names nobody of a list.
 * @param features as the platform declares them now
 * @returns what the log must say of them, for the caller to append in the same transaction
 */
export async function issueNotices(tx: Tx, features: ReadonlyMap<FeatureId, Feature>, objection: Extract<Objection, { readonly about: 'record' }>, by: PartyId, atMs: TimeMs): Promise<AuditRecord[]> {
  const answered = await recipientsOf(tx, objection.subject, objection.field, noticeEntriesMax);
  const models = modelsOn(objection.field, await modelsEverApproved(tx), features);
  const listed = await scoreReceiversOf(tx, objection.subject, models, noticeEntriesMax);
  const recipients = together(answered, listed.map((receiver) => ({ ...receiver, dispositions: ['score'] })));
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

/** One recipient for each institution and grant, however it received the field; in their order. */
function together(...lists: readonly (readonly Recipient[])[]): readonly Recipient[] {
  const byPlace = new Map<string, Recipient>();
  for (const one of lists.flat()) {
    const key = `${one.institution} ${one.grant}`;
    const other = byPlace.get(key);
    byPlace.set(key, other === undefined ? one : {
      ...one, received: one.received + other.received, dispositions: [...new Set([...one.dispositions, ...other.dispositions])].toSorted(),
      entries: [...one.entries, ...other.entries].toSorted((some, more) => more - some).slice(0, noticeEntriesMax),
    });
  }
  return [...byPlace].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, recipient]) => recipient);
}

function factsOf({ id, objection, institution, subject, grant, field }: Notice) {
  return { notice: id, objection, institution, subject, grant, field };
}
