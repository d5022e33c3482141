import { VeilgateError } from '../../errors.ts';
import type { Clock } from '../../clock.ts';
import type { Tx } from '../../store/database.ts';
import type { InstitutionId, PartyId } from '../../vocabulary.ts';
import type { RegistryEvent } from './events.ts';
import { conflict, validAssessor } from './institution.ts';
import { lockParty, notPermitted, reasonCode, requireOfficer, setStatus, type Party, type PartyStatus } from './party.ts';

/** `reason` is a code, such as `terms_violated`. */
export type StatusChange = { readonly party: PartyId; readonly by: PartyId; readonly reason: string };

/**
 * Takes a party's access away until it is reinstated: at once, on every node, also for tokens it holds.
 * Any party can be suspended; needs a compliance officer other than the party itself.
 * Errors: PARTY_NOT_PERMITTED, INSTITUTION_NOT_FOUND (no such party), INSTITUTION_STATE_CONFLICT, REQUEST_INVALID.
 */
export async function suspend(tx: Tx, change: StatusChange, clock: Clock): Promise<RegistryEvent> {
  const party = await lockOther(tx, change);
  if (party.status !== 'approved') throw conflict(party.status);
  return changed(tx, party, 'suspended', change, clock);
}

/**
 * Takes an institution's access away because it was caught breaking a protocol: nobody has to ask for it.
 * @returns undefined when it has no access to take
 */
export async function suspendByPlatform(tx: Tx, { party: id, reason }: Omit<StatusChange, 'by'>, clock: Clock): Promise<RegistryEvent | undefined> {
  const party = await lockParty(tx, id);
  if (party?.status !== 'approved' || party.kind !== 'institution') return undefined;
  await setStatus(tx, party.id, 'suspended', clock.nowMs(), reasonCode(reason));
  return { kind: 'institution.suspended', actor: null, institution: party.id as InstitutionId, reason };
}

/**
 * Gives a suspended party its access back; an institution needs a valid assessment for it. Reason `cause_removed` when absent.
 * Errors: as suspend, and INSTITUTION_ASSESSMENT_MISSING.
 */
export async function reinstate(tx: Tx, request: Omit<StatusChange, 'reason'> & { readonly reason?: string }, clock: Clock): Promise<RegistryEvent> {
  const change = { ...request, reason: request.reason ?? 'cause_removed' };
  const party = await lockOther(tx, change);
  if (party.status !== 'suspended') throw conflict(party.status);
  if (party.kind === 'institution') await validAssessor(tx, party.id, clock.nowMs());
  return changed(tx, party, 'approved', change, clock);
}

/** Ends a party's access for good, or refuses its application; its id and keys are never given again. Errors: as suspend. */
export async function revoke(tx: Tx, change: StatusChange, clock: Clock): Promise<RegistryEvent> {
  const party = await lockOther(tx, change);
  if (party.status === 'revoked') throw conflict(party.status);
  return changed(tx, party, 'revoked', change, clock);
}

async function lockOther(tx: Tx, { party: id, by }: StatusChange): Promise<Party> {
  await requireOfficer(tx, by, ['compliance']);
  const party = await lockParty(tx, id);
  if (party === undefined) throw new VeilgateError('INSTITUTION_NOT_FOUND', 'There is no such party: check the id.');
  if (party.id === by) throw notPermitted('Nobody changes their own state: ask a colleague.');
  return party;
}

const verbs = { suspended: 'suspended', approved: 'reinstated', revoked: 'revoked' } as const satisfies Partial<Record<PartyStatus, string>>;

async function changed(tx: Tx, party: Party, status: keyof typeof verbs, change: StatusChange, clock: Clock): Promise<RegistryEvent> {
  const reason = reasonCode(change.reason);
  await setStatus(tx, party.id, status, clock.nowMs(), reason);
  return party.kind === 'institution'
    ? { kind: `institution.${verbs[status]}`, actor: change.by, institution: party.id as InstitutionId, reason }
    : { kind: `party.${verbs[status]}`, actor: change.by, party: party.id, partyKind: party.kind, reason };
}
