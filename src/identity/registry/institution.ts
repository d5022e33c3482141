import { isIsoDate, shanghaiDate } from '../../calendar.ts';
import { VeilgateError } from '../../errors.ts';
import type { Clock } from '../../clock.ts';
import type { Tx } from '../../store/database.ts';
import type { InstitutionId, IsoDate, PartyId, Scope, TimeMs } from '../../vocabulary.ts';
import { verifyApplication } from './application.ts';
import type { RegistryEvent } from './events.ts';
import { insertKey } from './party-key.ts';
import { insertParty, invalid, lockParty, requireOfficer, setStatus, type Party, type PartyStatus } from './party.ts';

/** Applications nobody has decided on yet: more are not taken, for anybody can apply. */
const undecidedMax = 1000;
const requestsPerSecondMax = 1_000_000;
const queriesPerDayMax = 1_000_000_000;
/** How far ahead an assessment may be valid. */
const assessmentYearsMax = 3;

export type InstitutionLimits = {
  /** Requests a second to one process; absent: the platform's general limit. */
  readonly requestsPerSecond?: number;
  /** Queries a calendar day (Asia/Shanghai) to all nodes together; absent: no quota. */
  readonly queriesPerDay?: number;
};

/**
 * An institution applies. The application proves possession of its key; `registrar` is the officer that hands it in
 * for the institution, if one does.
 * Errors: those of verifyApplication, INSTITUTION_EXISTS, KEY_DUPLICATE, PARTY_NOT_PERMITTED, REQUEST_OVERLOADED.
 */
export async function applyInstitution(
  tx: Tx,
  request: { readonly jws: string; readonly audience: string; readonly classes: ReadonlySet<string>; readonly registrar?: PartyId },
  clock: Clock,
): Promise<RegistryEvent & { readonly kind: 'institution.applied' }> {
  const nowMs = clock.nowMs();
  const registrar = request.registrar ?? null;
  const application = await verifyApplication(request.jws, { audience: request.audience, classes: request.classes, handedIn: registrar !== null, nowMs });
  if (registrar === null) await requireRoomForApplications(tx);
  else await requireOfficer(tx, registrar, ['registrar']);
  await insertParty(tx, { id: application.institution, kind: 'institution', name: application.name, status: 'applied', registeredBy: registrar }, nowMs);
  await tx.query(
    'insert into institution (id, class, country, redirect_uris, application) values ($1, $2, $3, $4, $5)',
    [application.institution, application.class, application.country, application.redirectUris, application.jws],
  );
  const key = await insertKey(tx, application.institution, application.signatureKey, 'sig', nowMs);
  for (const each of application.encryptionKeys) await insertKey(tx, application.institution, each, 'enc', nowMs);
  return { kind: 'institution.applied', actor: registrar, institution: application.institution, class: application.class, key };
}

async function requireRoomForApplications(tx: Tx): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext('veilgate applications'))"); // or many at once would all find room
  const { rows } = await tx.query<{ undecided: number }>("select count(*) as undecided from party where kind = 'institution' and status in ('applied', 'assessed')");
  if ((rows[0]?.undecided ?? 0) >= undecidedMax) {
    throw new VeilgateError('REQUEST_OVERLOADED', 'The platform has as many undecided applications as it takes: try again when some are decided, or give yours to the platform\'s registrar to hand it in (`veilgate institution apply --out`).');
  }
}

export type Assessment = {
  readonly institution: InstitutionId;
  readonly by: PartyId;
  /** 1–5. */
  readonly level: number;
  readonly passed: boolean;
  /** Last day on which it counts. */
  readonly validUntil: string;
  /** SHA-256, lower-case hex. */
  readonly findingsDigest: string;
};

/**
 * Records a security assessment; the latest one counts. One that is not passed takes an admitted institution's access
 * away at once. Needs a compliance officer.
 * Errors: PARTY_NOT_PERMITTED, INSTITUTION_NOT_FOUND, INSTITUTION_STATE_CONFLICT, REQUEST_INVALID.
 */
export async function assessInstitution(tx: Tx, assessment: Assessment, clock: Clock): Promise<RegistryEvent & { readonly kind: 'institution.assessed' }> {
  const { institution, by, level, passed, findingsDigest } = assessment;
  const nowMs = clock.nowMs();
  if (!Number.isInteger(level) || level < 1 || level > 5) throw invalid('/level', 'A security level is 1 to 5.');
  if (!/^[0-9a-f]{64}$/.test(findingsDigest)) throw invalid('/findings_digest', 'The digest of the findings is SHA-256 in lower-case hex.');
  const validUntil = assessmentEnd(assessment.validUntil, nowMs);
  await requireOfficer(tx, by, ['compliance']);
  const party = await lockInstitution(tx, institution);
  if (party.status === 'revoked') throw conflict(party.status);
  await tx.query(
    `insert into security_assessment (institution, level, passed, assessor, assessed_ms, valid_until, findings_digest)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [institution, level, passed, by, nowMs, validUntil, findingsDigest],
  );
  if (party.status === 'applied' && passed) await setStatus(tx, institution, 'assessed', nowMs);
  if (party.status === 'assessed' && !passed) await setStatus(tx, institution, 'applied', nowMs);
  return { kind: 'institution.assessed', actor: by, institution, level, passed, report: findingsDigest };
}

function assessmentEnd(validUntil: string, nowMs: TimeMs): IsoDate {
  const today = shanghaiDate(nowMs);
  const latest = `${Number(today.slice(0, 4)) + assessmentYearsMax}${today.slice(4)}`;
  if (!isIsoDate(validUntil) || validUntil < today || validUntil > latest) {
    throw invalid('/valid_until', `An assessment is valid until a calendar day (YYYY-MM-DD), today or later and within ${assessmentYearsMax} years.`);
  }
  return validUntil;
}

/**
 * Admits an assessed institution. Whoever approves has neither handed in its application nor assessed it; scopes and
 * limits are set here. Needs a registrar or compliance officer.
 * Errors: PARTY_NOT_PERMITTED, INSTITUTION_NOT_FOUND, INSTITUTION_STATE_CONFLICT, INSTITUTION_ASSESSMENT_MISSING,
 * INSTITUTION_SAME_PERSON, REQUEST_INVALID.
 */
export async function approveInstitution(
  tx: Tx,
  approval: { readonly institution: InstitutionId; readonly by: PartyId; readonly scopes?: readonly Scope[]; readonly limits?: InstitutionLimits },
  clock: Clock,
): Promise<RegistryEvent & { readonly kind: 'institution.approved' }> {
  const { institution, by } = approval;
  const nowMs = clock.nowMs();
  const scopes = institutionScopes(approval.scopes ?? ['query']);
  const limits = checkedLimits(approval.limits ?? {});
  await requireOfficer(tx, by, ['registrar', 'compliance']);
  const party = await lockInstitution(tx, institution);
  if (party.status !== 'applied' && party.status !== 'assessed') throw conflict(party.status);
  const assessor = await validAssessor(tx, institution, nowMs);
  if (by === assessor || by === party.registered_by) {
    throw new VeilgateError('INSTITUTION_SAME_PERSON', 'Approval needs another person than the one who handed in the application and the one who assessed it: ask a colleague.');
  }
  await tx.query(
    'update institution set scopes = $2, requests_per_second = $3, queries_per_day = $4, approved_by = $5, approved_ms = $6 where id = $1',
    [institution, scopes, limits.requestsPerSecond ?? null, limits.queriesPerDay ?? null, by, nowMs],
  );
  await setStatus(tx, institution, 'approved', nowMs);
  return { kind: 'institution.approved', actor: by, institution, scopes };
}

/** Who made the latest assessment. Errors: INSTITUTION_ASSESSMENT_MISSING unless it is passed and still valid. */
export async function validAssessor(tx: Tx, institution: PartyId, nowMs: TimeMs): Promise<PartyId> {
  const { rows } = await tx.query<{ assessor: PartyId; passed: boolean; valid_until: IsoDate }>(
    'select assessor, passed, valid_until from security_assessment where institution = $1 order by id desc limit 1',
    [institution],
  );
  const latest = rows[0];
  if (latest === undefined || !latest.passed || latest.valid_until < shanghaiDate(nowMs)) {
    throw new VeilgateError('INSTITUTION_ASSESSMENT_MISSING', 'The institution\'s latest security assessment is not passed, or not valid any more: assess it first.');
  }
  return latest.assessor;
}

/**
 * Changes the limits of an institution in any state but revoked; what is left out becomes unlimited. Needs a registrar.
 * Errors: PARTY_NOT_PERMITTED, INSTITUTION_NOT_FOUND, INSTITUTION_STATE_CONFLICT, REQUEST_INVALID.
 */
export async function changeLimits(
  tx: Tx,
  change: { readonly institution: InstitutionId; readonly by: PartyId; readonly limits: InstitutionLimits },
): Promise<RegistryEvent & { readonly kind: 'institution.limits_changed' }> {
  const limits = checkedLimits(change.limits);
  await requireOfficer(tx, change.by, ['registrar']);
  const party = await lockInstitution(tx, change.institution);
  if (party.status === 'revoked') throw conflict(party.status);
  await tx.query('update institution set requests_per_second = $2, queries_per_day = $3 where id = $1', [change.institution, limits.requestsPerSecond ?? null, limits.queriesPerDay ?? null]);
  const stated: Record<string, number> = {};
  if (limits.requestsPerSecond !== undefined) stated['requests_per_second'] = limits.requestsPerSecond;
  if (limits.queriesPerDay !== undefined) stated['queries_per_day'] = limits.queriesPerDay;
  return { kind: 'institution.limits_changed', actor: change.by, institution: change.institution, limits: stated };
}

async function lockInstitution(tx: Tx, id: InstitutionId): Promise<Party> {
  const party = await lockParty(tx, id);
  if (party?.kind !== 'institution') throw new VeilgateError('INSTITUTION_NOT_FOUND', 'There is no such institution: check the id.');
  return party;
}

/** Said of institutions and, for want of a difference, of every other party. */
export function conflict(status: PartyStatus): VeilgateError {
  return new VeilgateError('INSTITUTION_STATE_CONFLICT', 'This is not possible in the present state: read the state first.', { status });
}

function institutionScopes(scopes: readonly Scope[]): readonly Scope[] {
  if (scopes.length === 0 || scopes.some((scope) => scope !== 'query')) throw invalid('/scopes', 'An institution can be given the scope query.');
  return [...new Set(scopes)];
}

function checkedLimits(limits: InstitutionLimits): InstitutionLimits {
  const within = (value: number | undefined, min: number, max: number) => value === undefined || (Number.isSafeInteger(value) && value >= min && value <= max);
  if (!within(limits.requestsPerSecond, 1, requestsPerSecondMax)) throw invalid('/limits/requests_per_second', `Requests a second are 1 to ${requestsPerSecondMax}.`);
  if (!within(limits.queriesPerDay, 0, queriesPerDayMax)) throw invalid('/limits/queries_per_day', `Queries a day are 0 to ${queriesPerDayMax}.`);
  return limits;
}
