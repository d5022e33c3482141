import type { SubjectId } from '../../src/vocabulary.ts';
import type { Figures } from './figures.ts';
import { randomFor } from './random.ts';
import { regionOf, sampleSubject, type regions } from './subjects.ts';
import { industries, two } from './words.ts';

export type SampleOptions = {
  /** 1 to 10^7. Beyond the 5,807 real ones the figures come round again, under new codes. */
  readonly enterprises: number;
  /** Whole number, 0 to 10^9. Equal options give equal data. */
  readonly seed: number;
  /** The day the data are as of, `YYYY-MM-DD`: the last period is the month before. */
  readonly asOf?: string;
  /** Months of the periodic datasets, 1 to 120; 24 when absent. */
  readonly periods?: number;
};

export const defaultAsOf = '2026-11-15';
export const defaultPeriods = 24;

/** What the records of one made-up enterprise have in common, so that the departments' data agree. */
export type Profile = {
  readonly n: number;
  readonly seed: number;
  readonly subject: SubjectId;
  readonly region: (typeof regions)[number];
  readonly industry: string;
  readonly sizeClass: 'micro' | 'small' | 'medium' | 'large';
  readonly employees: number;
  readonly monthlyRevenueCents: number;
  readonly establishedYear: number;
  readonly trades: boolean;
  /** The real enterprise behind it went bankrupt: its made-up records show the decline. */
  readonly distressed: boolean;
  readonly figures: Figures;
};

const sizes = [
  { sizeClass: 'micro', low: 2, high: 9, share: 0.45 },
  { sizeClass: 'small', low: 10, high: 99, share: 0.4 },
  { sizeClass: 'medium', low: 100, high: 299, share: 0.12 },
  { sizeClass: 'large', low: 300, high: 2500, share: 0.03 },
] as const;

export function profileOf(n: number, seed: number, figures: readonly Figures[]): Profile {
  const random = randomFor(seed, n, 'profile');
  let draw = random.fraction();
  const size = sizes.find(({ share }) => (draw -= share) < 0) ?? sizes[0];
  const employees = random.between(size.low, size.high);
  const own = figures[n % figures.length] as Figures;
  return {
    n, seed, employees,
    subject: sampleSubject(n, seed),
    region: regionOf(n, seed),
    industry: random.pick(industries),
    sizeClass: size.sizeClass,
    monthlyRevenueCents: Math.round(employees * 4_500_000 * random.factor(0.5)),
    establishedYear: random.between(1995, 2022),
    trades: random.chance(0.35),
    distressed: own.bankrupt,
    figures: own,
  };
}

/** First days of the last `count` months before `asOf`, oldest first. */
export function periodsBefore(asOf: string, count: number): string[] {
  const [year, month] = asOf.split('-').map(Number) as [number, number];
  const last = year * 12 + (month - 1) - 1;
  return Array.from({ length: count }, (_, at) => {
    const month0 = last - (count - 1) + at;
    return `${Math.floor(month0 / 12)}-${two((month0 % 12) + 1)}-01`;
  });
}
