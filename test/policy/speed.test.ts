import assert from 'node:assert/strict';
import { diffPolicies } from '../../src/policy/diff.ts';
import { uses } from '../../src/policy/rule.ts';
import type { FieldType } from '../../src/vocabulary.ts';
import { caps, catalogueOf, policyOf, purposesText, requestOf, type RuleSketch } from './pack.ts';

/** Limits are several times what an idle machine needs: they catch a slower algorithm, not a busy machine. */
describe('policy speed', () => {
  const words = { en: 'x', zh: 'x' };
  const fieldNames = (count: number) => Array.from({ length: count }, (_, at) => `f${at}`);

  function wide(datasets: number, fieldsEach: number, purposeCount: number, classCount: number, rulesEach: (dataset: number) => readonly RuleSketch[]) {
    const catalogue = catalogueOf(Object.fromEntries(Array.from({ length: datasets }, (_, at) => [
      `d${at}`, fieldNames(fieldsEach).map((name) => [name, 'integer' as FieldType, 3, 'commercial_secret', { min: 0, max: 1e9 }] as const),
    ])));
    const purposes = purposesText({
      institution_classes: Object.fromEntries(Array.from({ length: classCount }, (_, at) => [`c${at}`, { title: words }])),
      purposes: Object.fromEntries(Array.from({ length: purposeCount }, (_, at) => [`p${at}`, {
        title: words, description: words, uses: [...uses], caps, verification: { attempts_max: 3 }, minimum: Array.from({ length: datasets }, (_none, dataset) => `d${dataset}.*`),
      }])),
    });
    return policyOf(Object.fromEntries(Array.from({ length: datasets }, (_, at) => [`d${at}`, rulesEach(at)])), purposes, catalogue);
  }

  /** Microseconds for deciding 20 fields, the best of several rounds. */
  function microsecondsOf(policy: ReturnType<typeof wide>, facts: Record<string, number>): number {
    const asked = fieldNames(20).map((name) => [`d0.${name}`, 'read'] as const);
    const request = requestOf(asked, { purpose: 'p0', institutionClass: 'c0', facts });
    let best = Infinity;
    let open = 0;
    for (let round = 0; round < 6; round += 1) {
      const start = performance.now();
      for (let at = 0; at < 5000; at += 1) open += policy.decide(request).fields[at % 20]?.disposition === 'clear' ? 1 : 0;
      best = Math.min(best, ((performance.now() - start) * 1000) / 5000);
    }
    assert.equal(open, 30_000);
    return best;
  }

  const opening = (at: number, count: number, when = false): RuleSketch[] => Array.from({ length: count }, (_, rule) => ({
    id: `rule-${at}-${rule}`, fields: count === 1 ? ['*'] : [`f${rule % 20}`], purposes: ['p0', 'p1'], institution_classes: ['c0', 'c1'],
    effect: { use: 'read', disposition: 'clear' }, ...(when ? { when: { fact: 'institution.security_level', op: 'at_least', value: 1 + (rule % 3) } as const } : {}),
  }));

  it('decides 20 fields in microseconds, with 1 rule file as with 100, with and without conditions', () => {
    const one = microsecondsOf(wide(1, 20, 4, 4, (at) => opening(at, 20)), {});
    const hundred = microsecondsOf(wide(100, 20, 4, 4, (at) => opening(at, 20)), {});
    const conditional = microsecondsOf(wide(1, 20, 4, 4, (at) => opening(at, 20, true)), { 'institution.security_level': 4 });
    console.log(`      20 fields: ${one.toFixed(2)} µs with 1 rule file, ${hundred.toFixed(2)} µs with 100, ${conditional.toFixed(2)} µs with conditions`);
    assert.ok(one < 40, `${one} µs with 1 file`);
    assert.ok(hundred < 40, `${hundred} µs with 100 files`);
    assert.ok(conditional < 80, `${conditional} µs with conditions`);
  }).timeout(60_000);

  it('compiles and compares 2,000 fields × 8 purposes × 6 classes in seconds', () => {
    const start = performance.now();
    const rules = (when: boolean) => (at: number) => [
      ...opening(at, 1), { id: `band-${at}`, fields: ['f1*'], purposes: ['p2', 'p3', 'p4'], institution_classes: ['c0', 'c3'], consent: ['desensitised'] as const, effect: { use: 'read', disposition: 'band', treatment: { method: 'band', edges: [10, 100] } } as const, ...(when ? { when: { fact: 'institution.security_level', op: 'at_least', value: 2 } as const } : {}) },
      { id: `score-${at}`, fields: ['*'], purposes: ['p5'], institution_classes: ['c5'], consent: ['desensitised'] as const, effect: { use: 'score' } as const },
    ];
    const before = wide(20, 100, 8, 6, rules(false));
    const after = wide(20, 100, 8, 6, rules(true));
    const compiled = performance.now();
    const diff = diffPolicies(before, after);
    const compared = performance.now();
    console.log(`      compiled twice in ${Math.round(compiled - start)} ms, compared ${diff.combinations} combinations in ${Math.round(compared - compiled)} ms`);
    assert.equal(diff.combinations, 2000 * 8 * 6 * 2 * 4);
    assert.equal(diff.changes.length, 1, diff.changes.map(({ words: { en } }) => en).join('\n'));
    assert.equal(diff.combinationsChanged, 20 * 11 * 3 * 2 * 2);
    assert.ok(compared - compiled < 10_000);
  }).timeout(60_000);
});
