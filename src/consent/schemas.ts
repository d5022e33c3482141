import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { VeilgateError, type ErrorCode } from '../errors.ts';
import type { AskedTerms, FieldCeiling, Frequency, GrantTerms } from '../vocabulary.ts';
import consentChoiceSchema from './schema/consent-choice.json' with { type: 'json' };
import consentDetailSchema from './schema/consent-detail.json' with { type: 'json' };
import consentTokenSchema from './schema/consent-token.json' with { type: 'json' };
import signedGrantSchema from './schema/signed-grant.json' with { type: 'json' };

/** The JSON Schemas of this stage, for the API description. */
export { consentChoiceSchema, consentDetailSchema, consentTokenSchema, signedGrantSchema };

/** consent-detail.json: one entry of `authorization_details` (RFC 9396). */
export type ConsentDetail = AskedTerms & { readonly type: 'veilgate_consent' };

/** consent-choice.json */
export type ConsentChoice = Partial<Pick<ConsentDetail, 'fields' | 'data_from' | 'data_to' | 'valid_days' | 'uses_max' | 'frequency' | 'data_life_days'>>;

/** signed-grant.json: payload of a `grant+jwt`. */
export type SignedGrantPayload = {
  readonly iss: string;
  readonly aud: string;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
  readonly institution: string;
  readonly terms: ConsentDetail;
  readonly notice_digest?: string;
};

/** consent-token.json: claims of a `consent+jwt`. */
export type ConsentTokenClaims = {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  readonly jti: string;
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
  readonly purpose: string;
  readonly kind: GrantTerms['kind'];
  readonly fields: readonly FieldCeiling[];
  readonly data_from?: string;
  readonly data_to?: string;
  readonly uses_max?: number;
  readonly frequency?: Frequency;
  readonly data_life_days: number;
  readonly notice_digest: string;
};

// the first fault ends a check: a hostile document cannot make it collect a million
const ajv = new Ajv2020({ allErrors: false, strict: true });
addFormats.default(ajv, ['date']);
for (const schema of [consentDetailSchema, consentChoiceSchema, signedGrantSchema, consentTokenSchema]) ajv.addSchema(schema);

function compiled<T>(schema: { readonly $id: string }): ValidateFunction<T> {
  return ajv.getSchema<T>(schema.$id) as ValidateFunction<T>;
}

function checker<T>(schema: { readonly $id: string }, code: ErrorCode, what: string): (json: unknown) => T {
  const validate = compiled<T>(schema);
  return (json) => {
    if (validate(json)) return json;
    const fault = validate.errors?.[0];
    const pointer = fault?.instancePath ?? '';
    // ajv's sentence names keywords and limits of the schema, never what was sent
    throw new VeilgateError(code, `The ${what} is not as its schema wants it: correct what detail.pointer names, which ${fault?.message ?? 'is wrong'}.`, { pointer: pointer === '' ? '/' : pointer });
  };
}

/** Errors: CONSENT_INVALID with `pointer`. */
export const checkConsentDetail = checker<ConsentDetail>(consentDetailSchema, 'CONSENT_INVALID', 'consent request');
/** Errors: CONSENT_INVALID with `pointer`. */
export const checkConsentChoice = checker<ConsentChoice>(consentChoiceSchema, 'CONSENT_INVALID', 'choice');
/** Errors: CONSENT_INVALID with `pointer`. */
export const checkSignedGrant = checker<SignedGrantPayload>(signedGrantSchema, 'CONSENT_INVALID', 'signed grant');
/** Errors: TOKEN_CLAIM_INVALID with `pointer`. */
export const checkConsentToken = checker<ConsentTokenClaims>(consentTokenSchema, 'TOKEN_CLAIM_INVALID', 'consent token');
