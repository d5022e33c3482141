import { hash } from 'node:crypto';
import { BoundedCache } from '../identity/bounded-cache.ts';
import { readClaims, readCompact, verifyCompact } from '../identity/strict-jws.ts';
import { importVerificationKey, type VerificationKey } from '../identity/verification-key.ts';
import type { ScoreRequestClaims } from '../scoring/protocol.ts';
import type { InstitutionId, PublicJwk, TimeMs } from '../vocabulary.ts';
import { isBankId, type BankKeys } from './banks.ts';
import { Refusal } from './refusal.ts';
import { isDigest, strictly } from './ticket.ts';

export const requestType = 'score+jwt';
const lifetimeMaxS = { one: 60, many: 7 * 86_400 } as const;
const requestLengthMax = 8192;
const jtiLengthMin = 16;
/** Enterprises one request may ask for: the largest job. */
const countMax = 10_000_000;

/** A bank's request that was found to be its own, and where the result goes. */
export type BankRequest = {
  readonly bank: InstitutionId;
  readonly id: string;
  /** SHA-256 of the signed text, lower-case hex. */
  readonly digest: string;
  readonly count: number;
  /** The bank's registered encryption key that the request names. */
  readonly recipient: PublicJwk;
  /** RFC 7638 thumbprints of the keys it was signed with and is sealed for: looked at again, under lock, when it is spent. */
  readonly signedBy: string;
  readonly sealedFor: string;
};

export type RequestRules = {
  /** The gateway's public URL. */
  readonly audience: string;
  readonly banks: { readonly keysOf: (bank: InstitutionId, kid: string, recipient: string) => Promise<BankKeys> };
  readonly nowMs: TimeMs;
};

/** Keys stay imported; whether they are still in use is asked for each request when it is spent. */
const imported = new BoundedCache<VerificationKey>(1000);

/**
 * Checks the request inside a ticket: signed by an active bank's registered key, meant for this gateway, not expired,
 * sealed to a registered key of the same bank. Throws Refusal.
 */
export async function readBankRequest(jws: string, rules: RequestRules): Promise<BankRequest> {
  const { bank, recipient } = await strictly('request', async () => {
    const unverified = readClaims(readCompact(jws, requestLengthMax));
    return { bank: unverified['iss'], recipient: (unverified['score'] as { readonly recipient?: unknown } | null | undefined)?.recipient };
  });
  if (!isBankId(bank) || typeof recipient !== 'string' || recipient.length !== 43) throw new Refusal('request', 'malformed');
  let registered: BankKeys | undefined;
  const { claims, key } = await strictly('request', () => verifyCompact({
    jws, typ: requestType, issuer: bank, audience: rules.audience, maxLifetimeS: lifetimeMaxS.many, requiredClaims: ['score'], maxLength: requestLengthMax, nowMs: rules.nowMs,
    keys: async (kid) => {
      registered = await rules.banks.keysOf(bank, kid, recipient);
      return registered.signature === undefined ? undefined : importedKey(registered.signature);
    },
  }));
  if (registered?.state !== 'active') throw new Refusal('request', 'suspended');
  const { score, jti, iat, exp } = claims;
  if (!isScore(score) || jti.length < jtiLengthMin) throw new Refusal('request', 'malformed');
  if (exp - iat > lifetimeMaxS[score.kind]) throw new Refusal('request', 'lifetime');
  if (registered.recipient === undefined) throw new Refusal('recipient', 'not_the_banks');
  return { bank, id: jti, digest: hash('sha256', jws, 'hex'), count: score.count, recipient: registered.recipient, signedBy: key.thumbprint, sealedFor: recipient };
}

function isScore(score: unknown): score is ScoreRequestClaims['score'] {
  const { kind, subjects, count } = (score ?? {}) as Partial<ScoreRequestClaims['score']>;
  return (kind === 'one' || kind === 'many') && isDigest(subjects) && Number.isSafeInteger(count) && count !== undefined && count > 0 && count <= (kind === 'one' ? 1 : countMax);
}

function importedKey(jwk: PublicJwk): VerificationKey {
  const name = JSON.stringify(jwk);
  const known = imported.get(name);
  if (known !== undefined) return known;
  const key = importVerificationKey(jwk);
  imported.set(name, key);
  return key;
}
