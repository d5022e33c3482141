import { appendRecords } from '../../audit/append.ts';
import { recordHead, type AuditKind } from '../../audit/entry.ts';
import { isoTime } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import { compilePack, packDigest } from '../../policy/store/pack.ts';
import { lockVersions, readVersion, storeEnding, storeProposal } from '../../policy/store/registry.ts';
import { holdingWithholds, liftWithhold, storeWithhold, tieToProposal, unproposedWithholds, type Withhold } from '../../policy/store/withholds.ts';
import { withheldFiles } from '../../policy/store/withhold-rules.ts';
import type { Tx } from '../../store/database.ts';
import type { FieldRef, PartyId, PurposeCode, TimeMs } from '../../vocabulary.ts';
import { requireStored, versionRecord, type PolicyDesk } from './policy-versions.ts';

export type Emergency = { readonly field: FieldRef; readonly purpose: PurposeCode; readonly reason: string; readonly hours: number };

const hourMs = 3_600_000;
const platform = 'platform' as PartyId;

/** Closes a field for a purpose, for everybody and every use. Errors: REQUEST_INVALID, POLICY_PURPOSE_UNKNOWN, POLICY_STATE_CONFLICT, POLICY_BROKEN. */
export async function withhold(desk: PolicyDesk, tx: Tx, by: PartyId, { field, purpose, reason, hours }: Emergency): Promise<Withhold> {
  requireStored(desk);
  if (!desk.catalogue.fields.has(field)) throw new VeilgateError('REQUEST_INVALID', 'The catalogue has no such field: see `veilgate catalogue`.', { pointer: '/field' });
  desk.policy().caps(purpose); // or POLICY_PURPOSE_UNKNOWN
  await lockVersions(tx);
  const nowMs = desk.clock.nowMs();
  const withheld = await storeWithhold(tx, { field, purpose, reason, by, nowMs, expiresMs: nowMs + hours * hourMs as TimeMs });
  compilePack((await readVersion(tx, 'in_force')).files, desk.catalogue, await holdingWithholds(tx)); // what does not load would close nothing
  await appendRecords(tx, [{ ...withheldRecord('policy.emergency_withheld', withheld, by, nowMs), reason, expires: isoTime(withheld.expiresMs) }]);
  return withheld;
}

/** Opens again what another officer closed; a proposal it became is withdrawn. Errors: POLICY_VERSION_NOT_FOUND, POLICY_STATE_CONFLICT, POLICY_SAME_PERSON. */
export async function lift(desk: PolicyDesk, tx: Tx, by: PartyId, id: string): Promise<Withhold> {
  requireStored(desk);
  await lockVersions(tx);
  const nowMs = desk.clock.nowMs();
  const lifted = await liftWithhold(tx, id, by, nowMs);
  const withdrawn = lifted.proposal === null ? [] : await withdrawOpen(desk, tx, lifted.proposal, nowMs);
  await appendRecords(tx, [withheldRecord('policy.emergency_lifted', lifted, by, nowMs), ...withdrawn]);
  return lifted;
}

/**
 * Makes a proposal of every withhold whose time is over: its author is who set it, so somebody else decides. When the
 * policy changed before anybody did, the proposal is made anew. The withhold holds all the while.
 * @returns how many were made
 */
export async function proposeExpired(desk: Pick<PolicyDesk, 'database' | 'clock' | 'catalogue' | 'source'>): Promise<number> {
  if (desk.source === 'folder') return 0;
  return desk.database.transaction('policy withholds expired', async (tx) => {
    await lockVersions(tx);
    const nowMs = desk.clock.nowMs();
    const inForce = await readVersion(tx, 'in_force');
    const expired = await unproposedWithholds(tx, inForce.number, nowMs);
    let made = 0;
    for (const each of expired) {
      const pack = withheldFiles(inForce.files, [each]);
      if (packDigest(pack) === inForce.digest) continue; // no rule opens anything there
      const outdated = each.proposal === null ? [] : await withdrawOpen(desk, tx, each.proposal, nowMs);
      const version = await storeProposal(tx, {
        pack, policy: compilePack(pack, desk.catalogue).version, basis: inForce.number, origin: 'withhold', by: each.setBy, effectiveMs: null,
        comment: `Emergency withhold of ${each.field} for ${each.purpose} (${each.reason}), to last.`,
      }, desk.clock);
      await tieToProposal(tx, each.id, version.number);
      await appendRecords(tx, [...outdated, versionRecord('policy.proposed', version, each.setBy, nowMs), { ...withheldRecord('policy.emergency_proposed', each, platform, nowMs), version: version.number }]);
      made += 1;
    }
    return made;
  });
}

async function withdrawOpen({ clock }: Pick<PolicyDesk, 'clock'>, tx: Tx, number: number, nowMs: TimeMs) {
  const version = await readVersion(tx, number);
  if (version.state !== 'proposed' && version.state !== 'approved') return [];
  await storeEnding(tx, version, 'withdrawn', { by: null, comment: '' }, clock);
  return [versionRecord('policy.withdrawn', version, platform, nowMs)];
}

type WithheldKind = Extract<AuditKind, 'policy.emergency_withheld' | 'policy.emergency_lifted' | 'policy.emergency_proposed' | 'policy.emergency_ended'>;

export function withheldRecord<Kind extends WithheldKind>(kind: Kind, { id, field, purpose }: Withhold, by: PartyId, atMs: TimeMs) {
  return { ...recordHead(kind, atMs, by), withhold: id, field, purpose };
}
