import { VeilgateError } from '../../errors.ts';
import type { Clock } from '../../clock.ts';
import type { Tx } from '../../store/database.ts';
import type { PartyId, TimeMs } from '../../vocabulary.ts';
import { vetPublicKey } from '../vetting.ts';
import type { RegistryEvent } from './events.ts';
import { conflict } from './institution.ts';
import { insertKey } from './party-key.ts';
import { displayName, insertParty, invalid, lockParty, notPermitted, partyId, requireOfficer, scopesOf, setStatus, type DisplayName, type OfficerRole } from './party.ts';

const officerRoles: readonly OfficerRole[] = ['registrar', 'compliance', 'auditor'];
const firstOfficersMax = 20;

export type NewOfficer = {
  readonly id: string;
  readonly name: DisplayName;
  readonly roles: readonly string[];
  /** Public signature key. */
  readonly key: unknown;
};

export type OfficerEvent = RegistryEvent & { readonly kind: 'officer.registered' | 'officer.approved' };

/**
 * Registers the first officers, active at once, and only while the database has none: afterwards it takes two officers
 * to make one. Give at least three persons, or nobody can approve what the others began.
 * Errors: PARTY_NOT_PERMITTED when there is an officer, PARTY_EXISTS, KEY_REFUSED, KEY_DUPLICATE, REQUEST_INVALID.
 */
export async function bootstrapOfficers(tx: Tx, officers: readonly NewOfficer[], clock: Clock): Promise<readonly OfficerEvent[]> {
  if (officers.length === 0 || officers.length > firstOfficersMax) throw invalid('', `Give 1 to ${firstOfficersMax} first officers.`);
  // nodes that start together must not both find none
  await tx.query("select pg_advisory_xact_lock(hashtext('veilgate first officers'))");
  if (await hasOfficers(tx)) throw notPermitted('There are officers already: let them register further ones.');
  const events: OfficerEvent[] = [];
  for (const officer of officers) events.push(await insertOfficer(tx, officer, null, clock.nowMs()));
  return events;
}

/** True once the first officers are registered. */
export async function hasOfficers(tx: Pick<Tx, 'query'>): Promise<boolean> {
  return (await tx.query('select 1 from officer limit 1')).rowCount === 1;
}

/**
 * Registers an officer, who can do nothing until another officer approves. Needs a registrar.
 * Errors: PARTY_NOT_PERMITTED, PARTY_EXISTS, KEY_REFUSED, KEY_DUPLICATE, REQUEST_INVALID.
 */
export async function registerOfficer(tx: Tx, request: NewOfficer & { readonly by: PartyId }, clock: Clock): Promise<OfficerEvent> {
  await requireOfficer(tx, request.by, ['registrar']);
  return insertOfficer(tx, request, request.by, clock.nowMs());
}

/**
 * Lets a registered officer in. Needs a registrar or compliance officer other than the one who registered: or one
 * person could make the colleague that four-eyes rules ask for.
 * Errors: PARTY_NOT_PERMITTED, INSTITUTION_NOT_FOUND (no such officer), INSTITUTION_STATE_CONFLICT, INSTITUTION_SAME_PERSON.
 */
export async function approveOfficer(tx: Tx, request: { readonly officer: PartyId; readonly by: PartyId }, clock: Clock): Promise<OfficerEvent> {
  const { officer, by } = request;
  await requireOfficer(tx, by, ['registrar', 'compliance']);
  const party = await lockParty(tx, officer);
  if (party?.kind !== 'officer') throw new VeilgateError('INSTITUTION_NOT_FOUND', 'There is no such officer: check the id.');
  if (party.status !== 'applied') throw conflict(party.status);
  if (party.registered_by === by) throw new VeilgateError('INSTITUTION_SAME_PERSON', 'Approval needs another person than the one who registered the officer: ask a colleague.');
  await setStatus(tx, officer, 'approved', clock.nowMs());
  const { rows } = await tx.query<{ roles: readonly OfficerRole[] }>('select roles from officer where id = $1', [officer]);
  return { kind: 'officer.approved', actor: by, officer, scopes: scopesOf('officer', [], rows[0]?.roles ?? []) };
}

async function insertOfficer(tx: Tx, officer: NewOfficer, by: PartyId | null, nowMs: TimeMs): Promise<OfficerEvent> {
  const id = partyId(officer.id, '/id');
  const name = displayName(officer.name, '/name');
  const roles = officerRoles.filter((role) => officer.roles.includes(role));
  if (roles.length === 0 || roles.length !== officer.roles.length) throw invalid('/roles', `An officer has one or more of the roles ${officerRoles.join(', ')}, each once.`);
  const key = vetPublicKey(officer.key, 'sig');
  await insertParty(tx, { id, kind: 'officer', name, status: by === null ? 'approved' : 'applied', registeredBy: by }, nowMs);
  await tx.query('insert into officer (id, roles) values ($1, $2)', [id, roles]);
  await insertKey(tx, id, key, 'sig', nowMs);
  return { kind: 'officer.registered', actor: by, officer: id, scopes: scopesOf('officer', [], roles) };
}
