import { purposeBounds } from '../../policy/edit/purpose-bounds.ts';
import { named, type JsonSchema } from '../schema/compile.ts';
import { integer, list, nullable, object, oneLine, oneOf } from '../schema/words.ts';
import { versionNumber } from './policy-forms.ts';

/** The forms in which purposes and facts of the policy are sent. Bounds are those of the schema of purposes.yaml. */

const many = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const words = object({ en: oneLine(500), zh: oneLine(500) });
const bounded = ({ min, max }: { readonly min: number; readonly max: number }, description: string) => integer(min, max, description);
const few = (values: readonly string[]): JsonSchema => ({ ...list(oneOf(values), values.length), minItems: 1, uniqueItems: true });
const { MAX_SAFE_INTEGER: most } = Number;

const capMembers = {
  validity_days_max: bounded(purposeBounds.validity_days_max, 'Days a grant is valid at most.'), uses_max: bounded(purposeBounds.uses_max, 'Uses of a grant at most.'),
  frequency_max: object({ max: bounded(purposeBounds.frequency_max, 'Answers per period at most.'), per: oneOf(['day', 'week', 'month']) }),
  data_life_days_max: bounded(purposeBounds.data_life_days_max, 'Days until the institution must delete what it got.'),
  data_period_years_max: bounded(purposeBounds.data_period_years_max, 'Years the data may reach back.'), kinds: few(['one_time', 'periodic']),
};
const attempts = bounded(purposeBounds.attempts_max, 'Verification attempts for each subject, field and grant.');
const purposeUses = few(['read', 'verify', 'score', 'aggregate']);
const factName = { type: 'string', maxLength: 53, pattern: '^(institution|grant|now|request)\\.[a-z][a-z0-9_]{0,40}$', description: 'What begins with `request.` is stated by the institution in its signed query.' } as const;
const fact = object({
  type: oneOf(['integer', 'text', 'code', 'boolean', 'date']), title: words, unit: oneLine(40), min: integer(-most, most), max: integer(-most, most),
  codes: { ...list(oneLine(64), 200), minItems: 1, uniqueItems: true },
}, { optional: ['unit', 'min', 'max', 'codes'] });

const fields = (description: string) => ({ ...list(named('FieldRef'), 5000, description), uniqueItems: true });
export const purposeEdit = object({
  purpose: named('PurposeCode'), is_new: { type: 'boolean', description: 'The purpose is made; every other member is there.' }, title: words, description: words, uses: purposeUses,
  caps: object(capMembers, { optional: Object.keys(capMembers) }), attempts_max: attempts,
  minimum: object({ add: fields('Fields the purpose needs from now on.'), remove: fields('Fields it needs no longer.') }),
}, { optional: ['is_new', 'title', 'description', 'uses', 'caps', 'attempts_max', 'minimum'], description: 'What is absent stays as it is.' });
export const factEdit = object({ fact: factName, declared: { ...nullable(fact), description: 'null: the fact is declared no longer.' } });

const range = object({ min: { type: 'integer' }, max: { type: 'integer' } });
export const purposeForm = object({
  version: versionNumber, digest: named('Digest'), purpose: named('PurposeCode'), title: words, description: words, uses: purposeUses, caps: object(capMembers), attempts_max: attempts,
  bounds: object(Object.fromEntries(Object.keys(purposeBounds).map((name) => [name, range])), { description: 'The least and the most that may be set.' }),
  datasets: many(object({
    dataset: named('DatasetId'), title: words,
    fields: many(object({
      field: named('FieldRef'), title: words, type: { type: 'string' }, level: integer(1, 5), kind: oneOf(['public', 'commercial_secret', 'personal']), in_minimum: { type: 'boolean' },
      opened: { type: 'boolean', description: 'Some rule opens it to somebody for this purpose, or would if it were in the minimum.' },
    })),
  })),
  conditions: { ...many(object({ words, rules: many({ type: 'string' }), facts: many({ type: 'string' }) })), description: 'On what answers for the purpose hang besides consent.' },
  facts: { ...many(object({ fact: factName, declared: fact, rules: { type: 'integer', description: 'Rules of the whole policy that ask about it.' } })), description: 'All facts the policy declares.' },
});
