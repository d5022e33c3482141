import type { Sql, Tx } from '../store/database.ts';
import type { GrantId, InstitutionId, PartyId, PurposeCode, SubjectId, TimeMs } from '../vocabulary.ts';

export type GrantEventKind = 'granted' | 'paused' | 'resumed' | 'revoked' | 'exhausted' | 'expired';

/** Who changed a grant. `platform` is for what happens by itself. */
export type Actor =
  | { readonly subject: SubjectId }
  | { readonly institution: InstitutionId }
  | { readonly officer: PartyId }
  | { readonly platform: true };

/** What the audit log must know of a change. `subject` is the raw code: the log stores its pseudonym. */
export type GrantEvent = {
  readonly grant: GrantId;
  readonly institution: InstitutionId;
  readonly subject: SubjectId;
  readonly purpose: PurposeCode;
  readonly kind: GrantEventKind;
  readonly actor: Actor;
  readonly atMs: TimeMs;
};

/** One line of a grant's history. */
export type HistoryEntry = { readonly kind: GrantEventKind; readonly actorKind: 'subject' | 'institution' | 'officer' | 'platform'; readonly atMs: TimeMs };

/** The columns actor_kind and actor. */
export function actorColumns(actor: Actor): readonly [HistoryEntry['actorKind'], string | null] {
  if ('subject' in actor) return ['subject', actor.subject];
  if ('institution' in actor) return ['institution', actor.institution];
  if ('officer' in actor) return ['officer', actor.officer];
  return ['platform', null];
}

export async function appendEvent(tx: Tx, event: GrantEvent): Promise<void> {
  const [actorKind, actor] = actorColumns(event.actor);
  await tx.query({
    name: 'consent append event',
    text: 'insert into grant_event (grant_id, at_ms, kind, actor_kind, actor) values ($1, $2, $3, $4, $5)',
    values: [event.grant, event.atMs, event.kind, actorKind, actor],
  });
}

const historyMax = 1000;

/** A grant's history, oldest first, at most `historyMax` entries. The caller has checked who asks (`readGrant`). */
export async function grantHistory(sql: Sql, grant: GrantId): Promise<readonly HistoryEntry[]> {
  const { rows } = await sql.query<{ kind: GrantEventKind; actor_kind: HistoryEntry['actorKind']; at_ms: TimeMs }>({
    name: 'consent history',
    text: 'select kind, actor_kind, at_ms from grant_event where grant_id = $1 order by id limit $2',
    values: [grant, historyMax],
  });
  return rows.map((row) => ({ kind: row.kind, actorKind: row.actor_kind, atMs: row.at_ms }));
}
