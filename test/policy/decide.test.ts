import assert from 'node:assert/strict';
import { isVeilgateError } from '../../src/errors.ts';
import { decideOne, policyOf, purposesText, requestOf } from './pack.ts';

const clear = { use: 'read', disposition: 'clear' } as const;
const masked = { use: 'read', disposition: 'mask', treatment: { method: 'suppress' } } as const;
const banded = { use: 'read', disposition: 'band', treatment: { method: 'band', edges: [100, 1000] } } as const;
const token = { use: 'read', disposition: 'token', treatment: { method: 'token' } } as const;
const secure = { fact: 'institution.security_level', op: 'at_least', value: 3 } as const;

describe('policy decides', () => {
  it('withholds what no rule opens, and says which file has none', () => {
    const policy = policyOf({ tax: [{ id: 'tax-revenue', fields: ['revenue_cents'], effect: clear }] });
    const decision = decideOne(policy, 'tax.revenue_cents', 'score');
    assert.deepEqual(decision, { field: 'tax.revenue_cents', use: 'score', disposition: 'withhold', reason: 'no_rule', rule: null, path: ['rules/tax.yaml'] });
  });

  it('names the deciding rule, the path to it and the treatment', () => {
    const policy = policyOf({ tax: [{ id: 'tax-band', fields: ['*_cents'], consent: ['desensitised'], effect: banded }] });
    assert.deepEqual(decideOne(policy, 'tax.paid_cents', 'read', { consent: { 'tax.paid_cents': 'desensitised' } }), {
      field: 'tax.paid_cents', use: 'read', disposition: 'band', reason: 'permitted', rule: 'tax-band',
      path: ['rules/tax.yaml', 'rules', 'tax-band', 'effect'], treatment: { method: 'band', edges: [100, 1000] },
    });
  });

  it('lets the most restrictive of several dispositions win', () => {
    const rules = [
      { id: 'd-clear', fields: ['revenue_cents'], effect: clear },
      { id: 'c-mask', fields: ['revenue_cents'], effect: masked },
      { id: 'b-band', fields: ['revenue_cents'], effect: banded },
      { id: 'a-token', fields: ['revenue_cents'], effect: token },
    ];
    for (let kept = 1; kept <= rules.length; kept += 1) {
      const policy = policyOf({ tax: rules.slice(0, kept) });
      assert.equal(decideOne(policy, 'tax.revenue_cents', 'read').disposition, ['clear', 'mask', 'band', 'token'][kept - 1]);
    }
  });

  it('lets a deny override, for the uses it names', () => {
    const policy = policyOf({ tax: [
      { id: 'open', fields: ['revenue_cents'], effect: clear },
      { id: 'score', fields: ['revenue_cents'], effect: { use: 'score' } },
      { id: 'deny', fields: ['*'], purposes: ['*'], institution_classes: ['*'], effect: { deny: ['read'] } },
    ] });
    const decision = decideOne(policy, 'tax.revenue_cents', 'read');
    assert.deepEqual([decision.disposition, decision.reason, decision.rule], ['withhold', 'denied_by_rule', 'deny']);
    assert.equal(decideOne(policy, 'tax.revenue_cents', 'score').disposition, 'score');
  });

  it('takes consent to the original as consent to the desensitised form too, and not the other way round', () => {
    const policy = policyOf({ tax: [
      { id: 'clear', fields: ['revenue_cents'], effect: clear, when: secure },
      { id: 'band', fields: ['revenue_cents'], effect: banded, consent: ['desensitised'] },
    ] });
    const at = (consent: string, level: number) => decideOne(policy, 'tax.revenue_cents', 'read', { consent: { 'tax.revenue_cents': consent }, facts: { 'institution.security_level': level } }).disposition;
    assert.deepEqual([at('original', 3), at('original', 2), at('desensitised', 3), at('none', 3)], ['clear', 'band', 'band', 'withhold']);
  });

  it('closes a field when a condition on it cannot be evaluated, whatever the consent', () => {
    const policy = policyOf({ tax: [
      { id: 'clear', fields: ['revenue_cents'], effect: clear, when: secure },
      { id: 'band', fields: ['revenue_cents', 'paid_cents'], effect: banded, consent: ['desensitised'] },
    ] });
    for (const facts of [{}, { 'institution.security_level': '3' }, { 'institution.security_level': 6 }, { 'institution.security_level': null }]) {
      for (const consent of ['original', 'desensitised']) {
        const decision = decideOne(policy, 'tax.revenue_cents', 'read', { consent: { 'tax.revenue_cents': consent }, facts });
        assert.deepEqual([decision.disposition, decision.reason, decision.rule, decision.path.at(-1)], ['withhold', 'condition_not_evaluable', 'clear', 'when']);
      }
      assert.equal(decideOne(policy, 'tax.paid_cents', 'read', { facts }).disposition, 'band', 'a field without the condition is not concerned');
    }
  });

  it('says when a condition is not met', () => {
    const policy = policyOf({ tax: [{ id: 'clear', fields: ['revenue_cents'], effect: clear, when: secure }] });
    const decision = decideOne(policy, 'tax.revenue_cents', 'read', { facts: { 'institution.security_level': 2 } });
    assert.deepEqual([decision.disposition, decision.reason, decision.rule], ['withhold', 'condition_not_met', 'clear']);
  });

  it('discloses nothing without a valid grant, public fields included', () => {
    const policy = policyOf({ tax: [{ id: 'rating', fields: ['rating'], effect: clear }] });
    assert.equal(decideOne(policy, 'tax.rating', 'read', { consent: null }).reason, 'no_valid_grant');
    assert.equal(decideOne(policy, 'tax.rating', 'read', { consent: {} }).reason, 'not_consented');
    assert.equal(decideOne(policy, 'tax.rating', 'read', { consent: { 'tax.rating': 'everything' } }).reason, 'not_consented');
  });

  it('closes what the purpose does not need', () => {
    const policy = policyOf({ tax: [{ id: 'paid', fields: ['paid_cents'], effect: clear }] });
    const decision = decideOne(policy, 'tax.paid_cents', 'read', { purpose: 'modelling' });
    assert.deepEqual([decision.disposition, decision.reason, decision.path], ['withhold', 'not_minimum_for_purpose', ['purposes.yaml', 'purposes', 'modelling', 'minimum']]);
  });

  it('answers alike for a field that does not exist and one that is open to nobody of the class', () => {
    const policy = policyOf({
      tax: [
        { id: 'revenue', fields: ['revenue_cents'], effect: clear },
        { id: 'closed', fields: ['closed'], effect: clear },
        { id: 'closed-deny', fields: ['closed'], effect: 'deny' },
        // opened, but in no purpose that needs it
        { id: 'customer', fields: ['customer'], purposes: ['modelling'], effect: clear },
        { id: 'paid', fields: ['paid_cents'], institution_classes: ['bureau'], effect: clear },
      ],
    });
    const ask = (field: string, consent: null | Record<string, string> = { [field]: 'original' }) => JSON.stringify(decideOne(policy, field, 'read', { consent })).replaceAll(field, 'FIELD');
    const unknown = ask('tax.nonesuch');
    assert.equal(JSON.parse(unknown).reason, 'not_available');
    for (const field of ['tax.closed', 'tax.customer', 'tax.paid_cents', 'owner.name', 'nonesuch.name', '__proto__', 'tax.__proto__']) {
      assert.equal(ask(field), unknown, field);
      assert.equal(ask(field, null), unknown, `${field} without grant`);
    }
  });

  it('opens nothing to a class it does not know, and nothing for a use it does not know', () => {
    const policy = policyOf({ tax: [{ id: 'revenue', fields: ['revenue_cents'], effect: clear }] });
    assert.equal(decideOne(policy, 'tax.revenue_cents', 'read', { institutionClass: 'casino' }).reason, 'not_available');
    for (const use of ['constructor', '__proto__', 'write']) assert.equal(decideOne(policy, 'tax.revenue_cents', use as 'read').reason, 'not_available');
  });

  it('refuses a purpose it does not know, naming those there are', () => {
    const policy = policyOf({ tax: [] });
    for (const purpose of ['marketing', '__proto__', '']) {
      assert.throws(() => policy.decide(requestOf([['tax.revenue_cents', 'read']], { purpose })), (error) => isVeilgateError(error, 'POLICY_PURPOSE_UNKNOWN') && !JSON.stringify(error.detail).includes('marketing'));
      assert.throws(() => policy.caps(purpose as never), (error) => isVeilgateError(error, 'POLICY_PURPOSE_UNKNOWN'));
      assert.throws(() => policy.verificationLimit(purpose as never), (error) => isVeilgateError(error, 'POLICY_PURPOSE_UNKNOWN'));
      assert.equal(policy.capsFor(purpose as never, 'bank' as never), undefined);
    }
  });

  it('gives one decision for each thing asked, in order, repetitions included', () => {
    const policy = policyOf({ tax: [{ id: 'revenue', fields: ['revenue_cents'], effect: clear }, { id: 'revenue-verify', fields: ['revenue_cents'], effect: { use: 'verify', comparison: { method: 'within_percent', percent: 5 } } }] });
    const { fields, policy: version, purpose, institutionClass } = policy.decide(requestOf([['tax.revenue_cents', 'verify'], ['tax.nonesuch', 'read'], ['tax.revenue_cents', 'read'], ['tax.revenue_cents', 'verify']]));
    assert.deepEqual(fields.map(({ field, use, disposition }) => `${field} ${use} ${disposition}`), ['tax.revenue_cents verify verify', 'tax.nonesuch read withhold', 'tax.revenue_cents read clear', 'tax.revenue_cents verify verify']);
    assert.deepEqual(fields[0]?.comparison, { method: 'within_percent', percent: 5 });
    assert.deepEqual([version, purpose, institutionClass], [policy.version, 'review', 'bank']);
  });

  it('hands out decisions that nobody can change', () => {
    const policy = policyOf({ tax: [{ id: 'band', fields: ['revenue_cents'], effect: banded }] });
    const decision = decideOne(policy, 'tax.revenue_cents', 'read');
    assert.throws(() => Object.assign(decision, { disposition: 'clear' }), TypeError);
    assert.throws(() => (decision.path as string[]).push('x'), TypeError);
    assert.throws(() => Object.assign(decision.treatment as object, { method: 'none' }), TypeError);
    assert.throws(() => (decision.treatment as unknown as { edges: number[] }).edges.push(1), TypeError);
  });

  it('states caps and attempts of a purpose, for a class only what may be opened to it', () => {
    const policy = policyOf({ tax: [{ id: 'revenue', fields: ['revenue_cents'], effect: clear }, { id: 'deny', fields: ['paid_cents'], effect: 'deny' }] });
    const caps = policy.caps('review' as never);
    assert.equal(caps.fields.size, 10);
    assert.deepEqual({ ...caps, fields: null }, { validityDaysMax: 90, usesMax: 10, frequencyMax: { max: 5, per: 'day' }, dataLifeDaysMax: 30, dataPeriodYearsMax: 3, kinds: ['one_time'], fields: null });
    assert.deepEqual([...policy.capsFor('review' as never, 'bank' as never)?.fields ?? []], ['tax.revenue_cents']);
    assert.equal(policy.capsFor('review' as never, 'bureau' as never)?.fields.size, 0);
    assert.equal(policy.verificationLimit('review' as never), 3);
  });
});

describe('policy version', () => {
  const rules = [
    { id: 'one', fields: ['revenue_cents', 'rating'], effect: clear, when: { any: [secure, { fact: 'grant.kind', op: 'in', value: ['one_time', 'periodic'] } as const] } },
    { id: 'two', fields: ['paid_cents'], institution_classes: ['bank', 'bureau'], effect: clear },
  ];

  it('does not change with the order of rules, lists or parts of a condition', () => {
    const other = [
      { ...rules[1], institution_classes: ['bureau', 'bank'] },
      { ...rules[0], fields: ['rating', 'revenue_cents'], when: { any: [{ fact: 'grant.kind', op: 'in', value: ['periodic', 'one_time'] }, secure] } },
    ];
    assert.equal(policyOf({ tax: rules }).version, policyOf({ tax: other as typeof rules }).version);
    assert.match(policyOf({ tax: rules }).version, /^[0-9a-f]{64}$/);
  });

  it('changes with everything a decision depends on', () => {
    const versions = [
      policyOf({ tax: rules }),
      policyOf({ tax: rules.slice(1) }),
      policyOf({ tax: [rules[0] as typeof rules[0], { ...rules[1], id: 'three' } as typeof rules[1]] }),
      policyOf({ tax: [{ ...rules[0], when: secure } as unknown as typeof rules[0], rules[1] as typeof rules[1]] }),
      policyOf({ tax: rules }, purposesText({ institution_classes: { ...purposesText().institution_classes, shop: { title: { en: 'Shop', zh: '店' } } } })),
    ].map(({ version }) => version);
    assert.equal(new Set(versions).size, versions.length);
  });
});
