import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { ScoreTicketClaims } from '../scoring/protocol.ts';
import type { PublicJwk, Signer } from '../vocabulary.ts';

/** A key of the custodian, as its signed statement says. */
export type CustodianKey = {
  readonly keyId: string;
  /** Parameter set, such as `veilgate-score-1`. */
  readonly parameters: string;
  readonly publicKey: Uint8Array;
};

/** What the caller says of a ticket; issuer, audience, times, id and digests are added here. */
export type TicketFacts = Pick<ScoreTicketClaims, 'job' | 'key' | 'parameters' | 'slots' | 'grants' | 'request'>;

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
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
};

export function createCustodianClient(_options: CustodianClientOptions): CustodianClient {
  throw new VeilgateError('CUSTODIAN_UNAVAILABLE', 'The custodian does not answer: try again in a few seconds.');
}
