import { VeilgateError } from '../errors.ts';
import type { Clock } from '../clock.ts';
import type { Sql } from '../store/database.ts';
import type { GrantId, PartyId, Scope, TimeMs } from '../vocabulary.ts';
import { accessTokens, type AccessTokens } from './access-token.ts';
import { dpopNonces, type DpopNonces } from './dpop-nonce.ts';
import { dpopProofs, type Proofs } from './dpop.ts';
import { issuerKeys, type IssuerKeysOptions } from './issuer-keys.ts';
import { signedBodies, type BodyKind, type SignedBodies, type VerifiedBody } from './signed-body.ts';

export type IncomingRequest = {
  readonly method: string;
  /** Absolute, as seen from outside: the gateway's public URL and the path asked for. */
  readonly url: string;
  readonly authorization: string | undefined;
  readonly dpop: string | undefined;
  /** Proven before, in place of token and proof; a signed body must be signed all the same. */
  readonly session?: ProvenSession;
  /** A body that must be signed by the caller. */
  readonly body?: { readonly jws: string; readonly kind: BodyKind };
};

/** A browser session that our own authorization server vouches for. */
export type ProvenSession = {
  readonly party: PartyId;
  readonly issuer: string;
  /** Digest of the session's id, hex. */
  readonly id: string;
};

/** Never to be presented again before `expiresAtMs`. */
export type ReplayKey = { readonly issuer: string; readonly jti: string; readonly expiresAtMs: TimeMs };

/** What a request proves by itself; admit adds what the registry says at this moment. */
export type IdentifiedRequest = {
  readonly party: PartyId;
  /** What the token was issued for. */
  readonly scopes: ReadonlySet<Scope>;
  readonly dpopKeyThumbprint?: string;
  readonly session?: true;
  readonly grant?: GrantId;
  readonly token: { readonly issuer: string; readonly jti: string };
  readonly replayKeys: readonly ReplayKey[];
  /** Present when a signed body was asked for. */
  readonly body?: VerifiedBody;
};

export type Identity = {
  readonly tokens: AccessTokens;
  readonly proofs: Proofs;
  readonly bodies: SignedBodies;
  readonly nonces: DpopNonces;
  readonly clock: Clock;
};

export type IdentityOptions = IssuerKeysOptions & {
  /** The gateway's public URL: audience of tokens and signed bodies. */
  readonly audience: string;
  readonly dpopNonceSecret: Uint8Array;
  readonly sql: Sql;
  readonly clock: Clock;
  /** Longest lifetime of an access token, seconds. */
  readonly accessTokenMaxLifetimeS?: number;
};

/** Everything `identify` needs, with its caches: one for each process. Errors: CONFIG_INSECURE. */
export function openIdentity(options: IdentityOptions): Identity {
  const nonces = dpopNonces(options.dpopNonceSecret);
  return {
    tokens: accessTokens({
      audience: options.audience, issuers: issuerKeys(options),
      ...(options.accessTokenMaxLifetimeS === undefined ? {} : { maxLifetimeS: options.accessTokenMaxLifetimeS }),
    }),
    proofs: dpopProofs(nonces),
    bodies: signedBodies({ sql: options.sql, audience: options.audience }),
    nonces,
    clock: options.clock,
  };
}

/**
 * Who calls: access token, then proof that the caller holds its key, or a session in place of both; then the signature on the body.
 * Nothing is written; a replay is caught by `admitCallers`, which must follow.
 * Errors: TOKEN_, DPOP_ and JSON_ codes.
 */
export async function identify(request: IncomingRequest, identity: Identity): Promise<IdentifiedRequest> {
  const nowMs = identity.clock.nowMs();
  if (request.session !== undefined) return withBody(ofSession(request.session), request.body, identity, nowMs);
  const token = await identity.tokens.verify(tokenText(request.authorization), nowMs);
  const proof = await identity.proofs.verify({ proof: request.dpop, method: request.method, url: request.url, token }, nowMs);
  const replayKeys: readonly ReplayKey[] = [{ issuer: `dpop ${proof.keyThumbprint}`, jti: proof.jti, expiresAtMs: proof.expiresAtMs }];
  return withBody(
    {
      party: token.party,
      scopes: token.scopes,
      dpopKeyThumbprint: token.dpopKeyThumbprint,
      ...(token.grant === undefined ? {} : { grant: token.grant }),
      token: { issuer: token.issuer, jti: token.jti },
      replayKeys,
    },
    request.body, identity, nowMs,
  );
}

/** A session may do all that the registry allows its party: admission asks it at every request. */
function ofSession({ party, issuer, id }: ProvenSession): IdentifiedRequest {
  return { party, scopes: everyScope, session: true, token: { issuer, jti: `session ${id}` }, replayKeys: [] };
}

const everyScope: ReadonlySet<Scope> = new Set(['query', 'grants', 'records', 'registry', 'compliance', 'audit']);

async function withBody(identified: IdentifiedRequest, asked: IncomingRequest['body'], identity: Identity, nowMs: TimeMs): Promise<IdentifiedRequest> {
  if (asked === undefined) return identified;
  const body = await identity.bodies.verify(asked.jws, asked.kind, identified.party, nowMs);
  const replayKey = { issuer: `${asked.kind.typ} ${identified.party}`, jti: body.claims.jti, expiresAtMs: (body.claims.exp * 1000) as TimeMs };
  return { ...identified, replayKeys: [...identified.replayKeys, replayKey], body };
}

/** The token of `Authorization: DPoP …` (RFC 9449 section 7.1); a bearer is not accepted. */
function tokenText(authorization: string | undefined): string {
  if (authorization === undefined || authorization === '') throw new VeilgateError('TOKEN_MISSING', 'An access token is needed: send Authorization: DPoP and the token.');
  if (!/^dpop [^ ]/i.test(authorization)) throw new VeilgateError('TOKEN_MISSING', 'The access token must be sent with the scheme DPoP: Bearer and others are not accepted.');
  return authorization.slice(5);
}
