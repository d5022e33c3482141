import type { FieldRef, Use } from '../vocabulary.ts';
import { compareText } from './problem.ts';
import { consentTiers, type ConsentTier } from './rule.ts';

/** One field × use × purpose × consent that changes in the same way for some classes. */
export type CellChange = {
  readonly change: string;
  readonly field: FieldRef;
  readonly use: Use;
  readonly purpose: string;
  readonly consent: ConsentTier;
  readonly institutionClasses: readonly string[];
};

/** Every combination of the lists changes in the same way. */
export type Region = {
  readonly change: string;
  readonly use: Use;
  readonly fields: readonly FieldRef[];
  readonly purposes: readonly string[];
  readonly institutionClasses: readonly string[];
  readonly consent: readonly ConsentTier[];
};

/**
 * Joins cells to as few groups as people want to read: reaches of consent first, then purposes, then fields.
 * The groups together are exactly the cells.
 */
export function regionsOf(cells: readonly CellChange[]): Region[] {
  const single = cells.map(({ field, purpose, consent, ...rest }): Region => ({ ...rest, fields: [field], purposes: [purpose], consent: [consent] }));
  const joined = join(join(join(single, 'consent'), 'purposes'), 'fields');
  return joined.map((region) => ({ ...region, consent: consentTiers.filter((tier) => region.consent.includes(tier)) }));
}

function join(regions: readonly Region[], dimension: 'consent' | 'purposes' | 'fields'): Region[] {
  const groups = Map.groupBy(regions, (region) => `${region.change}\n${region.use}\n${others(region, dimension)}`);
  return [...groups.values()].map((group): Region => {
    const values = group.flatMap((region) => region[dimension] as readonly string[]).toSorted(compareText);
    return { ...(group[0] as Region), [dimension]: values };
  });
}

function others(region: Region, dimension: 'consent' | 'purposes' | 'fields'): string {
  return (['institutionClasses', 'consent', 'purposes', 'fields'] as const)
    .filter((name) => name !== dimension)
    .map((name) => region[name].join(' '))
    .join('\n');
}
