import { strict as assert } from 'node:assert';
import { clearScores, encryptDataset } from '../../scripts/demo/scoring-data.ts';
import { sampleRows } from '../../scripts/sample/generate.ts';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import type { ColumnEncoding } from '../../src/joint/project/document.ts';
import { encodeColumnValue } from '../../src/joint/project/encoding.ts';
import { scorecardToJson, type ScorecardJson } from '../../src/joint/scorecard/document.ts';
import { fitScorecard } from '../../src/joint/scorecard/fit.ts';
import { scorecardPmml } from '../../src/joint/scorecard/pmml.ts';
import { scorecardOf, scoreOf } from '../../src/joint/scorecard/points.ts';
import { countPairs, type Table } from '../../src/joint/scorecard/tables.ts';
import { modelFromJson } from '../../src/scoring/model/document.ts';
import { importPmml } from '../../src/scoring/model/pmml/import.ts';
import type { Feature } from '../../src/scoring/protocol.ts';
import { featuresClient } from '../../src/sdk/features.ts';
import { modelsClient } from '../../src/sdk/models.ts';
import type { ScoresClient } from '../../src/sdk/scores.ts';
import type { Value } from '../../src/vocabulary.ts';
import { startTestPlatform, type TestPlatform } from '../support/gateway.ts';
import { approveModel, scoringBank, scoringTerms } from '../support/scoring.ts';

/** Bins that are declared features, or several together; what is missing or another code is in none of them. */
const columns: readonly { readonly name: string; readonly source: string; readonly encoding: ColumnEncoding }[] = [
  { name: 'current_ratio', source: 'financials.current_ratio', encoding: { kind: 'bins', edges: [0.006, 0.016] } },
  { name: 'quick_ratio', source: 'financials.quick_ratio', encoding: { kind: 'bins', edges: [0.012] } },
  { name: 'size', source: 'registry.size_class', encoding: { kind: 'bins', codes: ['micro', 'small', 'medium'] } },
  { name: 'rating', source: 'tax.credit_rating', encoding: { kind: 'bins', codes: ['A', 'B', 'M'] } },
  { name: 'arrears', source: 'social_insurance.arrears_months', encoding: { kind: 'bins', edges: [1, 4] } },
  { name: 'violations', source: 'tax.violations', encoding: { kind: 'bins', edges: [1] } },
];
const sample = { enterprises: 12, seed: 7 };
const departments = { financials: 'finance_bureau', registry: 'market_regulation', tax: 'tax_administration', social_insurance: 'human_resources', utility: 'public_utilities' } as const;
const details = { ref: 'bank_a__joint@1', title: { en: 'Joint', zh: '联合' }, purposes: [scoringTerms.purpose], institution_classes: ['commercial_bank'] };

/** Bins of each enterprise in the platform's columns. */
function binsOfSample(): readonly (readonly number[])[] {
  const latest = columns.map(({ source }) => {
    const [dataset = '', field = ''] = source.split('.');
    const values = new Map<string, Value | undefined>();
    for (const row of sampleRows(dataset, { ...sample, periods: 1 })) values.set(String(row['subject']), row[field]);
    return values;
  });
  return Array.from({ length: sample.enterprises }, (_, n) => columns.map(({ encoding }, at) => encodeColumnValue(encoding, latest[at]?.get(sampleSubject(n, sample.seed)))));
}

/** A card over an own column and the platform's; every bin of each moves the score, none of them most of it. */
function scorecard(): ScorecardJson {
  const sizes = [4, ...columns.map(({ encoding }) => (encoding.kind === 'steps' ? 0 : 'codes' in encoding ? encoding.codes.length + 1 : encoding.edges.length + 2))];
  const rows = 20_000;
  const random = (seed: number) => () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const draw = random(20_261_122);
  const bins = sizes.map((size) => Array.from({ length: rows }, () => Math.floor(draw() * size)));
  const bad = Array.from({ length: rows }, (_, row) => (draw() < 1 / (1 + Math.exp(1.5 - 0.4 * sizes.reduce((sum, size, f) => sum + ((bins[f]?.[row] ?? 0) / (size - 1) - 0.5) * (f % 2 === 0 ? 2 : -2), 0))) ? 1 : 0));
  const table = (f: number, g: number): Table => countPairs(bins[f] ?? [], sizes[f] ?? 0, bins[g] ?? [], sizes[g] ?? 0);
  const fitted = fitScorecard({ names: ['own', ...columns.map(({ name }) => name)], label: (f) => countPairs(bins[f] ?? [], sizes[f] ?? 0, bad, 2), pair: table, variance: () => 0 });
  const card = scorecardOf(fitted.chosen.map((f) => ['own', ...columns.map(({ name }) => name)][f] as string), fitted.weights, fitted.fit, { baseScore: 600, baseOdds: 20, pointsToDouble: 50 });
  const features = [{ name: 'own', side: 'partner' as const, source: null, encoding: null, labels: [] }, ...columns.map((column) => ({ ...column, side: 'platform' as const, labels: [] }))];
  return scorecardToJson({ title: { en: 'Joint <card> & "more"', zh: '联合' }, partner: 'bank-a', project: 'p', cohort: 'c', run: 'r', label: 'default', questions: [], cost_rho: 0, privacy: { epsilon: 0, delta: 1e-6 } }, features, fitted, card);
}

describe('a joint scorecard becomes a model of sealed scoring', () => {
  let platform: TestPlatform;
  let bank: ScoresClient;
  let features: Feature[];
  const bins = binsOfSample();
  const card = scorecard();
  /** The clear twin: what the platform's features give, base included. */
  const platformPoints = (n: number) => scoreOf({ scaling: card.scaling, base: card.base, roundingMax: 0, features: card.features.slice(1).map(({ name, bins: of }) => ({ name, points: of.map(({ points }) => points as number) })) }, bins[n] ?? []);

  before(async function () {
    this.timeout(90_000);
    platform = await startTestPlatform({}, { scoring: true, custodian: { CUSTODIAN_REFUSAL_MS: '0' } });
    await (await platform.connect('officer-compliance', 'compliance')).call({ method: 'POST', path: '/v1/score-keys' });
    features = [];
    for (const [dataset, department] of Object.entries(departments)) {
      await platform.department(department);
      const connection = await platform.connect(department, 'records');
      const [key] = await featuresClient(connection).keys();
      features.push(...(await encryptDataset(connection, dataset, key?.thumbprint ?? '', sample)).features);
    }
    bank = await scoringBank(platform, 'bank-a');
  });
  after(() => platform.close());

  it('point for point, through PMML: what is exported is what is imported', () => {
    const { model, roundingErrorMax } = importPmml(scorecardPmml(card, 'platform'), features, details);
    assert.equal(roundingErrorMax, 0);
    assert.equal(model.scale, 1);
    const twin = clearScores(modelFromJson(model), features, sample);
    for (let n = 0; n < sample.enterprises; n += 1) assert.equal(twin.get(sampleSubject(n, sample.seed)), platformPoints(n), `enterprise ${n}`);
    assert.ok(new Set(bins.map((_, n) => platformPoints(n))).size > 4, 'not all alike');
    const whole = scorecardPmml(card, 'whole');
    assert.match(whole, /<Characteristic name="own">\n\s+<Attribute partialScore="-?\d+"><SimplePredicate field="own" operator="equal" value="0"\/>/);
    assert.match(whole, /modelName="Joint &#60;card&#62; &#38; &#34;more&#34;"/);
    assert.doesNotMatch(scorecardPmml(card, 'platform'), /own/, 'what sealed scoring takes has none of the partner\'s columns');
  });

  it('is proposed, approved, and scores sealed to exactly its points; the partner adds its own', async () => {
    const { model } = importPmml(scorecardPmml(card, 'platform'), features, details);
    const check = await modelsClient(await platform.connect('officer-models', 'compliance')).check(model);
    assert.deepEqual(check.findings, []);
    await approveModel(platform, modelFromJson(model));
    const fields = columns.map(({ source }) => ({ field: source, ceiling: 'desensitised' as const }));
    for (const n of [0, 1, 2]) {
      const subject = sampleSubject(n, sample.seed);
      const enterprise = await platform.enterprise(subject);
      await enterprise.grant('bank-a', { subject, ...scoringTerms, fields });
      const { exchange: _exchange, ...opened } = await bank.score({ subject, model: model.ref, purpose: scoringTerms.purpose });
      assert.equal(opened.score, platformPoints(n));
      const own = n % 4;
      const inFull = scoreOf({ scaling: card.scaling, base: card.base, roundingMax: 0, features: card.features.map(({ name, bins: of }) => ({ name, points: of.map(({ points }) => points as number) })) }, [own, ...bins[n] ?? []]);
      assert.equal(opened.score + (card.features[0]?.bins[own]?.points ?? NaN), inFull);
    }
  });
});
