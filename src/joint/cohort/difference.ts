import type { SubjectId } from '../../vocabulary.ts';

/** Enterprises by which two cohorts differ, those added and those removed together. Neither names anyone twice. */
export function differenceOf(one: readonly SubjectId[], other: readonly SubjectId[]): number {
  const known = new Set(one);
  const common = other.reduce((sum, code) => sum + (known.has(code) ? 1 : 0), 0);
  return one.length + other.length - 2 * common;
}
