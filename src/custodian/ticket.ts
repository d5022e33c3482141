import { isVeilgateError } from '../errors.ts';
import { decodeBase64url } from '../identity/base64url.ts';
import { verifyCompact, type StandardClaims } from '../identity/strict-jws.ts';
import type { VerificationKey } from '../identity/verification-key.ts';
import type { ReencryptionTicketClaims, ScoreTicketClaims } from '../scoring/protocol.ts';
import { slotsOfBits } from '../scoring/slots.ts';
import type { TimeMs } from '../vocabulary.ts';
import { Refusal, type RefusalStep } from './refusal.ts';

export const openingTicketType = 'score-ticket+jwt';
export const reencryptionTicketType = 'reencryption-ticket+jwt';

/** Longest ticket, characters: the bits of 4,096 slots, 65 digests and the longest request take less. */
export const ticketLengthMax = 24_576;
const ticketLifetimeMaxS = 60;
/** 128 random bits. */
const ticketIdBytes = 16;
const requestLengthMax = 8192;

/** The gateway as the custodian was told to know it. */
export type PinnedGateway = {
  /** Its public URL: issuer of tickets, audience of banks' requests. */
  readonly url: string;
  /** By kid. */
  readonly keys: ReadonlyMap<string, VerificationKey>;
};

export type TicketRules = { readonly gateway: PinnedGateway; /** This custodian's id. */ readonly audience: string; readonly ciphertextsMax: number; readonly nowMs: TimeMs };

const common = ['iss', 'aud', 'iat', 'exp', 'jti', 'job', 'key', 'parameters', 'ciphertexts'] as const;
const openingMembers: readonly string[] = [...common, 'slots', 'grants', 'request'];
const reencryptionMembers: readonly string[] = [...common, 'toKey'];

/** A ticket whose form was looked at; `slotsMax`: how many its bits have room for. */
export type OpeningTicket = Omit<ScoreTicketClaims, 'slots'> & { /** Ascending. */ readonly slots: Uint32Array; readonly slotsMax: number };

/** Checks a ticket's signature, claims and form; slots not yet against the key. Throws Refusal. */
export async function readOpeningTicket(jws: string, rules: TicketRules): Promise<OpeningTicket> {
  const claims = await readSigned(jws, openingTicketType, openingMembers, rules);
  const { slots: text, grants, request, ...others } = claims;
  const bits = typeof text === 'string' ? decodeBase64url(text) : undefined;
  const slots = slotsOfBits(bits ?? new Uint8Array());
  const wellFormed = bits !== undefined && slots.length > 0 && isDigest(grants) && typeof request === 'string' && request.length <= requestLengthMax;
  if (!wellFormed) throw new Refusal('ticket', 'malformed');
  return { ...others, grants, request, slots, slotsMax: 8 * bits.length };
}

/** The same for rotation. Throws Refusal. */
export async function readReencryptionTicket(jws: string, rules: TicketRules): Promise<ReencryptionTicketClaims> {
  const { toKey, ciphertexts: [ciphertext, ...others], ...claims } = await readSigned(jws, reencryptionTicketType, reencryptionMembers, rules);
  if (!isName(toKey) || ciphertext === undefined || others.length > 0) throw new Refusal('ticket', 'malformed');
  return { ...claims, toKey, ciphertexts: [ciphertext] };
}

/** Members that every ticket has, looked at one by one. */
type CommonClaims = StandardClaims & Pick<ScoreTicketClaims, 'aud' | 'job' | 'key' | 'parameters' | 'ciphertexts'>;

async function readSigned(jws: string, typ: string, members: readonly string[], rules: TicketRules): Promise<CommonClaims> {
  const { claims } = await strictly('ticket', () => verifyCompact({
    jws, typ, keys: (kid) => rules.gateway.keys.get(kid), issuer: rules.gateway.url, audience: rules.audience,
    maxLifetimeS: ticketLifetimeMaxS, requiredClaims: members, maxLength: ticketLengthMax, nowMs: rules.nowMs,
  }));
  const { aud, jti, job, key, parameters, ciphertexts } = claims;
  const wellFormed = Object.keys(claims).every((name) => members.includes(name)) && typeof aud === 'string' && decodeBase64url(jti)?.length === ticketIdBytes
    && isId(job) && isName(key) && isName(parameters)
    && Array.isArray(ciphertexts) && ciphertexts.length > 0 && ciphertexts.length <= rules.ciphertextsMax && ciphertexts.every(isDigest);
  if (!wellFormed) throw new Refusal('ticket', 'malformed');
  return { ...claims, aud, job, key, parameters, ciphertexts };
}

/** Runs a check of a token; what it finds wrong becomes a Refusal of this step. */
export async function strictly<T>(step: RefusalStep, check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    if (isVeilgateError(error) && !error.code.startsWith('STORE')) throw new Refusal(step, error.code);
    throw error;
  }
}

export function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/.test(value);
}

/** A request's jti may stand here, whatever it looks like. */
function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value);
}
