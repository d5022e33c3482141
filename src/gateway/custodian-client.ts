import { hash, randomBytes } from 'node:crypto';
import { limitedBody } from '../audit/body.ts';
import { epochSeconds, type Clock } from '../clock.ts';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { parameterSetOf } from '../he/parameters.ts';
import { checkCiphertextBytes, checkPublicKeyBytes } from '../he/wire.ts';
import { decodeBase64url } from '../identity/base64url.ts';
import { verifyCompact } from '../identity/strict-jws.ts';
import { importVerificationKey } from '../identity/verification-key.ts';
import { joinFrames } from '../scoring/frames.ts';
import type { ReencryptionTicketClaims, ScoreTicketClaims, TicketFacts } from '../scoring/protocol.ts';
import { slotBits } from '../scoring/slots.ts';
import { parseStrictJson } from '../strict-json.ts';
import type { PublicJwk, Signer } from '../vocabulary.ts';

/** A key of the custodian, as its signed statement says. */
export type CustodianKey = {
  readonly keyId: string;
  /** Parameter set, such as `veilgate-score-1`. */
  readonly parameters: string;
  readonly publicKey: Uint8Array;
};

export type CustodianClient = {
  /** The key that new columns are encrypted under. Errors: CUSTODIAN_UNAVAILABLE, CUSTODIAN_REFUSED. */
  readonly publicKey: () => Promise<CustodianKey>;
  /** One that is not retired, by its id. Errors: CUSTODIAN_UNAVAILABLE, CUSTODIAN_REFUSED. */
  readonly keyById: (keyId: string) => Promise<CustodianKey>;
  /**
   * Has masked results (`resultBytes` each, score first) opened for the bank that signed the request.
   * A ticket is never sent twice: after CUSTODIAN_UNAVAILABLE call again, which makes a new one.
   * @returns the ticket's id, for the gateway's half, and the custodian's half: a compact JWE
   * Errors: CUSTODIAN_UNAVAILABLE, CUSTODIAN_REFUSED.
   */
  readonly open: (asked: { readonly ticket: TicketFacts; readonly ciphertexts: readonly Uint8Array[] }) => Promise<{ readonly ticket: string; readonly half: string }>;
  /**
   * Has one masked block encrypted anew under a later key (rotation).
   * @returns the ciphertext under `toKey`, `columnBytes` long, still masked
   * Errors: CUSTODIAN_UNAVAILABLE, CUSTODIAN_REFUSED.
   */
  readonly reencrypt: (asked: { readonly job: string; readonly key: string; readonly toKey: string; readonly parameters: string; readonly ciphertext: Uint8Array }) => Promise<Uint8Array>;
};

export type CustodianClientOptions = {
  readonly url: string;
  /** The custodian's id: audience of tickets, issuer of statements. */
  readonly id: string;
  /** The gateway's public URL: issuer of tickets. */
  readonly gatewayUrl: string;
  readonly signer: Signer;
  /** The custodian's statement key, learned by a way of trust. */
  readonly pinnedKey: PublicJwk;
  readonly clock: Clock;
  /** Longest wait for an answer. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
};

/** How long a ticket is good: as long as an answer is waited for, and clocks may differ. */
const ticketLifetimeS = 60;
const statementLifetimeMaxS = 3600;
const defaultTimeoutMs = 15_000;
const keyAnswerLengthMax = 524_288;
/** Longest half: 4,096 slots of 64 results, sealed and padded. */
const halfLengthMax = 8_388_608;
const keyTries = 3;

/** Errors: KEY_REFUSED when the pinned key is no signature key. */
export function createCustodianClient(options: CustodianClientOptions): CustodianClient {
  const base = options.url.replace(/\/+$/, '');
  const pinned = importVerificationKey(options.pinnedKey);
  const ask = asker(options.fetch ?? fetch, options.timeoutMs ?? defaultTimeoutMs);

  const key = async (path: string, expectedId?: string): Promise<CustodianKey> => {
    const body = await again(keyTries, () => ask(`${base}${path}`, undefined, 'application/json', keyAnswerLengthMax));
    return trusted(async () => {
      const { statement, public_key: text } = parseStrictJson(new TextDecoder().decode(body)) as { readonly statement?: unknown; readonly public_key?: unknown };
      const { claims } = await verifyCompact({
        jws: String(statement), typ: 'he-key+jwt', keys: (kid) => (kid === pinned.kid ? pinned : undefined), issuer: options.id, audience: options.gatewayUrl,
        maxLifetimeS: statementLifetimeMaxS, requiredClaims: ['key', 'parameters', 'digest'], nowMs: options.clock.nowMs(),
      });
      const { key: keyId, parameters, digest } = claims;
      const publicKey = decodeBase64url(String(text));
      const set = parameterSetOf(String(parameters));
      if (publicKey === undefined || set === undefined || typeof keyId !== 'string' || (expectedId !== undefined && keyId !== expectedId)) throw refused();
      if (hash('sha256', publicKey, 'hex') !== digest) throw refused();
      checkPublicKeyBytes(set, publicKey);
      return { keyId, parameters: set.id, publicKey: new Uint8Array(publicKey) };
    });
  };

  /** A new ticket for every call; its id is random, so no two calls share one. */
  const send = async (path: string, typ: string, claims: Omit<ScoreTicketClaims, Stamp> | Omit<ReencryptionTicketClaims, Stamp>, ciphertexts: readonly Uint8Array[], mediaType: string, lengthMax: number) => {
    const iat = epochSeconds(options.clock.nowMs());
    const ticket = randomBytes(16).toString('base64url');
    const jws = await options.signer.sign(typ, { ...claims, iss: options.gatewayUrl, aud: options.id, iat, exp: iat + ticketLifetimeS, jti: ticket });
    const body = await ask(`${base}${path}`, joinFrames([new TextEncoder().encode(jws), ...ciphertexts]), mediaType, lengthMax);
    return { ticket, body };
  };

  return {
    publicKey: () => key('/v1/key'),
    keyById: (keyId) => key(`/v1/keys/${encodeURIComponent(keyId)}`, keyId),
    async open({ ticket: { slots, ...facts }, ciphertexts }) {
      const set = parameterSetOf(facts.parameters);
      if (set === undefined) throw refused();
      const claims = { ...facts, slots: Buffer.from(slotBits(slots, set.slots)).toString('base64url'), ciphertexts: ciphertexts.map(digestOf) };
      const { ticket, body } = await send('/v1/open', 'score-ticket+jwt', claims, ciphertexts, 'application/jose', halfLengthMax);
      const half = new TextDecoder('latin1').decode(body);
      // five parts, of which ECDH-ES leaves the second empty; only the bank can say more
      if (!/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(half)) throw refused();
      return { ticket, half };
    },
    async reencrypt({ ciphertext, parameters, ...facts }) {
      const set = parameterSetOf(parameters);
      if (set === undefined) throw refused();
      const claims = { ...facts, parameters, ciphertexts: [digestOf(ciphertext)] as const };
      const { body } = await send('/v1/reencrypt', 'reencryption-ticket+jwt', claims, [ciphertext], 'application/octet-stream', set.columnBytes);
      return trusted(async () => {
        checkCiphertextBytes(set, body, 'column');
        return body;
      });
    },
  };
}

type Stamp = 'iss' | 'aud' | 'iat' | 'exp' | 'jti';

function digestOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

type Ask = (url: string, body: Uint8Array<ArrayBuffer> | undefined, mediaType: string, lengthMax: number) => Promise<Uint8Array<ArrayBuffer>>;

/** One exchange. Whether a request that broke off was worked on is unknown: nothing is sent again here. */
function asker(fetchImplementation: typeof fetch, timeoutMs: number): Ask {
  return async (url, body, mediaType, lengthMax) => {
    let answer: Uint8Array<ArrayBuffer> | undefined;
    let response: Response;
    try {
      response = await fetchImplementation(url, {
        redirect: 'error', signal: AbortSignal.timeout(timeoutMs),
        ...(body === undefined ? {} : { method: 'POST', body, headers: { 'Content-Type': 'application/octet-stream' } }),
      });
      answer = await limitedBody(response, lengthMax);
    } catch {
      throw unavailable();
    }
    if (response.status === 403 || response.status === 404) throw refused();
    if (!response.ok) throw unavailable();
    if (answer === undefined || response.headers.get('content-type')?.split(';')[0] !== mediaType) throw refused();
    return answer;
  };
}

/** Asking for a key changes nothing, so it may be asked again. */
async function again<T>(tries: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (tries <= 1 || !isVeilgateError(error, 'CUSTODIAN_UNAVAILABLE')) throw error;
    return again(tries - 1, work);
  }
}

/** An answer that is not what it must be comes from somebody else: the pinned key decides, not the address. */
async function trusted<T>(check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch {
    throw refused();
  }
}

function unavailable(): VeilgateError {
  return new VeilgateError('CUSTODIAN_UNAVAILABLE', 'The key custodian does not answer right now: try again in a few seconds.');
}

function refused(): VeilgateError {
  return new VeilgateError('CUSTODIAN_REFUSED', 'The key custodian refused, or answered what is not its own: its operator can read the reason in its log.');
}
