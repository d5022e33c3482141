import { strict as assert } from 'node:assert';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isVeilgateError } from '../../../src/errors.ts';
import { loadPolicyPack } from '../../../src/policy/load.ts';
import { featuresOfDataset, loadFeatures } from '../../../src/scoring/feature/load.ts';
import type { FeatureId } from '../../../src/scoring/protocol.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import type { InstitutionClass, PurposeCode } from '../../../src/vocabulary.ts';

const policies = path.resolve(import.meta.dirname, '../../../policies');
const catalogue = loadCatalogue(path.join(policies, 'catalogue'));

describe('features of the policy pack', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-features-'));
    mkdirSync(path.join(folder, 'features'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const load = (text: string, file = 'tax.yaml') => {
    writeFileSync(path.join(folder, 'features', file), text);
    return loadFeatures(folder, catalogue);
  };
  const problemsOf = (text: string, file?: string): readonly string[] => {
    try {
      load(text, file);
    } catch (error) {
      assert.ok(isVeilgateError(error, 'POLICY_BROKEN'));
      return (error.detail?.['problems'] as readonly { file: string; line: number; problem: string }[]).map(({ file: name, line, problem }) => `${name}:${line}: ${problem}`);
    }
    return [];
  };
  const one = (lines: string, name = 'one') => `  - name: ${name}\n    title: { en: One, zh: 一 }\n${lines.split('\n').map((line) => `    ${line}`).join('\n')}\n`;
  const tax = (...features: readonly string[]) => `dataset: tax\nfeatures:\n${features.join('')}`;

  it('holds more than forty features over five datasets, of which twenty ratios fit one linear model', () => {
    const features = loadFeatures(policies, catalogue);
    assert.ok(features.size >= 40);
    assert.equal(new Set([...features.keys()].map((id) => id.split('/')[0])).size, 5);
    const ratios = featuresOfDataset(features, 'financials').filter(({ encoding }) => encoding.kind === 'fixed_point');
    assert.ok(ratios.length >= 20);
    assert.ok(ratios.every(({ low, high }) => low === 0 && high === 100));
  });

  it('opens the field of every feature to scoring by a rule', () => {
    const policy = loadPolicyPack(policies, catalogue);
    const ask = { purpose: 'pre_loan_review' as PurposeCode, institutionClass: 'commercial_bank' as InstitutionClass, facts: new Map() };
    for (const { source } of loadFeatures(policies, catalogue).values()) {
      const { fields } = policy.decide({ ...ask, asked: [{ field: source, use: 'score' }], consent: new Map([[source, 'desensitised']]) });
      assert.deepEqual(fields.map(({ disposition }) => disposition), ['score'], source);
    }
  });

  it('gives a feature another declaration when its meaning changes', () => {
    const declaration = (lines: string) => load(tax(one(lines))).get('tax/one' as FeatureId)?.declaration;
    const before = declaration('field: violations\nencoding: { kind: fixed_point, min: 0, max: 100, scale: 1 }\nmissing: 0');
    assert.match(before ?? '', /^[0-9a-f]{64}$/);
    assert.notEqual(declaration('field: violations\nencoding: { kind: fixed_point, min: 0, max: 100, scale: 2 }\nmissing: 0'), before);
    assert.notEqual(declaration('field: violations\nencoding: { kind: fixed_point, min: 0, max: 100, scale: 1 }\nmissing: absent'), before);
  });

  it('counts the missing value into the range', () => {
    const feature = load(tax(one('field: violations\nencoding: { kind: fixed_point, min: 0, max: 100, scale: 1 }\nmissing: -5'))).get('tax/one' as FeatureId);
    assert.deepEqual([feature?.low, feature?.high], [-5, 100]);
  });

  const broken: readonly (readonly [string, string, RegExp])[] = [
    ['an unknown field', tax(one('field: violation\nencoding: { kind: indicator, below: 1 }\nmissing: 0')), /^features\/tax\.yaml:5: tax has no field "violation" \(did you mean "violations"\?\)$/],
    ['a range outside the field\'s', tax(one('field: largest_customer_share\nencoding: { kind: fixed_point, min: 0, max: 101, scale: 1 }\nmissing: 0')), /^features\/tax\.yaml:6: is outside the range of tax\.largest_customer_share, 0 to 100$/],
    ['a bin\'s edge outside the field\'s range', tax(one('field: largest_customer_share\nencoding: { kind: indicator, at_least: 100.5 }\nmissing: 0')), /outside the range/],
    ['a duplicate name', tax(one('field: violations\nencoding: { kind: indicator, below: 1 }\nmissing: 0'), one('field: violations\nencoding: { kind: indicator, at_least: 1 }\nmissing: 0')), /^features\/tax\.yaml:8: a feature called "one" stands further up$/],
    ['overlapping bins of one field', tax(one('field: violations\nencoding: { kind: indicator, below: 2 }\nmissing: 0'), one('field: violations\nencoding: { kind: indicator, at_least: 1 }\nmissing: 0', 'two')), /^features\/tax\.yaml:11: overlaps the bin "tax\/one" of the same field$/],
    ['overlapping bins of codes', tax(one('field: credit_rating\nencoding: { kind: code_indicator, codes: [A, B] }\nmissing: 0'), one('field: credit_rating\nencoding: { kind: code_indicator, codes: [B, C] }\nmissing: 0', 'two')), /overlaps the bin/],
    ['a code the field does not have', tax(one('field: credit_rating\nencoding: { kind: code_indicator, codes: [E] }\nmissing: 0')), /has no code "E"/],
    ['all codes of a field', tax(one('field: credit_rating\nencoding: { kind: code_indicator, codes: [A, B, M, C, D] }\nmissing: 0')), /1 for everybody/],
    ['an empty bin', tax(one('field: violations\nencoding: { kind: indicator, at_least: 2, below: 2 }\nmissing: 0')), /nothing is in this bin/],
    ['a bound between two integers', tax(one('field: largest_customer_share\nencoding: { kind: fixed_point, min: 0, max: 0.125, scale: 100 }\nmissing: 0')), /not a multiple of 1\/100/],
    ['integers too large', tax(one('field: violations\nencoding: { kind: fixed_point, min: 0, max: 10000, scale: 100 }\nmissing: 0')), /beyond 65535/],
    ['a text as number', tax(one('field: largest_customer\nencoding: { kind: indicator, below: 1 }\nmissing: 0')), /goes with a field of type integer or decimal/],
    ['a key nobody knows', tax(one('field: violations\nencoding: { kind: indicator, below: 1, weight: 2 }\nmissing: 0')), /unknown key "weight"/],
    ['a dataset of another name', `dataset: taxes\nfeatures:\n${one('field: violations\nencoding: { kind: indicator, below: 1 }\nmissing: 0')}`, /must be called features\/taxes\.yaml/],
  ];
  for (const [what, text, expected] of broken) {
    it(`refuses ${what} with file and line`, () => {
      assert.ok(problemsOf(text).some((problem) => expected.test(problem)), problemsOf(text).join('\n'));
    });
  }

  it('refuses a dataset with many rows for an enterprise', () => {
    assert.match(problemsOf(`dataset: judicial\nfeatures:\n${one('field: claim_cents\nencoding: { kind: indicator, below: 1 }\nmissing: 0')}`, 'judicial.yaml')[0] ?? '', /many rows/);
  });

  it('reads the files as strictly as rules', () => {
    assert.match(problemsOf('dataset: &a tax\nfeatures: []\n')[0] ?? '', /anchors/);
    assert.match(problemsOf('dataset: tax', 'tax.yml').join('\n'), /only files called <name>\.yaml/);
  });
});
