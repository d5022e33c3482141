import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compileCondition, type Condition } from '../../src/policy/condition.ts';
import { isIsoDate } from '../../src/calendar.ts';
import { gatherFacts, type Fact } from '../../src/policy/facts.ts';
import { matches } from '../../src/policy/pattern.ts';
import { excludeEachOther, situationsFor } from '../../src/policy/situations.ts';
import type { ConditionText, FactText } from '../../src/policy/text.ts';
import type { InstitutionClass, TimeMs, Value } from '../../src/vocabulary.ts';

const title = { en: 'fact', zh: '事实' };
const facts = new Map(Object.entries({
  level: { type: 'integer', min: 1, max: 5 },
  kind: { type: 'code', codes: ['a', 'b', 'c'] },
  day: { type: 'date' },
  yes: { type: 'boolean' },
  word: { type: 'text' },
} satisfies Record<string, Omit<FactText, 'title'>>).map(([name, fact]): [string, Fact] => [name, { name, from: 'platform', title, ...fact }]));

function compiled(text: ConditionText): Condition {
  const condition = compileCondition(text, facts, (pointer, problem) => assert.fail(`${pointer} ${problem}`));
  assert.ok(condition);
  return condition;
}

const evaluate = (text: ConditionText, given: Readonly<Record<string, Value>>) => compiled(text).test(new Map(Object.entries(given)));

describe('a policy condition', () => {
  it('compares as its operator says', () => {
    const table: [ConditionText, Value, boolean | undefined][] = [
      [{ fact: 'level', op: 'at_least', value: 3 }, 3, true], [{ fact: 'level', op: 'at_least', value: 3 }, 2, false],
      [{ fact: 'level', op: 'at_most', value: 3 }, 3, true], [{ fact: 'level', op: 'at_most', value: 3 }, 4, false],
      [{ fact: 'level', op: 'equals', value: 3 }, 3, true], [{ fact: 'level', op: 'in', value: [1, 3] }, 2, false],
      [{ fact: 'level', op: 'at_least', value: 3 }, 6, undefined], [{ fact: 'level', op: 'at_least', value: 3 }, 3.5, undefined],
      [{ fact: 'level', op: 'at_least', value: 3 }, '3', undefined], [{ fact: 'level', op: 'at_least', value: 3 }, null, undefined],
      [{ fact: 'kind', op: 'in', value: ['a', 'b'] }, 'b', true], [{ fact: 'kind', op: 'equals', value: 'a' }, 'c', false], [{ fact: 'kind', op: 'equals', value: 'a' }, 'z', undefined],
      [{ fact: 'day', op: 'before', value: '2026-01-10' }, '2026-01-09', true], [{ fact: 'day', op: 'before', value: '2026-01-10' }, '2026-01-10', false],
      [{ fact: 'day', op: 'after', value: '2026-01-10' }, '2026-01-11', true], [{ fact: 'day', op: 'after', value: '2026-01-10' }, '2026-02-30', undefined],
      [{ fact: 'yes', op: 'equals', value: true }, true, true], [{ fact: 'yes', op: 'equals', value: true }, 1, undefined],
      [{ fact: 'word', op: 'equals', value: 'x' }, 'X', false],
    ];
    for (const [text, value, expected] of table) assert.equal(evaluate(text, { [(text as { fact: string }).fact]: value }), expected, `${JSON.stringify(text)} of ${String(value)}`);
  });

  it('is decided by what is known when the rest cannot change it, and undecided otherwise', () => {
    const t = { fact: 'yes', op: 'equals', value: true } as const;
    const f = { fact: 'yes', op: 'equals', value: false } as const;
    const unknown = { fact: 'level', op: 'equals', value: 1 } as const;
    const given = { yes: true };
    assert.deepEqual([evaluate({ all: [unknown, f] }, given), evaluate({ all: [unknown, t] }, given)], [false, undefined]);
    assert.deepEqual([evaluate({ any: [unknown, t] }, given), evaluate({ any: [unknown, f] }, given)], [true, undefined]);
    assert.deepEqual([evaluate({ not: unknown }, given), evaluate({ not: t }, given), evaluate({ not: f }, given)], [undefined, false, true]);
  });

  it('never throws, whatever the facts are', () => {
    const text: ConditionText = { any: [{ all: [{ fact: 'level', op: 'at_least', value: 3 }, { fact: 'kind', op: 'in', value: ['a'] }] }, { not: { fact: 'day', op: 'before', value: '2026-01-01' } }, { fact: 'word', op: 'equals', value: 'x' }] };
    const condition = compiled(text);
    fc.assert(fc.property(fc.dictionary(fc.constantFrom('level', 'kind', 'day', 'yes', 'word', '__proto__'), fc.anything()), (given) => {
      assert.ok([true, false, undefined].includes(condition.test(new Map(Object.entries(given) as [string, Value][]))));
    }), { numRuns: 500 });
  });

  it('has one key however its parts are ordered', () => {
    const a = compiled({ all: [{ fact: 'level', op: 'in', value: [1, 2] }, { fact: 'yes', op: 'equals', value: true }] });
    const b = compiled({ all: [{ fact: 'yes', op: 'equals', value: true }, { fact: 'level', op: 'in', value: [2, 1] }] });
    assert.equal(a.key, b.key);
  });

  it('is tried out in every situation it can tell apart', () => {
    const number = fc.record({ fact: fc.constant('level' as const), op: fc.constantFrom('equals' as const, 'at_least' as const, 'at_most' as const), value: fc.integer({ min: 1, max: 5 }) });
    fc.assert(fc.property(number, number, fc.boolean(), (one, two, negate) => {
      const a = compiled(negate ? { not: one } : one);
      const b = compiled(two);
      const levels = [undefined, 1, 2, 3, 4, 5].map((level) => new Map<string, Value>(level === undefined ? [] : [['level', level]]));
      const outcomes = (situations: readonly ReadonlyMap<string, Value>[]) => [...new Set(situations.map((given) => `${a.test(given)} ${b.test(given)}`))].toSorted();
      assert.deepEqual(outcomes(situationsFor([a, b]) ?? []), outcomes(levels));
      assert.equal(excludeEachOther(a, b), !levels.some((given) => a.test(given) === true && b.test(given) === true));
    }));
  });

  it('is not tried out without end', () => {
    const texts = (name: string): ConditionText => ({ fact: name, op: 'in', value: Array.from({ length: 50 }, (_, at) => `v${at}`) });
    const many = new Map(['a', 'b', 'c', 'd'].map((name): [string, Fact] => [name, { name, from: 'platform', title, type: 'text' }]));
    const condition = compileCondition({ all: [...many.keys()].map(texts) }, many, () => assert.fail()) as Condition;
    assert.equal(situationsFor([condition]), undefined);
    assert.equal(excludeEachOther(condition, condition), false);
  });
});

describe('facts of a request', () => {
  const known = { institutionClass: 'bank' as InstitutionClass, nowMs: Date.parse('2026-03-01T12:00:00Z') as TimeMs };

  it('hold what the platform knows and nothing it does not', () => {
    assert.deepEqual([...gatherFacts(known)], [['institution.class', 'bank'], ['now.date', '2026-03-01']]);
    assert.equal(gatherFacts({ ...known, nowMs: Date.parse('2026-03-01T16:00:00Z') as TimeMs }).get('now.date'), '2026-03-02', 'the day of Shanghai');
    const grant = { kind: 'one_time', origin: 'signed', createdAtMs: Date.parse('2026-02-27T13:00:00Z') as TimeMs };
    assert.deepEqual(Object.fromEntries(gatherFacts({ ...known, securityLevel: 3, grant })), {
      'institution.class': 'bank', 'now.date': '2026-03-01', 'institution.security_level': 3, 'grant.kind': 'one_time', 'grant.origin': 'signed', 'grant.age_days': 1,
    });
  });

  it('never let a caller state a fact of the platform', () => {
    const stated = { 'institution.security_level': 5, loan_amount_cents: 100 };
    assert.deepEqual(Object.fromEntries(gatherFacts({ ...known, stated })), {
      'institution.class': 'bank', 'now.date': '2026-03-01', 'request.institution.security_level': 5, 'request.loan_amount_cents': 100,
    });
    assert.equal(gatherFacts({ ...known, stated: Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`f${at}`, at])) }).size, 52);
  });

  it('know the calendar', () => {
    assert.deepEqual(['2024-02-29', '2026-02-29', '2026-13-01', '2026-1-1', '', '20260101'].map(isIsoDate), [true, false, false, false, false, false]);
  });
});

describe('a pattern of names', () => {
  it('matches as the regular expression it stands for', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '_'), maxLength: 6 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '_', '*'), maxLength: 6 });
    fc.assert(fc.property(pattern, letters, (text, name) => {
      assert.equal(matches(text, name), new RegExp(`^${text.replaceAll('*', '.*')}$`).test(name));
    }), { numRuns: 3000 });
  });

  it('matches in linear time', () => {
    const start = performance.now();
    assert.equal(matches('*a'.repeat(5000) + 'b', 'a'.repeat(20_000)), false);
    assert.ok(performance.now() - start < 5000);
  });
});
