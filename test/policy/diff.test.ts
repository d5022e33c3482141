import assert from 'node:assert/strict';
import fc from 'fast-check';
import { diffPolicies, type PolicyChange, type PolicyDiff } from '../../src/policy/diff.ts';
import { regionsOf, type CellChange } from '../../src/policy/diff-regions.ts';
import { consentTiers, uses } from '../../src/policy/rule.ts';
import type { ConditionText, PurposesText } from '../../src/policy/text.ts';
import type { FieldRef } from '../../src/vocabulary.ts';
import { caps, decideOne, policyOf, purposesText, type RuleSketch } from './pack.ts';

const clear = { use: 'read', disposition: 'clear' } as const;
const band = (...edges: number[]) => ({ use: 'read', disposition: 'band', treatment: { method: 'band', edges } }) as const;
const level = (value: number): ConditionText => ({ fact: 'institution.security_level', op: 'at_least', value });

function diffOf(before: readonly RuleSketch[], after: readonly RuleSketch[], purposes: readonly [PurposesText?, PurposesText?] = []): PolicyDiff {
  return diffPolicies(policyOf({ tax: before }, purposes[0]), policyOf({ tax: after }, purposes[1]));
}

function only(diff: PolicyDiff): PolicyChange {
  assert.equal(diff.changes.length, 1, JSON.stringify(diff.changes.map(({ words }) => words.en)));
  return diff.changes[0] as PolicyChange;
}

describe('a difference between policies', () => {
  it('says bounds of money in yuan where all its fields are amounts, and as they are where they are not', () => {
    const opened = (...fields: string[]) => only(diffOf([], [{ id: 'band', fields, consent: ['desensitised', 'original'], effect: band(1_000_000, 10_000_000) }])).words;
    assert.match(opened('revenue_cents').en, /newly banded \(shown as one of 3 bands with the edges CNY 10,000; CNY 100,000\)/);
    assert.match(opened('revenue_cents').zh, /分界点为1万元、10万元/);
    assert.match(opened('paid_cents', 'revenue_cents').en, /^2 fields .*with the edges 1000000, 10000000\)/, 'of which one has no unit');
  });

  it('says how many fields are newly open to how many classes, and names them', () => {
    const diff = diffOf([], [{ id: 'clear', fields: ['revenue_cents', 'paid_cents', 'rating'], institution_classes: ['bank', 'bureau'], effect: clear }]);
    const change = only(diff);
    assert.equal(change.words.en, '3 fields newly clear for 2 institution classes: Bank (bank), Bureau (bureau); for Review (review); with consent to the original: Title of paid_cents (tax.paid_cents), Title of rating (tax.rating), Title of revenue_cents (tax.revenue_cents)');
    assert.match(change.words.zh, /^3个字段对2类机构（.+（bank）、.+（bureau））新开放：原始值，用途：.+（review），授权范围：原始值：paid_cents的名称（tax\.paid_cents）、/);
    assert.deepEqual([change.risk, change.before, change.after], ['loosened', [{ disposition: 'withhold' }], [{ disposition: 'clear' }]]);
    assert.deepEqual([diff.combinations, diff.combinationsChanged], [10 * 2 * 2 * 2 * 4, 6]);
    assert.equal(diff.summary.en, '1 loosened, 0 mixed, 0 altered, 0 tightened.');
  });

  it('marks what is closed as tightened, and says the same backwards', () => {
    const rules = [{ id: 'clear', fields: ['revenue_cents'], effect: clear }];
    const closed = diffOf(rules, [...rules, { id: 'deny', fields: ['*'], effect: { deny: ['read'] } as const }]);
    assert.deepEqual([only(closed).risk, only(closed).words.en.slice(0, 22)], ['tightened', '1 field no longer clea']);
    assert.equal(only(diffOf([], rules)).risk, 'loosened');
  });

  it('compares forms of one disposition where one plainly tells less', () => {
    const at = (...edges: number[]) => [{ id: 'band', fields: ['revenue_cents'], consent: ['desensitised', 'original'] as const, effect: band(...edges) }];
    assert.equal(only(diffOf(at(100, 1000), at(100))).risk, 'tightened');
    assert.equal(only(diffOf(at(100), at(100, 1000))).risk, 'loosened');
    assert.equal(only(diffOf(at(100), at(500))).risk, 'altered');
    const mask = (first: number, last: number) => [{ id: 'mask', fields: ['customer'], effect: { use: 'read', disposition: 'mask', treatment: { method: 'keep_ends', first, last } } as const }];
    assert.equal(only(diffOf(mask(1, 2), mask(2, 2))).risk, 'loosened');
    assert.equal(only(diffOf(mask(1, 3), mask(2, 1))).risk, 'altered');
    assert.match(only(diffOf(mask(2, 2), mask(1, 2))).words.en, /now masked \(only the first 1 and last 2 characters shown\) instead of masked \(only the first 2 and last 2/);
    assert.deepEqual(only(diffOf(at(100), at(500))).consent, ['desensitised', 'original']);
  });

  it('compares conditions by what they do, not by how they are written', () => {
    const when = (condition: ConditionText) => [{ id: 'clear', fields: ['revenue_cents'], effect: clear, when: condition }];
    assert.equal(only(diffOf(when(level(3)), when(level(2)))).risk, 'loosened');
    assert.equal(only(diffOf(when(level(3)), when(level(4)))).risk, 'tightened');
    assert.match(only(diffOf(when(level(3)), when(level(4)))).words.en, /now clear if security level is at least 4 instead of clear if security level is at least 3/);
    const same = diffOf(when(level(3)), when({ not: { fact: 'institution.security_level', op: 'at_most', value: 2 } }));
    assert.deepEqual([same.changes, same.combinationsChanged, same.before === same.after], [[], 0, false]);
    const other = diffOf(when(level(3)), when({ fact: 'grant.kind', op: 'equals', value: 'one_time' }));
    assert.equal(only(other).risk, 'mixed');
    assert.deepEqual(only(other).after, [{ disposition: 'clear', when: { fact: 'grant.kind', op: 'equals', value: 'one_time' } }]);
  });

  it('sees that adding a condition tightens and dropping one loosens', () => {
    const plain = [{ id: 'clear', fields: ['revenue_cents'], effect: clear }];
    const conditional = [{ id: 'clear', fields: ['revenue_cents'], effect: clear, when: level(1) }];
    // a level of at least 1 is always fulfilled where it is known: what changes is the missing fact
    assert.equal(only(diffOf(plain, conditional)).risk, 'tightened');
    assert.equal(only(diffOf(conditional, plain)).risk, 'loosened');
  });

  it('sees a fact whose declaration changes', () => {
    const rules = [{ id: 'clear', fields: ['revenue_cents'], effect: clear, when: { fact: 'request.loan_amount_cents', op: 'at_least', value: 10 } as const }];
    const base = purposesText();
    const wider = { ...base, facts: { ...base.facts, 'request.loan_amount_cents': { type: 'integer', min: 1, max: 50, title: { en: 'x', zh: 'x' } } as const } };
    const diff = diffOf(rules, rules, [base, wider]);
    assert.deepEqual([only(diff).risk, diff.settings.map(({ path }) => path.at(-1))], ['tightened', ['request.loan_amount_cents']]);
  });

  it('sees caps, attempts, minimums, purposes, classes and classification', () => {
    const base = purposesText();
    const review = base.purposes['review'] as PurposesText['purposes'][string];
    const next: PurposesText = {
      ...base,
      institution_classes: { bank: { title: { en: 'Bank', zh: '银行' } } },
      purposes: {
        review: { ...review, title: { en: 'Second look', zh: '复审' }, caps: { ...caps, uses_max: 20, data_life_days_max: 10, frequency_max: { max: 5, per: 'week' }, kinds: ['one_time', 'periodic'] }, verification: { attempts_max: 2 }, uses: ['read', 'verify'], minimum: ['tax.*'] },
        audit: review,
      },
    };
    const { settings } = diffPolicies(policyOf({ tax: [] }, base), policyOf({ tax: [] }, next));
    assert.deepEqual(settings.map(({ risk, words }) => `${risk} ${words.en}`), [
      'loosened New purpose: Review (audit)',
      'tightened No longer a purpose: Modelling (modelling)',
      'tightened No longer a class of institutions: Bureau (bureau)',
      'loosened Review (review): a grant may be used at most 20 times instead of 10 times',
      'tightened Review (review): data must be deleted after at most 10 days instead of 30 days',
      'tightened Review (review): each field of a grant may be verified at most 2 times instead of 3 times',
      'tightened Review (review): at most 5 answers per week instead of 5 per day',
      'tightened Review (review): uses no longer allowed: score',
      'loosened Review (review): grants allowed from now on: for a period',
      'tightened Review (review): the minimum has 5 fields less: Title of account (owner.account), Title of married (owner.married), Title of name (owner.name), Title of share (owner.share), Title of since (owner.since)',
      'altered Review (review): the title that enterprises read is “Second look” (复审) instead of “Review” (Review)',
    ]);
  });

  it('says when nothing but words changed, and when nothing changed at all', () => {
    const rules = [{ id: 'clear', fields: ['revenue_cents'], effect: clear }];
    assert.equal(diffOf(rules, rules).summary.en, 'The two policies are the same.');
    assert.match(diffOf(rules, [{ ...rules[0] as RuleSketch, id: 'renamed' }]).summary.en, /What is disclosed does not change/);
  });

  it('misses no combination: what it lists is exactly what decides differently', () => {
    const names = ['revenue_cents', 'paid_cents', 'rating'] as const;
    const rule = fc.record({
      fields: fc.subarray([...names], { minLength: 1 }),
      purposes: fc.subarray(['review', 'modelling'], { minLength: 1 }),
      institution_classes: fc.subarray(['bank', 'bureau'], { minLength: 1 }),
      effect: fc.constantFrom<RuleSketch['effect']>(clear, { use: 'read', disposition: 'mask', treatment: { method: 'suppress' } }, { deny: ['read'] }),
    });
    const pack = fc.array(rule, { maxLength: 5 }).map((rules) => rules.map((one, at): RuleSketch => ({ ...one, id: `rule-${at}` })));
    fc.assert(fc.property(pack, pack, (first, second) => {
      const before = policyOf({ tax: first });
      const after = policyOf({ tax: second });
      const listed = new Set(diffPolicies(before, after).changes.flatMap(({ fields, purposes, institutionClasses, consent, use }) =>
        fields.flatMap((field) => purposes.flatMap((purpose) => institutionClasses.flatMap((institutionClass) => consent.map((state) => [field, purpose, institutionClass, state, use].join(' ')))))));
      const different = new Set<string>();
      for (const field of before.fields.keys()) for (const purpose of ['review', 'modelling']) for (const institutionClass of ['bank', 'bureau']) for (const state of consentTiers) for (const use of uses) {
        const sketch = { purpose, institutionClass, consent: { [field]: state } };
        if (decideOne(before, field, use, sketch).disposition !== decideOne(after, field, use, sketch).disposition) different.add([field, purpose, institutionClass, state, use].join(' '));
      }
      assert.deepEqual([...listed].toSorted(), [...different].toSorted());
    }), { numRuns: 60 });
  });

  it('groups cells without losing or adding any', () => {
    const cell: fc.Arbitrary<CellChange> = fc.record({ change: fc.constantFrom('x', 'y'), field: fc.constantFrom('a' as FieldRef, 'b' as FieldRef, 'c' as FieldRef), use: fc.constantFrom(...uses), purpose: fc.constantFrom('p', 'q'), consent: fc.constantFrom(...consentTiers), institutionClasses: fc.constantFrom<string[][]>(['k'], ['k', 'l']) });
    const key = (one: Omit<CellChange, 'change' | 'institutionClasses'>) => [one.use, one.field, one.purpose, one.consent].join(' ');
    fc.assert(fc.property(fc.uniqueArray(cell, { selector: (one) => key(one), maxLength: 40 }), (cells) => {
      const listed = regionsOf(cells).flatMap(({ change, fields, purposes, consent, use, institutionClasses }) =>
        fields.flatMap((field) => purposes.flatMap((purpose) => consent.map((state) => `${change} ${key({ field, use, purpose, consent: state })} ${institutionClasses.join()}`))));
      assert.deepEqual(listed.toSorted(), cells.map((one) => `${one.change} ${key(one)} ${one.institutionClasses.join()}`).toSorted());
    }));
  });
});
