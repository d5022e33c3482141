import { randomBytes } from 'node:crypto';
import { VeilgateError } from '../../errors.ts';
import type { Clock } from '../../clock.ts';
import type { Sql, Tx } from '../../store/database.ts';
import { isUscc } from '../../uscc.ts';
import type { PartyId, SubjectId } from '../../vocabulary.ts';
import { vetPublicKey } from '../vetting.ts';
import type { RegistryEvent } from './events.ts';
import { insertKey } from './party-key.ts';
import { insertParty, invalid, partyId, requireOfficer, type PartyStatus } from './party.ts';

/**
 * Registers an enterprise as the party that speaks for one subject. With a key it can call the gateway and sign grants;
 * without one it uses the authorization server's pages. Needs a registrar.
 * @param request.id random when absent: an id says nothing about the enterprise
 * @param request.key public signature key
 * Errors: PARTY_NOT_PERMITTED, ENTERPRISE_EXISTS, KEY_REFUSED, KEY_DUPLICATE, REQUEST_INVALID.
 */
export async function registerEnterpriseParty(
  tx: Tx,
  request: { readonly subject: string; readonly id?: string; readonly key?: unknown; readonly by: PartyId },
  clock: Clock,
): Promise<RegistryEvent & { readonly kind: 'enterprise.registered' }> {
  const nowMs = clock.nowMs();
  const { subject } = request;
  if (!isUscc(subject)) throw invalid('/subject', 'A subject is a unified social credit code with a correct check digit (GB 32100-2015).');
  const id = partyId(request.id ?? `ent-${randomBytes(10).toString('hex')}`, '/id');
  const key = request.key === undefined ? undefined : vetPublicKey(request.key, 'sig');
  await requireOfficer(tx, request.by, ['registrar']);
  await insertParty(tx, { id, kind: 'enterprise', name: null, status: 'approved', registeredBy: request.by }, nowMs);
  const { rowCount } = await tx.query('insert into enterprise (id, subject) values ($1, $2) on conflict do nothing', [id, subject]);
  if (rowCount !== 1) throw new VeilgateError('ENTERPRISE_EXISTS', 'This enterprise is registered already: give it a new activation code instead.');
  if (key !== undefined) await insertKey(tx, id, key, 'sig', nowMs);
  return { kind: 'enterprise.registered', actor: request.by, party: id, subject };
}

/** The party that speaks for a subject; undefined when it is not registered. */
export async function enterpriseOf(sql: Sql, subject: SubjectId): Promise<{ readonly party: PartyId; readonly status: PartyStatus } | undefined> {
  const { rows } = await sql.query<{ party: PartyId; status: PartyStatus }>({
    name: 'identity enterprise of subject',
    text: 'select p.id as party, p.status from enterprise e join party p on p.id = e.id where e.subject = $1',
    values: [subject],
  });
  return rows[0];
}
