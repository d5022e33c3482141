import { appendRecords, appending } from '../audit/append.ts';
import { recordHead, type AuditRecord } from '../audit/entry.ts';
import { isoTime, type Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { ReencryptionTicketClaims } from '../scoring/protocol.ts';
import { batcher } from '../store/batch.ts';
import type { Database, Tx } from '../store/database.ts';
import type { InstitutionId, PartyId, TimeMs } from '../vocabulary.ts';
import type { BankRequest } from './bank-request.ts';
import { Refusal, type RefusalReason, type RefusalStep } from './refusal.ts';
import type { OpeningTicket } from './ticket.ts';

/** Who asks: the one gateway there is. */
const gateway = 'gateway' as PartyId;
/** A retry after a crash takes a new ticket; more than this many answers to one request nobody needs. */
export const answersPerSlot = 3;

export type UseLimits = {
  /** Slots opened for one bank on one day (UTC). */
  readonly bankSlotsPerDay: number;
};

/** A ticket whose checks are all passed, but for those that are made under lock. */
export type OpeningUse = { readonly ticket: OpeningTicket; readonly request: BankRequest };

/** Tickets spent in one transaction at most, and how many may wait for the next. */
const batchMax = 32;
const waitingMax = 1024;

/**
 * Spends tickets: single use, the request's and the bank's slots, the log entry, in one transaction for all that arrive
 * while another is under way. Committed before anything is decrypted, so that a crash afterwards leaves a ticket that is
 * used and was never answered. A ticket that must not be opened spoils no other.
 * What it returns throws Refusal, and then nothing was spent; errors: CUSTODIAN_UNAVAILABLE, STORE_UNAVAILABLE.
 */
export function openingSpender(database: Database, clock: Clock, limits: UseLimits): (use: OpeningUse) => Promise<void> {
  const spendEach = async (uses: readonly OpeningUse[]): Promise<(undefined | Error)[]> => {
    try {
      await spendTogether(database, clock, uses, limits);
      return uses.map(() => undefined);
    } catch (error) {
      if (!(error instanceof Refusal) || uses.length === 1) return uses.map(() => error as Error);
      // one of them is at fault: halves find it sooner than one after the other
      const middle = uses.length >> 1;
      return [...await spendEach(uses.slice(0, middle)), ...await spendEach(uses.slice(middle))];
    }
  };
  return batcher(spendEach, {
    maxItems: batchMax, maxWaiting: waitingMax, onFull: () => new VeilgateError('CUSTODIAN_UNAVAILABLE', 'Too many tickets wait to be spent: ask with a new one in a second.'),
  });
}

/** All or none, in two trips. Throws the Refusal of the first check that one of them fails, in the order of all checks. */
async function spendTogether(database: Database, clock: Clock, uses: readonly OpeningUse[], limits: UseLimits): Promise<void> {
  const nowMs = clock.nowMs();
  await database.eagerTransaction('open', async (tx) => {
    const banks = [...new Set(uses.map(({ request }) => request.bank))];
    // the second statement sees what an operator committed while the first waited. Should `begin` alone fail, tickets may
    // be spent that are never opened: no harm (Database.eagerTransaction)
    const [active, { rows: [counted] }] = await Promise.all([
      tx.query({ name: 'custodian lock banks', text: "select id from custodian_bank where id = any($1::text[]) and state = 'active' order by id for share", values: [banks] }),
      tx.query<Counted>({ name: 'custodian spend', text: spendText, values: spendValues(uses, isoTime(nowMs).slice(0, 10), limits) }),
    ]);
    if (counted === undefined || counted.spent !== uses.length) throw new Refusal('use', 'used');
    if (counted.alarmed) throw new Refusal('alarm', 'open_alarm');
    if (active.rowCount !== banks.length) throw new Refusal('request', 'suspended');
    if (counted.signatures !== uses.length) throw new Refusal('request', 'TOKEN_KEY_UNKNOWN');
    if (counted.recipients !== uses.length) throw new Refusal('recipient', 'not_the_banks');
    if (counted.requests !== new Set(uses.map(({ request }) => `${request.bank} ${request.id}`)).size) throw await requestRefused(tx, uses);
    if (counted.days !== banks.length) throw new Refusal('limit', 'slots_of_day');
    const { statement, entries } = appending(uses.map((use) => openedRecord(use, nowMs)));
    return { statements: [statement], result: ([appended]) => void entries(appended) };
  });
}

/** How many of the uses, of their requests and of their banks passed what is checked under lock. */
type Counted = { readonly spent: number; readonly requests: number; readonly days: number; readonly signatures: number; readonly recipients: number; readonly alarmed: boolean };

// each step waits for the one before it, so that locks are always taken in this order: tickets, requests, days
const spendText = `
with asked as (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[])
    as a (ticket, bank, signature, recipient, request, digest, slots, slots_max)
), spent as (
  insert into custodian_ticket (id) select ticket from asked order by ticket on conflict do nothing returning id
), requests as (
  insert into custodian_request as before (bank, id, digest, slots, tickets)
  select bank, request, min(digest), sum(slots)::integer, count(*) from asked where (select count(*) from spent) = cardinality($1)
  group by bank, request having min(digest) = max(digest) and sum(slots) <= min(slots_max) order by bank, request
  on conflict (bank, id) do update set slots = before.slots + excluded.slots, tickets = before.tickets + excluded.tickets
  where before.digest = excluded.digest
    and before.slots + excluded.slots <= (select min(slots_max) from asked where asked.bank = before.bank and asked.request = before.id)
  returning 1
), days as (
  insert into custodian_day as before (bank, day, slots)
  select bank, $9::date, sum(slots)::bigint from asked where (select count(*) from requests) > 0
  group by bank having sum(slots) <= $10::bigint order by bank
  on conflict (bank, day) do update set slots = before.slots + excluded.slots where before.slots + excluded.slots <= $10::bigint
  returning 1
)
select (select count(*) from spent)::integer as spent, (select count(*) from requests)::integer as requests, (select count(*) from days)::integer as days,
  exists (select 1 from custodian_alarm where cleared_ms is null) as alarmed,
  (select count(*) from asked join custodian_bank_key k on k.thumbprint = signature and k.bank = asked.bank and k.use = 'sig' and k.retired_ms is null)::integer as signatures,
  (select count(*) from asked join custodian_bank_key k on k.thumbprint = recipient and k.bank = asked.bank and k.use = 'enc' and k.retired_ms is null)::integer as recipients`;

function spendValues(uses: readonly OpeningUse[], day: string, { bankSlotsPerDay }: UseLimits): unknown[] {
  const of = <Value>(member: (use: OpeningUse) => Value) => uses.map(member);
  return [
    of(({ ticket }) => ticket.jti), of(({ request }) => request.bank), of(({ request }) => request.signedBy), of(({ request }) => request.sealedFor),
    of(({ request }) => request.id), of(({ request }) => request.digest), of(({ ticket }) => ticket.slots.length), of(({ request }) => request.count * answersPerSlot),
    day, bankSlotsPerDay,
  ];
}

/** Of one ticket, why its request allows no more; several are looked at one by one anyway. */
async function requestRefused(tx: Tx, [use]: readonly OpeningUse[]): Promise<Refusal> {
  const { rows: [before] } = await tx.query<{ digest: string }>('select digest from custodian_request where bank = $1 and id = $2', [use?.request.bank, use?.request.id]);
  return before === undefined || before.digest === use?.request.digest ? new Refusal('use', 'slots_of_request') : new Refusal('use', 'other_request');
}

function openedRecord({ ticket, request }: OpeningUse, nowMs: TimeMs): AuditRecord {
  return {
    ...recordHead('custodian.opened', nowMs, gateway),
    institution: request.bank, ticket: ticket.jti, job: ticket.job, key: ticket.key, slots: ticket.slots.length, ciphertexts: ticket.ciphertexts, request: request.digest, grants: ticket.grants,
  };
}

/** The same for rotation, which no bank asks for. Throws Refusal, STORE_UNAVAILABLE. */
export async function useReencryptionTicket(database: Database, clock: Clock, ticket: ReencryptionTicketClaims): Promise<void> {
  await database.transaction('reencrypt', async (tx) => {
    await spend(tx, ticket.jti);
    const { jti, job, key, toKey, ciphertexts } = ticket;
    await appendRecords(tx, [{ ...recordHead('custodian.reencrypted', clock.nowMs(), gateway), ticket: jti, job, key, toKey, ciphertexts }]);
  });
}

async function spend(tx: Tx, ticket: string): Promise<void> {
  const { rows: [state] } = await tx.query<{ spent: boolean; alarmed: boolean }>({
    name: 'custodian ticket',
    text: `with spent as (insert into custodian_ticket (id) values ($1) on conflict do nothing returning id)
           select exists (select 1 from spent) as spent, exists (select 1 from custodian_alarm where cleared_ms is null) as alarmed`,
    values: [ticket],
  });
  if (state?.spent !== true) throw new Refusal('use', 'used');
  if (state.alarmed) throw new Refusal('alarm', 'open_alarm');
}

/** A block that did not look masked: from now on nothing is opened until the operator has looked. */
export async function raiseAlarm(database: Database, clock: Clock, ticket: string, institution: InstitutionId | null, test: string): Promise<void> {
  const nowMs = clock.nowMs();
  await database.transaction('alarm', async (tx) => {
    await tx.query('insert into custodian_alarm (ticket, raised_ms) values ($1, $2)', [ticket, nowMs]);
    await appendRecords(tx, [{ ...recordHead('custodian.alarm', nowMs, gateway), institution, ticket, test }]);
  });
}

export type RefusalFacts = { readonly step: RefusalStep; readonly reason: RefusalReason; readonly institution: InstitutionId | null; readonly ticket: string | null; readonly count: number };

/** Refusals into the log, at most a thousand at once. */
export async function recordRefusals(database: Database, clock: Clock, refusals: readonly RefusalFacts[]): Promise<void> {
  const nowMs = clock.nowMs();
  await database.transaction('refusals', (tx) => appendRecords(tx, refusals.map((facts) => ({ ...recordHead('custodian.refused', nowMs, gateway), ...facts }))));
}
