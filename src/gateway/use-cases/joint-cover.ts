import { dayMs, shanghaiDate } from '../../calendar.ts';
import { grantsInForce, type GrantInForce } from '../../consent/cover.ts';
import { VeilgateError } from '../../errors.ts';
import type { Cohort } from '../../joint/cohort/registry.ts';
import { sourceFieldsOf, type JointProject } from '../../joint/project/document.ts';
import { holdProject } from '../../joint/project/registry.ts';
import { gatherFacts } from '../../policy/facts.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { Caller, ConsentCeiling, FieldDecision, FieldRef, IsoDate, SubjectId, TimeMs } from '../../vocabulary.ts';
import type { JointDesk } from './joint-projects.ts';
import { institutionNow } from './score-job-desk.ts';

/** Grants one look takes for each member that a cohort may have: an enterprise may have given several. */
const grantsPerMember = 4;

type Partner = Pick<Caller, 'party' | 'institutionClass' | 'securityLevel'>;

/** Who is asked of the policy when there is no grant yet: what the rules could permit at best. */
const bestGrant = { kind: 'periodic', origin: 'browser' } as const;

/**
 * Asks the policy whether every source field may be used in aggregates by this partner, under the best grant there can be.
 * @returns the fields that may not
 */
export function withheldFields(policy: CompiledPolicy, project: JointProject, partner: Partner, nowMs: TimeMs): readonly FieldDecision[] {
  const fields = new Map(sourceFieldsOf(project).map((field): [FieldRef, ConsentCeiling] => [field, 'original']));
  return decided(policy, project, partner, { ...bestGrant, fields, createdAtMs: nowMs }, nowMs).filter(({ disposition }) => disposition !== 'aggregate');
}

/** Enterprises, each with the first day that data about it may be used from; null: no bound. */
export type Covered = ReadonlyMap<SubjectId, IsoDate | null>;

/**
 * Enterprises whose grant to the partner covers every source field of the project, by the policy of this moment.
 * Errors: INSTITUTION_NOT_ACTIVE, INSTITUTION_ASSESSMENT_MISSING; COHORT_REFUSED when there are more grants than can be looked at.
 */
export async function coveringSubjects(desk: JointDesk, sql: Sql, project: JointProject, nowMs: TimeMs, only?: readonly SubjectId[], hold = false): Promise<Covered> {
  const partner = await institutionNow(sql, project.partner, nowMs);
  const max = grantsPerMember * desk.settings().cohortMax;
  const grants = await grantsInForce(sql, { institution: project.partner, purpose: project.purpose, atMs: nowMs, max: max + 1, ...(only === undefined ? {} : { subjects: only }) }, hold);
  if (grants.length > max) throw new VeilgateError('COHORT_REFUSED', 'More grants are in force than one cohort can be made of: ask the platform to allow larger ones.', { rule: 'cohort_max' });
  const policy = desk.policy();
  const today = shanghaiDate(nowMs);
  const covers = rememberedBySituation((grant) => decided(policy, project, partner, grant, nowMs).every(({ disposition }) => disposition === 'aggregate'), nowMs);
  // columns are as of now: a grant for older data only does not cover them
  const covering = grants.filter((grant) => (grant.dataTo === null || grant.dataTo >= today) && covers(grant));
  const from = new Map<SubjectId, IsoDate | null>();
  for (const { subject, dataFrom } of covering) from.set(subject, from.has(subject) ? earlierOf(from.get(subject) ?? null, dataFrom) : dataFrom);
  return from;
}

function earlierOf(one: IsoDate | null, other: IsoDate | null): IsoDate | null {
  return one === null || other === null ? null : one < other ? one : other;
}

/**
 * Holds that every member still consents, the project still runs and the policy still permits: before anything about
 * the cohort is worked out, and again inside the transaction that releases it. Grants are held until that ends.
 * @param used data from these days on went into what is released: a grant that lets less be used has made it stale
 * @returns from which day on data may be used, now
 * Errors: COHORT_STALE; JOINT_PROJECT_STATE_CONFLICT, INSTITUTION_NOT_ACTIVE, INSTITUTION_ASSESSMENT_MISSING.
 */
export async function assertCohortFresh(desk: JointDesk, tx: Tx, cohort: Pick<Cohort, 'project' | 'members'>, used?: Covered): Promise<Covered> {
  const nowMs = desk.clock.nowMs();
  const { project } = await holdProject(tx, cohort.project, nowMs);
  const covering = await coveringSubjects(desk, tx, project, nowMs, cohort.members, true);
  const stale = cohort.members.some((member) => !covering.has(member) || (used !== undefined && isLater(covering.get(member) ?? null, used.get(member) ?? null)));
  if (stale) throw cohortStale();
  return covering;
}

function isLater(now: IsoDate | null, before: IsoDate | null): boolean {
  return now !== null && (before === null || now > before);
}

export function cohortStale(): VeilgateError {
  return new VeilgateError('COHORT_STALE', 'Enterprises of this cohort have withdrawn their consent, or the policy has changed: form a new cohort.');
}

type Situation = Pick<GrantInForce, 'fields' | 'kind' | 'origin' | 'createdAtMs'>;

function decided(policy: CompiledPolicy, project: JointProject, partner: Partner, grant: Situation, nowMs: TimeMs): readonly FieldDecision[] {
  if (partner.institutionClass === undefined) throw new VeilgateError('PARTY_NOT_PERMITTED', 'Only institutions take part in joint modelling.');
  return policy.decide({
    purpose: project.purpose, institutionClass: partner.institutionClass,
    asked: sourceFieldsOf(project).map((field) => ({ field, use: 'aggregate' as const })), consent: grant.fields,
    facts: gatherFacts({ institutionClass: partner.institutionClass, grant, nowMs, ...(partner.securityLevel === undefined ? {} : { securityLevel: partner.securityLevel }) }),
  }).fields;
}

/** Thousands of grants are alike in all that a decision can depend on: lists of fields are shared, ages are whole days. */
function rememberedBySituation(decide: (grant: GrantInForce) => boolean, nowMs: TimeMs): (grant: GrantInForce) => boolean {
  const known = new Map<ReadonlyMap<FieldRef, ConsentCeiling>, Map<string, boolean>>();
  return (grant) => {
    const bySituation = known.get(grant.fields) ?? new Map<string, boolean>();
    known.set(grant.fields, bySituation);
    const situation = `${grant.kind} ${grant.origin} ${Math.floor((nowMs - grant.createdAtMs) / dayMs)}`;
    const before = bySituation.get(situation);
    if (before !== undefined) return before;
    const covered = decide(grant);
    bySituation.set(situation, covered);
    return covered;
  };
}
