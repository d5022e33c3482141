import { fixedClock } from '../../../src/clock.ts';
import { applicationType } from '../../../src/identity/registry/application.ts';
import { applyInstitution, approveInstitution, assessInstitution, type InstitutionLimits } from '../../../src/identity/registry/institution.ts';
import { bootstrapOfficers } from '../../../src/identity/registry/staff.ts';
import type { Database, Tx } from '../../../src/store/database.ts';
import { usccCheckDigit } from '../../../src/uscc.ts';
import type { InstitutionId, PartyId, PublicJwk, SubjectId } from '../../../src/vocabulary.ts';
import { freshDatabase } from '../../support/database.ts';
import { makeEncryptionJwk, makeKey, signCompact, type TestKey } from '../signing.ts';

export const gateway = 'https://gateway.example';
export const classes: ReadonlySet<string> = new Set(['commercial_bank', 'modelling_partner']);
export const startOfTests = '2026-03-01T08:00:00Z';
const withCheckDigit = (first17: string) => (first17 + usccCheckDigit(first17)) as SubjectId;
export const subject = withCheckDigit('91310000132278816');
export const anotherSubject = withCheckDigit('91440300708461136');
export type TestClock = ReturnType<typeof fixedClock>;

/** ids of the first officers */
export const ren = 'officer-ren' as PartyId; // registrar
export const gao = 'officer-gao' as PartyId; // compliance
export const lin = 'officer-lin' as PartyId; // registrar and compliance
export const mei = 'officer-mei' as PartyId; // auditor

/** As if nothing had ever been registered: cheaper than a database of its own for each test. */
export async function emptyIdentity(database: Database): Promise<void> {
  await database.query('truncate party, institution, security_assessment, party_key, officer, enterprise, replay_key, revoked_token, institution_usage cascade');
}

export async function firstOfficers(database: Database, clock: TestClock): Promise<void> {
  const officer = async (id: string, roles: string[]) => ({ id, name: { en: id, zh: '职员' }, roles, key: (await makeKey()).jwk });
  const officers = [await officer(ren, ['registrar']), await officer(gao, ['compliance']), await officer(lin, ['registrar', 'compliance']), await officer(mei, ['auditor'])];
  await database.transaction('first officers', (tx) => bootstrapOfficers(tx, officers, clock));
}

/**
 * One database for the tests of a file, and before each of them a registry that knows nobody but the first officers, and
 * a clock that stands at startOfTests: both are handed to `prepare`.
 * @returns runs something in a transaction of that database
 */
export function registryBeforeEach(
  prepare: (registry: { readonly database: Database; readonly clock: TestClock }) => Promise<void> | void, { officers = true } = {},
): <Result>(work: (tx: Tx) => Promise<Result>) => Promise<Result> {
  let database: Database;
  before(async () => {
    database = await freshDatabase();
  });
  beforeEach(async () => {
    await emptyIdentity(database);
    const clock = fixedClock(startOfTests);
    if (officers) await firstOfficers(database, clock);
    await prepare({ database, clock });
  });
  return (work) => database.transaction('test', work);
}

export type Applicant = { readonly id: InstitutionId; readonly key: TestKey; readonly encryption: PublicJwk };

export async function newApplicant(id = 'bank-a'): Promise<Applicant> {
  return { id: id as InstitutionId, key: await makeKey(), encryption: makeEncryptionJwk() };
}

export function applicationOf(applicant: Applicant, clock: TestClock, changes: Record<string, unknown> = {}, claims: Record<string, unknown> = {}): string {
  const nowS = Math.floor(clock.nowMs() / 1000);
  const application = {
    name: { en: 'Bank A', zh: '甲银行' }, institution_class: 'commercial_bank', country: 'CN', redirect_uris: ['https://bank-a.example/callback'],
    jwks: { keys: [applicant.key.jwk, applicant.encryption] }, ...changes,
  };
  return signCompact(applicant.key, applicationType, { iss: applicant.id, aud: gateway, iat: nowS, exp: nowS + 60, jti: 'application-0123456789', application, ...claims });
}

export const goodDigest = 'a'.repeat(64);

/** Applies, is assessed by gao and approved by lin. */
export async function admittedInstitution(database: Database, clock: TestClock, id = 'bank-a', limits: InstitutionLimits = {}): Promise<Applicant> {
  const applicant = await newApplicant(id);
  await database.transaction('admit', async (tx) => {
    await applyInstitution(tx, { jws: applicationOf(applicant, clock), audience: gateway, classes }, clock);
    await assessInstitution(tx, { institution: applicant.id, by: gao, level: 3, passed: true, validUntil: '2027-02-28', findingsDigest: goodDigest }, clock);
    await approveInstitution(tx, { institution: applicant.id, by: lin, limits }, clock);
  });
  return applicant;
}
