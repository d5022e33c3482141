import { hash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { sealFor } from '../disclosure/seal.ts';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { checkCiphertextBytes } from '../he/wire.ts';
import { splitFrames } from '../scoring/frames.ts';
import type { CustodianHalf, ScoreTicketClaims } from '../scoring/protocol.ts';
import type { Database } from '../store/database.ts';
import type { InstitutionId } from '../vocabulary.ts';
import { readBankRequest, type BankRequest, type RequestRules } from './bank-request.ts';
import type { Decryption } from './decryption.ts';
import type { ThreadAnswer } from './decryption-task.ts';
import type { HeKey } from './he-keys.ts';
import { Refusal } from './refusal.ts';
import { readOpeningTicket, readReencryptionTicket, ticketLengthMax, type OpeningTicket, type PinnedGateway } from './ticket.ts';
import { raiseAlarm, useReencryptionTicket, type OpeningUse } from './uses.ts';

/** What opening needs. */
export type OpeningDesk = {
  readonly id: string;
  readonly gateway: PinnedGateway;
  readonly database: Database;
  readonly clock: Clock;
  /** By id; those that were not retired. */
  readonly keys: () => ReadonlyMap<string, HeKey>;
  readonly decryption: () => Decryption;
  readonly banks: RequestRules['banks'];
  /** Makes a ticket used and logged, durable when it resolves; throws Refusal. Errors: CUSTODIAN_UNAVAILABLE, STORE_UNAVAILABLE. */
  readonly spend: (use: OpeningUse) => Promise<void>;
  readonly limits: { readonly ciphertextsMax: number };
  /** Counts a ticket of the gateway; throws Refusal. `bank` is absent for rotation. */
  readonly countTicket: (bank?: InstitutionId) => Promise<void>;
};

/** What is known of a request when it is refused: for the log. */
export type Seen = { /** Set once the gateway's signature was found good. */ ticket: string | null; institution: InstitutionId | null };

/**
 * Opens masked results for the bank that asked for them: read ticket → check key and ciphertexts → check slots → read
 * the bank's request → spend the ticket and log it → decrypt, test the mask → seal to the bank. Nothing is decrypted
 * before the spent ticket is durable, and a crash after that is never made good: a new ticket is.
 * @returns the custodian's half, a compact JWE for the bank. Throws Refusal; errors: CUSTODIAN_UNAVAILABLE, STORE_UNAVAILABLE.
 */
export async function openMasked(body: Uint8Array, desk: OpeningDesk, seen: Seen): Promise<string> {
  const { jws, ciphertexts } = readBody(body, desk.limits.ciphertextsMax);
  const ticket = await readOpeningTicket(jws, ticketRules(desk));
  seen.ticket = ticket.jti;
  const key = keyOf(desk, ticket.key, ticket.parameters);
  checkCiphertexts(ticket, ciphertexts, key);
  if (ticket.slotsMax !== key.set.slots) throw new Refusal('slots', 'range');
  const request = await readRequest(ticket, desk);
  seen.institution = request.bank;
  await desk.countTicket(request.bank);
  await desk.spend({ ticket, request });
  const answer = await desk.decryption().run({ kind: 'open', key: key.id, ciphertexts, slots: ticket.slots });
  const masked = await expectMasked(answer, 'opened', desk, ticket, request.bank);
  return seal({ v: 2, ticket: ticket.jti, masked: masked.masked.map((bytes) => Buffer.from(bytes).toString('base64url')) }, request, desk);
}

/**
 * Encrypts one masked block anew under a later key: read ticket → check keys and ciphertext → spend and log → decrypt,
 * test the mask, encrypt. @returns the ciphertext. Throws Refusal; errors: CUSTODIAN_UNAVAILABLE, STORE_UNAVAILABLE.
 */
export async function reencryptMasked(body: Uint8Array, desk: OpeningDesk, seen: Seen): Promise<Uint8Array> {
  const { jws, ciphertexts } = readBody(body, 1);
  const ticket = await readReencryptionTicket(jws, ticketRules(desk));
  seen.ticket = ticket.jti;
  const key = keyOf(desk, ticket.key, ticket.parameters);
  const toKey = keyOf(desk, ticket.toKey, ticket.parameters);
  if (toKey.created <= key.created) throw new Refusal('key', 'not_newer');
  checkCiphertexts(ticket, ciphertexts, key);
  await desk.countTicket();
  await useReencryptionTicket(desk.database, desk.clock, ticket);
  const answer = await desk.decryption().run({ kind: 'reencrypt', key: key.id, toKey: toKey.id, ciphertext: ciphertexts[0] as Uint8Array });
  return (await expectMasked(answer, 'reencrypted', desk, ticket, null)).ciphertext;
}

function ticketRules(desk: OpeningDesk) {
  return { gateway: desk.gateway, audience: desk.id, ciphertextsMax: desk.limits.ciphertextsMax, nowMs: desk.clock.nowMs() };
}

function readBody(body: Uint8Array, ciphertextsMax: number): { readonly jws: string; readonly ciphertexts: readonly Uint8Array[] } {
  const [ticket, ...ciphertexts] = splitFrames(body, 1 + ciphertextsMax) ?? [];
  if (ticket === undefined || ticket.length > ticketLengthMax || ciphertexts.length === 0) throw new Refusal('body', 'malformed');
  return { jws: Buffer.from(ticket).toString('latin1'), ciphertexts };
}

function keyOf(desk: OpeningDesk, id: string, parameters: string): HeKey {
  const key = desk.keys().get(id);
  if (key === undefined) throw new Refusal('key', 'unknown');
  if (key.set.id !== parameters) throw new Refusal('key', 'form');
  return key;
}

/** Exactly those that the gateway signed for, and of a form that SEAL may be given. */
function checkCiphertexts(ticket: Pick<ScoreTicketClaims, 'ciphertexts'>, ciphertexts: readonly Uint8Array[], { set }: HeKey): void {
  if (ciphertexts.length !== ticket.ciphertexts.length) throw new Refusal('ciphertext', 'count');
  if (ciphertexts.some(({ length }) => length !== set.resultBytes)) throw new Refusal('ciphertext', 'length');
  if (ciphertexts.some((bytes, at) => hash('sha256', bytes, 'hex') !== ticket.ciphertexts[at])) throw new Refusal('ciphertext', 'digest');
  try {
    for (const bytes of ciphertexts) checkCiphertextBytes(set, bytes, 'result');
  } catch (error) {
    throw isVeilgateError(error, 'HE_CIPHERTEXT_REFUSED') ? new Refusal('ciphertext', 'form') : error;
  }
}

async function readRequest(ticket: OpeningTicket, desk: OpeningDesk): Promise<BankRequest> {
  const request = await readBankRequest(ticket.request, { audience: desk.gateway.url, nowMs: desk.clock.nowMs(), banks: desk.banks });
  if (ticket.slots.length > request.count) throw new Refusal('slots', 'count');
  return request;
}

async function expectMasked<Kind extends 'opened' | 'reencrypted'>(answer: ThreadAnswer, kind: Kind, desk: OpeningDesk, { jti }: { readonly jti: string }, bank: InstitutionId | null): Promise<ThreadAnswer & { readonly kind: Kind }> {
  if (answer.kind === kind) return answer as ThreadAnswer & { readonly kind: Kind };
  if (answer.kind === 'refused') throw new Refusal('ciphertext', 'unusable');
  if (answer.kind === 'not_masked') {
    await raiseAlarm(desk.database, desk.clock, jti, bank, answer.fault);
    throw new Refusal('mask', 'not_uniform');
  }
  throw new VeilgateError('INTERNAL', 'A decryption thread answered another question.');
}

function seal(half: CustodianHalf, { bank, digest, recipient }: BankRequest, desk: OpeningDesk): Promise<string> {
  return sealFor(recipient, half, { issuer: desk.id, audience: bank, jti: digest, issuedAtMs: desk.clock.nowMs() });
}
