import { named, type NamedSchemas } from './compile.ts';
import { integer, list, map, object, oneOf } from './words.ts';

/** Most fields one query may name; wider needs are two queries. */
export const queryFieldsMax = 200;
/** Most claims one query may have verified. */
export const queryClaimsMax = 50;
/** Most rows one query may ask for of a dataset. */
export const queryRowsMax = 1000;

/** What a bank asks: the payload of a `query+jwt`, whose registered claims identity/ has checked. */
export const querySchemas = {
  RowSelection: object(
    {
      filter: list(object({ field: named('FieldRef'), op: oneOf(['eq', 'gte', 'lte']), value: named('Value') }), 8, 'All must hold.'),
      sort: object({ field: named('FieldRef'), direction: oneOf(['asc', 'desc']) }),
      limit: integer(1, queryRowsMax),
    },
    { optional: ['filter', 'sort', 'limit'], description: 'Which rows of a dataset. Filtering or sorting by a field needs the same right as reading it.' },
  ),
  Query: object(
    {
      subject: named('SubjectId'),
      purpose: named('PurposeCode'),
      grant: named('GrantId'),
      read: list(named('FieldRef'), queryFieldsMax, 'Fields to read.'),
      verify: list(object({ field: named('FieldRef'), claimed: named('Value') }), queryClaimsMax, 'Claims to compare with the record.'),
      rows: map(named('DatasetId'), named('RowSelection'), 32, 'By dataset.'),
      facts: map({ type: 'string', pattern: '^[a-z][a-z0-9_]{0,40}$', maxLength: 41 }, named('Value'), 16, 'Facts that conditions of the policy ask for, such as `loan_amount_cents`.'),
    },
    { optional: ['grant', 'read', 'verify', 'rows', 'facts'] },
  ),
  QueryPayload: {
    type: 'object',
    description: 'Claims of the signed query.',
    required: ['iss', 'aud', 'iat', 'exp', 'jti', 'query'],
    additionalProperties: false,
    properties: {
      iss: named('PartyId'),
      aud: { type: 'string', maxLength: 2048, description: 'The gateway\'s public URL.' },
      iat: integer(0, 253_402_300_799),
      exp: integer(0, 253_402_300_799, 'At most 60 s after `iat`.'),
      jti: { type: 'string', minLength: 16, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$', description: 'Used once.' },
      query: named('Query'),
    },
  },
} as const satisfies NamedSchemas;
