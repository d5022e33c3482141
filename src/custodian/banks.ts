import { appendRecords } from '../audit/append.ts';
import { recordHead, type AuditRecord } from '../audit/entry.ts';
import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import { BoundedCache } from '../identity/bounded-cache.ts';
import { jwkThumbprint, vetPublicKey, type KeyUse } from '../identity/vetting.ts';
import { isUniqueViolation, type Database, type Sql, type Tx } from '../store/database.ts';
import type { InstitutionId, PartyId, PublicJwk } from '../vocabulary.ts';

/** The custodian's own register of banks: what its operator was shown, whatever the gateway says. */

export type BankState = 'active' | 'suspended';

/** What the register holds for one request of a bank; `state` is undefined for a bank that was never admitted. */
export type BankKeys = {
  readonly state: BankState | undefined;
  readonly signature: PublicJwk | undefined;
  readonly recipient: PublicJwk | undefined;
};

export type ListedBank = { readonly id: InstitutionId; readonly state: BankState; readonly keys: readonly { readonly thumbprint: string; readonly use: KeyUse }[] };

/** Who changes the register. */
const operator = 'operator' as PartyId;
const keysMax = 10;

export function isBankId(value: unknown): value is InstitutionId {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/.test(value);
}

/** The keys of a bank that a request names: to check its signature with, and to seal to. Only keys in use. */
export async function bankKeys(sql: Sql, bank: InstitutionId, kid: string, recipient: string): Promise<BankKeys> {
  const { rows: [row] } = await sql.query<{ state: BankState; signature: PublicJwk | null; recipient: PublicJwk | null }>({
    name: 'custodian bank keys',
    text: `select state,
             (select jwk from custodian_bank_key where bank = id and use = 'sig' and kid = $2 and retired_ms is null) as signature,
             (select jwk from custodian_bank_key where bank = id and use = 'enc' and thumbprint = $3 and retired_ms is null) as recipient
           from custodian_bank where id = $1`,
    values: [bank, kid, recipient],
  });
  return { state: row?.state, signature: row?.signature ?? undefined, recipient: row?.recipient ?? undefined };
}

export type BankRegister = { readonly keysOf: (bank: InstitutionId, kid: string, recipient: string) => Promise<BankKeys>; /** What was found is asked for anew. */ readonly forget: () => void };

/** Combinations of a bank, its key and where it wants results that are kept. */
const keptMax = 1000;

/**
 * bankKeys that remembers active banks and keys in use. What it remembers may have been suspended or retired since:
 * whoever spends a ticket on it looks again, under lock, and makes it forget (uses.ts).
 */
export function bankRegister(sql: Sql): BankRegister {
  let kept = new BoundedCache<BankKeys>(keptMax);
  return {
    async keysOf(bank, kid, recipient) {
      const name = JSON.stringify([bank, kid, recipient]);
      const known = kept.get(name);
      if (known !== undefined) return known;
      const keeper = kept;
      const found = await bankKeys(sql, bank, kid, recipient);
      if (found.state === 'active' && found.signature !== undefined && found.recipient !== undefined) keeper.set(name, found);
      return found;
    },
    forget() {
      kept = new BoundedCache(keptMax);
    },
  };
}

/**
 * Admits a bank with its public keys, at least one to sign and one to seal to; for a bank that was admitted before, these
 * replace its keys: one that is left out is retired, at once and for ever. A suspended bank stays suspended.
 * @param jwks a JWK set (RFC 7517 section 5), checked against the bank by its operator's own way of trust
 * Errors: KEY_REFUSED, KEY_DUPLICATE, CONFIG_INVALID.
 */
export async function admitBank(database: Database, clock: Clock, bank: string, jwks: unknown): Promise<ListedBank> {
  if (!isBankId(bank)) throw new VeilgateError('CONFIG_INVALID', 'A bank\'s id has 1 to 128 letters, digits or . _ ~ -: use the one it has at the gateway.');
  const keys = keysIn(jwks);
  try {
    return await database.transaction('admit bank', async (tx) => {
      const nowMs = clock.nowMs();
      const { rowCount } = await tx.query("insert into custodian_bank (id, state, changed_ms) values ($1, 'active', $2) on conflict do nothing", [bank, nowMs]);
      await tx.query('select 1 from custodian_bank where id = $1 for update', [bank]);
      await tx.query('update custodian_bank_key set retired_ms = $3 where bank = $1 and retired_ms is null and thumbprint <> all($2::text[])', [bank, keys.map(({ thumbprint }) => thumbprint), nowMs]);
      for (const { thumbprint, jwk, use } of keys) await insertKey(tx, bank, thumbprint, jwk, use, nowMs);
      const thumbprints = keys.map(({ thumbprint }) => thumbprint);
      await append(tx, { ...recordHead(rowCount === 1 ? 'custodian.bank_admitted' : 'custodian.bank_keys_changed', nowMs, operator), institution: bank, thumbprints });
      return (await listBanks(tx, bank))[0] as ListedBank;
    });
  } catch (error) {
    throw isUniqueViolation(error) ? duplicate() : error;
  }
}

/** A key in use stays; one that was retired, or is another bank's, never comes back. */
async function insertKey(tx: Tx, bank: InstitutionId, thumbprint: string, jwk: PublicJwk, use: KeyUse, nowMs: number): Promise<void> {
  const { rows: [there] } = await tx.query<{ bank: string; use: KeyUse; retired: boolean }>('select bank, use, retired_ms is not null as retired from custodian_bank_key where thumbprint = $1', [thumbprint]);
  if (there !== undefined && (there.bank !== bank || there.use !== use || there.retired)) throw duplicate();
  if (there !== undefined) return;
  await tx.query('insert into custodian_bank_key (thumbprint, bank, kid, use, jwk, added_ms) values ($1, $2, $3, $4, $5, $6)', [thumbprint, bank, jwk.kid, use, JSON.stringify(jwk), nowMs]);
}

/** From now on nothing is opened for it, or again. Errors: CONFIG_INVALID when there is no such bank or it is so already. */
export async function setBankState(database: Database, clock: Clock, bank: string, state: BankState): Promise<void> {
  await database.transaction('bank state', async (tx) => {
    const nowMs = clock.nowMs();
    const { rowCount } = await tx.query('update custodian_bank set state = $2, changed_ms = $3 where id = $1 and state <> $2', [bank, state, nowMs]);
    if (rowCount !== 1) throw new VeilgateError('CONFIG_INVALID', `No bank of this id can be ${state === 'active' ? 'reinstated' : 'suspended'}: look at the list of banks.`);
    await append(tx, { ...recordHead(state === 'active' ? 'custodian.bank_reinstated' : 'custodian.bank_suspended', nowMs, operator), institution: bank as InstitutionId });
  });
}

/** Banks by id with their keys in use; one of them when `bank` is given. */
export async function listBanks(sql: Sql, bank?: InstitutionId): Promise<readonly ListedBank[]> {
  const { rows } = await sql.query<ListedBank>(
    `select id, state, coalesce((select jsonb_agg(jsonb_build_object('thumbprint', thumbprint, 'use', use) order by use, thumbprint)
       from custodian_bank_key where bank = id and retired_ms is null), '[]') as keys
     from custodian_bank where $1::text is null or id = $1 order by id`,
    [bank ?? null],
  );
  return rows;
}

/** True while a block that was not masked has not been looked at. */
export async function hasAlarm(sql: Sql): Promise<boolean> {
  return (await sql.query('select 1 from custodian_alarm where cleared_ms is null limit 1')).rowCount !== 0;
}

/** Clears all open alarms: results are opened again. @returns the tickets they came with */
export async function clearAlarms(database: Database, clock: Clock): Promise<readonly string[]> {
  return database.transaction('clear alarms', async (tx) => {
    const nowMs = clock.nowMs();
    const { rows } = await tx.query<{ ticket: string }>('update custodian_alarm set cleared_ms = $1 where cleared_ms is null returning ticket', [nowMs]);
    const tickets = rows.map(({ ticket }) => ticket);
    if (tickets.length > 0) await append(tx, { ...recordHead('custodian.alarm_cleared', nowMs, operator), tickets: tickets.slice(0, 100) });
    return tickets;
  });
}

async function append(tx: Tx, record: AuditRecord): Promise<void> {
  await appendRecords(tx, [record]);
}

type BankKey = { readonly thumbprint: string; readonly jwk: PublicJwk; readonly use: KeyUse };

function keysIn(jwks: unknown): readonly BankKey[] {
  const given = typeof jwks === 'object' && jwks !== null && 'keys' in jwks ? jwks.keys : undefined;
  if (!Array.isArray(given) || given.length === 0 || given.length > keysMax) throw new VeilgateError('CONFIG_INVALID', `A bank's keys are a JWK set of 1 to ${keysMax}: use what \`veilgate key show\` prints.`);
  const keys = given.map((jwk: unknown): BankKey => {
    const use = (jwk as { readonly use?: unknown } | null)?.use === 'enc' ? 'enc' : 'sig';
    const vetted = vetPublicKey(jwk, use);
    return { thumbprint: jwkThumbprint(vetted), jwk: vetted, use };
  });
  if (!(['sig', 'enc'] as const).every((use) => keys.some((key) => key.use === use))) {
    throw new VeilgateError('CONFIG_INVALID', 'A bank needs a key it signs with and a key that results are sealed to: ask it for both.');
  }
  return keys;
}

function duplicate(): VeilgateError {
  return new VeilgateError('KEY_DUPLICATE', 'A key of this set is another bank\'s, was retired before, or has the kid of another key: ask the bank for new keys.');
}
