import assert from 'node:assert/strict';
import { isVeilgateError } from '../../src/errors.ts';
import { explain } from '../../src/policy/explain.ts';
import { policyOf, requestOf, type RequestSketch } from './pack.ts';

const policy = policyOf({ tax: [
  { id: 'revenue-clear', fields: ['revenue_cents'], effect: { use: 'read', disposition: 'clear' } },
  { id: 'revenue-band', fields: ['revenue_cents'], consent: ['desensitised'], effect: { use: 'read', disposition: 'band', treatment: { method: 'band', edges: [100, 1000] } } },
  { id: 'customer-token', fields: ['customer'], consent: ['desensitised', 'original'], effect: { use: 'read', disposition: 'token', treatment: { method: 'token' } } },
  { id: 'paid-clear', fields: ['paid_cents'], effect: { use: 'read', disposition: 'clear' }, when: { all: [{ fact: 'institution.security_level', op: 'at_least', value: 3 }, { fact: 'request.loan_amount_cents', op: 'at_least', value: 1000 }] } },
  { id: 'rating-score', fields: ['rating'], effect: { use: 'score' } },
] });

function one(field: string, sketch: RequestSketch = {}, audience: 'caller' | 'compliance' = 'caller') {
  const explanation = explain(policy, requestOf([[field, 'read']], sketch), { audience });
  const [explained] = explanation.fields;
  assert.ok(explained);
  return { ...explained, grantNeeded: explanation.grantNeeded };
}

describe('policy explains', () => {
  it('what the best consent would give, and which consent that is', () => {
    const nothing = one('tax.revenue_cents', { consent: null });
    assert.deepEqual([nothing.now.reason, nothing.desensitised.disposition, nothing.original.disposition, nothing.consentNeeded], ['no_valid_grant', 'band', 'clear', 'original']);
    assert.deepEqual(nothing.grantNeeded, { purpose: 'review', fields: { 'tax.revenue_cents': 'original' } });
    assert.match(nothing.words.en, /^Withheld: there is no valid grant\. With the enterprise's consent to the original: clear\.$/);
    assert.match(nothing.words.zh, /没有有效授权.*企业授权提供原始值后：原始值/);
    assert.deepEqual(nothing.title, { en: 'Title of revenue_cents', zh: 'revenue_cents的名称' });
  });

  it('that a wider consent would give more than there is', () => {
    const some = one('tax.revenue_cents', { consent: { 'tax.revenue_cents': 'desensitised' } });
    assert.deepEqual([some.now.disposition, some.consentNeeded], ['band', 'original']);
    assert.match(some.words.en, /^Banded \(shown as one of 3 bands with the edges CNY 1; CNY 10\), by the rule revenue-band \(Says revenue-band\)\. With .*original: clear\.$/);
  });

  it('that nothing more is to be had', () => {
    const full = one('tax.revenue_cents');
    assert.deepEqual([full.now.disposition, full.consentNeeded, full.grantNeeded], ['clear', null, null]);
    assert.deepEqual([full.now.rule, full.now.path], ['revenue-clear', ['rules/tax.yaml', 'rules', 'revenue-clear', 'effect']]);
  });

  it('the least consent that is enough', () => {
    assert.deepEqual(one('tax.customer', { consent: {} }).grantNeeded, { purpose: 'review', fields: { 'tax.customer': 'desensitised' } });
  });

  it('which facts are missing or of the wrong type, and what they are needed for', () => {
    const vague = one('tax.paid_cents', { facts: { 'institution.security_level': 'high' } });
    assert.deepEqual([vague.now.reason, vague.missingFacts], ['condition_not_evaluable', ['institution.security_level', 'request.loan_amount_cents']]);
    assert.match(vague.words.en, /facts are missing \(institution\.security_level, request\.loan_amount_cents\)\. Depends on: security level is at least 3 and loan amount is at least CNY 10\.$/);
    const clear = one('tax.paid_cents', { facts: { 'institution.security_level': 3, 'request.loan_amount_cents': 1000 } });
    assert.deepEqual([clear.now.disposition, clear.missingFacts], ['clear', []]);
  });

  it('that consent alone opens nothing where no rule does', () => {
    const { words, consentNeeded } = one('tax.rating', { consent: null });
    assert.equal(consentNeeded, null);
    assert.match(words.en, /Consent alone would not open it: no rule opens it for this use\./);
  });

  it('nothing about what is not available, except to compliance', () => {
    const strip = (field: string) => JSON.stringify(one(field, { consent: null })).replaceAll(field, 'FIELD');
    assert.equal(strip('tax.closed'), strip('tax.nonesuch'));
    assert.deepEqual([one('tax.closed').title, one('tax.closed').words.en], [null, 'Not available.']);
    assert.match(one('tax.closed', {}, 'compliance').words.en, /In the catalogue, but no rule opens it/);
    assert.match(one('tax.nonesuch', {}, 'compliance').words.en, /no such field/);
  });

  it('only purposes it knows', () => {
    assert.throws(() => one('tax.revenue_cents', { purpose: 'marketing' }), (error) => isVeilgateError(error, 'POLICY_PURPOSE_UNKNOWN'));
  });

  it('every field and use alike for one grant: the wider consent counts', () => {
    const { grantNeeded } = explain(policy, requestOf([['tax.revenue_cents', 'read'], ['tax.customer', 'read'], ['tax.nonesuch', 'read'], ['tax.rating', 'score']], { consent: null }));
    assert.deepEqual(grantNeeded?.fields, { 'tax.revenue_cents': 'original', 'tax.customer': 'desensitised', 'tax.rating': 'original' });
  });
});
