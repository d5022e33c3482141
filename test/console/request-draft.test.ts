import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { carriedOver, choiceOf, differencesOf, draftOf, faultsOf, isFaulty, type Draft } from '../../src/console/enterprise/request-draft.ts';
import { narrow } from '../../src/consent/narrow.ts';
import type { GrantOfferView } from '../../src/sdk/grant-requests.ts';
import type { ConsentCeiling, FieldRef, GrantTerms, InstitutionId, IsoDate, PurposeCode, SubjectId, TimeMs } from '../../src/vocabulary.ts';

type Terms = GrantOfferView['terms'];

const terms: Terms = {
  type: 'veilgate_consent', subject: '91350211M000100Y46', purpose: 'pre_loan_review', kind: 'periodic', valid_days: 30, uses_max: 100, data_life_days: 60, data_from: '2023-11-22',
  frequency: { max: 20, per: 'day' },
  fields: [{ field: 'registry.name', ceiling: 'original' }, { field: 'registry.address', ceiling: 'desensitised' }, { field: 'tax.period', ceiling: 'original' }],
};
const dayMs = 86_400_000;
const asGrant = (of: Terms): GrantTerms => ({
  subject: of.subject as SubjectId, institution: 'bank-a' as InstitutionId, purpose: of.purpose as PurposeCode, fields: new Map(of.fields.map(({ field, ceiling }) => [field as FieldRef, ceiling])),
  dataFrom: of.data_from as IsoDate, dataTo: null, validFromMs: 0 as TimeMs, validUntilMs: (of.valid_days * dayMs) as TimeMs,
  kind: of.kind, usesMax: of.uses_max ?? null, frequency: of.frequency ?? null, dataLifeDays: of.data_life_days,
});
const chosen = fc.constantFrom<(ConsentCeiling | 'out')[]>('original', 'desensitised', 'out');
const figure = (max: number) => fc.oneof(fc.integer({ min: -1, max: max + 2 }).map(String), fc.constantFrom('', '1.5', 'x', '1e1', ' 3', '007'));
const drafts: fc.Arbitrary<Draft> = fc.record({
  fields: fc.record({ 'registry.name': chosen, 'registry.address': fc.constantFrom<(ConsentCeiling | 'out')[]>('desensitised', 'out'), 'tax.period': chosen }),
  validDays: figure(30), usesMax: figure(100), frequencyMax: figure(20), lifeDays: figure(60), dataFrom: fc.constantFrom('', '2020-01-01', '2023-11-22', '2025-06-01'),
});

describe('what an enterprise makes of a request in the console', () => {
  it('is nothing less while nothing was changed', () => {
    assert.deepEqual(choiceOf(draftOf(terms), terms), {});
    assert.equal(isFaulty(faultsOf(draftOf(terms), terms)), false);
  });

  it('is taken by the platform as it is, and never adds, whenever the page finds no fault', () => {
    fc.assert(fc.property(drafts, (draft) => {
      fc.pre(!isFaulty(faultsOf(draft, terms)));
      const narrowed = narrow(asGrant(terms), choiceOf(draft, terms));
      assert.deepEqual(Object.fromEntries(narrowed.fields), Object.fromEntries(Object.entries(draft.fields).filter(([, ceiling]) => ceiling !== 'out')));
      const { validUntilMs, usesMax, frequency, dataLifeDays } = narrowed;
      assert.deepEqual([validUntilMs / dayMs, usesMax, frequency?.max, dataLifeDays], [draft.validDays, draft.usesMax, draft.frequencyMax, draft.lifeDays].map(Number));
      assert.equal(narrowed.dataFrom, draft.dataFrom);
    }), { numRuns: 500 });
  });

  it('has a fault where the platform would refuse it', () => {
    const draft = draftOf(terms);
    for (const [change, name] of [
      [{ validDays: '31' }, 'validDays'], [{ usesMax: '' }, 'usesMax'], [{ usesMax: '101' }, 'usesMax'], [{ frequencyMax: '0' }, 'frequencyMax'], [{ lifeDays: '1.5' }, 'lifeDays'],
      [{ dataFrom: '2020-01-01' }, 'dataFrom'], [{ dataFrom: '' }, 'dataFrom'], [{ fields: { 'registry.name': 'out', 'registry.address': 'out', 'tax.period': 'out' } }, 'fields'],
    ] as const) assert.deepEqual(Object.entries(faultsOf({ ...draft, ...change }, terms)).filter(([, fault]) => fault).map(([fault]) => fault), [name]);
  });

  it('leaves what the bank left open to the enterprise', () => {
    const { uses_max: _uses, frequency: _frequency, ...open } = terms;
    assert.equal(isFaulty(faultsOf(draftOf(open), open)), false);
    assert.deepEqual(choiceOf({ ...draftOf(open), usesMax: '7' }, open), { uses_max: 7 });
  });

  it('stays under other terms where it is still possible', () => {
    const draft: Draft = { ...draftOf(terms), validDays: '9', fields: { 'registry.name': 'desensitised', 'registry.address': 'out', 'tax.period': 'original' } };
    const fields = [{ field: 'registry.name', ceiling: 'original' }, { field: 'tax.period', ceiling: 'desensitised' }, { field: 'tax.credit_rating', ceiling: 'original' }] as const;
    const now: Terms = { ...terms, valid_days: 20, uses_max: 50, fields };
    const carried = carriedOver(draft, terms, now);
    assert.deepEqual(carried.fields, { 'registry.name': 'desensitised', 'tax.period': 'desensitised', 'tax.credit_rating': 'original' });
    assert.deepEqual([carried.validDays, carried.usesMax, carried.dataFrom], ['9', '50', '2023-11-22'], 'what was not touched is as it is asked now');
  });

  it('is shown beside what was read, difference by difference', () => {
    const words = (original: string) => ({
      institution: { name: 'Bank A', kind: 'Commercial bank' }, purpose: { title: 'Review', text: 'Why' }, caps: ['At most 90 days.'],
      fields: terms.fields.map(({ field }) => ({ ref: field, title: field, dataset: '', classification: '', gets: { original, desensitised: 'masked' } })),
    });
    const offer = (of: Terms, original: string): GrantOfferView => ({ terms: of, description: { en: words(original), zh: words(original) }, notice_digest: original, obstacle: null });
    assert.deepEqual(differencesOf(offer(terms, 'clear'), offer(terms, 'clear'), 'en'), []);
    assert.deepEqual(differencesOf(offer(terms, 'clear'), offer({ ...terms, valid_days: 10 }, 'banded'), 'zh'), [
      { name: 'valid_days', before: '30', now: '10' }, { name: 'registry.name', before: 'clear', now: 'banded' }, { name: 'tax.period', before: 'clear', now: 'banded' },
    ]);
  });
});
