import { epochSeconds, type Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { ConsentCeiling, FieldRef, Grant, GrantId, InstitutionId, PurposeCode, Signer, SubjectPseudonym } from '../vocabulary.ts';
import { checkConsentToken, type ConsentTokenClaims } from './schemas.ts';
import { consentDetail, fieldList, fieldMap } from './terms.ts';

export const consentTokenType = 'consent+jwt';

/**
 * A grant as a JWT that its institution can show to another node. It proves what was granted, not that it still
 * holds: pause, revocation and uses are looked up at every release.
 * @param issuer URL of the platform that keeps the grant
 * @param subject pseudonym of the enterprise; the token never carries its code
 */
export async function consentToken(grant: Grant, issuer: string, subject: SubjectPseudonym, signer: Signer, clock: Clock): Promise<string> {
  const detail = consentDetail(grant);
  const claims: ConsentTokenClaims = {
    iss: issuer,
    aud: grant.institution,
    sub: subject,
    jti: grant.id,
    iat: epochSeconds(clock.nowMs()),
    nbf: epochSeconds(grant.validFromMs),
    exp: epochSeconds(grant.validUntilMs),
    purpose: grant.purpose,
    kind: grant.kind,
    fields: fieldList(grant.fields),
    ...(detail.data_from === undefined ? {} : { data_from: detail.data_from }),
    ...(detail.data_to === undefined ? {} : { data_to: detail.data_to }),
    ...(detail.uses_max === undefined ? {} : { uses_max: detail.uses_max }),
    ...(detail.frequency === undefined ? {} : { frequency: detail.frequency }),
    data_life_days: grant.dataLifeDays,
    notice_digest: grant.noticeDigest,
  };
  return signer.sign(consentTokenType, claims);
}

/** What a verified consent token says. */
export type ConsentToken = {
  readonly grant: GrantId;
  readonly issuer: string;
  readonly institution: InstitutionId;
  readonly subject: SubjectPseudonym;
  readonly purpose: PurposeCode;
  readonly fields: ReadonlyMap<FieldRef, ConsentCeiling>;
  readonly claims: ConsentTokenClaims;
};

/**
 * Reads the claims of a consent token whose signature, `typ` and issuer key were checked before.
 * Errors: TOKEN_CLAIM_INVALID, TOKEN_AUDIENCE_MISMATCH, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID.
 */
export function readConsentToken(payload: unknown, institution: InstitutionId, clock: Clock): ConsentToken {
  const claims = checkConsentToken(payload);
  const now = epochSeconds(clock.nowMs());
  if (claims.aud !== institution) throw new VeilgateError('TOKEN_AUDIENCE_MISMATCH', 'The consent token was made for another institution: use one of your own.');
  if (now >= claims.exp) throw new VeilgateError('TOKEN_EXPIRED', 'The consent token has expired: ask the enterprise for a new grant.');
  if (now < claims.nbf) throw new VeilgateError('TOKEN_NOT_YET_VALID', 'The consent token is not valid yet: use it later.');
  return {
    grant: claims.jti as GrantId,
    issuer: claims.iss,
    institution,
    subject: claims.sub as SubjectPseudonym,
    purpose: claims.purpose as PurposeCode,
    fields: distinctFields(claims),
    claims,
  };
}

function distinctFields(claims: ConsentTokenClaims): ReadonlyMap<FieldRef, ConsentCeiling> {
  try {
    return fieldMap(claims.fields);
  } catch {
    throw new VeilgateError('TOKEN_CLAIM_INVALID', 'The consent token names a field twice: ask the platform for another.', { pointer: '/fields' });
  }
}
