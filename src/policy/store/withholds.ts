import { randomBytes } from 'node:crypto';
import { VeilgateError } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { FieldRef, PartyId, PurposeCode, TimeMs } from '../../vocabulary.ts';
import type { VersionState } from './registry.ts';
import type { Closing } from './withhold-rules.ts';

/** An emergency withhold that holds, or did. */
export type Withhold = Closing & {
  readonly setBy: PartyId;
  readonly setMs: TimeMs;
  /** When it becomes a proposal; it holds on until that is decided. */
  readonly expiresMs: TimeMs;
  readonly proposal: number | null;
  readonly endedMs: TimeMs | null;
  readonly endedBy: PartyId | null;
  readonly ending: 'lifted' | 'lasting' | 'refused' | null;
};

/** Withholds that may hold at once: what needs more is a proposal. */
export const withholdsMax = 50;
const columns = `id, field, purpose, reason, set_by as "setBy", set_ms as "setMs", expires_ms as "expiresMs", proposal, ended_ms as "endedMs", ended_by as "endedBy", ending`;

/** Those that hold, oldest first. */
export async function holdingWithholds(sql: Sql): Promise<Withhold[]> {
  const { rows } = await sql.query<Withhold>({ name: 'policy withholds', text: `select ${columns} from policy_withhold where ended_ms is null order by set_ms, id`, values: [] });
  return rows;
}

/** Newest first, ended ones too; at most 200. */
export async function listWithholds(sql: Sql): Promise<Withhold[]> {
  const { rows } = await sql.query<Withhold>({ name: 'policy list withholds', text: `select ${columns} from policy_withhold order by set_ms desc, id limit 200`, values: [] });
  return rows;
}

export type NewWithhold = { readonly field: FieldRef; readonly purpose: PurposeCode; readonly reason: string; readonly by: PartyId; readonly nowMs: TimeMs; readonly expiresMs: TimeMs };

/** Closes a field for a purpose. The caller holds lockVersions. Errors: POLICY_STATE_CONFLICT when it is withheld already or too many hold. */
export async function storeWithhold(tx: Tx, { field, purpose, reason, by, nowMs, expiresMs }: NewWithhold): Promise<Withhold> {
  const holding = await holdingWithholds(tx);
  if (holding.some((each) => each.field === field && each.purpose === purpose)) throw new VeilgateError('POLICY_STATE_CONFLICT', 'This field is withheld for this purpose already: nothing needs to be done.', { state: 'withheld' });
  if (holding.length >= withholdsMax) throw new VeilgateError('POLICY_STATE_CONFLICT', `${holding.length} withholds are in place: propose a version of the policy instead.`, { state: 'full' });
  const { rows: [row] } = await tx.query<Withhold>({
    name: 'policy withhold', text: `insert into policy_withhold (id, field, purpose, reason, set_by, set_ms, expires_ms) values ($1, $2, $3, $4, $5, $6, $7) returning ${columns}`,
    values: [randomBytes(8).toString('hex'), field, purpose, reason, by, nowMs, expiresMs],
  });
  return row as Withhold;
}

/** Opens again what another officer closed. The caller holds lockVersions. Errors: POLICY_VERSION_NOT_FOUND, POLICY_STATE_CONFLICT, POLICY_SAME_PERSON. */
export async function liftWithhold(tx: Tx, id: string, by: PartyId, nowMs: TimeMs): Promise<Withhold> {
  const { rows: [row] } = await tx.query<Withhold>({ name: 'policy read withhold', text: `select ${columns} from policy_withhold where id = $1`, values: [id] });
  if (row === undefined) throw new VeilgateError('POLICY_VERSION_NOT_FOUND', 'There is no such withhold: list the withholds to see them.');
  if (row.ending !== null) throw new VeilgateError('POLICY_STATE_CONFLICT', `The withhold is over (${row.ending}): list the withholds to see what holds.`, { state: row.ending });
  if (row.setBy === by) throw new VeilgateError('POLICY_SAME_PERSON', 'You set this withhold: somebody else must lift it.');
  await tx.query({ name: 'policy lift withhold', text: "update policy_withhold set ended_ms = $2, ended_by = $3, ending = 'lifted' where id = $1", values: [id, nowMs, by] });
  return { ...row, endedMs: nowMs, endedBy: by, ending: 'lifted' };
}

/** Ends the withholds that became this proposal. @returns which. */
export async function endWithholdsOf(tx: Tx, proposal: number, ending: 'lasting' | 'refused', by: PartyId | null, nowMs: TimeMs): Promise<Withhold[]> {
  const { rows } = await tx.query<Withhold>({
    name: 'policy end withholds', text: `update policy_withhold set ended_ms = $2, ended_by = $3, ending = $4 where proposal = $1 and ended_ms is null returning ${columns}`, values: [proposal, nowMs, by, ending],
  });
  return rows;
}

/** Withholds whose time is over and that no proposal to what is in force stands for. The caller holds lockVersions. */
export async function unproposedWithholds(tx: Tx, inForce: number, nowMs: TimeMs): Promise<(Withhold & { readonly proposalState: VersionState | null })[]> {
  const { rows } = await tx.query<Withhold & { readonly proposalState: VersionState | null }>({
    name: 'policy expired withholds',
    text: `select ${columns}, v.state as "proposalState" from policy_withhold left join policy_version v on v.number = proposal
           where ended_ms is null and expires_ms <= $1 and (v.number is null or v.state in ('withdrawn', 'refused') or (v.state = 'proposed' and v.basis <> $2)) order by set_ms, id`,
    values: [nowMs, inForce],
  });
  return rows;
}

export async function tieToProposal(tx: Tx, id: string, proposal: number): Promise<void> {
  await tx.query({ name: 'policy tie withhold', text: 'update policy_withhold set proposal = $2 where id = $1', values: [id, proposal] });
}
