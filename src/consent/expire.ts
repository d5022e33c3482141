import { dayMs, shanghaiDate } from '../calendar.ts';
import type { Tx } from '../store/database.ts';
import type { GrantId, InstitutionId, PurposeCode, SubjectId, TimeMs } from '../vocabulary.ts';
import type { GrantEvent } from './events.ts';

/** Grants one call marks at most. */
export const expiredPerCallMax = 1000;

/**
 * Marks grants whose time is over as `expired`, for lists and histories; whether a grant can be used never depends
 * on it. Skips grants that are in use at the moment. Call it again while it returns `expiredPerCallMax`.
 * Also deletes the day counters of verification attempts that no limit looks at any more: those before yesterday.
 * @returns what the audit log must know
 */
export async function expireGrants(tx: Tx, atMs: TimeMs): Promise<readonly GrantEvent[]> {
  const { rows } = await tx.query<{ id: GrantId; institution: InstitutionId; subject: SubjectId; purpose: PurposeCode }>({
    name: 'consent expire',
    text: `with over as (
             select id from consent_grant where state in ('active', 'paused') and valid_until_ms <= $1
             order by valid_until_ms limit $2 for no key update skip locked),
           marked as (
             update consent_grant g set state = 'expired', changed_ms = $1 from over where g.id = over.id
             returning g.id, g.institution, g.subject, g.purpose),
           noted as (
             insert into grant_event (grant_id, at_ms, kind, actor_kind) select id, $1, 'expired', 'platform' from marked)
           select * from marked`,
    values: [atMs, expiredPerCallMax],
  });
  await tx.query({
    name: 'consent forget attempts',
    text: 'delete from verification_day where day < $1::date',
    values: [shanghaiDate((atMs - dayMs) as TimeMs)],
  });
  return rows.map((row) => ({ grant: row.id, institution: row.institution, subject: row.subject, purpose: row.purpose, kind: 'expired', actor: { platform: true }, atMs }));
}
