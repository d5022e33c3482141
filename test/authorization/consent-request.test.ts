import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { narrowed, parseConsentRequest, termsOf, type ConsentRequest } from '../../src/authorization/consent-request.ts';
import { html } from '../../src/authorization/pages/html.ts';
import { chooseLanguage } from '../../src/authorization/pages/language.ts';
import { safeOnward } from '../../src/authorization/forms.ts';
import { isVeilgateError } from '../../src/errors.ts';
import type { ConsentCeiling, TimeMs } from '../../src/vocabulary.ts';
import { consentDetail, subjectNumber } from './support/platform.ts';

const invalid = (error: unknown) => isVeilgateError(error, 'CONSENT_INVALID');
const request = (changes: object = {}) => parseConsentRequest(consentDetail(subjectNumber(1), { ...changes }));

describe('authorization/consent-request', () => {
  it('turns a request into terms that begin now', () => {
    const terms = termsOf(request({ data_from: '2024-01-01', frequency: { max: 2, per: 'month' } }), 'bank-1', 1_000 as TimeMs);
    assert.equal(terms.validUntilMs, 1_000 + 90 * 86_400_000);
    assert.deepEqual([terms.dataFrom, terms.dataTo, terms.usesMax, terms.frequency], ['2024-01-01', null, 10, { max: 2, per: 'month' }]);
    assert.equal(terms.fields.get('tax.revenue' as never), 'original');
  });

  it('accepts what the documentation shows', () => {
    const text = readFileSync(path.join(import.meta.dirname, '../../docs/formats/authorization.md'), 'utf8');
    const example = /```json\n([\s\S]*?)```/.exec(text)?.[1] ?? assert.fail();
    assert.equal(parseConsentRequest(JSON.parse(example)).valid_days, 90);
  });

  it('refuses anything that is not exactly a request', () => {
    for (const changes of [
      { type: 'other' }, { subject: subjectNumber(1).toLowerCase() }, { subject: 5 }, { purpose: 'Pre' }, { purpose: "x'; drop table" }, { fields: [] },
      { fields: [{ field: 'tax', ceiling: 'original' }] }, { fields: [{ field: 'tax.paid', ceiling: 'clear' }] }, { fields: [{ field: 'tax.paid', ceiling: 'original', x: 1 }] },
      { fields: [{ field: '__proto__.x', ceiling: 'original' }] }, { valid_days: 0 }, { valid_days: 1.5 }, { valid_days: '90' }, { valid_days: 99_999 }, { uses_max: 0 },
      { uses_max: null }, { frequency: { max: 1, per: 'year' } }, { data_from: '2024-13-01' }, { data_from: '2024-1-1' }, { data_from: '2025-01-01', data_to: '2024-01-01' },
      { data_life_days: -1 }, { kind: 'always' }, { unknown: true }, { 'constructor': {} },
    ]) assert.throws(() => request(changes), invalid, JSON.stringify(changes));
    for (const wrong of [null, [], 'x', 1, undefined]) assert.throws(() => parseConsentRequest(wrong), invalid);
  });

  it('never lets a form add anything to a request', () => {
    const asked = request();
    const field = fc.oneof({ weight: 12, arbitrary: fc.constantFrom('tax.revenue', 'tax.paid', 'utility.kwh') }, { weight: 1, arbitrary: fc.constantFrom('court.cases', '__proto__') });
    const wish = fc.record({
      fields: fc.uniqueArray(fc.tuple(field, fc.constantFrom<ConsentCeiling[]>('original', 'desensitised')), { maxLength: 3, selector: ([name]) => name }).map((all) => new Map(all)),
      validDays: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: -5, max: 100 }) }, { weight: 1, arbitrary: fc.double() }),
      usesMax: fc.oneof(fc.constant(null), fc.integer({ min: -3, max: 14 }), fc.constant(Number.NaN)),
    });
    let granted = 0;
    fc.assert(fc.property(wish, (narrowing) => {
      let left: ConsentRequest;
      try {
        left = narrowed(asked, narrowing);
      } catch (error) {
        assert.ok(invalid(error));
        return;
      }
      granted += 1;
      assert.ok(left.fields.length > 0 && left.valid_days >= 1 && left.valid_days <= asked.valid_days && (left.uses_max ?? 99) <= 10);
      for (const { field: ref, ceiling } of left.fields) {
        const before = asked.fields.find((one) => one.field === ref);
        assert.ok(before !== undefined && (before.ceiling === 'original' || ceiling === 'desensitised'));
      }
      assert.deepEqual({ ...left, fields: 0, valid_days: 0, uses_max: 0 }, { ...asked, fields: 0, valid_days: 0, uses_max: 0 });
    }), { numRuns: 2000 });
    assert.ok(granted > 10);
  });

  it('may limit the number of answers where the bank asked for any number', () => {
    const { uses_max: _, ...unlimited } = consentDetail(subjectNumber(1));
    const asked = parseConsentRequest(unlimited);
    const all = new Map(asked.fields.map(({ field, ceiling }) => [field, ceiling]));
    assert.equal(narrowed(asked, { fields: all, validDays: 1, usesMax: 3 }).uses_max, 3);
    assert.equal(narrowed(asked, { fields: all, validDays: 1, usesMax: null }).uses_max, undefined);
  });
});

describe('authorization/pages/html', () => {
  it('turns every value into text, in content and in attributes', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      const page = String(html`<p title="${text}">${text}${[text, html`<b>${text}</b>`]}</p>`);
      const plain = page.replace(/&#[0-9]+;/g, '_');
      assert.equal((plain.match(/[<>]/g) ?? []).length, 8);
      assert.equal((plain.match(/["'`]/g) ?? []).length, 2);
      assert.ok(!plain.includes('&'));
    }));
    assert.equal(String(html`${null}${undefined}${false}${0}`), '0');
  });

  it('does not take an object for markup because it looks like it', () => {
    const forged = { toString: () => '<script>' };
    assert.throws(() => String(html`${forged as unknown as string}`));
  });
});

describe('authorization/pages/language', () => {
  it('follows the choice, then the weights of the browser, then speaks Chinese', () => {
    assert.equal(chooseLanguage(['en'], 'zh'), 'en');
    assert.equal(chooseLanguage([undefined, 'fr'], 'en;q=0.5, zh-TW;q=0.8'), 'zh');
    assert.equal(chooseLanguage([], 'fr, en-US;q=0.1'), 'en');
    assert.equal(chooseLanguage([], 'en;q=0, de'), 'zh');
    assert.equal(chooseLanguage([], undefined), 'zh');
  });
});

describe('authorization/forms', () => {
  it('goes on to pages of ours only', () => {
    const ours = ['/consents', '/consent/Ab_-9', '/console/', '/console/policies', '/console/policies/3', '/console/grid?dataset=tax&page=2'];
    assert.deepEqual(ours.map(safeOnward), ours);
    const foreign = [
      '/console', '/console/../consents', '/console/%2e%2e/', '/console//evil.example', '/console/.hidden', '/console/a\\b', '/console/a?to=/x', `/console/${'a'.repeat(300)}`,
      '//console/', undefined, ['/console/'],
    ];
    assert.deepEqual(foreign.map(safeOnward), foreign.map(() => ''));
    const tail = (path: string) => fc.string().map((text) => `${path}${text}`);
    fc.assert(fc.property(fc.oneof(tail('https://'), fc.string(), tail('/consent/'), tail('/console/'), tail('/console/a/')), (to) => {
      const onward = safeOnward(to);
      if (onward === '') return;
      const { origin, pathname, search } = new URL(onward, 'https://platform.example');
      assert.deepEqual([origin, pathname + search], ['https://platform.example', to], 'a browser goes there and nowhere else');
      assert.match(pathname, /^\/(consents$|consent\/[A-Za-z0-9_-]+$|console\/)/);
    }));
  });
});
