import { parameterSets, type ParameterSet } from '../../he/parameters.ts';
import type { FeatureId, Model } from '../protocol.ts';
import { disjointParts, functionalsOf, type Terms } from './functional.ts';
import { largestGain } from './guess.ts';
import { bounds, dominantField, effectiveNumber, fieldRanges, heaviestFeature, stepsOf, type FieldRange } from './range.ts';
import { largestRemainder } from './remainder.ts';
import type { ScoringSettings } from './settings.ts';
import type { FeatureSpace } from './space.ts';
import { shareIn, type ModelFinding, type ModelVerdict } from './verdict.ts';

/**
 * Whether a model alone tells little enough of every single field. Pure.
 *
 * A bank gets the score and every reason group, so it can work out every sum of the model's disjoint parts. When each
 * part by itself has at least m effective fields and none above the share s, so has every weighted sum of parts:
 * shares only shrink, and (Σr)²/Σr² ≥ m in each part gives Σr² ≤ Σ(Σr)²/m ≤ (ΣΣr)²/m. So parts are judged.
 */
export function judgeModel(model: Model, space: FeatureSpace, settings: ScoringSettings, parameters: ParameterSet = parameterSets['veilgate-score-1']): ModelVerdict {
  const unknown = model.terms.filter(({ feature }) => !space.features.has(feature));
  if (unknown.length > 0) return verdict(unknown.map(({ feature }) => unknownFeature(feature)));
  const whole = fieldRanges(model.terms, space);
  const parts = disjointParts(model);
  const functionals = functionalsOf(model);
  return verdict([
    ...arithmeticFindings(model, whole, parameters),
    ...(functionals.length <= settings.functionalsMax ? [] : [finding('functionals', 'score', functionals.length, settings.functionalsMax, 'The model gives more numbers than an institution may have of one enterprise: have fewer reason groups.')]),
    ...(parts[0]?.name === 'score' ? [] : stepFindings('score', whole, settings)),
    ...parts.flatMap(({ name, terms }) => judgeTerms(name, terms, space, settings)),
    ...remainderFindings('score', functionals, space),
  ]);
}

/** The rules for one number that somebody gets. */
function judgeTerms(part: string, terms: Terms, space: FeatureSpace, settings: ScoringSettings): ModelFinding[] {
  const ranges = fieldRanges(terms, space);
  if (ranges.every(({ certainRange }) => certainRange === 0)) {
    return [finding('constant', part, 0, 1, `${sentenceName(part)} is the same for every enterprise that has values: leave it out or give its bins different weights.`)];
  }
  const steps = stepFindings(part, ranges, settings);
  return [
    ...steps, ...effectiveFindings(part, ranges, settings), ...shareFindings(part, ranges, space, settings),
    ...(steps.length > 0 ? [] : gainFindings(part, ranges, space, settings)), // counting takes as long as there are numbers
  ];
}

/** Of all numbers of a use together. */
export function remainderFindings(part: string, functionals: readonly { readonly terms: Terms }[], space: FeatureSpace): ModelFinding[] {
  const largest = largestRemainder(functionals, space);
  if (largest === undefined || largest.classes === 1) return [];
  return [{
    ...finding('remainder', part, largest.classes, 1, `The remainders of ${part === 'score' ? 'the numbers of this model' : phraseName(part)} would tell values of ${largest.shape.field} apart with certainty: give its features weights with the same common divisor as all others.`),
    feature: largest.shape.features[0] as FeatureId,
  }];
}

function arithmeticFindings(model: Model, ranges: readonly FieldRange[], { plainModulus, weightSumMax }: ParameterSet): ModelFinding[] {
  const { low, high } = bounds(ranges);
  const largest = Math.max(Math.abs(low + model.offset), Math.abs(high + model.offset), Math.abs(low), Math.abs(high));
  const allowed = (plainModulus - 1) / 2;
  const weights = model.terms.reduce((sum, { weight }) => sum + Math.abs(weight), 0);
  return [
    ...(largest <= allowed ? [] : [finding('raw_range', 'score', largest, allowed, `The raw score can reach ${largest}, beyond what is computed with: use smaller weights or a smaller offset.`)]),
    ...(weights <= weightSumMax ? [] : [finding('weight_sum', 'score', weights, weightSumMax, `The weights add up to ${weights}: divide them so that they add up to ${weightSumMax} at most.`)]),
  ];
}

function stepFindings(part: string, ranges: readonly FieldRange[], { stepsMax }: ScoringSettings): ModelFinding[] {
  const steps = stepsOf(ranges);
  return steps <= stepsMax ? [] : [finding('steps', part, steps, stepsMax, `${sentenceName(part)} can be ${steps} different numbers, finer than anybody needs: use coarser weights.`)];
}

function effectiveFindings(part: string, ranges: readonly FieldRange[], { effectiveFeaturesMin }: ScoringSettings): ModelFinding[] {
  const { squareOfSum, sumOfSquares } = effectiveNumber(ranges);
  // compared in thousandths, so that nothing is rounded
  if (squareOfSum * 1000n >= BigInt(Math.round(effectiveFeaturesMin * 1000)) * sumOfSquares) return [];
  const found = Number((squareOfSum * 1000n) / sumOfSquares) / 1000;
  return [finding('effective_features', part, found, effectiveFeaturesMin, `${sentenceName(part)} rests on ${found} effective fields; at least ${effectiveFeaturesMin} are needed: add fields or spread the weights.`)];
}

function shareFindings(part: string, ranges: readonly FieldRange[], space: FeatureSpace, { dominantShareMax }: ScoringSettings): ModelFinding[] {
  const worst = dominantField(ranges);
  if (worst === undefined || worst.part * 1000n <= BigInt(Math.round(dominantShareMax * 1000)) * worst.whole) return [];
  const { dominant } = worst;
  const found = Number((worst.part * 1000n) / worst.whole) / 1000;
  return [{
    ...finding('dominant_share', part, found, dominantShareMax, `${dominant.shape.field} makes up ${shareIn(found)} of ${phraseName(part)}; at most ${shareIn(dominantShareMax)} is allowed: lower its weight.`),
    feature: heaviestFeature(dominant, space.features),
  }];
}

export function gainFindings(part: string, ranges: readonly FieldRange[], space: FeatureSpace, { guessGainMax }: ScoringSettings): ModelFinding[] {
  const largest = largestGain(ranges);
  if (largest === undefined) return [finding('guess_gain', part, 1, guessGainMax, `${sentenceName(part)} can be too many different numbers to be judged: use coarser weights.`)];
  if (largest.gain <= guessGainMax) return [];
  const found = Math.ceil(largest.gain * 1000) / 1000;
  return [{
    ...finding('guess_gain', part, found, guessGainMax, `${sentenceName(part)} would give away ${largest.field.shape.field}: it can be guessed ${shareIn(found)} of the way from chance to certainty, ${shareIn(guessGainMax)} is allowed. Use coarser weights, so that different values add up to the same number.`),
    feature: heaviestFeature(largest.field, space.features),
  }];
}

function finding(rule: ModelFinding['rule'], part: string, found: number, allowed: number, problem: string): ModelFinding {
  return { rule, part, found, allowed, problem };
}

export function unknownFeature(feature: FeatureId): ModelFinding {
  return { ...finding('feature_unknown', 'score', 0, 1, `There is no feature ${feature} on this platform: use one of those declared in policies/features.`), feature };
}

function verdict(findings: readonly ModelFinding[]): ModelVerdict {
  return { ok: findings.length === 0, findings };
}

const phraseName = (part: string) => (part === 'score' ? 'the score' : part === 'rest' ? 'the score without its reason groups' : part.includes(' ') ? part : `the reason group ${part}`);
const sentenceName = (part: string) => phraseName(part).replace(/^./, (letter) => letter.toUpperCase());
