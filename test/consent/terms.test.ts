import { strict as assert } from 'node:assert';
import { checkCaps, frequencyWithin } from '../../src/consent/caps.ts';
import { completeTerms, consentDetail, parseTerms, startingAt } from '../../src/consent/terms.ts';
import { isVeilgateError, type ErrorCode, type VeilgateError } from '../../src/errors.ts';
import type { Frequency, IsoDate, PurposeCode, TimeMs } from '../../src/vocabulary.ts';
import { bank, caps, capsOf, dayMs, detail, fieldNames, startMs, terms } from './sample.ts';

const parse = (json: unknown) => parseTerms(json, bank, capsOf, startMs);

function refused(json: unknown, code: ErrorCode): VeilgateError {
  try {
    parse(json);
  } catch (error) {
    assert.ok(isVeilgateError(error, code), String(error));
    return error;
  }
  assert.fail(`accepted: ${JSON.stringify(json)}`);
}

describe('consent/terms', () => {
  it('reads a request and fills what it leaves open with the most policy allows', () => {
    const read = parse(detail());
    assert.equal(read.institution, bank);
    assert.deepEqual([...read.fields], [['tax.field_0', 'original'], ['tax.field_1', 'desensitised']]);
    assert.equal(read.usesMax, 100);
    assert.deepEqual(read.frequency, { max: 10, per: 'day' });
    assert.equal(read.dataFrom, '2023-03-10');
    assert.equal(read.dataTo, null);
    assert.equal(read.validFromMs, startMs);
    assert.equal(read.validUntilMs, startMs + 90 * dayMs);
  });

  it('makes a one-time grant one use, without frequency', () => {
    const read = parse(detail({ kind: 'one_time' }));
    assert.equal(read.usesMax, 1);
    assert.equal(read.frequency, null);
    assert.equal(refused(detail({ kind: 'one_time', uses_max: 2 }), 'CONSENT_INVALID').detail?.['pointer'], '/uses_max');
    assert.equal(refused(detail({ kind: 'one_time', frequency: { max: 1, per: 'day' } }), 'CONSENT_INVALID').detail?.['pointer'], '/frequency');
  });

  it('completes what is open and leaves what is set, even where it goes too far', () => {
    const open = { usesMax: null, frequency: null, dataFrom: null };
    const limits = (changes: Partial<typeof base>) => {
      const { usesMax, frequency, dataFrom } = completeTerms({ ...base, ...changes }, caps, startMs);
      return [usesMax, frequency, dataFrom];
    };
    const base = terms(open);
    assert.deepEqual(limits({}), [100, { max: 10, per: 'day' }, '2023-03-10']);
    assert.deepEqual(limits({ kind: 'one_time' }), [1, null, '2023-03-10']);
    assert.deepEqual(limits({ usesMax: 5000, frequency: { max: 99, per: 'day' }, dataFrom: '1999-01-01' as IsoDate }), [5000, { max: 99, per: 'day' }, '1999-01-01']);
  });

  it('writes terms as JSON that reads back to the same terms', () => {
    const read = parse(detail({ data_from: '2024-01-01', data_to: '2026-01-31', uses_max: 5, frequency: { max: 2, per: 'week' } }));
    assert.deepEqual(parse(consentDetail(read)), read);
  });

  it('refuses what the schema does not know, and says where', () => {
    const field = { field: 'tax.field_0', ceiling: 'original' };
    const cases: [unknown, string][] = [
      [null, '/'], ['text', '/'], [[], '/'],
      [{ ...detail(), extra: 1 }, '/'],
      [{ ...detail(), type: 'other' }, '/type'],
      [{ ...detail(), subject: 'short' }, '/subject'],
      [{ ...detail(), purpose: "x'; drop table consent_grant; --" }, '/purpose'],
      [{ ...detail(), fields: [] }, '/fields'],
      [{ ...detail(), fields: Array.from({ length: 201 }, (_, at) => ({ field: `tax.f${at}`, ceiling: 'original' })) }, '/fields'],
      [{ ...detail(), fields: [{ ...field, ceiling: 'clear' }] }, '/fields/0/ceiling'],
      [{ ...detail(), fields: [{ ...field, field: 'tax' }] }, '/fields/0/field'],
      [{ ...detail(), fields: [{ ...field, field: 'tax.a.b' }] }, '/fields/0/field'],
      [{ ...detail(), fields: [field, field] }, '/fields/1/field'],
      [{ ...detail(), valid_days: 0 }, '/valid_days'],
      [{ ...detail(), valid_days: 1.5 }, '/valid_days'],
      [{ ...detail(), valid_days: '90' }, '/valid_days'],
      [{ ...detail(), uses_max: 0 }, '/uses_max'],
      [{ ...detail(), uses_max: null }, '/uses_max'],
      [{ ...detail(), frequency: { max: 1, per: 'year' } }, '/frequency/per'],
      [{ ...detail(), data_life_days: -1 }, '/data_life_days'],
      [{ ...detail(), kind: 'ever' }, '/kind'],
      [{ ...detail(), data_from: '2025-02-29' }, '/data_from'],
      [{ ...detail(), data_from: '2025-06-01', data_to: '2025-05-31' }, '/data_to'],
      [{ ...detail(), data_to: '2020-01-01' }, '/data_to'],
    ];
    for (const [json, pointer] of cases) assert.equal(refused(json, 'CONSENT_INVALID').detail?.['pointer'], pointer, JSON.stringify(json));
  });

  it('refuses a credit code with a wrong check digit', () => {
    assert.equal(refused(detail({ subject: '913301007996550581' }), 'CONSENT_INVALID').detail?.['pointer'], '/subject');
  });

  it('never repeats what was sent in an error', () => {
    for (const json of [{ ...detail(), kind: 'CANARY' }, { ...detail(), CANARY: 1 }, { ...detail(), fields: [{ field: 'CANARY', ceiling: 'CANARY' }] }, detail({ subject: 'CANARYCANARYCANARY' })]) {
      const error = refused(json, 'CONSENT_INVALID');
      assert.doesNotMatch(`${error.message} ${JSON.stringify(error.detail)}`, /CANARY/);
    }
  });

  it('refuses an unknown purpose', () => {
    refused(detail({ purpose: 'anything_else' as PurposeCode }), 'POLICY_PURPOSE_UNKNOWN');
  });

  it('names every term beyond its cap, with the cap', () => {
    const excess = (json: unknown) => {
      const error = refused(json, 'CONSENT_EXCEEDS_CAP');
      return (error.detail?.['exceeds'] as { term: string; asked: unknown; cap: unknown }[]).map(({ term, asked, cap }) => [term, asked, cap]);
    };
    assert.deepEqual(excess(detail({ valid_days: 181 })), [['valid_days', 181, 180]]);
    assert.deepEqual(excess(detail({ uses_max: 101 })), [['uses_max', 101, 100]]);
    assert.deepEqual(excess(detail({ frequency: { max: 11, per: 'day' } })), [['frequency', { max: 11, per: 'day' }, { max: 10, per: 'day' }]]);
    assert.deepEqual(excess(detail({ data_life_days: 366 })), [['data_life_days', 366, 365]]);
    assert.deepEqual(excess(detail({ data_from: '2023-03-09' })), [['data_from', '2023-03-09', '2023-03-10']]);
    assert.deepEqual(excess(detail({ fields: [{ field: 'court.secret', ceiling: 'original' }] })), [['fields', ['court.secret'], 'the minimum for the purpose']]);
    assert.deepEqual(excess(detail({ valid_days: 200, data_life_days: 400 })).map(([term]) => term), ['valid_days', 'data_life_days']);
  });

  it('accepts terms exactly at their caps', () => {
    parse(detail({ valid_days: 180, uses_max: 100, frequency: { max: 10, per: 'day' }, data_life_days: 365, data_from: '2023-03-10', fields: fieldNames.map((field) => ({ field, ceiling: 'original' })) }));
  });

  it('refuses a kind the purpose is not open to, and terms without a start of the data period', () => {
    const refusedTerms = (check: () => void, term: string) => assert.throws(check, (error) => isVeilgateError(error, 'CONSENT_EXCEEDS_CAP') && JSON.stringify(error.detail).includes(term));
    refusedTerms(() => checkCaps(terms({ dataFrom: null }), caps, startMs), 'data_from');
    refusedTerms(() => parseTerms(detail(), bank, () => ({ ...caps, kinds: ['one_time'] }), startMs), 'kind');
  });

  it('moves validity to the moment of consent and keeps its length', () => {
    const later = startingAt(terms(), (startMs + 5000) as TimeMs);
    assert.equal(later.validFromMs, startMs + 5000);
    assert.equal(later.validUntilMs - later.validFromMs, 90 * dayMs);
  });

  it('compares frequencies by the worst that can fall into one window of the cap', () => {
    const table: [Frequency | null, Frequency, number | null, boolean][] = [
      [{ max: 1, per: 'day' }, { max: 31, per: 'month' }, null, true],
      [{ max: 1, per: 'day' }, { max: 30, per: 'month' }, null, false],
      [{ max: 1, per: 'day' }, { max: 30, per: 'month' }, 30, true],
      [{ max: 1, per: 'week' }, { max: 1, per: 'day' }, null, true],
      [{ max: 30, per: 'month' }, { max: 29, per: 'day' }, null, false],
      [{ max: 1, per: 'month' }, { max: 1, per: 'week' }, null, false], // a week can touch two months
      [{ max: 1, per: 'week' }, { max: 5, per: 'month' }, null, false], // a month can touch six weeks
      [null, { max: 10, per: 'day' }, 10, true],
      [null, { max: 10, per: 'day' }, 11, false],
      [null, { max: 10, per: 'day' }, null, false],
    ];
    for (const [asked, cap, usesMax, within] of table) assert.equal(frequencyWithin(asked, cap, usesMax), within, JSON.stringify([asked, cap, usesMax]));
  });
});
