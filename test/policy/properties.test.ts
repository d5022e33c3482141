import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compilePolicyPack } from '../../src/policy/load.ts';
import type { CompiledPolicy, DecisionRequest } from '../../src/policy/policy.ts';
import { opennessOf, uses } from '../../src/policy/rule.ts';
import type { ConditionText, EffectText, PurposesText, RuleText } from '../../src/policy/text.ts';
import type { ConsentState, FieldDecision, FieldRef, InstitutionClass, PurposeCode, Value } from '../../src/vocabulary.ts';
import { caps, catalogueOf, fileOf, purposesText, ruleOf } from './pack.ts';
import { plainDecision, type Plain } from './reference.ts';

const catalogue = catalogueOf({
  tax: [
    ['revenue_cents', 'integer', 3, 'commercial_secret', { min: 0, max: 1_000_000 }],
    ['paid_cents', 'integer', 1, 'public', { min: 0, max: 1_000_000 }],
    ['note', 'text', 4, 'commercial_secret'],
  ],
  owner: [['name', 'text', 3, 'personal'], ['share', 'decimal', 2, 'commercial_secret', { scale: 2, min: 0, max: 100 }]],
});
const refs = [...catalogue.fields.keys()];
const purposes: PurposesText = purposesText({
  purposes: Object.fromEntries(['review', 'modelling'].map((code) => [code, {
    title: { en: code, zh: code }, description: { en: code, zh: code }, uses: [...uses], caps, verification: { attempts_max: 3 },
    minimum: code === 'review' ? ['tax.*', 'owner.share'] : ['tax.revenue_cents', 'owner.*'],
  }])),
});

/** Every effect a rule over these fields may have without a guard or a conflict speaking against it. */
const effects: readonly { effect: EffectText; fits: (ref: string) => boolean; original?: true }[] = [
  { effect: { use: 'read', disposition: 'clear' }, fits: () => true, original: true },
  { effect: { use: 'read', disposition: 'mask', treatment: { method: 'suppress' } }, fits: () => true },
  { effect: { use: 'read', disposition: 'band', treatment: { method: 'band', edges: [20, 50] } }, fits: isNumber },
  { effect: { use: 'read', disposition: 'token', treatment: { method: 'token' } }, fits: () => true },
  { effect: { use: 'verify', comparison: { method: 'equal' } }, fits: () => true },
  { effect: { use: 'score' }, fits: isNumber },
  { effect: { use: 'aggregate' }, fits: isNumber },
  { effect: 'deny', fits: () => true },
  { effect: { deny: ['read', 'score'] }, fits: () => true },
];

function isNumber(ref: string): boolean {
  return ['integer', 'decimal'].includes(catalogue.fields.get(ref as FieldRef)?.type ?? '');
}

const atom: fc.Arbitrary<ConditionText> = fc.oneof(
  fc.record({ fact: fc.constant('institution.security_level'), op: fc.constantFrom('equals', 'at_least', 'at_most'), value: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ fact: fc.constant('request.loan_amount_cents'), op: fc.constantFrom('at_least', 'at_most'), value: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ fact: fc.constant('grant.kind'), op: fc.constant('in'), value: fc.subarray(['one_time', 'periodic'], { minLength: 1 }) }),
  fc.record({ fact: fc.constant('now.date'), op: fc.constantFrom('before', 'after'), value: fc.constantFrom('2026-01-01', '2026-06-30') }),
  fc.record({ fact: fc.constant('request.urgent'), op: fc.constant('equals'), value: fc.boolean() }),
) as fc.Arbitrary<ConditionText>;
const condition: fc.Arbitrary<ConditionText> = fc.oneof(
  { weight: 3, arbitrary: atom },
  fc.record({ all: fc.array(atom, { minLength: 1, maxLength: 3 }) }),
  fc.record({ any: fc.array(atom, { minLength: 1, maxLength: 3 }) }),
  fc.record({ not: fc.oneof(atom, fc.record({ any: fc.array(atom, { minLength: 1, maxLength: 2 }) })) }),
);

type SomeRule = RuleText & { readonly dataset: string };

const ruleArbitrary: fc.Arbitrary<SomeRule> = fc.constantFrom('tax', 'owner').chain((dataset) => fc.constantFrom(...effects).chain(({ effect, fits, original }) => {
  const names = refs.filter((ref) => ref.startsWith(`${dataset}.`) && fits(ref)).map((ref) => ref.slice(dataset.length + 1));
  return fc.record({
    fields: fc.subarray(names, { minLength: 1 }),
    purposes: fc.subarray(['review', 'modelling'], { minLength: 1 }),
    institution_classes: fc.subarray(['bank', 'bureau'], { minLength: 1 }),
    consent: original === true ? fc.constant(['original' as const]) : fc.subarray(['desensitised' as const, 'original' as const], { minLength: 1 }),
    when: fc.option(condition, { nil: undefined, freq: 2 }),
  }).map(({ when, ...rest }): SomeRule => ({ ...ruleOf({ id: 'nameless', effect, ...rest, ...(when === undefined ? {} : { when }) }), dataset }));
}));

const rulesArbitrary = fc.array(ruleArbitrary, { maxLength: 12 }).map((rules) => rules.map((rule, at) => ({ ...rule, id: `rule-${String((at * 7) % 12).padStart(2, '0')}` })));

const requestArbitrary: fc.Arbitrary<DecisionRequest> = fc.record({
  purpose: fc.constantFrom('review', 'modelling'),
  institutionClass: fc.constantFrom('bank', 'bureau', 'casino'),
  consent: fc.option(fc.array(fc.constantFrom<ConsentState | 'missing'>('none', 'desensitised', 'original', 'original', 'missing'), { minLength: refs.length, maxLength: refs.length }), { nil: null, freq: 10 }),
  facts: fc.record({
    'institution.security_level': fc.constantFrom<Value[]>(1, 2, 3, 4, 5, 6, '3', null),
    'request.loan_amount_cents': fc.constantFrom<Value[]>(1, 2, 3, 4, 5, 2.5, true),
    'grant.kind': fc.constantFrom<Value[]>('one_time', 'periodic', 'forever'),
    'now.date': fc.constantFrom<Value[]>('2025-12-31', '2026-03-01', '2026-12-31'),
    'request.urgent': fc.constantFrom<Value[]>(true, false, 1),
  }, { requiredKeys: [] }) as fc.Arbitrary<Record<string, Value>>,
}).map(({ purpose, institutionClass, consent, facts }): DecisionRequest => ({
  purpose: purpose as PurposeCode, institutionClass: institutionClass as InstitutionClass, facts: new Map(Object.entries(facts)),
  asked: [...refs, 'tax.nonesuch' as FieldRef].flatMap((field) => uses.map((use) => ({ field, use }))),
  consent: consent === null ? null : new Map(refs.flatMap((ref, at) => (consent[at] === 'missing' ? [] : [[ref, consent[at] as ConsentState]]))),
}));

function compile(rules: readonly SomeRule[], reverse = false): CompiledPolicy {
  const files = ['tax', 'owner'].map((dataset) => fileOf(`rules/${dataset}.yaml`, {
    dataset, rules: rules.filter((rule) => rule.dataset === dataset).map(({ dataset: _dataset, ...rule }) => rule),
  }));
  const all = [fileOf('purposes.yaml', purposes), ...files];
  return compilePolicyPack(reverse ? all.toReversed() : all, catalogue);
}

function openness(decisions: readonly FieldDecision[]): number[] {
  return decisions.map(({ disposition }) => opennessOf(disposition));
}

function assertNoMore(less: readonly FieldDecision[], more: readonly FieldDecision[]): void {
  const allowed = openness(more);
  openness(less).forEach((open, at) => assert.ok(open <= (allowed[at] as number), `${less[at]?.field} ${less[at]?.use}: ${less[at]?.disposition} after ${more[at]?.disposition}`));
}

describe('policy, for any rules and any request', () => {
  it('decides exactly as a plain reading of the rules does', () => {
    fc.assert(fc.property(rulesArbitrary, fc.array(requestArbitrary, { minLength: 1, maxLength: 8 }), (rules, requests) => {
      const policy = compile(rules);
      const plain: Plain = { fields: refs, rules, dataset: (rule) => (rule as SomeRule).dataset, purposes };
      for (const request of requests) {
        const decided = policy.decide(request).fields.map(({ disposition, reason, rule }) => ({ disposition, reason, rule }));
        assert.deepEqual(decided, request.asked.map(({ field, use }) => plainDecision(plain, request, field, use)));
      }
    }), { numRuns: 300 });
  });

  it('does not care about the order of rules, lists and files', () => {
    fc.assert(fc.property(rulesArbitrary, requestArbitrary, fc.func(fc.integer()), (rules, request, order) => {
      const shuffled = rules.toSorted((a, b) => order(a.id) - order(b.id)).map((rule) => ({
        ...rule, fields: rule.fields.toReversed(), purposes: rule.purposes.toReversed(), institution_classes: rule.institution_classes.toReversed(), consent: rule.consent.toReversed(),
      }));
      const one = compile(rules);
      const other = compile(shuffled, true);
      assert.equal(other.version, one.version);
      assert.deepEqual(other.decide(request), one.decide(request));
    }), { numRuns: 100 });
  });

  it('never discloses more after a deny was added', () => {
    const deny = ruleArbitrary.filter(({ effect }) => effect === 'deny' || (typeof effect === 'object' && 'deny' in effect));
    fc.assert(fc.property(rulesArbitrary, deny, fc.array(requestArbitrary, { minLength: 1, maxLength: 5 }), (rules, added, requests) => {
      const before = compile(rules);
      const after = compile([...rules, { ...added, id: 'added-deny' }]);
      for (const request of requests) assertNoMore(after.decide(request).fields, before.decide(request).fields);
    }), { numRuns: 150 });
  });

  it('never discloses more when consent is narrowed, field by field or altogether', () => {
    const narrower: Readonly<Record<ConsentState, readonly ConsentState[]>> = { original: ['original', 'desensitised', 'none'], desensitised: ['desensitised', 'none'], none: ['none'] };
    fc.assert(fc.property(rulesArbitrary, requestArbitrary, fc.array(fc.nat(), { minLength: refs.length, maxLength: refs.length }), (rules, request, picks) => {
      const policy = compile(rules);
      const full = policy.decide(request).fields;
      const consent = new Map([...request.consent ?? []].map(([field, state], at): [FieldRef, ConsentState] => {
        const choices = narrower[state];
        return [field, choices[(picks[at] as number) % choices.length] as ConsentState];
      }));
      assertNoMore(policy.decide({ ...request, consent: request.consent === null ? null : consent }).fields, full);
      for (const { disposition } of policy.decide({ ...request, consent: null }).fields) assert.equal(disposition, 'withhold');
    }), { numRuns: 200 });
  });

  it('never discloses more when facts are left out', () => {
    fc.assert(fc.property(rulesArbitrary, requestArbitrary, fc.nat(31), (rules, request, kept) => {
      const policy = compile(rules);
      const facts = new Map([...request.facts].filter((_, at) => (kept >> at) % 2 === 1));
      assertNoMore(policy.decide({ ...request, facts }).fields, policy.decide(request).fields);
    }), { numRuns: 200 });
  });

  it('discloses only what is consented, in the minimum and asked', () => {
    fc.assert(fc.property(rulesArbitrary, requestArbitrary, (rules, request) => {
      const policy = compile(rules);
      const { fields } = policy.decide(request);
      assert.deepEqual(fields.map(({ field, use }) => ({ field, use })), request.asked);
      for (const { field, disposition } of fields.filter((one) => one.disposition !== 'withhold')) {
        const state = request.consent?.get(field) ?? 'none';
        assert.notEqual(state, 'none');
        if (disposition === 'clear') assert.equal(state, 'original');
        assert.ok(policy.caps(request.purpose).fields.has(field));
        assert.ok(policy.capsFor(request.purpose, request.institutionClass)?.fields.has(field));
      }
    }), { numRuns: 200 });
  });
});
