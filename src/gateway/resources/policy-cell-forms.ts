import { named, type JsonSchema } from '../schema/compile.ts';
import { integer, list, nullable, object, oneOf } from '../schema/words.ts';
import { changeForm, changesForm, settingForm, versionNumber } from './policy-forms.ts';
import { factEdit, purposeEdit } from './policy-purpose-forms.ts';

/** The forms in which the policy is sent as cells of a grid. */

const word: JsonSchema = { type: 'string' };
const words = object({ en: word, zh: word });
const many = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const opening = named('PolicyRules/definitions/opening');
const condition = named('PolicyRules/definitions/condition');
const setting = { ...nullable(object({ opening, when: condition }, { optional: ['when'] })), description: 'What this reach of consent opens; null: nothing of its own. Absent: as it is.' };
const edit = object({
  field: named('FieldRef'), use: named('Use'), purposes: list(named('PurposeCode'), 50), institution_classes: list(named('InstitutionClass'), 50), desensitised: setting, original: setting,
}, { optional: ['desensitised', 'original'] });

export const editsBody = object({
  edits: list(edit, 200, 'Of edits of the same cell the last one counts.'), purposes: list(purposeEdit, 50), facts: list(factEdit, 50),
  adjust_tests: { type: 'boolean', description: 'Bring expectations about the edited cells, and fields that minimums gain or lose, up to date.' },
}, { optional: ['purposes', 'facts', 'adjust_tests'] });
export const samplesBody = object({ field: named('FieldRef'), openings: list(nullable(opening), 8, 'null: withheld.') });

export const matrixForm = object({
  version: versionNumber, digest: named('Digest'), institution_class: named('InstitutionClass'), use: named('Use'), consent: named('Ceiling'),
  classes: many(object({ code: word, title: words })), purposes: many(object({ code: word, title: words, uses: many(named('Use')) })), datasets: many(object({ dataset: word, title: words })),
  fields: many(object({ field: named('FieldRef'), title: words, type: word, level: integer(1, 5), kind: oneOf(['public', 'commercial_secret', 'personal']) })),
  outcomes: many(object({ disposition: named('Disposition'), conditional: { type: 'boolean' }, reason: named('DecisionReason'), words })),
  cells: { type: 'array', items: { type: 'integer' }, description: 'Positions in `outcomes`: field by field, purpose by purpose.' },
});

const tier = object({ words, opening: nullable(opening), when: nullable(condition), simple: { type: 'boolean', description: 'False: several rules or a prohibition stand there.' } });
const offers = many(object({ opening, consent: many(named('Ceiling')) }));
export const cellForm = object({
  version: versionNumber, digest: named('Digest'), purpose: named('PurposeCode'), in_minimum: { type: 'boolean' }, uses: many(named('Use')),
  field: object({
    field: named('FieldRef'), title: words, dataset: word, dataset_title: words, type: word, level: integer(1, 5), kind: word, unit: word, codes: { type: 'object', additionalProperties: word },
    min: { type: 'number' }, max: { type: 'number' }, max_length: { type: 'integer' }, scale: { type: 'integer' },
  }, { optional: ['unit', 'codes', 'min', 'max', 'max_length', 'scale'] }),
  cells: many(object({ use: named('Use'), institution_class: word, desensitised: tier, original: tier, rules: many(word) })),
  rules: many(object({ id: word, description: words, denies: { type: 'boolean' }, condition: nullable(words) })),
  offers: object({ read: offers, verify: offers, score: offers, aggregate: offers }),
});

export const judgedForm = object({
  version: versionNumber, digest: named('Digest'), changes: changesForm, summary: words, combinations: { type: 'integer' }, combinations_changed: { type: 'integer' }, differences: many(changeForm), settings: many(settingForm),
  tests: object({
    run: { type: 'integer' }, failing: { type: 'integer' }, adjusted: { type: 'integer', description: 'Expectations that were brought up to date.' },
    stale: many(object({
      file: word, test: word, purpose: word, institution_class: word, field: word, use: named('Use'), expected: word, got: word,
      kind: oneOf(['renamed', 'edited', 'promised', 'other'], '`edited`: about an edited cell, `adjust_tests` brings it up to date; `promised`: it must stay true whoever edits a rule.'),
    })),
  }),
});

const shown = {
  oneOf: [
    object({ kind: { const: 'disclosure' }, disclosure: named('Disclosure') }), object({ kind: { const: 'clear' } }), object({ kind: { const: 'computed' } }), object({ kind: { const: 'withheld' } }),
    object({ kind: { const: 'verification' }, claimed: named('Value'), outcome: named('VerificationOutcome') }),
  ],
};
export const samplesForm = object({ values: many(named('Value')), shown: many(many(shown)) });
