import { named, type JsonSchema, type NamedSchemas } from './compile.ts';
import { integer, list, object, oneOf } from './words.ts';

const seconds = integer(0, 253_402_300_799);

/** Claims of a body that a party signs: the registered ones, and its own. */
function payload(own: Readonly<Record<string, JsonSchema>>, optional: readonly string[] = []): JsonSchema {
  return object(
    {
      iss: named('PartyId'),
      aud: { type: 'string', maxLength: 2048, description: 'The gateway\'s public URL.' },
      iat: seconds,
      exp: seconds,
      nbf: seconds,
      jti: { type: 'string', minLength: 8, maxLength: 128, description: 'Used once.' },
      ...own,
    },
    { optional: ['nbf', ...optional] },
  );
}

const jwkMember = { anyOf: [{ type: 'string', maxLength: 2048 }, { type: 'array', maxItems: 8, items: { type: 'string', maxLength: 64 } }] };

/** Bodies that parties sign, besides the query. */
export const signedSchemas = {
  PublicKey: { type: 'object', description: 'A public key (RFC 7517). Signatures: Ed25519, P-256, RSA of 2048 to 4096 bits. Encryption: P-256, X25519.', propertyNames: { type: 'string', maxLength: 64 }, additionalProperties: jwkMember, maxProperties: 16 },
  ApplicationPayload: payload({
    application: object({
      name: named('Title'),
      institution_class: named('InstitutionClass'),
      country: { type: 'string', pattern: '^[A-Z]{2}$', maxLength: 2, description: 'ISO 3166-1 alpha-2.' },
      redirect_uris: list({ type: 'string', format: 'uri', maxLength: 512 }, 10, 'Where an enterprise\'s browser returns to after consent.'),
      jwks: object({ keys: list(named('PublicKey'), 5, 'The signature key that signs this application, and encryption keys.') }),
    }),
  }),
  KeyPayload: payload({ key: named('PublicKey'), proof: named('CompactJws') }, ['proof']),
  ConsentTerms: object(
    {
      type: { const: 'veilgate_consent' },
      subject: named('SubjectId'),
      purpose: named('PurposeCode'),
      fields: list(object({ field: named('FieldRef'), ceiling: named('Ceiling') }), 200),
      data_from: named('Date'),
      data_to: named('Date'),
      valid_days: integer(1, 3650),
      uses_max: integer(1, 1_000_000),
      frequency: named('Frequency'),
      data_life_days: integer(1, 3650),
      kind: oneOf(['one_time', 'periodic']),
    },
    { optional: ['data_from', 'data_to', 'uses_max', 'frequency'], description: 'What is left out becomes the most the purpose allows.' },
  ),
  GrantPayload: payload({ terms: named('ConsentTerms'), institution: named('PartyId'), notice_digest: named('Digest') }, ['notice_digest']),
} as const satisfies NamedSchemas;
