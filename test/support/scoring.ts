import { createColumnEncryptor } from '../../src/he/encrypt.ts';
import { parameterSets } from '../../src/he/parameters.ts';
import { loadHe } from '../../src/he/runtime.ts';
import { columnBuilder } from '../../src/scoring/feature/column-builder.ts';
import type { Feature, FeatureId, Model, ModelRef } from '../../src/scoring/protocol.ts';
import { modelToJson } from '../../src/scoring/model/document.ts';
import { uploadColumns } from '../../src/sdk/feature-upload.ts';
import { featuresClient } from '../../src/sdk/features.ts';
import { modelsClient } from '../../src/sdk/models.ts';
import { scoresClient, type ScoresClient } from '../../src/sdk/scores.ts';
import { usccCheckDigit } from '../../src/uscc.ts';
import type { InstitutionClass, PurposeCode, SubjectId, Value } from '../../src/vocabulary.ts';
import { startTestPlatform, type TestPlatform } from './gateway.ts';

/** Fields 0..1 in steps of 0.01: features 0..100. */
const names = [
  'roa_before_interest_depreciation', 'roa_after_tax', 'operating_gross_margin', 'operating_profit_rate', 'pre_tax_net_interest_rate',
  'cash_flow_rate', 'tax_rate', 'net_value_per_share', 'persistent_eps', 'cash_flow_per_share',
] as const;
export const scoredFields: readonly string[] = names.map((name) => `financials.${name}`);
export const scoredFeatures = names.map((name) => `financials/${name}` as FeatureId);
const weights = [5, 6, 5, 6, 5, 6, 5, 6, 5, 6];

/** A model the guards let pass: ten fields, two reason groups of five. */
export function testModel(ref = 'sme_growth@1', change: (weights: number[]) => number[] = (same) => same): Model {
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

/** One officer proposes, the other approves. */
export async function approveModel(platform: TestPlatform, model: Model): Promise<void> {
  const { digest } = await modelsClient(await platform.connect('officer-models', 'compliance')).propose(modelToJson(model));
  await modelsClient(await platform.connect('officer-compliance', 'compliance')).approve(model.ref, digest);
}

/** A platform with a custodian, encrypted features of `enterprises` enterprises, an approved model and a bank. */
export type ScoreWorld = {
  readonly platform: TestPlatform;
  readonly model: Model;
  readonly bank: ScoresClient;
  /** The n-th enterprise, which grants to a bank; `change` to grant something else. */
  readonly grant: (n: number, bank?: string, change?: Readonly<Record<string, unknown>>) => Promise<string>;
  readonly ask: (n: number) => { readonly subject: string; readonly model: string; readonly purpose: string };
  readonly entries: (kind?: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
};

export async function startScoreWorld(options: { readonly enterprises?: number; readonly settings?: Readonly<Record<string, string>>; readonly custodian?: Readonly<Record<string, string>> } = {}): Promise<ScoreWorld> {
  const platform = await startTestPlatform(options.settings, { scoring: true, custodian: { CUSTODIAN_REFUSAL_MS: '0', ...options.custodian } });
  const model = testModel();
  await uploadFeatures(platform, new Map(Array.from({ length: options.enterprises ?? 4 }, (_, n) => [subjectOf(n), recordValues(n)])));
  await approveModel(platform, model);
  const enterprises = new Map<number, Awaited<ReturnType<TestPlatform['enterprise']>>>();
  return {
    platform, model,
    bank: await scoringBank(platform, 'bank-a'),
    async grant(n, bank = 'bank-a', change = {}) {
      const enterprise = enterprises.get(n) ?? await platform.enterprise(subjectOf(n));
      enterprises.set(n, enterprise);
      return (await enterprise.grant(bank, { subject: subjectOf(n), ...scoringTerms, ...change })).id;
    },
    ask: (n) => ({ subject: subjectOf(n), model: model.ref, purpose: scoringTerms.purpose }),
    async entries(kind) {
      const { rows } = await platform.database.query<{ record: Readonly<Record<string, unknown>> }>('select record::jsonb as record from audit_entry where $1::text is null or kind = $1 order by index', [kind ?? null]);
      return rows.map(({ record }) => record);
    },
  };
}
