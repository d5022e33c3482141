import { createColumnEncryptor } from '../../src/he/encrypt.ts';
import { parameterSets } from '../../src/he/parameters.ts';
import { loadHe } from '../../src/he/runtime.ts';
import { columnBuilder } from '../../src/scoring/feature/column-builder.ts';
import type { Feature, FeatureId, Model, ModelRef } from '../../src/scoring/protocol.ts';
import { uploadColumns } from '../../src/sdk/feature-upload.ts';
import { featuresClient } from '../../src/sdk/features.ts';
import { scoresClient, type ScoresClient } from '../../src/sdk/scores.ts';
import { usccCheckDigit } from '../../src/uscc.ts';
import type { InstitutionClass, PurposeCode, SubjectId, Value } from '../../src/vocabulary.ts';
import type { TestPlatform } from './gateway.ts';

/** Fields 0..1 in steps of 0.01: features 0..100. */
const names = [
  'roa_before_interest_depreciation', 'roa_after_tax', 'operating_gross_margin', 'operating_profit_rate', 'pre_tax_net_interest_rate',
  'cash_flow_rate', 'tax_rate', 'net_value_per_share', 'persistent_eps', 'cash_flow_per_share',
] as const;
export const scoredFields: readonly string[] = names.map((name) => `financials.${name}`);
export const scoredFeatures = names.map((name) => `financials/${name}` as FeatureId);
const weights = [5, 6, 5, 6, 5, 6, 5, 6, 5, 6];

/** A model the guards let pass: ten fields, two reason groups of five. */
export function testModel(ref = 'sme-growth@1', change: (weights: number[]) => number[] = (same) => same): Model {
  const text = { en: 'Test', zh: '测试' };
  const reason = (code: string, from: number, to: number) => ({ code, text: { en: `Weak ${code}`, zh: code }, features: scoredFeatures.slice(from, to) });
  const changed = change([...weights]);
  return {
    ref: ref as ModelRef, title: text, purposes: ['pre_loan_review' as PurposeCode, 'post_loan_monitoring' as PurposeCode], institutionClasses: ['commercial_bank' as InstitutionClass],
    terms: scoredFeatures.map((feature, at) => ({ feature, weight: changed[at] as number })), offset: -1500, scale: 10,
    bands: [{ from: null, code: 'low', text }, { from: 60, code: 'middle', text }, { from: 150, code: 'high', text }],
    reasons: [reason('profit', 0, 5), reason('cash', 5, 10)],
  };
}

/** The n-th of many valid credit codes. */
export function subjectOf(n: number): SubjectId {
  const first17 = `91350000${String(n).padStart(9, '0')}`;
  return `${first17}${usccCheckDigit(first17)}` as SubjectId;
}

/** The integer of each feature for the n-th enterprise. */
export const featureValues = (n: number): readonly number[] => names.map((_, at) => (n * 37 + at * 13) % 101);

/** The clear twin: what the bank must get. */
export function rawOf(model: Model, values: readonly number[]): number {
  return model.terms.reduce((sum, { weight }, at) => sum + weight * (values[at] ?? 0), model.offset);
}

/** The department encrypts and uploads the features of these enterprises; `values` by enterprise, as the records have them. */
export async function uploadFeatures(platform: TestPlatform, values: ReadonlyMap<string, readonly Value[]>): Promise<void> {
  const department = 'finance_bureau';
  await platform.department(department);
  const connection = await platform.connect(department, 'records');
  const client = featuresClient(connection);
  await (await platform.connect('officer-compliance', 'compliance')).call({ method: 'POST', path: '/v1/score-keys' });
  const [key] = await client.keys();
  if (key === undefined) throw new Error('the platform has no key');
  const { publicKey } = await client.publicKey(key.thumbprint);
  const declared = new Map((await client.features('financials')).map((feature) => [feature.id, feature]));
  const features = scoredFeatures.map((id) => declared.get(id) as Feature);
  const set = parameterSets['veilgate-score-1'];
  const columns = columnBuilder(features, set.slots);
  const subjects = [...values.keys()];
  const places = await client.positions(subjects);
  subjects.forEach((subject, row) => columns.add(row + 1, places[row] as number, values.get(subject) ?? []));
  if (columns.faultCount() > 0) throw new Error(JSON.stringify(columns.faults));
  const encryptor = createColumnEncryptor(await loadHe(), set, publicKey);
  try {
    await uploadColumns({
      connection, dataset: 'financials', features, key, columns, width: 1,
      encrypt: async (column) => encryptor.encrypt(column) as Uint8Array<ArrayBuffer>,
      memory: { salt: new Uint8Array(16), get: () => undefined, put: async () => {} },
    });
  } finally {
    encryptor.close();
  }
}

/** The n-th enterprise's values as records have them: decimals as text. */
export function recordValues(n: number): readonly string[] {
  return featureValues(n).map((value) => (value / 100).toFixed(2));
}

export const scoringTerms = {
  purpose: 'pre_loan_review', valid_days: 30, uses_max: 100, data_life_days: 30, kind: 'periodic', frequency: { max: 20, per: 'day' },
  fields: scoredFields.map((field) => ({ field, ceiling: 'desensitised' as const })),
} as const;

/** An admitted bank whose keys the custodian knows too. */
export async function scoringBank(platform: TestPlatform, id: string): Promise<ScoresClient> {
  await platform.bank(id);
  await platform.custodian?.admit(await platform.credentials(id));
  return scoresClient(await platform.connect(id, 'query'));
}
