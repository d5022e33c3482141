import { appendRecords } from '../audit/append.ts';
import { recordHead, type AuditRecord } from '../audit/entry.ts';
import { isoTime, type Clock } from '../clock.ts';
import type { ReencryptionTicketClaims, ScoreTicketClaims } from '../scoring/protocol.ts';
import type { Database, Tx } from '../store/database.ts';
import type { InstitutionId, PartyId } from '../vocabulary.ts';
import type { BankRequest } from './bank-request.ts';
import { Refusal, type RefusalReason, type RefusalStep } from './refusal.ts';

/** Who asks: the one gateway there is. */
const gateway = 'gateway' as PartyId;
/** A retry after a crash takes a new ticket; more than this many answers to one request nobody needs. */
export const answersPerSlot = 3;

export type UseLimits = {
  /** Slots opened for one bank on one day (UTC). */
  readonly bankSlotsPerDay: number;
};

/**
 * Spends a ticket: single use, the request's and the bank's slots, the log entry, in one transaction. Committed before
 * anything is decrypted, so that a crash afterwards leaves a ticket that is used and was never answered.
 * Throws Refusal, and then nothing was spent; STORE_UNAVAILABLE.
 */
export async function useOpeningTicket(database: Database, clock: Clock, ticket: ScoreTicketClaims, request: BankRequest, limits: UseLimits): Promise<void> {
  const slots = ticket.slots.length;
  const nowMs = clock.nowMs();
  await database.transaction('open', async (tx) => {
    await spend(tx, ticket.jti);
    await requireActive(tx, request);
    const counted = await tx.query({
      name: 'custodian request slots',
      text: `insert into custodian_request as before (bank, id, digest, slots, tickets) values ($1, $2, $3, $4, 1)
             on conflict (bank, id) do update set slots = before.slots + excluded.slots, tickets = before.tickets + 1
             where before.digest = excluded.digest and before.slots + excluded.slots <= $5
             returning 1`,
      values: [request.bank, request.id, request.digest, slots, request.count * answersPerSlot],
    });
    if (counted.rowCount !== 1) {
      const { rows: [before] } = await tx.query<{ digest: string }>('select digest from custodian_request where bank = $1 and id = $2', [request.bank, request.id]);
      throw before?.digest === request.digest ? new Refusal('use', 'slots_of_request') : new Refusal('use', 'other_request');
    }
    const day = await tx.query({
      name: 'custodian day slots',
      text: `insert into custodian_day as before (bank, day, slots) select $1, $2, $3::bigint where $3::bigint <= $4
             on conflict (bank, day) do update set slots = before.slots + excluded.slots where before.slots + excluded.slots <= $4
             returning 1`,
      values: [request.bank, isoTime(nowMs).slice(0, 10), slots, limits.bankSlotsPerDay],
    });
    if (day.rowCount !== 1) throw new Refusal('limit', 'slots_of_day');
    const record: AuditRecord = {
      ...recordHead('custodian.opened', nowMs, gateway),
      institution: request.bank, ticket: ticket.jti, job: ticket.job, key: ticket.key, slots, ciphertexts: ticket.ciphertexts, request: request.digest, grants: ticket.grants,
    };
    await appendRecords(tx, [record]);
  });
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

/** Suspension and retirement act at once: no ticket is spent for a bank that the operator turned away a moment ago. */
async function requireActive(tx: Tx, { bank, recipient }: BankRequest): Promise<void> {
  const { rows: [found] } = await tx.query<{ active: boolean; registered: boolean }>({
    name: 'custodian bank still active',
    text: `select state = 'active' as active,
             exists (select 1 from custodian_bank_key where bank = custodian_bank.id and use = 'enc' and kid = $2 and retired_ms is null) as registered
           from custodian_bank where id = $1 for share`,
    values: [bank, recipient.kid],
  });
  if (found?.active !== true) throw new Refusal('request', 'suspended');
  if (!found.registered) throw new Refusal('recipient', 'not_the_banks');
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
