import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical.ts';
import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { Tx } from '../store/database.ts';
import type { InstitutionId, SubjectId, TimeMs } from '../vocabulary.ts';
import type { CapsOf } from './caps.ts';
import { insertGrant, newGrantId, requireFewSigned, type GrantChange } from './grants.ts';
import { checkSignedGrant } from './schemas.ts';
import { invalid, parseTerms } from './terms.ts';

/** The longest an enterprise's signed grant may wait to be handed in. */
export const signedGrantLifetimeMaxS = 86_400;
/** Characters of the compact JWS. */
export const signedGrantLengthMax = 65_536;

/** A `grant+jwt` whose signature, `typ`, audience and time identity/ has checked with the enterprise's registered key. */
export type VerifiedSignedGrant = {
  readonly payload: unknown;
  /** The compact JWS as it arrived: kept as proof. */
  readonly document: string;
};

/**
 * Stores a grant that an enterprise signed with its own key, without a browser. The same document grants once,
 * for ever: after a revocation it cannot be played again. The caller has checked that the institution is active.
 * @param subject the one enterprise that the signing party may speak for
 * @param capsOf caps for the institution the document names
 * Errors: REQUEST_TOO_LARGE, CONSENT_INVALID, POLICY_PURPOSE_UNKNOWN, CONSENT_EXCEEDS_CAP, TOKEN_LIFETIME_TOO_LONG, TOKEN_EXPIRED, TOKEN_REPLAYED, REQUEST_QUOTA_EXCEEDED.
 */
export async function grantFromSigned(tx: Tx, signed: VerifiedSignedGrant, subject: SubjectId, capsOf: CapsOf, clock: Clock): Promise<GrantChange> {
  if (signed.document.length > signedGrantLengthMax) throw new VeilgateError('REQUEST_TOO_LARGE', `A signed grant has at most ${signedGrantLengthMax} characters: name fewer fields.`);
  const payload = checkSignedGrant(signed.payload);
  const atMs = clock.nowMs();
  checkLifetime(payload, atMs);
  if (payload.terms.subject !== subject) throw invalid('/terms/subject', 'an enterprise grants access to its own data only');
  const terms = parseTerms(payload.terms, payload.institution as InstitutionId, capsOf, atMs);
  await requireFewSigned(tx, subject, atMs);
  const noticeDigest = payload.notice_digest ?? sha256(canonicalJson(payload.terms));
  const id = newGrantId();
  const { rowCount } = await tx.query({
    name: 'consent keep signed grant',
    text: 'insert into signed_grant (issuer, jti, grant_id, document) values ($1, $2, $3, $4) on conflict (issuer, jti) do nothing',
    values: [payload.iss, payload.jti, id, signed.document],
  });
  if (rowCount !== 1) throw new VeilgateError('TOKEN_REPLAYED', 'This signed grant was handed in before: sign a new one with another jti.');
  return insertGrant(tx, id, terms, 'signed', noticeDigest, sha256(signed.document), atMs);
}

function checkLifetime(payload: { readonly iat: number; readonly exp: number }, atMs: TimeMs): void {
  if (payload.exp - payload.iat > signedGrantLifetimeMaxS) {
    throw new VeilgateError('TOKEN_LIFETIME_TOO_LONG', `A signed grant may wait at most ${signedGrantLifetimeMaxS} s to be handed in: sign it with a nearer exp.`);
  }
  if (atMs >= payload.exp * 1000) throw new VeilgateError('TOKEN_EXPIRED', 'The signed grant is too old: sign a new one.');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
