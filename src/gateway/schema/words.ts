import { errorCodes } from '../../errors.ts';
import { oneLinePattern } from '../../one-line.ts';
import { named, type JsonSchema, type NamedSchemas } from './compile.ts';

/** A text of at most `maxLength` characters. */
export const text = (maxLength: number, description?: string): JsonSchema => ({ type: 'string', minLength: 1, maxLength, ...(description === undefined ? {} : { description }) });
/** What a person writes on one line and others read (one-line.ts). */
export const oneLine = (maxLength: number, description?: string): JsonSchema => ({ ...text(maxLength, description), pattern: oneLinePattern });
/** What a person writes on several lines: no control characters but line ends and tabs, nothing that turns the direction of what stands around it, no half characters. */
export const plainText = (maxLength: number, description?: string): JsonSchema => ({ ...text(maxLength, description), pattern: '^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]*$' });
const matching = (pattern: string, maxLength: number, description: string, example: string): JsonSchema => ({ type: 'string', pattern, maxLength, description, examples: [example] });
/** An object with exactly these members, of which those named `optional` may be absent. */
export const object = (properties: Readonly<Record<string, JsonSchema>>, options: { readonly optional?: readonly string[]; readonly description?: string } = {}): JsonSchema => ({
  type: 'object',
  ...(options.description === undefined ? {} : { description: options.description }),
  required: Object.keys(properties).filter((name) => !(options.optional ?? []).includes(name)),
  additionalProperties: false,
  properties,
});
export const list = (items: JsonSchema, maxItems: number, description?: string): JsonSchema => ({ type: 'array', maxItems, items, ...(description === undefined ? {} : { description }) });
/** A map from names that fit `keys` to values. */
export const map = (keys: JsonSchema, values: JsonSchema, maxProperties: number, description?: string): JsonSchema => ({ type: 'object', propertyNames: keys, additionalProperties: values, maxProperties, ...(description === undefined ? {} : { description }) });
/** One of these words. */
export const oneOf = (words: readonly string[], description?: string): JsonSchema => ({ enum: words, ...(description === undefined ? {} : { description }) });
export const integer = (minimum: number, maximum: number, description?: string): JsonSchema => ({ type: 'integer', minimum, maximum, ...(description === undefined ? {} : { description }) });
/** The same, or null. */
export const nullable = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: 'null' }] });

const title = object({ en: oneLine(200), zh: oneLine(200) });

/** The words of vocabulary.ts as schemas: `named('GrantId')` refers to one. Resources add their own. */
export const wordSchemas = {
  SubjectId: matching('^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$', 18, 'Unified social credit code (GB 32100-2015).', '91350211M000100Y46'),
  PartyId: matching('^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$', 128, 'OAuth client id of a party.', 'bank-a'),
  GrantId: matching('^[A-Za-z0-9_-]{22}$', 22, 'Id of a grant.', 'vZ0eO2qXr5cM6m1c9yT3kQ'),
  DatasetId: matching('^[a-z][a-z0-9_]{0,40}$', 41, 'Id of a dataset.', 'tax'),
  FieldRef: matching('^[a-z][a-z0-9_]{0,40}\\.[a-z][a-z0-9_]{0,40}$', 83, 'A field as `dataset.field`.', 'tax.declared_revenue_cents'),
  PurposeCode: matching('^[a-z][a-z0-9_]{0,40}$', 41, 'A purpose of the platform\'s policy.', 'pre_loan_review'),
  InstitutionClass: matching('^[a-z][a-z0-9_]{0,40}$', 41, 'A class of institutions of the platform\'s policy.', 'commercial_bank'),
  PolicyVersion: matching('^[0-9a-f]{64}$', 64, 'SHA-256 of the policy that decided.', 'a'.repeat(64)),
  Digest: matching('^[0-9a-f]{64}$', 64, 'SHA-256 in lower-case hex.', 'b'.repeat(64)),
  // years that every part of the platform can count with; leap seconds, which only some can, are no moments here
  Date: { type: 'string', format: 'date', pattern: '^[12][0-9]{3}-', maxLength: 10, description: 'Calendar date.', examples: ['2026-01-31'] },
  Time: { type: 'string', format: 'date-time', pattern: '^(19[7-9][0-9]|2[0-9]{3})-.{6}[0-9]{2}:[0-9]{2}:[0-5]', maxLength: 35, description: 'Point in time, RFC 3339.', examples: ['2026-01-31T08:00:00.000Z'] },
  CompactJws: matching('^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$', 65_536, 'A JWS in compact form (RFC 7515).', 'eyJ….eyJ….c2ln'),
  Title: title,
  Value: { type: ['string', 'number', 'boolean', 'null'], maxLength: 4096, description: 'One value of a record.' },
  Use: oneOf(['read', 'verify', 'score', 'aggregate']),
  Ceiling: oneOf(['original', 'desensitised'], 'How far consent goes for a field.'),
  Disposition: oneOf(['clear', 'mask', 'band', 'token', 'verify', 'score', 'aggregate', 'withhold']),
  DecisionReason: oneOf(['permitted', 'not_available', 'not_minimum_for_purpose', 'no_valid_grant', 'not_consented', 'denied_by_rule', 'no_rule', 'condition_not_met', 'condition_not_evaluable']),
  VerificationOutcome: oneOf(['match', 'within_tolerance', 'same_band', 'mismatch', 'no_value']),
  GrantState: oneOf(['active', 'paused', 'revoked', 'exhausted', 'expired']),
  Frequency: object({ max: integer(1, 100_000), per: oneOf(['day', 'week', 'month']) }, { description: 'Answers per period.' }),
  /** What leaves of one field in one row. */
  Disclosure: {
    description: 'What leaves of one field in one row; `sealed` values are inside the answer\'s JWE.',
    oneOf: [
      object({ kind: { const: 'sealed' } }),
      object({ kind: { const: 'masked' }, value: named('Value') }),
      object({ kind: { const: 'banded' }, from: { type: ['number', 'null'] }, to: { type: ['number', 'null'] } }),
      object({ kind: { const: 'token' }, value: text(512) }),
      object({ kind: { const: 'absent' } }),
    ],
  },
  /** RFC 9457, as problem.ts writes it. */
  Problem: {
    type: 'object',
    description: 'What went wrong (RFC 9457). Further members are facts about it; none is ever a value.',
    required: ['type', 'title', 'status', 'detail', 'code', 'instance'],
    properties: {
      type: { type: 'string', format: 'uri', maxLength: 200 },
      title: text(200),
      status: integer(400, 599),
      detail: text(2000, 'What to do next.'),
      code: oneOf(errorCodes, 'Stable code to switch on.'),
      instance: text(200, 'Names this request; the platform finds it in its log.'),
    },
    additionalProperties: true,
  },
} as const satisfies NamedSchemas;
