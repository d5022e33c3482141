import { hash } from 'node:crypto';
import { VeilgateError } from '../errors.ts';
import type { GrantId, PartyId, Scope, TimeMs } from '../vocabulary.ts';
import { BoundedCache } from './bounded-cache.ts';
import { untrusted, type IssuerKeys } from './issuer-keys.ts';
import { checkClaims, checkSignature, checkTimes, keyIdOf, readClaims, readCompact, readHeader, unknownKey, type Claims } from './strict-jws.ts';

/** What an access token says, after all checks. Whether its party may still do so is admit's to say. */
export type AccessToken = {
  readonly issuer: string;
  readonly jti: string;
  readonly party: PartyId;
  /** Scopes the token was issued for. */
  readonly scopes: ReadonlySet<Scope>;
  /** RFC 7638 thumbprint of the key that DPoP proofs must be made with. */
  readonly dpopKeyThumbprint: string;
  readonly grant?: GrantId;
  /** SHA-256 of the token's text, base64url: the `ath` of its proofs. */
  readonly digest: string;
};

export type AccessTokens = {
  /** Errors: TOKEN_ codes, those of strict-json. */
  readonly verify: (token: string, nowMs: TimeMs) => Promise<AccessToken>;
};

export type AccessTokenOptions = {
  /** The gateway's public URL. */
  readonly audience: string;
  readonly issuers: IssuerKeys;
  /** Longest lifetime accepted, seconds; 900 when absent. */
  readonly maxLifetimeS?: number;
  /** Verified tokens remembered; 10,000 when absent. */
  readonly maxCached?: number;
};

const lengthMax = 8192;
/** RFC 9068 section 4 allows both. */
const types = ['at+jwt', 'application/at+jwt'];
/** What RFC 9068 section 2.2 demands beyond the claims of every token, and the binding of RFC 9449 section 6.1. */
const requiredClaims = ['sub', 'client_id', 'cnf'];
const scopesKnown: ReadonlySet<string> = new Set<Scope>(['query', 'grants', 'records', 'registry', 'compliance', 'audit']);
const consentType = 'veilgate_consent';
const partyGrammar = /^[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]$/;
const thumbprintGrammar = /^[A-Za-z0-9_-]{43}$/;
const grantGrammar = /^[A-Za-z0-9_-]{22}$/;
const detailsMax = 10;

/**
 * Checks JWT access tokens (RFC 9068) bound to a DPoP key. A token that was checked before needs no second signature
 * check; its times, and that its issuer still publishes the very key, are checked every time.
 */
export function accessTokens(options: AccessTokenOptions): AccessTokens {
  type Known = { readonly token: AccessToken; readonly kid: string; readonly keyThumbprint: string; readonly times: { readonly iat: number; readonly nbf?: number; readonly exp: number } };
  const known = new BoundedCache<Known>(options.maxCached ?? 10_000);

  return {
    async verify(text, nowMs) {
      const digest = hash('sha256', text, 'base64url');
      const before = known.get(digest);
      if (before !== undefined) {
        checkTimes(before.times, nowMs);
        const key = await options.issuers.find(before.token.issuer, before.kid, nowMs);
        if (key.thumbprint !== before.keyThumbprint) throw unknownKey();
        return before.token;
      }
      const compact = readCompact(text, lengthMax);
      const header = readHeader(compact, types, ['kid']);
      const kid = keyIdOf(header);
      // read before the signature is checked, to know whose key to check it with
      const claims = readClaims(compact);
      const issuer = claims['iss'];
      if (typeof issuer !== 'string' || !options.issuers.trusts(issuer)) throw untrusted();
      const key = await options.issuers.find(issuer, kid, nowMs);
      await checkSignature(compact, header, key);
      checkClaims(claims, { issuer, audience: options.audience, maxLifetimeS: options.maxLifetimeS ?? 900, requiredClaims, nowMs });
      const grant = grantOf(claims['authorization_details']);
      const token: AccessToken = {
        issuer, jti: claims.jti, party: partyOf(claims), scopes: scopesOf(claims['scope']), dpopKeyThumbprint: bindingOf(claims['cnf']),
        ...(grant === undefined ? {} : { grant }), digest,
      };
      const { iat, exp, nbf } = claims;
      known.set(digest, { token, kid, keyThumbprint: key.thumbprint, times: { iat, exp, ...(typeof nbf === 'number' ? { nbf } : {}) } });
      return token;
    },
  };
}

function partyOf(claims: Claims): PartyId {
  const party = claims['client_id'];
  if (typeof claims['sub'] !== 'string') throw invalid('sub');
  if (typeof party !== 'string' || !partyGrammar.test(party)) throw invalid('client_id');
  return party as PartyId;
}

/** Unknown scopes open no door and are left out. */
function scopesOf(claim: unknown): ReadonlySet<Scope> {
  if (claim === undefined) return new Set();
  if (typeof claim !== 'string') throw invalid('scope');
  return new Set(claim.split(' ').filter((scope) => scopesKnown.has(scope)) as Scope[]);
}

function bindingOf(claim: unknown): string {
  const thumbprint = (claim as { readonly jkt?: unknown } | null)?.jkt;
  if (typeof thumbprint !== 'string' || !thumbprintGrammar.test(thumbprint)) throw invalid('cnf');
  return thumbprint;
}

/** The one grant of RFC 9396 authorization_details, when the token was issued for a consent. */
function grantOf(claim: unknown): GrantId | undefined {
  if (claim === undefined) return undefined;
  if (!Array.isArray(claim) || claim.length > detailsMax) throw invalid('authorization_details');
  const consents = claim.filter((detail: unknown) => (detail as { readonly type?: unknown } | null)?.type === consentType) as { readonly grant?: unknown }[];
  if (consents.length === 0) return undefined;
  const grant = consents[0]?.grant;
  if (consents.length > 1 || typeof grant !== 'string' || !grantGrammar.test(grant)) throw invalid('authorization_details');
  return grant as GrantId;
}

function invalid(claim: string): VeilgateError {
  return new VeilgateError('TOKEN_CLAIM_INVALID', 'A claim of the access token is not what it must be: ask the authorization server.', { claim });
}
