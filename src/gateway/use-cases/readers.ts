import { listGrants } from '../../consent/grants.ts';
import type { StoredGrant } from '../../consent/grant-row.ts';
import { isVeilgateError, type ErrorCode } from '../../errors.ts';
import { readInstitutions, type InstitutionView } from '../../identity/registry/institution-view.ts';
import { membershipsOf, type Membership } from '../../joint/cohort/membership.ts';
import { explain, type FieldExplanation } from '../../policy/explain.ts';
import { gatherFacts } from '../../policy/facts.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import { approvedModels } from '../../scoring/model/registry.ts';
import type { Feature, FeatureId, Model, ModelRef } from '../../scoring/protocol.ts';
import type { Clock } from '../../clock.ts';
import type { Sql } from '../../store/database.ts';
import type { FieldDecision, FieldRef, InstitutionId, PolicyVersion, SubjectId, TimeMs } from '../../vocabulary.ts';
import { decideScore, requireUsable } from './score-eligibility.ts';
import { standingOf, type InstitutionNow } from './score-job-desk.ts';

export type ReaderDesk = {
  readonly database: Sql;
  readonly clock: Clock;
  readonly policy: () => CompiledPolicy;
  readonly features: () => ReadonlyMap<FeatureId, Feature>;
};

/** What one use of a field would give at this moment. */
export type FieldUse = Pick<FieldDecision, 'use' | 'disposition' | 'reason' | 'rule'> & {
  /** True when it hangs on what the institution states in its query, such as the amount of the loan. */
  readonly conditional: boolean;
  readonly words: FieldExplanation['words'];
};

/** One institution that could get something under one grant, and what. */
export type Reader = {
  readonly grant: StoredGrant;
  readonly institution: InstitutionView | undefined;
  readonly purpose: { readonly en: string; readonly zh: string } | undefined;
  /** Why it gets nothing just now although the grant is valid; null when it does. */
  readonly blockedBy: ErrorCode | null;
  /** Every field of the grant; no uses: the policy gives nothing of it. */
  readonly fields: readonly { readonly field: FieldRef; readonly uses: readonly FieldUse[] }[];
  /** Approved models it may have the enterprise scored with. */
  readonly models: readonly ModelRef[];
  /** Cohorts of its joint-modelling projects that count the enterprise in, whichever grant they were formed under. */
  readonly cohorts: readonly Membership[];
};

export type ReaderPage = { readonly policy: PolicyVersion; readonly atMs: TimeMs; readonly readers: readonly Reader[]; readonly next: string | null };

/**
 * Who could access an enterprise's data at this moment, and why: a page of its usable grants, newest first, each decided as a query
 * of this moment would be. Whoever is not on any page gets nothing: without a valid grant the policy withholds every field.
 * Errors: REQUEST_INVALID for a page that is none.
 */
export async function readersOf(desk: ReaderDesk, subject: SubjectId, page: { readonly after?: string; readonly limit: number }): Promise<ReaderPage> {
  const atMs = desk.clock.nowMs();
  const policy = desk.policy();
  const { grants, next } = await listGrants(desk.database, { subject }, { ...page, inForce: true }, atMs);
  const institutions = await readInstitutions(desk.database, grants.map(({ institution }) => institution));
  const decided = grants.map((grant) => decideReader(policy, grant, institutions.get(grant.institution), atMs));
  const opensTo = (use: FieldUse['use']) => decided.filter(({ caller, fields }) =>
    caller !== undefined && fields.some(({ uses }) => uses.some((each) => each.use === use && each.disposition !== 'withhold')));
  const [models, cohorts] = await Promise.all([
    opensTo('score').length === 0 ? [] : approvedModels(desk.database),
    membershipsOf(desk.database, subject, [...new Set(opensTo('aggregate').map(({ grant }): InstitutionId => grant.institution))]),
  ]);
  return {
    policy: policy.version, atMs, next,
    readers: decided.map(({ caller, ...reader }) => ({
      ...reader,
      models: caller === undefined ? [] : modelsFor(desk, policy, models, caller, reader.grant, atMs),
      cohorts: caller === undefined ? [] : cohorts.filter(({ institution }) => institution === reader.grant.institution),
    })),
  };
}

type Decided = Omit<Reader, 'models' | 'cohorts'> & { /** Undefined when it is blocked. */ readonly caller: InstitutionNow | undefined };

function decideReader(policy: CompiledPolicy, grant: StoredGrant, institution: InstitutionView | undefined, atMs: TimeMs): Decided {
  const { caller, blockedBy } = standing(policy, grant, institution, atMs);
  const known = { grant, institution, purpose: policy.purposes.get(grant.purpose)?.title, blockedBy, caller };
  if (institution === undefined || !policy.purposes.has(grant.purpose)) return { ...known, fields: [...grant.fields.keys()].map((field) => ({ field, uses: [] })) };
  const asked = [...grant.fields.keys()].flatMap((field) => (['read', 'verify', 'score', 'aggregate'] as const).map((use) => ({ field, use })));
  const level = caller?.securityLevel;
  const explanation = explain(policy, {
    purpose: grant.purpose, institutionClass: institution.class, asked, consent: grant.fields,
    facts: gatherFacts({ institutionClass: institution.class, grant, nowMs: atMs, ...(level === undefined ? {} : { securityLevel: level }) }),
  }, { audience: 'compliance' });
  const byField = Map.groupBy(explanation.fields, ({ field }) => field);
  return { ...known, fields: [...byField].map(([field, uses]) => ({ field, uses: uses.filter(({ now }) => saysSomething(now)).map(fieldUse) })) };
}

/** Whether the door would let the institution in. */
function standing(policy: CompiledPolicy, grant: StoredGrant, institution: InstitutionView | undefined, atMs: TimeMs): Pick<Decided, 'caller' | 'blockedBy'> {
  if (institution === undefined) return { caller: undefined, blockedBy: 'INSTITUTION_NOT_FOUND' };
  if (!policy.purposes.has(grant.purpose)) return { caller: undefined, blockedBy: 'POLICY_PURPOSE_UNKNOWN' };
  try {
    return { caller: standingOf(institution, atMs), blockedBy: null };
  } catch (error) {
    if (!isVeilgateError(error)) throw error;
    return { caller: undefined, blockedBy: error.code };
  }
}

/** What a field is not meant for is left out: that no rule opens it for scores is no news to anybody. */
function saysSomething({ disposition, reason }: FieldDecision): boolean {
  return disposition !== 'withhold' || reason === 'condition_not_met' || reason === 'condition_not_evaluable' || reason === 'denied_by_rule';
}

function fieldUse({ now, words }: FieldExplanation): FieldUse {
  const { use, disposition, reason, rule } = now;
  return { use, disposition, reason, rule, conditional: reason === 'condition_not_met' || reason === 'condition_not_evaluable', words };
}

function modelsFor(desk: ReaderDesk, policy: CompiledPolicy, models: readonly Model[], caller: InstitutionNow, grant: StoredGrant, atMs: TimeMs): ModelRef[] {
  const features = desk.features();
  return models.flatMap((candidate) => {
    try {
      const model = requireUsable(candidate, caller, grant.purpose, features);
      return decideScore({ caller, purpose: grant.purpose, model, features, policy }, grant, atMs).refusal === undefined ? [model.ref] : [];
    } catch (error) {
      if (isVeilgateError(error, 'SCORE_MODEL_NOT_USABLE')) return [];
      throw error;
    }
  });
}
