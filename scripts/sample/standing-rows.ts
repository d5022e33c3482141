import type { SampleRow } from './periodic-rows.ts';
import type { Profile } from './profile.ts';
import { randomFor, type Random } from './random.ts';
import { bankAccount, companyName, emailAddress, identityNumber, personName, phoneNumber, streetAddress, two } from './words.ts';

export function* registryRows(profile: Profile): Generator<SampleRow> {
  const random = randomFor(profile.seed, profile.n, 'registry');
  const capital = roundCents(profile.monthlyRevenueCents * random.between(2, 12));
  yield {
    name: companyName(random, profile.region[2], profile.industry),
    enterprise_type: profile.sizeClass === 'large' ? 'joint_stock' : random.pick(['limited_liability', 'limited_liability', 'limited_liability', 'partnership', 'foreign_invested']),
    status: profile.distressed && random.chance(0.5) ? random.pick(['suspended', 'revoked']) : 'in_operation',
    industry: profile.industry,
    region_code: profile.region[0],
    established_on: day(random, profile.establishedYear),
    registered_capital_cents: capital,
    paid_in_capital_cents: random.chance(0.85) ? roundCents(capital * random.fraction()) : null,
    size_class: profile.sizeClass,
    business_scope: '技术开发、技术服务、技术咨询；货物进出口，"依法须经批准的项目"经批准后方可开展经营活动（样本）',
    address: streetAddress(random, profile.region),
    legal_representative: legalRepresentative(profile),
    contact_phone: random.chance(0.95) ? phoneNumber(random) : null,
    contact_email: random.chance(0.8) ? emailAddress(random, 'office') : null,
    irregular_listed: profile.distressed && random.chance(0.6),
  };
}

/** The same person in the registry and among the owners. */
function legalRepresentative(profile: Profile): string {
  return personName(randomFor(profile.seed, profile.n, 'legal representative'));
}

export function* ownerRows(profile: Profile, asOf: string): Generator<SampleRow> {
  const random = randomFor(profile.seed, profile.n, 'owner');
  const count = random.between(1, profile.sizeClass === 'micro' ? 2 : 4);
  let restTenThousandths = 1_000_000;
  for (let at = 0; at < count; at += 1) {
    const part = at === count - 1 ? restTenThousandths : Math.floor(restTenThousandths * (0.3 + random.fraction() * 0.4));
    restTenThousandths -= part;
    yield {
      owner_no: at + 1,
      role: at === 0 ? 'legal_representative' : 'shareholder',
      name: at === 0 ? legalRepresentative(profile) : personName(random),
      identity_number: identityNumber(random),
      phone: phoneNumber(random),
      email: random.chance(0.7) ? emailAddress(random, 'person') : null,
      home_address: streetAddress(random, profile.region),
      bank_account: random.chance(0.9) ? bankAccount(random) : null,
      share_percent: (part / 10_000).toFixed(4),
      subscribed_capital_cents: roundCents(profile.monthlyRevenueCents * 6 * (part / 1_000_000)),
      appointed_on: day(random, random.between(profile.establishedYear, Number(asOf.slice(0, 4)) - 1)),
    };
  }
}

export function* judicialRows(profile: Profile, asOf: string): Generator<SampleRow> {
  const random = randomFor(profile.seed, profile.n, 'judicial');
  const count = profile.distressed ? random.between(1, 5) : random.chance(0.15) ? 1 : 0;
  const thisYear = Number(asOf.slice(0, 4));
  for (let at = 0; at < count; at += 1) {
    const year = random.between(Math.max(profile.establishedYear, thisYear - 4), thisYear - 1);
    const unmet = profile.distressed && random.chance(0.5);
    const claim = roundCents(profile.monthlyRevenueCents * random.factor(0.8));
    yield {
      case_no: `(${year})样本民初${1000 * (profile.n % 9000) + at}号`,
      filed_on: day(random, year),
      court: `${profile.region[2]}样本人民法院`,
      cause: random.pick(['sales_contract', 'loan', 'labour', 'lease', 'construction', 'other']),
      role: unmet ? 'executee' : random.pick(['plaintiff', 'defendant']),
      status: unmet ? random.pick(['in_enforcement', 'enforcement_ended_unmet']) : 'closed',
      claim_cents: claim,
      unpaid_cents: unmet ? roundCents(claim * 0.7) : 0,
      dishonest_listed: unmet && random.chance(0.4),
      counterparty: personName(random),
    };
  }
}

export function* intellectualPropertyRows(profile: Profile, asOf: string): Generator<SampleRow> {
  const random = randomFor(profile.seed, profile.n, 'intellectual property');
  const count = profile.industry === 'I' || profile.industry === 'C' || profile.industry === 'M' ? random.below(6) : random.below(2);
  const thisYear = Number(asOf.slice(0, 4));
  for (let at = 0; at < count; at += 1) {
    const year = random.between(Math.max(profile.establishedYear, thisYear - 8), thisYear - 1);
    const granted = random.chance(0.75) && year < thisYear - 1;
    const pledged = granted && random.chance(0.1);
    yield {
      registration_no: `SAMPLE${year}${String(profile.n).padStart(8, '0')}.${at}`,
      filed_on: day(random, year),
      right_type: random.pick(['invention', 'utility_model', 'design', 'trademark', 'software']),
      title: `一种样本装置及其方法（${profile.n}-${at}）`,
      granted_on: granted ? day(random, year + 1) : null,
      expires_on: granted ? day(random, year + 10) : null,
      status: granted ? 'in_force' : 'pending',
      pledged,
      valuation_cents: pledged ? roundCents(random.between(20, 500) * 1_000_000) : null,
      licence_income_cents: granted && random.chance(0.1) ? random.between(1, 50) * 1_000_000 : 0,
      inventor: personName(random),
    };
  }
}

export function* creditRows(profile: Profile, asOf: string): Generator<SampleRow> {
  const random = randomFor(profile.seed, profile.n, 'credit');
  const count = random.below(4);
  const thisYear = Number(asOf.slice(0, 4));
  for (let at = 0; at < count; at += 1) {
    const limit = roundCents(profile.monthlyRevenueCents * random.between(1, 6));
    const outstanding = Math.round(limit * random.fraction());
    const overdue = profile.distressed && random.chance(0.6);
    const year = random.between(Math.max(profile.establishedYear, thisYear - 3), thisYear - 1);
    yield {
      facility_no: `SAMPLE-${String(profile.n).padStart(8, '0')}-${at + 1}`,
      opened_on: day(random, year),
      due_on: day(random, year + random.between(1, 4)),
      facility_type: random.pick(['working_capital', 'working_capital', 'fixed_asset', 'discount', 'letter_of_credit', 'factoring']),
      lender_class: random.pick(['large_bank', 'joint_stock_bank', 'city_bank', 'rural_bank', 'other']),
      limit_cents: limit,
      outstanding_cents: outstanding,
      overdue_cents: overdue ? Math.round(outstanding * 0.4) : 0,
      overdue_days: overdue ? random.between(31, 400) : 0,
      loan_class: overdue ? random.pick(['special_mention', 'substandard', 'doubtful', 'loss']) : 'normal',
      repayment_account: bankAccount(random),
      guarantor: random.chance(0.4) ? personName(random) : null,
    };
  }
}

/** The real figures of one enterprise of the extract. */
export function* financialsRows(profile: Profile, asOf: string): Generator<SampleRow> {
  yield { statement_date: `${Number(asOf.slice(0, 4)) - 1}-12-31`, ...Object.fromEntries(profile.figures.ratios) };
}

function day(random: Random, year: number): string {
  return `${year}-${two(random.between(1, 12))}-${two(random.between(1, 28))}`;
}

/** To whole thousands of yuan. */
function roundCents(cents: number): number {
  return Math.max(100_000, Math.round(cents / 100_000) * 100_000);
}

