import type { FeatureId, ModelRef } from '../protocol.ts';
import { primitive, type Functional } from './functional.ts';
import { gainFindings, remainderFindings, unknownFeature } from './judge.ts';
import { dot, fieldRanges } from './range.ts';
import type { ScoringSettings } from './settings.ts';
import { maximise } from './simplex.ts';
import { allPoints, certainPoints, fieldShapes, type FeatureSpace, type FieldShape } from './space.ts';
import { independentSpans, reduced, termsOf, type Vector } from './span.ts';
import { shareIn, type ModelFinding, type ModelVerdict } from './verdict.ts';

type Given = Pick<Functional, 'id' | 'terms' | 'model'>;

/** Functions that may be judged at once, and features over all of them; more is refused. */
const functionalsCeiling = 64;
const featuresMax = 1000;
/** Rows of one linear programme. */
const rowsMax = 6000;
/** What the search for the worst combination may be off by; taken as if it were there. */
const slack = 1e-9;
const tolerance = 1e-5;

/**
 * Whether one institution may know all of these functions of one enterprise. Pure. Unknown features are refused.
 *
 * Whoever has several numbers can work out every weighted sum of them. In each such sum no field may have more than the
 * dominant share: the largest share over the whole span is found by linear programmes, one for each way a field can
 * move (docs/decisions/0123-joint-guard.md). Remainders of all numbers together must tell nothing, and the shortest
 * combinations are looked at digit by digit (which takes most of the time: `digits: false` leaves it out, for a first look).
 * Each function alone was judged with its model.
 */
export function judgeTogether(functionals: readonly Given[], space: FeatureSpace, settings: ScoringSettings, { digits = true }: { readonly digits?: boolean } = {}): ModelVerdict {
  const different = [...new Map(functionals.map((functional) => [functional.id, functional])).values()];
  const models = modelsOf(different);
  const limit = Math.min(settings.functionalsMax, functionalsCeiling);
  if (different.length > limit) {
    return refused([about({ rule: 'functionals', part: 'all functions together', found: different.length, allowed: limit, problem: `These are ${different.length} different numbers of one enterprise; at most ${limit} are allowed: keep to the models used before.` }, models)]);
  }
  const features = [...new Set(different.flatMap(({ terms }) => terms.map(({ feature }) => feature)))].toSorted();
  if (features.length > featuresMax) return refused([about({ rule: 'functionals', part: 'all functions together', found: features.length, allowed: featuresMax, problem: 'Too many features to be judged together: keep to the models used before.' }, models)]);
  const unknown = features.filter((feature) => !space.features.has(feature));
  if (unknown.length > 0) return refused(unknown.map((feature) => about(unknownFeature(feature), models)));
  const shapes = fieldShapes(features, space);
  const fieldOf = features.map((feature) => shapes.findIndex(({ features: of }) => of.includes(feature)));
  const unitRange = features.map((feature) => { const { low, high } = space.features.get(feature) ?? { low: 0, high: 0 }; return high - low; });
  const vectorOf = ({ terms }: Given): Vector => { const weights = new Map(terms.map(({ feature, weight }) => [feature, BigInt(weight)])); return features.map((feature) => weights.get(feature) ?? 0n); };
  for (const basis of independentSpans(different.map(vectorOf), unitRange, fieldOf)) {
    const within = new Set(features.filter((_, at) => basis.some((row) => row[at] !== 0n)));
    const members = different.filter(({ terms }) => terms.some(({ feature }) => within.has(feature)));
    const touched = shapes.filter(({ features: of }) => of.some((feature) => within.has(feature)));
    const findings = [
      ...worstShare(basis, touched, features, space, settings),
      ...(basis.length < 2 || !digits ? [] : digitFindings(members.map((member) => ({ id: member.id, vector: vectorOf(member) })), unitRange, features, within, space, settings)),
    ];
    if (findings.length > 0) return refused(findings.map((found) => about(found, modelsOf(members))));
  }
  return refused(remainderFindings('all of these numbers', different, space).map((found) => about(found, models)));
}

/** The largest share one field has in any combination: among enterprises that have every value, and among all. */
function worstShare(basis: readonly Vector[], shapes: readonly FieldShape[], features: readonly FeatureId[], space: FeatureSpace, settings: ScoringSettings): ModelFinding[] {
  const columns = new Map(features.map((feature, at) => [feature, at]));
  // basis vectors in a common size, so that the search computes with moderate numbers
  const sized = basis.map((row) => {
    const largest = row.reduce((most, entry, at) => Math.max(most, Math.abs(Number(entry)) * rangeOf(features[at] as FeatureId, space)), 0) || 1;
    return row.map((entry) => Number(entry) / largest);
  });
  const movesBetween = (shape: FieldShape, points: readonly (readonly number[])[]) => {
    const at = shape.features.map((feature) => columns.get(feature) as number);
    return differences(points).map((difference) => sized.map((row) => dot(at.map((column) => row[column] as number), difference)));
  };
  const certain = shapes.map((shape) => movesBetween(shape, certainPoints(shape)));
  const all = shapes.map((shape) => movesBetween(shape, allPoints(shape)));
  const count = (moves: readonly (readonly unknown[])[]) => moves.reduce((sum, { length }) => sum + 2 * length, 1);
  if (count(all) > rowsMax) {
    return [{ rule: 'combination', part: 'all functions together', found: 1, allowed: settings.dominantShareMax, problem: 'These functions have too many bins to be judged together: keep to the models used before.' }];
  }
  const found = [certain, ...(count(all) > count(certain) ? [all] : [])].map((moves) => largestShare(moves, basis.length));
  const worst = found.reduce((one, other) => (other.share > one.share ? other : one));
  if (worst.share <= settings.dominantShareMax + tolerance) return [];
  const share = Math.min(1, Math.round(worst.share * 1000) / 1000);
  const shape = shapes[worst.field] as FieldShape;
  return [{
    rule: 'combination', part: 'a combination of functions', feature: shape.features[0] as FeatureId, found: share, allowed: settings.dominantShareMax,
    problem: `Who has all of these can combine them into a number of which ${shape.field} makes up ${shareIn(share)}; at most ${shareIn(settings.dominantShareMax)} is allowed.`,
  }];
}

/** By one linear programme for each way a field can move. @param moves of each field, by how they act on the basis */
function largestShare(moves: readonly (readonly (readonly number[])[])[], dimension: number): { readonly share: number; readonly field: number } {
  const rows = programme(moves, dimension);
  const limits = rows.map((_, at) => (at === 0 ? 1 : slack));
  let worst = { share: 0, field: 0 };
  for (const [field, ofField] of moves.entries()) {
    for (const move of ofField) {
      const share = maximise([...move, ...move.map((value) => -value), ...moves.map(() => 0)], rows, limits) ?? 1; // what was not found in time counts as the worst
      if (share > worst.share) worst = { share, field };
      if (share > 1 - tolerance) return worst;
    }
  }
  return worst;
}

/** Variables: coefficients as plus and minus, then for each field how far it moves. First row: all fields together move by 1 at most. */
function programme(moves: readonly (readonly (readonly number[])[])[], dimension: number): number[][] {
  const zeros = Array.from({ length: 2 * dimension }, () => 0);
  const rows = [[...zeros, ...moves.map(() => 1)]];
  for (const [field, ofField] of moves.entries()) {
    const unit = moves.map((_, at) => (at === field ? -1 : 0));
    for (const move of ofField) {
      const back = move.map((value) => -value);
      rows.push([...move, ...back, ...unit], [...back, ...move, ...unit]);
    }
  }
  return rows;
}

/** From one point to another, one way; moves that are the same, once. */
function differences(points: readonly (readonly number[])[]): number[][] {
  const found = new Map<string, number[]>();
  for (const [at, one] of points.entries()) {
    for (const other of points.slice(at + 1)) {
      const difference = one.map((value, index) => value - (other[index] as number));
      const first = difference.find((value) => value !== 0);
      if (first === undefined) continue;
      const oneWay = first > 0 ? difference : difference.map((value) => -value);
      found.set(oneWay.join(), oneWay);
    }
  }
  return [...found.values()];
}

/**
 * Short combinations digit by digit: small numbers tell most by their digits. Of two functions also the sum of and the
 * difference between the two shortest; more would take seconds, and the functions themselves were judged with their models.
 */
function digitFindings(members: readonly { readonly id: string; readonly vector: Vector }[], ranges: readonly number[], features: readonly FeatureId[], within: ReadonlySet<FeatureId>, space: FeatureSpace, settings: ScoringSettings): ModelFinding[] {
  // what lies outside belongs to another span, is told there, and can be subtracted
  const inside = members.map(({ vector }) => vector.map((entry, at) => (within.has(features[at] as FeatureId) ? entry : 0n)));
  const short = reduced(inside, ranges);
  const [one, other] = short;
  const pairs = short.length === 2 && one !== undefined && other !== undefined ? [one.map((entry, at) => entry + (other[at] as bigint)), one.map((entry, at) => entry - (other[at] as bigint))] : [];
  const judged = new Set(members.map(({ id }) => id));
  for (const vector of [...short, ...pairs]) {
    const { id, terms } = primitive(termsOf(vector, features));
    if (judged.has(id)) continue;
    judged.add(id);
    const found = gainFindings('a combination of functions', fieldRanges(terms, space), space, settings);
    if (found.length > 0) return found;
  }
  return [];
}

function rangeOf(feature: FeatureId, space: FeatureSpace): number {
  const declared = space.features.get(feature);
  return declared === undefined ? 0 : declared.high - declared.low;
}

function modelsOf(functionals: readonly Given[]): readonly ModelRef[] {
  return [...new Set(functionals.flatMap(({ model }) => (model === undefined ? [] : [model])))].toSorted();
}

const about = (found: ModelFinding, models: readonly ModelRef[]): ModelFinding => (models.length === 0 ? found : { ...found, models });
const refused = (findings: readonly ModelFinding[]): ModelVerdict => ({ ok: findings.length === 0, findings });
