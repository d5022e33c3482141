import type { Value } from '../../src/vocabulary.ts';
import type { Profile } from './profile.ts';
import { randomFor, type Random } from './random.ts';
import { sampleSubject } from './subjects.ts';
import { digits } from './words.ts';

export type SampleRow = Readonly<Record<string, Value>>;

/** Revenue of one month: seasons, chance, and the decline of those that went bankrupt. `age` counts months to the last. */
function monthFactor(profile: Profile, period: string, age: number): number {
  const random = randomFor(profile.seed, profile.n, `month ${period}`);
  const season = [0.95, 0.7, 1.0, 1.0, 1.05, 1.05, 0.95, 0.95, 1.05, 1.0, 1.1, 1.2][Number(period.slice(5, 7)) - 1] ?? 1;
  const trend = profile.distressed ? 0.35 + 0.65 * Math.min(1, age / 18) : 1.1 - 0.1 * Math.min(1, age / 24);
  return season * trend * random.factor(0.15);
}

export function* taxRows(profile: Profile, periods: readonly string[]): Generator<SampleRow> {
  const random = randomFor(profile.seed, profile.n, 'tax');
  const rating = profile.distressed ? random.pick(['C', 'D', 'B']) : profile.establishedYear > 2020 ? 'M' : random.pick(['A', 'A', 'B', 'B', 'C']);
  const customer = sampleSubject((profile.n * 31 + 17) % 1_000_000, profile.seed);
  const marginOfTax = 0.01 + random.fraction() * 0.05;
  for (const [at, period] of periods.entries()) {
    const revenue = Math.round(profile.monthlyRevenueCents * monthFactor(profile, period, periods.length - 1 - at));
    const late = profile.distressed && at > periods.length - 7;
    yield {
      period,
      credit_rating: rating,
      declared_revenue_cents: revenue,
      invoiced_cents: Math.round(revenue * (0.85 + random.fraction() * 0.2)),
      invoice_count: Math.max(1, Math.round(revenue / 8_000_000 * random.factor(0.3))),
      vat_paid_cents: late ? 0 : Math.round(revenue * marginOfTax),
      income_tax_paid_cents: late ? 0 : Math.round(revenue * 0.01 * random.fraction()),
      tax_arrears_cents: late ? Math.round(revenue * marginOfTax * (at - periods.length + 7)) : 0,
      largest_customer_share: percent(random, 5, profile.distressed ? 90 : 60, 2),
      largest_customer: random.chance(0.9) ? customer : null,
      violations: late && random.chance(0.2) ? 1 : 0,
    };
  }
}

export function* socialInsuranceRows(profile: Profile, periods: readonly string[]): Generator<SampleRow> {
  const random = randomFor(profile.seed, profile.n, 'social insurance');
  const wageCents = random.between(450_000, 1_500_000);
  let insured = profile.employees;
  let arrears = 0;
  for (const [at, period] of periods.entries()) {
    const declining = profile.distressed && at > periods.length - 13;
    const joined = random.below(Math.max(2, Math.ceil(insured * 0.04)));
    const left = Math.min(insured - 1, random.below(Math.max(2, Math.ceil(insured * (declining ? 0.15 : 0.04)))));
    insured = Math.max(1, insured + joined - left);
    const base = insured * wageCents;
    const due = Math.round(base * 0.245);
    const unpaid = declining && random.chance(0.4);
    arrears = unpaid ? arrears + 1 : 0;
    yield {
      period, insured_employees: insured, joined_employees: joined, left_employees: left,
      wage_base_cents: base, contribution_due_cents: due, contribution_paid_cents: unpaid ? 0 : due, arrears_months: arrears,
    };
  }
}

const markets = ['USA', 'DEU', 'JPN', 'KOR', 'VNM', 'SGP', 'MYS', 'THA', 'IND', 'GBR', 'FRA', 'NLD', 'AUS', 'BRA', 'ARE', 'OTH'] as const;

export function* customsRows(profile: Profile, periods: readonly string[]): Generator<SampleRow> {
  if (!profile.trades) return;
  const random = randomFor(profile.seed, profile.n, 'customs');
  const grade = random.chance(0.15) ? 'advanced_certified' : 'registered';
  const market = random.pick(markets);
  const exported = 0.1 + random.fraction() * 0.6;
  for (const [at, period] of periods.entries()) {
    const revenue = profile.monthlyRevenueCents * monthFactor(profile, period, periods.length - 1 - at);
    const imports = Math.round(revenue * 0.2 * random.fraction());
    yield {
      period, credit_grade: grade, import_cents: imports, export_cents: Math.round(revenue * exported), declarations: random.between(1, 40),
      duty_paid_cents: Math.round(imports * 0.09), main_export_market: market,
      main_trading_partner: `Sample Trading ${market} ${1 + profile.n % 90}`, penalties: random.chance(0.005) ? 1 : 0,
    };
  }
}

export function* utilityRows(profile: Profile, periods: readonly string[]): Generator<SampleRow> {
  const random = randomFor(profile.seed, profile.n, 'utility');
  const account = `33${digits(random, 8)}`;
  const perEmployee = profile.industry === 'C' ? 900 : 180;
  for (const [at, period] of periods.entries()) {
    const activity = monthFactor(profile, period, periods.length - 1 - at);
    const kwh = profile.employees * perEmployee * activity;
    const unpaid = profile.distressed && at > periods.length - 5;
    const bill = Math.round(kwh * 68);
    yield {
      period,
      electricity_kwh: kwh.toFixed(1),
      water_m3: (profile.employees * 2.5 * activity * random.factor(0.2)).toFixed(1),
      gas_m3: profile.industry === 'C' || profile.industry === 'H' ? (profile.employees * 12 * activity).toFixed(1) : null,
      electricity_bill_cents: bill,
      arrears_cents: unpaid ? bill : 0,
      supply_cut: unpaid && random.chance(0.1),
      meter_account: account,
    };
  }
}

/** Percent as decimal text. */
function percent(random: Random, low: number, high: number, scale: number): string {
  return (low + random.fraction() * (high - low)).toFixed(scale);
}
