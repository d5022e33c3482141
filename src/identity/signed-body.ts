import type { Sql } from '../store/database.ts';
import { VeilgateError } from '../errors.ts';
import type { PartyId, TimeMs } from '../vocabulary.ts';
import { hash } from 'node:crypto';
import { BoundedCache } from './bounded-cache.ts';
import { activeSignatureKey } from './registry/party-key.ts';
import { verifyCompact, type StandardClaims } from './strict-jws.ts';
import { importVerificationKey, type VerificationKey } from './verification-key.ts';

/** A kind of request body that its sender signs, for non-repudiation. */
export type BodyKind = {
  readonly typ: string;
  readonly requiredClaims: readonly string[];
  readonly maxLifetimeS: number;
  /** Characters. */
  readonly maxLength: number;
};

/** What a bank asks: docs/formats/signed-query.md. */
export const signedQuery: BodyKind = { typ: 'query+jwt', requiredClaims: ['query'], maxLifetimeS: 60, maxLength: 131_072 };
/** What an enterprise grants without a browser; may wait a day to be handed in. */
export const signedGrant: BodyKind = { typ: 'grant+jwt', requiredClaims: ['institution', 'terms'], maxLifetimeS: 86_400, maxLength: 65_536 };
/** The request for a score: goes on to the custodian, so it names no enterprise (docs/formats/sealed-scoring.md). */
export const signedScore: BodyKind = { typ: 'score+jwt', requiredClaims: ['score'], maxLifetimeS: 60, maxLength: 4096 };
/** The same for many enterprises: the work may take days, and every ticket carries it. */
export const signedScoreJob: BodyKind = { typ: 'score+jwt', requiredClaims: ['score'], maxLifetimeS: 7 * 86_400, maxLength: 4096 };
/** The envelope of an encrypted feature column: docs/formats/feature-block.md. */
export const featureBlock: BodyKind = { typ: 'feature-block+jwt', requiredClaims: ['feature', 'declaration', 'key', 'parameters', 'block', 'revision', 'filled', 'digest'], maxLifetimeS: 86_400, maxLength: 4096 };

export type VerifiedBody = {
  readonly claims: StandardClaims;
  /** Registered key that signed; admit checks that it is still in use. */
  readonly keyThumbprint: string;
  /** SHA-256 of the compact JWS, lower-case hex: what the log and the receipt keep of it. */
  readonly digest: string;
};

export type SignedBodies = {
  /** Errors: TOKEN_ codes, those of strict-json. */
  readonly verify: (jws: string, kind: BodyKind, party: PartyId, nowMs: TimeMs) => Promise<VerifiedBody>;
};

const jtiLengthMin = 16;

/**
 * Checks bodies that the calling party signed with a registered key. Imported keys are kept without asking again
 * whether they are still in use: a key id never comes to mean another key, and admit checks the thumbprint at every
 * request, so that retirement acts at once on all nodes.
 */
export function signedBodies(options: { readonly sql: Sql; readonly audience: string; readonly maxCached?: number }): SignedBodies {
  const known = new BoundedCache<VerificationKey>(options.maxCached ?? 10_000);

  const keyOf = async (party: PartyId, kid: string): Promise<VerificationKey | undefined> => {
    const name = `${party} ${kid}`;
    const before = known.get(name);
    if (before !== undefined) return before;
    const jwk = await activeSignatureKey(options.sql, party, kid);
    if (jwk === undefined) return undefined;
    const key = importVerificationKey(jwk);
    known.set(name, key);
    return key;
  };

  return {
    async verify(jws, kind, party, nowMs) {
      const { claims, key } = await verifyCompact({
        jws, typ: kind.typ, keys: (kid) => keyOf(party, kid), issuer: party, audience: options.audience,
        maxLifetimeS: kind.maxLifetimeS, requiredClaims: kind.requiredClaims, maxLength: kind.maxLength, nowMs,
      });
      if (claims.jti.length < jtiLengthMin) throw new VeilgateError('TOKEN_CLAIM_INVALID', `A request's jti needs at least ${jtiLengthMin} characters, new each time.`, { claim: 'jti' });
      return { claims, keyThumbprint: key.thumbprint, digest: hash('sha256', jws, 'hex') };
    },
  };
}
