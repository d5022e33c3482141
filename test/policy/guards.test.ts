import assert from 'node:assert/strict';
import { isVeilgateError } from '../../src/errors.ts';
import type { Problem } from '../../src/policy/problem.ts';
import type { EffectText } from '../../src/policy/text.ts';
import type { Treatment } from '../../src/vocabulary.ts';
import { catalogueOf, policyOf, purposesText, ruleOf, type RuleSketch } from './pack.ts';

const catalogue = catalogueOf({
  data: [
    ['amount', 'integer', 3, 'commercial_secret', { min: 0, max: 1_000_000 }],
    ['few', 'integer', 3, 'commercial_secret', { min: 1, max: 4 }],
    ['ratio', 'decimal', 3, 'commercial_secret', { scale: 2, min: 0, max: 100 }],
    ['text', 'text', 3, 'commercial_secret', { maxLength: 10 }],
    ['code', 'code', 3, 'commercial_secret', { codes: { a: 'a', b: 'b', c: 'c', d: 'd' } }],
    ['many', 'code', 3, 'commercial_secret', { codes: { a: 'a', b: 'b', c: 'c', d: 'd', e: 'e', f: 'f' } }],
    ['grade', 'code', 1, 'public', { codes: { a: 'a', b: 'b' } }],
    ['flag', 'boolean', 3, 'commercial_secret'],
    ['date', 'date', 3, 'commercial_secret'],
    ['name', 'text', 3, 'personal', { maxLength: 60 }],
    ['age', 'integer', 3, 'personal', { min: 0, max: 150 }],
    ['account', 'text', 5, 'commercial_secret', { maxLength: 25 }],
    ['limit', 'integer', 5, 'commercial_secret', { min: 0, max: 1_000_000 }],
  ],
});
const base = purposesText();
const purposes = purposesText({ purposes: { review: { ...base.purposes['review'] as NonNullable<typeof base.purposes[string]>, uses: ['read', 'verify', 'score', 'aggregate'], minimum: ['data.*'] } } });

function problemsOf(rule: Partial<RuleSketch> & { fields: readonly string[]; effect: EffectText }): string[] {
  try {
    policyOf({ data: [ruleOf({ id: 'rule', ...rule })] }, purposes, catalogue);
    return [];
  } catch (error) {
    assert.ok(isVeilgateError(error, 'POLICY_BROKEN'), String(error));
    return (error.detail?.['problems'] as readonly Problem[]).map(({ problem }) => problem);
  }
}

const read = (disposition: 'mask' | 'band' | 'token', treatment: Treatment): EffectText => ({ use: 'read', disposition, treatment });
const both = ['desensitised', 'original'] as const;

function refused(says: RegExp, rule: Parameters<typeof problemsOf>[0]): void {
  const problems = problemsOf(rule);
  assert.ok(problems.some((problem) => says.test(problem)), `${JSON.stringify(rule)} should be refused with ${String(says)}, got ${problems.join(' | ') || 'nothing'}`);
}

function accepted(rule: Parameters<typeof problemsOf>[0]): void {
  assert.deepEqual(problemsOf(rule), [], JSON.stringify(rule));
}

describe('policy guards refuse', () => {
  it('clear values at consent to the desensitised form, of public fields too', () => {
    refused(/clear values need consent to the original/, { fields: ['amount'], consent: both, effect: { use: 'read', disposition: 'clear' } });
    refused(/clear values need consent to the original/, { fields: ['grade'], consent: ['desensitised'], effect: { use: 'read', disposition: 'clear' } });
    accepted({ fields: ['amount', 'grade', 'name'], effect: { use: 'read', disposition: 'clear' } });
  });

  it('level 5 in clear, in scores and in aggregates, by name and by pattern', () => {
    for (const effect of [{ use: 'read', disposition: 'clear' }, { use: 'score' }, { use: 'aggregate' }] as const) {
      refused(/data.limit is of level 5/, { fields: ['limit'], effect });
      refused(/data.limit is of level 5/, { fields: ['l*'], effect });
    }
    accepted({ fields: ['account'], consent: both, effect: read('mask', { method: 'bank_account' }) });
    accepted({ fields: ['account'], effect: { use: 'verify', comparison: { method: 'equal' } } });
  });

  it('personal data in scores or aggregates without consent to the original', () => {
    refused(/data.age is personal/, { fields: ['age'], consent: both, effect: { use: 'score' } });
    refused(/data.age is personal/, { fields: ['age'], consent: ['desensitised'], effect: { use: 'aggregate' } });
    accepted({ fields: ['age'], effect: { use: 'score' } });
  });

  it('comparing personal data by anything but equality', () => {
    refused(/verified only with the comparison "equal"/, { fields: ['age'], effect: { use: 'verify', comparison: { method: 'within_absolute', amount: 2 } } });
    accepted({ fields: ['age'], consent: both, effect: { use: 'verify', comparison: { method: 'equal' } } });
  });

  it('verifying what has so few values that trying finds it', () => {
    const equal = { use: 'verify', comparison: { method: 'equal' } } as const;
    for (const field of ['flag', 'code', 'few']) {
      refused(/possible values and review allows 3 attempts/, { fields: [field], consent: both, effect: equal });
      accepted({ fields: [field], consent: ['original'], effect: equal });
    }
    accepted({ fields: ['many', 'grade', 'amount', 'name', 'date'], consent: both, effect: equal });
  });

  it('treatments on fields of another type', () => {
    const misfits: [Treatment, string[], string[]][] = [
      [{ method: 'keep_ends', first: 1, last: 1 }, ['text'], ['amount', 'date', 'code', 'flag']],
      [{ method: 'mask_range', from: 1, to: 5 }, ['text'], ['ratio']],
      [{ method: 'chinese_name' }, ['name'], ['amount']],
      [{ method: 'email' }, ['text'], ['code']],
      [{ method: 'address', level: 'city' }, ['text'], ['date']],
      [{ method: 'year' }, ['date'], ['text', 'amount']],
      [{ method: 'round', to: 10 }, ['amount', 'ratio'], ['text', 'date']],
      [{ method: 'generalise', groups: { a: 'x', b: 'x' }, otherwise: 'y' }, ['code'], ['amount', 'flag']],
      [{ method: 'suppress' }, ['amount', 'text', 'flag', 'date', 'code', 'account'], []],
      [{ method: 'fixed', text: '***' }, ['amount', 'flag'], []],
    ];
    for (const [treatment, fit, misfit] of misfits) {
      for (const field of fit) accepted({ fields: [field], consent: ['desensitised'], effect: read('mask', treatment) });
      for (const field of misfit) refused(new RegExp(`data.${field} is of type`), { fields: [field], consent: ['desensitised'], effect: read('mask', treatment) });
    }
    refused(/data.text is of type text/, { fields: ['text'], effect: read('band', { method: 'band', edges: [10] }) });
    refused(/data.flag is of type boolean/, { fields: ['flag'], effect: read('token', { method: 'token' }) });
    refused(/data.code is of type code/, { fields: ['code'], effect: read('token', { method: 'token' }) });
    refused(/data.amount is of type integer/, { fields: ['amount'], effect: read('token', { method: 'format_preserving_token', alphabet: 'digits' }) });
  });

  it('treatments that leave a value as it is', () => {
    refused(/leaves data.amount as it is/, { fields: ['amount'], effect: read('mask', { method: 'round', to: 1 }) });
    refused(/leaves data.ratio as it is/, { fields: ['ratio'], effect: read('mask', { method: 'round', to: 0.01 }) });
    refused(/more than half of data.text/, { fields: ['text'], effect: read('mask', { method: 'keep_ends', first: 3, last: 3 }) });
    refused(/every code of data.code would keep a group of its own/, { fields: ['code'], effect: read('mask', { method: 'generalise', groups: { a: '1', b: '2', c: '3' }, otherwise: '4' }) });
    refused(/"x" is not a code of data.code/, { fields: ['code'], effect: read('mask', { method: 'generalise', groups: { a: '1', x: '1' }, otherwise: '4' }) });
    refused(/holds one value of data.amount only/, { fields: ['amount'], effect: read('band', { method: 'band', edges: [10, 11] }) });
    refused(/outside the range of data.ratio/, { fields: ['ratio'], effect: read('band', { method: 'band', edges: [10, 200] }) });
    refused(/"clamp" leaves most values of data.amount as they are/, { fields: ['amount'], consent: ['desensitised'], effect: read('mask', { method: 'clamp', bottom: 1, top: 5 }) });
    refused(/"bottom" must be less/, { fields: ['amount'], effect: read('mask', { method: 'clamp', bottom: 5, top: 5 }) });
    refused(/"from" must be less/, { fields: ['text'], effect: read('mask', { method: 'mask_range', from: 5, to: 5 }) });
    accepted({ fields: ['amount'], effect: read('mask', { method: 'clamp', bottom: 1, top: 5 }) });
    accepted({ fields: ['amount', 'ratio'], effect: read('band', { method: 'band', edges: [10, 12] }) });
  });

  it('numbers compared where there are none, text scored, dates aggregated', () => {
    refused(/"within_percent" works on integer, decimal only/, { fields: ['text'], effect: { use: 'verify', comparison: { method: 'within_percent', percent: 5 } } });
    refused(/data.date is of type date/, { fields: ['date'], effect: { use: 'verify', comparison: { method: 'same_band', edges: [1, 5] } } });
    refused(/data.text is text: it cannot be scored/, { fields: ['text'], effect: { use: 'score' } });
    refused(/data.date is of type date: it cannot be aggregated/, { fields: ['date'], effect: { use: 'aggregate' } });
    refused(/the edges must ascend/, { fields: ['amount'], effect: { use: 'verify', comparison: { method: 'same_band', edges: [5, 5] } } });
  });

  it('nothing that only denies', () => {
    accepted({ fields: ['*'], consent: both, purposes: ['*'], institution_classes: ['*'], effect: 'deny' });
  });
});
