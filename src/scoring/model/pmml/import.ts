import type { Feature } from '../../protocol.ts';
import type { ModelJson } from '../document.ts';
import { fileFields } from './fields.ts';
import { readRegression } from './regression.ts';
import { readScorecard } from './scorecard.ts';
import { wholeTerms } from './weights.ts';
import { childrenOf, readXml, refusedFile } from './xml.ts';

/** What a file does not say. */
export type ImportDetails = Pick<ModelJson, 'ref' | 'title' | 'purposes' | 'institution_classes' | 'institutions'>;

export type ImportedModel = {
  /** With one band and reasons that are named by their codes: to be completed by hand. */
  readonly model: ModelJson;
  /** How far a score can be from what the file says, at most. */
  readonly roundingErrorMax: number;
};

/**
 * A scorecard or a regression of a PMML file (https://dmg.org/pmml/v4-4-1) over features that are declared. What cannot
 * be taken over exactly, rounding aside, is refused with its place. Errors: MODEL_FILE_REFUSED.
 */
export function importPmml(text: string, features: Iterable<Feature>, details: ImportDetails): ImportedModel {
  const pmml = readXml(text);
  if (pmml.name !== 'PMML') throw refusedFile('The file is not PMML', pmml);
  const models = pmml.children.filter(({ name }) => name === 'Scorecard' || name.endsWith('Model'));
  const [model] = models;
  if (model === undefined || models.length > 1) throw refusedFile('The file must hold one model', models[1] ?? pmml);
  const output = childrenOf(model, 'Targets')[0];
  if (output !== undefined) throw refusedFile('Rescaled targets cannot be taken over', output);
  const fields = fileFields(pmml, model, features);
  const read = model.name === 'Scorecard' ? readScorecard(model, fields) : model.name === 'RegressionModel' ? readRegression(model, fields) : undefined;
  if (read === undefined) throw refusedFile(`${model.name} cannot be taken over: a Scorecard or a RegressionModel can`, model);
  const { terms, offset, scale, roundingErrorMax } = wholeTerms(read.terms, read.intercept, model);
  const kept = new Set(terms.map(({ feature }) => feature));
  const reasons = read.reasons.map(({ code, features: of }) => ({ code, text: { en: code, zh: code }, features: of.filter((feature) => kept.has(feature)) })).filter(({ features: of }) => of.length > 0);
  return { model: { ...details, terms, offset, scale, bands: [{ from: null, code: 'all', text: { en: 'All scores', zh: '全部' } }], reasons }, roundingErrorMax };
}
