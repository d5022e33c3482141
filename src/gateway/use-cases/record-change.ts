import { appendRecords } from '../../audit/append.ts';
import { grantCreated, recordHead, type AuditRecord } from '../../audit/entry.ts';
import type { GrantChange } from '../../consent/grants.ts';
import type { RegistryEvent } from '../../identity/registry/events.ts';
import type { Tx } from '../../store/database.ts';
import type { PartyId, TimeMs } from '../../vocabulary.ts';

/** Who acts when no party does: an applicant not yet admitted, first officers, the platform by itself. */
const platform = 'platform' as PartyId;

/** Appends what happened in the registry to the log, in the transaction in which it happens. */
export async function recordRegistryEvent(tx: Tx, event: RegistryEvent, atMs: TimeMs): Promise<void> {
  await appendRecords(tx, [registryRecord(event, atMs)]);
}

function registryRecord({ actor, ...event }: RegistryEvent, atMs: TimeMs): AuditRecord {
  const head = <Kind extends AuditRecord['kind']>(kind: Kind) => recordHead(kind, atMs, actor ?? platform);
  switch (event.kind) {
    case 'enterprise.registered': return { ...head(event.kind), subject: event.subject };
    case 'party.suspended':
    case 'party.reinstated':
    case 'party.revoked': return { ...head(event.kind), party: event.party, reason: event.reason };
    case 'party.key_added':
    case 'party.key_retired': return { ...head(event.kind), party: event.party, thumbprint: event.thumbprint, use: event.use };
    default: {
      const { kind, ...facts } = event;
      return { ...head(kind), ...facts } as AuditRecord;
    }
  }
}

/** Appends a new or changed grant to the log, in the transaction in which it changes. */
export async function recordGrantChange(tx: Tx, change: GrantChange, actor: PartyId | null): Promise<void> {
  await appendRecords(tx, [grantRecord(change, actor)]);
}

/** What the log says of a new or changed grant. */
export function grantRecord({ grant, event }: GrantChange, actor: PartyId | null): AuditRecord {
  const by = actor ?? platform;
  if (event.kind === 'granted') return grantCreated(recordHead('grant.created', event.atMs, by), grant.id, grant, grant.origin, grant.noticeDigest);
  return { ...recordHead(`grant.${event.kind}`, event.atMs, by), grant: grant.id, subject: grant.subject, institution: grant.institution };
}
