import type { Clock } from '../../clock.ts';
import type { Tx } from '../../store/database.ts';
import type { PartyId } from '../../vocabulary.ts';
import { vetPublicKey } from '../vetting.ts';
import type { RegistryEvent } from './events.ts';
import { insertKey } from './party-key.ts';
import { displayName, insertParty, partyId, requireOfficer, type DisplayName } from './party.ts';

/**
 * Registers a department, active at once. Which datasets it supplies is the catalogue's to say. Needs a registrar.
 * @param request.key public signature key
 * Errors: PARTY_NOT_PERMITTED, PARTY_EXISTS, KEY_REFUSED, KEY_DUPLICATE, REQUEST_INVALID.
 */
export async function registerDepartment(
  tx: Tx,
  request: { readonly id: string; readonly name: DisplayName; readonly key: unknown; readonly by: PartyId },
  clock: Clock,
): Promise<RegistryEvent & { readonly kind: 'department.registered' }> {
  const nowMs = clock.nowMs();
  const id = partyId(request.id, '/id');
  const name = displayName(request.name, '/name');
  const key = vetPublicKey(request.key, 'sig');
  await requireOfficer(tx, request.by, ['registrar']);
  await insertParty(tx, { id, kind: 'department', name, status: 'approved', registeredBy: request.by }, nowMs);
  await insertKey(tx, id, key, 'sig', nowMs);
  return { kind: 'department.registered', actor: request.by, department: id };
}
