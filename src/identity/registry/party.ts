import { VeilgateError } from '../../errors.ts';
import { isOneLine, oneLineProblem } from '../../one-line.ts';
import type { Sql, Tx } from '../../store/database.ts';
import { isUscc } from '../../uscc.ts';
import type { IsoDate, PartyId, PartyKind, Scope, TimeMs } from '../../vocabulary.ts';

export type PartyStatus = 'applied' | 'assessed' | 'approved' | 'suspended' | 'revoked';
export type OfficerRole = 'registrar' | 'compliance' | 'auditor';
export type DisplayName = { readonly en: string; readonly zh: string };

export type Party = { readonly id: PartyId; readonly kind: PartyKind; readonly status: PartyStatus; readonly registered_by: PartyId | null };

const idGrammar = /^[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]$/;
const nameLengthMax = 200;
const reasonGrammar = /^[a-z][a-z0-9_]{0,63}$/;

/** The door each role opens. */
const scopeOfRole: Readonly<Record<OfficerRole, Scope>> = { registrar: 'registry', compliance: 'compliance', auditor: 'audit' };

/** What a party of this kind may ask for; the registry's word, whatever a token says. */
export function scopesOf(kind: PartyKind, institutionScopes: readonly Scope[], roles: readonly OfficerRole[]): readonly Scope[] {
  switch (kind) {
    case 'institution': return institutionScopes;
    case 'department': return ['records'];
    case 'enterprise': return ['grants'];
    case 'officer': return roles.map((role) => scopeOfRole[role]);
    default: return kind satisfies never;
  }
}

/** Errors: REQUEST_INVALID. An enterprise's code is no id: ids stand in logs. */
export function partyId(value: unknown, pointer: string): PartyId {
  if (typeof value !== 'string' || !idGrammar.test(value) || isUscc(value.toUpperCase())) {
    throw invalid(pointer, 'A party id has 3 to 64 lower-case letters, digits or . _ - and begins and ends with a letter or digit.');
  }
  return value as PartyId;
}

/** Errors: REQUEST_INVALID. */
export function displayName(value: unknown, pointer: string): DisplayName {
  const { en, zh } = (value ?? {}) as Partial<Record<'en' | 'zh', unknown>>;
  if (typeof en !== 'string' || typeof zh !== 'string' || ![en, zh].every((name) => isOneLine(name, nameLengthMax))) {
    throw invalid(pointer, `A name has an English and a Chinese form of at most ${nameLengthMax} characters; each ${oneLineProblem}.`);
  }
  return { en, zh };
}

/** Reasons are codes, so that no free text about anybody gets into the log. Errors: REQUEST_INVALID. */
export function reasonCode(value: string): string {
  if (!reasonGrammar.test(value)) throw invalid('/reason', 'A reason is a code of lower-case letters, digits and underscores, such as terms_violated.');
  return value;
}

export function invalid(pointer: string, message: string): VeilgateError {
  return new VeilgateError('REQUEST_INVALID', message, { pointer });
}

export type NewParty = { readonly id: PartyId; readonly kind: PartyKind; readonly name: DisplayName | null; readonly status: PartyStatus; readonly registeredBy: PartyId | null };

/** Errors: INSTITUTION_EXISTS, ENTERPRISE_EXISTS, PARTY_EXISTS. */
export async function insertParty(tx: Tx, party: NewParty, nowMs: TimeMs): Promise<void> {
  const { rowCount } = await tx.query(
    `insert into party (id, kind, name_en, name_zh, status, registered_by, registered_ms, changed_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict (id) do nothing`,
    [party.id, party.kind, party.name?.en ?? null, party.name?.zh ?? null, party.status, party.registeredBy, nowMs],
  );
  if (rowCount === 1) return;
  const message = 'This party id is taken, for ever: choose another one.';
  throw new VeilgateError(party.kind === 'institution' ? 'INSTITUTION_EXISTS' : party.kind === 'enterprise' ? 'ENTERPRISE_EXISTS' : 'PARTY_EXISTS', message);
}

// Not the row's own lock: those who share a row can keep somebody who wants to change it waiting for ever, these queue.
const holdingLock = "hashtext('veilgate party'), hashtext(id)";

/** Reads a party and keeps others from changing it until the transaction ends; waits for what is leaving for it. */
export async function lockParty(tx: Tx, id: PartyId): Promise<Party | undefined> {
  await tx.query(`select pg_advisory_xact_lock(${holdingLock}) from (select $1::text as id) party`, [id]);
  const { rows } = await tx.query<Party>('select id, kind, status, registered_by from party where id = $1 for update', [id]);
  return rows[0];
}

export async function setStatus(tx: Tx, id: PartyId, status: PartyStatus, nowMs: TimeMs, reason: string | null = null): Promise<void> {
  await tx.query('update party set status = $2, changed_ms = $3, status_reason = coalesce($4, status_reason) where id = $1', [id, status, nowMs, reason]);
}

/** Holds an officer in place for the transaction: active, and with one of these roles. Errors: PARTY_NOT_PERMITTED. */
export async function requireOfficer(tx: Tx, id: PartyId, roles: readonly OfficerRole[]): Promise<void> {
  const { rowCount } = await tx.query(
    `select 1 from party p join officer o on o.id = p.id
     where p.id = $1 and p.status = 'approved' and o.roles && $2::text[] for share of p, o`,
    [id, roles],
  );
  if (rowCount !== 1) throw notPermitted('Only an active officer with the right role may do this: ask one.', roles);
}

export function notPermitted(message: string, roles: readonly OfficerRole[] = []): VeilgateError {
  return new VeilgateError('PARTY_NOT_PERMITTED', message, roles.length === 0 ? undefined : { roles });
}

/**
 * Those of the institutions that are admitted, asked again right before something leaves, and the security level each is
 * assessed on: null when its latest assessment is not passed or not valid `today`. It stays so until the transaction ends:
 * a suspension or an assessment that comes meanwhile waits, and nothing leaves against it once it has committed.
 */
export async function holdInstitutions(tx: Tx, ids: readonly PartyId[], today: IsoDate): Promise<ReadonlyMap<PartyId, number | null>> {
  const parties = [...new Set(ids)];
  if (parties.length === 0) return new Map();
  // two statements, so that the second sees what was committed while the first waited; sent together
  const [, { rows }] = await Promise.all([
    tx.query({ name: 'identity hold parties', text: `select pg_advisory_xact_lock_shared(${holdingLock}) from unnest($1::text[]) as id`, values: [parties] }),
    tx.query<{ id: PartyId; level: number | null }>({
      name: 'identity admitted institutions',
      // PostgreSQL takes any JSON array for as long as any other, so it plans once; unnest it would plan anew for each list, which takes longer than the rest
      text: `select party.id,
               (select case when passed and valid_until >= $2::date then level end from security_assessment where institution = party.id order by id desc limit 1) as level
             from json_array_elements_text($1::json) as asked (id) join party on party.id = asked.id and party.status = 'approved'`,
      values: [JSON.stringify(parties), today],
    }),
  ]);
  return new Map(rows.map(({ id, level }) => [id, level]));
}

export type PartyView = {
  readonly id: PartyId;
  readonly kind: PartyKind;
  readonly name: DisplayName | null;
  readonly status: PartyStatus;
  readonly registeredMs: TimeMs;
};

/** One party as its own pages and consent screens name it. */
export async function readParty(sql: Sql, id: PartyId): Promise<PartyView | undefined> {
  const { rows } = await sql.query<{ id: PartyId; kind: PartyKind; name_en: string | null; name_zh: string | null; status: PartyStatus; registered_ms: TimeMs }>({
    name: 'identity read party',
    text: 'select id, kind, name_en, name_zh, status, registered_ms from party where id = $1',
    values: [id],
  });
  const row = rows[0];
  if (row === undefined) return undefined;
  const name = row.name_en === null || row.name_zh === null ? null : { en: row.name_en, zh: row.name_zh };
  return { id: row.id, kind: row.kind, name, status: row.status, registeredMs: row.registered_ms };
}
