import type { Feature } from '../../protocol.ts';
import type { FileFields } from './fields.ts';
import type { ReadModel } from './scorecard.ts';
import type { RealTerm } from './weights.ts';
import { attributeOf, childrenOf, numberOf, refusedFile, type XmlElement } from './xml.ts';

/**
 * PMML RegressionModel: https://dmg.org/pmml/v4-4-1/Regression.html. Of a logistic one the score is the log odds of its
 * first category. Errors: MODEL_FILE_REFUSED.
 */
export function readRegression(model: XmlElement, fields: FileFields): ReadModel {
  const tables = childrenOf(model, 'RegressionTable');
  const [table, reference, ...more] = tables;
  if (table === undefined || more.length > 0) throw refusedFile('A regression of one number, or of two categories, can be taken over', model);
  const normalisation = model.attributes['normalizationMethod'] ?? 'none';
  if (!(reference === undefined ? ['none', 'identity', 'logit'] : ['logit', 'softmax']).includes(normalisation)) throw refusedFile('The normalization of the regression cannot be taken over', model);
  if (reference !== undefined && (reference.children.some(({ name }) => name !== 'Extension') || numberOf(reference, 'intercept', 0) !== 0)) {
    throw refusedFile('The second category must be the reference, without predictors', reference);
  }
  const terms: RealTerm[] = [];
  for (const predictor of table.children) {
    const read = readPredictor(predictor, fields);
    if (read === undefined) continue;
    if (terms.some(({ feature }) => feature.id === read.feature.id)) throw refusedFile('Two predictors use the same values', predictor);
    terms.push(read);
  }
  return { terms, intercept: numberOf(table, 'intercept', 0), reasons: [] };
}

function readPredictor(predictor: XmlElement, fields: FileFields): RealTerm | undefined {
  switch (predictor.name) {
    case 'Extension': return undefined;
    case 'NumericPredictor': {
      if (numberOf(predictor, 'exponent', 1) !== 1) throw refusedFile('Powers of a value cannot be computed on encrypted values', predictor);
      const feature = one(fields.featuresOf(attributeOf(predictor, 'name'), predictor), ({ encoding }) => encoding.kind === 'fixed_point', predictor);
      return { feature, points: numberOf(predictor, 'coefficient') / (feature.encoding.kind === 'fixed_point' ? feature.encoding.scale : 1) };
    }
    case 'CategoricalPredictor': {
      const value = attributeOf(predictor, 'value');
      const feature = one(fields.featuresOf(attributeOf(predictor, 'name'), predictor), ({ encoding }) => encoding.kind === 'code_indicator' && encoding.codes.length === 1 && encoding.codes[0] === value, predictor);
      return { feature, points: numberOf(predictor, 'coefficient') };
    }
    default: throw refusedFile(`${predictor.name} cannot be taken over`, predictor);
  }
}

function one(features: readonly Feature[], fits: (feature: Feature) => boolean, place: XmlElement): Feature {
  const [only, another] = features.filter(fits);
  if (only === undefined || another !== undefined) throw refusedFile('The platform has not exactly one feature for this predictor', place);
  return only;
}
