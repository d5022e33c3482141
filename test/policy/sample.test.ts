import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { loadPolicyPack } from '../../src/policy/load.ts';
import { consentTiers, uses } from '../../src/policy/rule.ts';
import { readPolicyTests, runPolicyTests } from '../../src/policy/vectors.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import type { ConsentState } from '../../src/vocabulary.ts';
import { requestOf } from './pack.ts';

const folder = path.join(import.meta.dirname, '../../policies');

describe('the policy of the sample platform', () => {
  const catalogue = loadCatalogue(path.join(folder, 'catalogue'));
  const policy = loadPolicyPack(folder, catalogue);
  const facts = { 'institution.security_level': 5, 'grant.kind': 'one_time', 'grant.age_days': 1, 'request.loan_amount_cents': 5_000_000_000 };
  const everything = [...catalogue.fields.keys()].flatMap((field) => uses.map((use) => [field, use] as const));
  const decideAll = (purpose: string, institutionClass: string, state: ConsentState | null) => policy.decide(requestOf(everything, {
    purpose, institutionClass, facts, consent: state === null ? null : Object.fromEntries([...catalogue.fields.keys()].map((field) => [field, state])),
  })).fields;

  it('loads without a warning', () => {
    assert.deepEqual(policy.warnings, []);
    assert.ok(catalogue.fields.size >= 60 && catalogue.datasets.size >= 8);
  });

  it('passes its own tests, and every rule is in one', () => {
    const report = runPolicyTests(policy, readPolicyTests(folder));
    assert.deepEqual([report.failures, report.uncoveredRules], [[], []]);
    assert.ok(report.tests > 100);
  });

  it('has an outcome for every field, purpose, class, consent and use, and nothing leaves without consent', () => {
    let outcomes = 0;
    for (const purpose of policy.purposes.keys()) {
      for (const institutionClass of policy.institutionClasses.keys()) {
        for (const state of [null, 'none', ...consentTiers] as const) {
          const decisions = decideAll(purpose, institutionClass, state);
          outcomes += decisions.length;
          for (const [at, { field, use, disposition, reason, treatment, comparison }] of decisions.entries()) {
            assert.deepEqual([field, use], everything[at]);
            assert.ok((disposition === 'withhold') === (reason !== 'permitted'));
            assert.ok((treatment !== undefined) === ['mask', 'band', 'token'].includes(disposition));
            assert.ok((comparison !== undefined) === (disposition === 'verify'));
            if (state === null || state === 'none') assert.equal(disposition, 'withhold');
          }
        }
      }
    }
    assert.equal(outcomes, policy.purposes.size * policy.institutionClasses.size * 4 * everything.length);
  });

  it('discloses in clear only with consent to the original, nothing of level 5, and nothing for modelling', () => {
    for (const purpose of policy.purposes.keys()) {
      for (const institutionClass of policy.institutionClasses.keys()) {
        for (const state of consentTiers) {
          for (const { field, disposition, use } of decideAll(purpose, institutionClass, state)) {
            if (disposition === 'withhold') continue;
            assert.ok(disposition !== 'clear' || (state === 'original' && catalogue.fields.get(field)?.classification.level !== 5), field);
            assert.ok(purpose !== 'joint_modelling' || use === 'aggregate');
          }
        }
      }
    }
  });

  it('opens something to each class for some purpose, and every disposition occurs', () => {
    const seen = new Set<string>();
    for (const institutionClass of policy.institutionClasses.keys()) {
      const open = [...policy.purposes.keys()].flatMap((purpose) => consentTiers.flatMap((state) => decideAll(purpose, institutionClass, state))).filter(({ disposition }) => disposition !== 'withhold');
      assert.ok(open.length > 0, institutionClass);
      for (const { disposition } of open) seen.add(disposition);
    }
    assert.deepEqual([...seen].toSorted(), ['aggregate', 'band', 'clear', 'mask', 'score', 'token', 'verify']);
  });

  it('tells editors the schema of each file', () => {
    const files = ['purposes.yaml', ...['rules', 'tests'].flatMap((sub) => readdirSync(path.join(folder, sub)).map((name) => `${sub}/${name}`))];
    for (const file of files) {
      const [, schema] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(readFileSync(path.join(folder, file), 'utf8')) ?? [];
      assert.ok(schema !== undefined, `${file} names its schema`);
      JSON.parse(readFileSync(path.resolve(folder, path.dirname(file), schema), 'utf8'));
    }
  });
});
