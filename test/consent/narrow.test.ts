import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { windowEndMs } from '../../src/consent/calendar.ts';
import { narrow } from '../../src/consent/narrow.ts';
import { isVeilgateError } from '../../src/errors.ts';
import type { ConsentCeiling, FieldRef, Frequency, GrantTerms, IsoDate, TimeMs } from '../../src/vocabulary.ts';
import { dayMs, startMs, terms } from './sample.ts';

const names = ['tax.a', 'tax.b', 'tax.c', 'tax.d'];
const ceiling = fc.constantFrom<ConsentCeiling>('original', 'desensitised');
const date = fc.integer({ min: 0, max: 1500 }).map((days) => new Date(Date.UTC(2022, 0, 1) + days * dayMs).toISOString().slice(0, 10) as IsoDate);
const frequency = fc.record({ max: fc.integer({ min: 1, max: 40 }), per: fc.constantFrom<Frequency['per']>('day', 'week', 'month') });

const requested: fc.Arbitrary<GrantTerms> = fc
  .record({
    fields: fc.uniqueArray(fc.tuple(fc.constantFrom(...names), ceiling), { minLength: 1, selector: ([name]) => name }),
    period: fc.tuple(fc.option(date), fc.option(date)),
    days: fc.integer({ min: 1, max: 100 }),
    usesMax: fc.option(fc.integer({ min: 1, max: 50 })),
    frequency: fc.option(frequency),
    dataLifeDays: fc.integer({ min: 1, max: 100 }),
  })
  .filter(({ period: [from, to] }) => from === null || to === null || from <= to)
  .map(({ fields, period, days, ...rest }) => terms({ ...rest, fields: new Map(fields as [FieldRef, ConsentCeiling][]), dataFrom: period[0], dataTo: period[1], validUntilMs: (startMs + days * dayMs) as TimeMs }));

// one or two terms at a time, else hardly any choice would be accepted
const anyChoice = fc.record({
  fields: fc.uniqueArray(fc.record({ field: fc.constantFrom(...names), ceiling }), { minLength: 1, maxLength: 2, selector: ({ field }) => field }),
  data_from: date, data_to: date,
  valid_days: fc.integer({ min: 1, max: 120 }), uses_max: fc.integer({ min: 1, max: 60 }), frequency, data_life_days: fc.integer({ min: 1, max: 120 }),
});
const choice = fc.tuple(anyChoice, fc.subarray(['fields', 'data_from', 'data_to', 'valid_days', 'uses_max', 'frequency', 'data_life_days'], { maxLength: 2 }))
  .map(([all, kept]) => Object.fromEntries(Object.entries(all).filter(([name]) => kept.includes(name))));

/** How many of these moments, in order, a frequency lets through. */
function admitted(limit: Frequency | null, moments: readonly number[]): number[] {
  const uses = new Map<number, number>();
  return moments.filter((ms) => {
    if (limit === null) return true;
    const window = windowEndMs(limit.per, ms as TimeMs);
    const before = uses.get(window) ?? 0;
    if (before < limit.max) uses.set(window, before + 1);
    return before < limit.max;
  });
}

describe('consent/narrow', () => {
  it('never widens anything, whatever is chosen', () => {
    let accepted = 0;
    fc.assert(fc.property(requested, choice, fc.array(fc.integer({ min: 0, max: 100 * 24 }), { maxLength: 60 }), (asked, chosen, hours) => {
      let narrowed: GrantTerms;
      try {
        narrowed = narrow(asked, chosen);
      } catch (error) {
        assert.ok(isVeilgateError(error, 'CONSENT_INVALID'), String(error));
        return;
      }
      accepted += 1;
      for (const [field, kept] of narrowed.fields) {
        const limit = asked.fields.get(field);
        assert.ok(limit === 'original' || (limit === 'desensitised' && kept === 'desensitised'));
      }
      assert.ok(narrowed.fields.size > 0);
      assert.ok(asked.dataFrom === null || (narrowed.dataFrom !== null && narrowed.dataFrom >= asked.dataFrom));
      assert.ok(asked.dataTo === null || (narrowed.dataTo !== null && narrowed.dataTo <= asked.dataTo));
      assert.ok(narrowed.validUntilMs <= asked.validUntilMs && narrowed.validFromMs === asked.validFromMs);
      assert.ok(asked.usesMax === null || (narrowed.usesMax !== null && narrowed.usesMax <= asked.usesMax));
      assert.ok(narrowed.dataLifeDays <= asked.dataLifeDays);
      const { subject, institution, purpose, kind } = asked;
      assert.deepEqual({ subject, institution, purpose, kind }, { subject: narrowed.subject, institution: narrowed.institution, purpose: narrowed.purpose, kind: narrowed.kind });
      // every sequence of uses that the narrowed frequency lets through, the requested one would have let through
      const through = admitted(narrowed.frequency, hours.map((hour) => startMs + hour * 3_600_000).sort((a, b) => a - b));
      assert.deepEqual(admitted(asked.frequency, through), through);
    }), { numRuns: 2000 });
    assert.ok(accepted > 500, `only ${accepted} choices were accepted: the property is hollow`);
  });

  it('takes what was asked when nothing is chosen', () => {
    assert.deepEqual(narrow(terms(), {}), terms());
  });

  it('reduces fields, ceilings, time, uses and data life', () => {
    const narrowed = narrow(terms({ frequency: { max: 5, per: 'day' } }), {
      fields: [{ field: 'tax.field_0', ceiling: 'desensitised' }], valid_days: 7, uses_max: 3, frequency: { max: 2, per: 'week' }, data_life_days: 5, data_from: '2025-01-01', data_to: '2025-12-31',
    });
    assert.deepEqual([...narrowed.fields], [['tax.field_0', 'desensitised']]);
    assert.equal(narrowed.validUntilMs, startMs + 7 * dayMs);
    assert.deepEqual([narrowed.usesMax, narrowed.frequency, narrowed.dataLifeDays, narrowed.dataFrom, narrowed.dataTo], [3, { max: 2, per: 'week' }, 5, '2025-01-01', '2025-12-31']);
  });

  it('refuses each way of adding, and says which', () => {
    const asked = terms({ frequency: { max: 5, per: 'day' }, dataFrom: '2024-01-01' as IsoDate, dataTo: '2025-12-31' as IsoDate });
    const cases: [unknown, string][] = [
      [{ fields: [{ field: 'court.a', ceiling: 'desensitised' }] }, '/fields/0/field'],
      [{ fields: [{ field: 'tax.field_1', ceiling: 'original' }] }, '/fields/0/ceiling'],
      [{ fields: [] }, '/fields'],
      [{ valid_days: 91 }, '/valid_days'], [{ uses_max: 11 }, '/uses_max'], [{ data_life_days: 31 }, '/data_life_days'],
      [{ frequency: { max: 6, per: 'week' } }, '/frequency'],
      [{ data_from: '2023-12-31' }, '/data_from'], [{ data_to: '2026-01-01' }, '/data_to'],
      [{ data_from: '2025-06-01', data_to: '2025-05-01' }, '/data_to'],
      [{ subject: 'x' }, '/'], [{ purpose: 'x' }, '/'],
    ];
    for (const [chosen, pointer] of cases) {
      assert.throws(() => narrow(asked, chosen), (error) => isVeilgateError(error, 'CONSENT_INVALID') && error.detail?.['pointer'] === pointer, JSON.stringify(chosen));
    }
    assert.throws(() => narrow(terms({ kind: 'one_time', usesMax: 1 }), { frequency: { max: 1, per: 'day' } }), (error) => isVeilgateError(error, 'CONSENT_INVALID'));
  });
});
