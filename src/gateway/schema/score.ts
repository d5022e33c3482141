import { named, type NamedSchemas } from './compile.ts';
import { integer, list, object, oneOf } from './words.ts';

const seconds = integer(0, 253_402_300_799);

/** What a bank signs for scores: the payload of a `score+jwt`, whose registered claims identity/ has checked, and what goes beside it. */
export const scoreSchemas = {
  ModelRef: { type: 'string', pattern: '^[a-z][a-z0-9_]{0,40}@[1-9][0-9]{0,5}$', maxLength: 60, description: 'A model as `name@version`.', examples: ['sme_growth@1'] },
  ScorePayload: {
    type: 'object',
    description: 'Claims of the signed request. It goes on to the custodian, so it names no enterprise.',
    required: ['iss', 'aud', 'iat', 'exp', 'jti', 'score'],
    additionalProperties: false,
    properties: {
      iss: named('PartyId'),
      aud: { type: 'string', maxLength: 2048, description: 'The gateway\'s public URL.' },
      iat: seconds,
      exp: integer(0, 253_402_300_799, 'At most 60 s after `iat` for one enterprise, 7 days for a job.'),
      jti: { type: 'string', minLength: 16, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$', description: 'Used once.' },
      score: object({
        kind: oneOf(['one', 'many']),
        model: named('ModelRef'),
        purpose: named('PurposeCode'),
        recipient: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$', maxLength: 43, description: 'Thumbprint (RFC 7638) of your encryption key that both halves are sealed to.' },
        subjects: named('Digest'),
        count: integer(1, 10_000_000, 'How many enterprises.'),
      }),
    },
  },
  ScoreSubject: object({ subject: named('SubjectId'), grant: named('GrantId') }, { optional: ['grant'] }),
  ScoreOne: object(
    {
      request: { ...named('CompactJws'), description: 'Compact JWS, `typ` `score+jwt`, signed with a registered key.' },
      subjects: object({
        salt: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$', maxLength: 43, description: '32 random bytes, base64url.' },
        subjects: { ...list(named('ScoreSubject'), 1), minItems: 1 },
      }, { description: 'SHA-256 of its canonical JSON is the request\'s `subjects`.' }),
    },
    { description: 'A signed request for one score, and the enterprise it is about.' },
  ),
} as const satisfies NamedSchemas;
