import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { modelToJson, type ModelJson } from '../../src/scoring/model/document.ts';
import { judgeModel } from '../../src/scoring/model/judge.ts';
import { loadScoringSettings } from '../../src/scoring/model/settings.ts';
import { parseModel } from '../../src/scoring/model/shape.ts';
import type { FeatureSpace } from '../../src/scoring/model/space.ts';
import { encodeValue } from '../../src/scoring/feature/encode.ts';
import { loadFeatures } from '../../src/scoring/feature/load.ts';
import type { Feature, FeatureId } from '../../src/scoring/protocol.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import { readFigures } from './figures.ts';
import { fitLogistic, areaUnderCurve } from './logistic.ts';

/**
 * Makes sample/models/*.json out of the sample figures. Run again when features change: `node scripts/sample/models.ts`.
 * Both are scores in which 20 points double the odds of staying solvent. sample/LICENSE.md says whose figures they are.
 */
const policies = path.join(import.meta.dirname, '../../policies');
const folder = path.join(import.meta.dirname, '../../sample/models');
const pointsPerLogOdds = 20 / Math.LN2;
/** Weights add up to at most 655, so that 0..100 features give at most 65,500 steps. */
const weightSumMax = 655;
const ridge = 20;

const linearFeatures = [
  'roa_before_interest_depreciation', 'roa_after_tax', 'operating_gross_margin', 'cash_flow_rate', 'tax_rate', 'net_value_per_share', 'persistent_eps', 'cash_flow_per_share',
  'operating_profit_per_share', 'cash_reinvestment', 'debt_ratio', 'borrowing_dependency', 'total_asset_turnover', 'net_worth_turnover', 'working_capital_to_assets', 'cash_to_assets',
  'current_liability_to_assets', 'retained_earnings_to_assets', 'net_income_to_assets', 'equity_to_liability',
] as const;
const bands = [
  { code: 'E', text: { en: 'Very weak', zh: '很弱' } }, { code: 'D', text: { en: 'Weak', zh: '弱' } }, { code: 'C', text: { en: 'Fair', zh: '一般' } },
  { code: 'B', text: { en: 'Good', zh: '良好' } }, { code: 'A', text: { en: 'Very good', zh: '优秀' } },
];
const audience = { purposes: ['pre_loan_review', 'in_loan_approval'], institution_classes: ['commercial_bank', 'rural_bank', 'policy_bank', 'guarantee_company'] };

type Fitted = { readonly terms: { readonly feature: string; readonly weight: number }[]; readonly offset: number; readonly scale: number; readonly auc: number; readonly scores: readonly number[] };

/** Fits, turns log odds into points, and points into whole weights of as many digits as there is room for. */
function fit(names: readonly string[], features: ReadonlyMap<FeatureId, Feature>): Fitted {
  const figures = readFigures();
  const rows = figures.map(({ ratios }) => names.map((name) => {
    const feature = features.get(`financials/${name}` as FeatureId) as Feature;
    return encodeValue(feature, ratios.get(feature.source.slice('financials.'.length))) as number;
  }));
  const solvent = figures.map(({ bankrupt }) => !bankrupt);
  const { intercept, coefficients } = fitLogistic(rows, solvent, ridge);
  const scale = Math.max(1, Math.floor(weightSumMax / (coefficients.reduce((sum, each) => sum + Math.abs(each), 0) * pointsPerLogOdds)));
  const terms = names.map((name, at) => ({ feature: `financials/${name}`, weight: Math.round((coefficients[at] as number) * pointsPerLogOdds * scale) })).filter(({ weight }) => weight !== 0);
  const offset = Math.round((500 + intercept * pointsPerLogOdds) * scale);
  const scores = rows.map((row) => (offset + names.reduce((sum, name, at) => sum + (terms.find(({ feature }) => feature.endsWith(`/${name}`))?.weight ?? 0) * (row[at] as number), 0)) / scale);
  return { terms, offset, scale, auc: areaUnderCurve(scores, solvent), scores };
}

/** Bands by where the sample's scores lie: a twentieth, a fifth, a half, four fifths. */
function bandsOf(scores: readonly number[]): ModelJson['bands'] {
  const sorted = scores.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.floor(share * sorted.length)] as number);
  return bands.map((band, index) => ({ from: index === 0 ? null : at([0.05, 0.2, 0.5, 0.8][index - 1] as number), ...band }));
}

function linearModel(features: ReadonlyMap<FeatureId, Feature>): { readonly model: ModelJson; readonly note: string } {
  const { terms, offset, scale, auc, scores } = fit(linearFeatures, features);
  return {
    model: { ref: 'solvency_linear@1', title: { en: 'Solvency, linear', zh: '偿债能力线性模型' }, ...audience, terms, offset, scale, bands: bandsOf(scores), reasons: [] },
    note: `AUC ${auc.toFixed(3)} on the sample itself`,
  };
}

/** Points that the registry, the tax office and others add: set by hand, as their sample records are made up. */
const standing: Readonly<Record<string, number>> = {
  'registry/size_small': 10, 'registry/size_medium': 20, 'registry/size_large': 30, 'registry/status_in_operation': 30, 'registry/irregular_listed': -30,
  'tax/rating_a': 30, 'tax/rating_b': 20, 'tax/rating_m': 10, 'tax/violations_none': 30, 'social_insurance/arrears_none': 30, 'social_insurance/arrears_short': 10, 'utility/supply_cut': -30,
};
const earning = ['roa_after_tax', 'net_income_to_assets', 'persistent_eps', 'net_value_per_share', 'total_asset_turnover', 'cash_flow_rate'];
const structure = ['debt_ratio', 'working_capital_to_assets', 'cash_to_assets', 'current_liability_to_assets', 'borrowing_dependency'];
const liquidity: Readonly<Record<string, number>> = { current_ratio_middle: 40, current_ratio_high: 80, quick_ratio_middle: 40, quick_ratio_high: 80 };

function scorecard(features: ReadonlyMap<FeatureId, Feature>): { readonly model: ModelJson; readonly note: string } {
  const fitted = fit([...earning, ...structure], features);
  // one point of the card is one of the fit's, and bins weigh as much as a ratio's whole range
  const weigh = (feature: string, points: number) => ({ feature, weight: points });
  const shrink = Math.max(...fitted.terms.map(({ weight }) => Math.abs(weight))) / 2;
  const ratios = fitted.terms.map(({ feature, weight }) => weigh(feature, Math.sign(weight) * Math.max(1, Math.round(Math.abs(weight) / shrink))));
  const terms = [...ratios, ...Object.entries(liquidity).map(([name, points]) => weigh(`financials/${name}`, points)), ...Object.entries(standing).map(([feature, points]) => weigh(feature, points))];
  const of = (names: readonly string[]) => names.map((name) => `financials/${name}`).filter((feature) => terms.some((term) => term.feature === feature));
  return {
    model: {
      ref: 'sme_scorecard@1', title: { en: 'Scorecard for small and medium enterprises', zh: '中小企业评分卡' }, ...audience, terms, offset: 0, scale: 1,
      bands: [{ from: null, ...bands[0]! }, { from: 300, ...bands[1]! }, { from: 370, ...bands[2]! }, { from: 430, ...bands[3]! }, { from: 480, ...bands[4]! }],
      reasons: [
        { code: 'R1', text: { en: 'Earning power', zh: '盈利能力' }, features: of(earning) },
        { code: 'R2', text: { en: 'Debt and liquidity', zh: '负债与流动性' }, features: of([...structure, ...Object.keys(liquidity)]) },
        { code: 'R3', text: { en: 'Standing with registry, tax office and suppliers', zh: '登记、纳税与缴费情况' }, features: Object.keys(standing) },
      ],
    },
    note: 'ratios weighed by the fit, bins by hand',
  };
}

const catalogue = loadCatalogue(path.join(policies, 'catalogue'));
const space: FeatureSpace = { features: loadFeatures(policies, catalogue), fields: catalogue.fields };
const settings = loadScoringSettings(policies);
mkdirSync(folder, { recursive: true });
for (const { model, note } of [linearModel(space.features), scorecard(space.features)]) {
  const parsed = parseModel(model);
  const { ok, findings } = judgeModel(parsed, space, settings);
  writeFileSync(path.join(folder, `${model.ref.replace('@', '-')}.json`), `${JSON.stringify({ $schema: '../../policies/schema/model.schema.json', ...modelToJson(parsed) }, null, 2)}\n`);
  process.stdout.write(`${model.ref}: ${model.terms.length} features, ${note}${ok ? '' : `\n${findings.map(({ part, problem }) => `  ${part}: ${problem}`).join('\n')}`}\n`);
}
