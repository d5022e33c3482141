import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { comparisonsOf, conditionOf, conditionsProblem, knownConditions, noConditions } from '../../src/console/compliance/conditions.ts';
import { blankPurpose, editOf, faultsOf, formOf, limitNames, type PurposeForm } from '../../src/console/compliance/purpose-form.ts';
import { compileCondition } from '../../src/policy/condition.ts';
import { purposeBounds } from '../../src/policy/edit/purpose-bounds.ts';
import { editedPurposes, type PurposeEdit } from '../../src/policy/edit/purpose-edit.ts';
import type { ConditionText, PurposesText, PurposeText } from '../../src/policy/text.ts';
import type { PolicyFact, PolicyPurposeView } from '../../src/sdk/policy-purposes.ts';
import type { FieldRef } from '../../src/vocabulary.ts';

const refs = ['tax.period', 'tax.paid', 'registry.name', 'registry.address'] as FieldRef[];
const review: PurposeText = {
  title: { en: 'Review', zh: '审查' }, description: { en: 'Looks.', zh: '查看。' }, uses: ['read', 'verify'], verification: { attempts_max: 3 }, minimum: ['tax.period', 'registry.name'],
  caps: { validity_days_max: 90, uses_max: 200, frequency_max: { max: 20, per: 'day' }, data_life_days_max: 180, data_period_years_max: 3, kinds: ['one_time', 'periodic'] },
};
const text: PurposesText = { institution_classes: {}, facts: {}, purposes: { review } };
const view: PolicyPurposeView = {
  version: 1, digest: '', purpose: 'review', title: review.title, description: review.description, uses: review.uses, caps: review.caps, attempts_max: 3, bounds: purposeBounds, conditions: [], facts: [],
  datasets: ['tax', 'registry'].map((dataset) => ({ dataset, title: { en: '', zh: '' }, fields: refs.filter((ref) => ref.startsWith(dataset)).map((field) =>
    ({ field, title: { en: '', zh: '' }, type: 'text', level: 1, kind: 'public' as const, opened: true, in_minimum: review.minimum.includes(field) })) })),
};
const words = fc.record({ en: fc.string({ minLength: 1, maxLength: 9 }), zh: fc.string({ minLength: 1, maxLength: 9 }) }, { noNullPrototype: true });
/** Within all bounds, or nearly always. */
const figure = fc.oneof({ weight: 30, arbitrary: fc.integer({ min: 1, max: 50 }).map(String) }, { weight: 1, arbitrary: fc.constantFrom('', '1.5', 'x', '1e1', ' 3', '007', '999999999999') });
const forms: fc.Arbitrary<PurposeForm> = fc.record({
  title: words, description: words, per: fc.constantFrom('day', 'week', 'month'), uses: fc.shuffledSubarray(['read', 'verify', 'score'] as const, { minLength: 1 }), kinds: fc.shuffledSubarray(['one_time', 'periodic'] as const, { minLength: 1 }),
  minimum: fc.subarray([...refs], { minLength: 1 }).map((list) => new Set<string>(list)), limits: fc.record({ validity_days_max: figure, uses_max: figure, frequency_max: figure, data_life_days_max: figure, data_period_years_max: figure, attempts_max: figure }),
});

describe('what an officer makes of a purpose in the console', () => {
  it('is nothing while nothing was changed, whatever order things are ticked in', () => {
    assert.deepEqual(faultsOf(formOf(view), view), []);
    assert.equal(editOf(formOf(view), view), undefined);
    assert.equal(editOf({ ...formOf(view), kinds: ['periodic', 'one_time'], uses: ['verify', 'read'] }, view), undefined);
  });

  it('is taken by the policy as it was filled in, whenever the page finds no fault; and shown again so', () => {
    fc.assert(fc.property(forms, fc.boolean(), (form, isNew) => {
      fc.pre(faultsOf(form, view).length === 0);
      const shown = isNew ? blankPurpose(view, 'other') : view;
      const edit = editOf(form, shown, isNew);
      const after = (edit === undefined ? text : editedPurposes(text, [edit as PurposeEdit], [], refs)).purposes[shown.purpose];
      assert.deepEqual([after?.title, after?.description, after?.uses.toSorted(), after?.minimum.toSorted()], [form.title, form.description, form.uses.toSorted(), [...form.minimum].toSorted()]);
      const { kinds, frequency_max: { max, per }, ...figures } = after?.caps ?? review.caps;
      assert.deepEqual([{ ...figures, frequency_max: max, attempts_max: after?.verification.attempts_max }, per, kinds.toSorted()],
        [Object.fromEntries(limitNames.map((name) => [name, Number(form.limits[name])])), form.per, form.kinds.toSorted()]);
      assert.deepEqual(editOf(formOf(shown, edit), shown, isNew), edit);
    }), { numRuns: 500 });
  });

  it('has a fault where the gateway would refuse it', () => {
    const form = formOf(view);
    for (const name of limitNames) {
      const { min, max } = purposeBounds[name];
      for (const [figure, isFault] of [[min, false], [max, false], [min - 1, true], [max + 1, true]] as const) {
        assert.deepEqual(faultsOf({ ...form, limits: { ...form.limits, [name]: String(figure) } }, view), isFault ? [name] : [], `${name} ${figure}`);
      }
    }
    for (const [part, name] of [[{ title: { en: ' ', zh: 'x' } }, 'title'], [{ description: { en: 'x', zh: '' } }, 'description'], [{ uses: [] }, 'uses'], [{ kinds: [] }, 'kinds'], [{ minimum: new Set<string>() }, 'minimum']] as const) {
      assert.deepEqual(faultsOf({ ...form, ...part }, view), [name]);
    }
  });
});

describe('a condition on a fact, as an officer chooses it', () => {
  const title = { en: 'x', zh: 'x' };
  const today = '2026-11-22';
  const typed: readonly (readonly [PolicyFact, string])[] = [
    [{ type: 'integer', title, min: 1 }, '10'], [{ type: 'text', title }, 'a, b'], [{ type: 'code', title, codes: ['a', 'b'] }, 'a'], [{ type: 'boolean', title }, 'false'], [{ type: 'date', title }, '2027-01-01'],
  ];

  it('is one that rules may hold, for every type and comparison offered', () => {
    for (const [fact, value] of typed) {
      const facts = [{ name: 'request.it', fact }];
      for (const op of comparisonsOf(fact)) {
        const conditions = { ...noConditions, kind: 'new', fact: 'request.it', op, value } as const;
        assert.equal(conditionsProblem(conditions, facts, today), undefined);
        const condition = conditionOf(conditions, null, facts) as ConditionText;
        compileCondition(condition, new Map([['request.it', { name: 'request.it', from: 'caller', ...fact }]]), (_at, problem) => assert.fail(`${fact.type} ${op}: ${problem}`));
      }
    }
  });

  it('is not taken while it says nothing, or ends on a day that is over', () => {
    assert.equal(conditionsProblem(noConditions, [], today), undefined);
    assert.equal(conditionsProblem({ ...noConditions, kind: 'new' }, [], today), 'chooseCondition');
    for (const until of ['2026-11-21', today]) assert.equal(conditionsProblem({ ...noConditions, kind: 'new', until }, [], today), 'dayOver');
    for (const conditions of [{ until: '2026-11-23' }, { level: '3' }]) assert.equal(conditionsProblem({ ...noConditions, kind: 'new', ...conditions }, [], today), undefined);
  });

  it('is read back as its level and its day, and as nothing when it says more', () => {
    const read = (conditions: object) => knownConditions(conditionOf({ ...noConditions, kind: 'new', ...conditions }, null, [{ name: 'request.it', fact: typed[0]?.[0] as PolicyFact }]) ?? {});
    assert.deepEqual(read({ level: '3' }), { level: 3 });
    assert.deepEqual(read({ until: '2026-11-23' }), { until: '2026-11-23' });
    assert.deepEqual(read({ level: '3', until: '2026-11-23' }), { level: 3, until: '2026-11-23' });
    assert.deepEqual(read({ level: '3', fact: 'request.it', op: 'at_least', value: '1' }), {});
  });

  it('is not taken while it does not say what the fact is to be', () => {
    const facts = [{ name: 'request.it', fact: typed[0]?.[0] as PolicyFact }];
    for (const value of ['', ' ', 'x', '1.5']) assert.equal(conditionsProblem({ ...noConditions, kind: 'new', fact: 'request.it', op: 'at_least', value }, facts, today), 'conditionIncomplete', value);
    assert.equal(conditionsProblem({ ...noConditions, kind: 'new', fact: 'request.gone', op: 'at_least', value: '1' }, facts, today), 'conditionIncomplete');
    assert.deepEqual(conditionOf({ ...noConditions, kind: 'new', level: '3', fact: 'request.it', op: 'at_least', value: '1' }, null, facts),
      { all: [{ fact: 'institution.security_level', op: 'at_least', value: 3 }, { fact: 'request.it', op: 'at_least', value: 1 }] });
  });
});
