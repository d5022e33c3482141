import { VeilgateError, isVeilgateError } from '../errors.ts';
import type { TimeMs } from '../vocabulary.ts';
import { unknownKey } from './strict-jws.ts';
import { importVerificationKey, type VerificationKey } from './verification-key.ts';

/** Fetches an issuer's JWK set (RFC 7517 section 5), parsed; rejects when it cannot. The gateway's own issuer answers from memory. */
export type FetchJwks = (issuer: string) => Promise<unknown>;

export type IssuerKeysOptions = {
  readonly issuers: readonly string[];
  readonly fetchJwks: FetchJwks;
  /** A set this old is fetched again before use, so that a withdrawn key is noticed. */
  readonly maxAgeMs?: number;
  /** An issuer that cannot be reached is believed on its old set for this long. */
  readonly staleMaxMs?: number;
  /** Least time between two fetches: unknown key ids cannot make the gateway hammer the issuer. */
  readonly coolDownMs?: number;
};

export type IssuerKeys = {
  readonly trusts: (issuer: string) => boolean;
  /** The issuer's present key of that id. Errors: TOKEN_ISSUER_UNTRUSTED, TOKEN_ISSUER_UNAVAILABLE, TOKEN_KEY_UNKNOWN. */
  readonly find: (issuer: string, kid: string, nowMs: TimeMs) => Promise<VerificationKey>;
};

const keysMax = 50;

/** The signature keys of trusted issuers, fetched when needed and kept for a while. */
export function issuerKeys(options: IssuerKeysOptions): IssuerKeys {
  const { fetchJwks, maxAgeMs = 300_000, staleMaxMs = 900_000, coolDownMs = 10_000 } = options;
  type State = { keys: ReadonlyMap<string, VerificationKey>; fetchedMs: number; triedMs: number; refresh: Promise<void> | undefined };
  const never = Number.NEGATIVE_INFINITY;
  const states = new Map(options.issuers.map((issuer): [string, State] => [issuer, { keys: new Map(), fetchedMs: never, triedMs: never, refresh: undefined }]));

  /** One fetch at a time; a failed one leaves what was known. */
  const refresh = (issuer: string, state: State, nowMs: TimeMs): Promise<void> => {
    if (state.refresh !== undefined) return state.refresh;
    if (nowMs - state.triedMs < coolDownMs) return Promise.resolve();
    state.triedMs = nowMs;
    state.refresh = fetchJwks(issuer)
      .then(readKeys)
      .then((keys) => {
        state.keys = keys;
        state.fetchedMs = nowMs;
      })
      .catch(() => {})
      .finally(() => { state.refresh = undefined; });
    return state.refresh;
  };

  return {
    trusts: (issuer) => states.has(issuer),
    async find(issuer, kid, nowMs) {
      const state = states.get(issuer);
      if (state === undefined) throw untrusted();
      if (nowMs - state.fetchedMs >= maxAgeMs) await refresh(issuer, state, nowMs);
      if (nowMs - state.fetchedMs >= staleMaxMs) {
        throw new VeilgateError('TOKEN_ISSUER_UNAVAILABLE', 'The authorization server\'s keys cannot be had right now: try again in a few seconds.');
      }
      const known = state.keys.get(kid);
      if (known !== undefined) return known;
      await refresh(issuer, state, nowMs);
      const fresh = state.keys.get(kid);
      if (fresh === undefined) throw unknownKey();
      return fresh;
    },
  };
}

export function untrusted(): VeilgateError {
  return new VeilgateError('TOKEN_ISSUER_UNTRUSTED', 'The token is not from an authorization server this gateway trusts: fetch one from the server its metadata names.');
}

/** Keys for other uses, or of kinds the gateway does not take, are left out; so is an id that two keys share. */
function readKeys(jwks: unknown): ReadonlyMap<string, VerificationKey> {
  const listed = (jwks as { readonly keys?: unknown } | null)?.keys;
  if (!Array.isArray(listed) || listed.length > keysMax) throw new VeilgateError('TOKEN_ISSUER_UNAVAILABLE', 'The authorization server does not answer with a JWK set.');
  const keys = new Map<string, VerificationKey>();
  const shared = new Set<string>();
  for (const jwk of listed) {
    const key = usableKey(jwk);
    if (key === undefined) continue;
    if (keys.has(key.kid)) shared.add(key.kid);
    keys.set(key.kid, key);
  }
  for (const kid of shared) keys.delete(kid);
  return keys;
}

function usableKey(jwk: unknown): VerificationKey | undefined {
  try {
    return importVerificationKey(jwk);
  } catch (error) {
    if (isVeilgateError(error, 'KEY_REFUSED')) return undefined;
    throw error;
  }
}
