import { parameterSets } from '../../../he/parameters.ts';
import type { Feature } from '../../protocol.ts';
import { refusedFile, type XmlElement } from './xml.ts';

/** What a file says of one feature: points for each unit of the encoded integer. */
export type RealTerm = { readonly feature: Feature; readonly points: number };

export type WholeTerms = {
  readonly terms: readonly { readonly feature: string; readonly weight: number }[];
  readonly offset: number;
  /** score = raw / scale. */
  readonly scale: number;
  /** How far a score can be from what the file says, at most. */
  readonly roundingErrorMax: number;
};

const scales = [1, 10, 100, 1000, 10_000];
const rawStepsMax = 65_535;

/**
 * Whole weights for real points: the smallest power of ten that makes all of them whole, or the largest for which
 * everything still fits. Errors: MODEL_FILE_REFUSED when not even whole points fit.
 */
export function wholeTerms(realTerms: readonly RealTerm[], intercept: number, place: XmlElement): WholeTerms {
  const { plainModulus, weightSumMax } = parameterSets['veilgate-score-1'];
  const at = (scale: number) => {
    const terms = realTerms.map(({ feature, points }) => ({ feature, points, weight: Math.round(points * scale) }));
    const offset = Math.round(intercept * scale);
    const steps = terms.reduce((sum, { feature, weight }) => sum + Math.abs(weight) * (feature.high - feature.low), 0);
    const largest = Math.abs(offset) + terms.reduce((sum, { feature, weight }) => sum + Math.abs(weight) * Math.max(Math.abs(feature.low), Math.abs(feature.high)), 0);
    const fits = terms.reduce((sum, { weight }) => sum + Math.abs(weight), 0) <= weightSumMax && steps < rawStepsMax && largest <= (plainModulus - 1) / 2 && terms.every(({ weight }) => Math.abs(weight) <= 65_535);
    const error = (Math.abs(offset - intercept * scale) + terms.reduce((sum, { feature, points, weight }) => sum + Math.abs(weight - points * scale) * Math.max(Math.abs(feature.low), Math.abs(feature.high)), 0)) / scale;
    return { scale, terms, offset, fits, error };
  };
  const fitting = scales.map(at).filter(({ fits }) => fits);
  const chosen = fitting.find(({ error }) => error < 1e-9) ?? fitting.at(-1);
  if (chosen === undefined) throw refusedFile('The points are too large to be computed with: divide them', place);
  const terms = chosen.terms.filter(({ weight }) => weight !== 0).map(({ feature, weight }) => ({ feature: feature.id, weight }));
  if (terms.length === 0) throw refusedFile('No feature has any points', place);
  return { terms, offset: chosen.offset, scale: chosen.scale, roundingErrorMax: chosen.error < 1e-9 ? 0 : chosen.error };
}
