import type { FieldDecision, Treatment } from '../vocabulary.ts';

const addressLevels = ['province', 'city', 'district'];

/**
 * Ranks two forms of the same disposition where one plainly tells less.
 * @returns above 0 when `after` tells more, below 0 when it tells less, 0 when they cannot be ranked
 */
export function stricterTreatment(before: Pick<FieldDecision, 'treatment'>, after: Pick<FieldDecision, 'treatment'>): number {
  const a = before.treatment;
  const b = after.treatment;
  if (a === undefined || b === undefined) return 0;
  const hides = (treatment: Treatment) => treatment.method === 'suppress' || treatment.method === 'fixed';
  if (hides(a) !== hides(b)) return hides(a) ? 1 : -1;
  if (a.method === 'keep_ends' && b.method === 'keep_ends') return both(b.first - a.first, b.last - a.last);
  if (a.method === 'mask_range' && b.method === 'mask_range') return both(b.from - a.from, a.to - b.to);
  if (a.method === 'address' && b.method === 'address') return addressLevels.indexOf(b.level) - addressLevels.indexOf(a.level);
  if (a.method === 'round' && b.method === 'round') {
    if (b.to % a.to === 0) return -1;
    return a.to % b.to === 0 ? 1 : 0;
  }
  if (a.method === 'band' && b.method === 'band') return subset(a.edges, b.edges);
  if (a.method === 'clamp' && b.method === 'clamp') return both(a.bottom - b.bottom, b.top - a.top);
  return 0;
}

/** One sign when neither speaks against it. */
function both(x: number, y: number): number {
  return x * y < 0 ? 0 : Math.sign(x + y);
}

/** More edges tell more, when all the old ones stay. */
function subset(before: readonly number[], after: readonly number[]): number {
  if (before.length < after.length && before.every((edge) => after.includes(edge))) return 1;
  if (after.length < before.length && after.every((edge) => before.includes(edge))) return -1;
  return 0;
}
