import type { Value } from '../../vocabulary.ts';

/**
 * The group of a code, as the policy names it. Codes in no group, and values that are no codes, get `otherwise`:
 * what is shown is always one of the policy's own words.
 */
export function generalise(value: Value, groups: Readonly<Record<string, string>>, otherwise: string): string {
  const code = String(value);
  return Object.hasOwn(groups, code) ? (groups[code] as string) : otherwise;
}
