import { shanghaiDate } from '../../calendar.ts';
import { VeilgateError } from '../../errors.ts';
import { explain } from '../../policy/explain.ts';
import { gatherFacts } from '../../policy/facts.ts';
import type { CompiledPolicy, DecisionRequest } from '../../policy/policy.ts';
import { usableBy } from '../../scoring/model/registry.ts';
import type { Feature, FeatureId, Model } from '../../scoring/protocol.ts';
import type { Caller, Decision, FieldRef, Grant, InstitutionId, PurposeCode, TimeMs } from '../../vocabulary.ts';
import { grantNeededJson } from './answer-query.ts';

/** Under what a score is decided; the same for one enterprise and for each of many. */
export type ScoreTerms = {
  readonly caller: Pick<Caller, 'party' | 'institutionClass' | 'securityLevel'>;
  readonly purpose: PurposeCode;
  readonly model: Model;
  /** Features as the platform declares them now. */
  readonly features: ReadonlyMap<FeatureId, Feature>;
  readonly policy: CompiledPolicy;
};

/**
 * The model, when this institution may use it for this purpose and the platform still has its features. Unknown, not
 * approved and somebody else's look the same. Errors: SCORE_MODEL_NOT_USABLE, PARTY_NOT_PERMITTED.
 */
export function requireUsable(model: Model | undefined, caller: ScoreTerms['caller'], purpose: PurposeCode, features: ReadonlyMap<FeatureId, Feature>): Model {
  if (caller.institutionClass === undefined) throw new VeilgateError('PARTY_NOT_PERMITTED', 'Only institutions ask for scores.');
  const usable = model !== undefined && model.purposes.includes(purpose)
    && usableBy(model, { institution: caller.party as InstitutionId, institutionClass: caller.institutionClass })
    && model.terms.every(({ feature }) => features.has(feature));
  if (!usable) throw modelNotUsable();
  return model;
}

export function modelNotUsable(): VeilgateError {
  return new VeilgateError('SCORE_MODEL_NOT_USABLE', 'There is no approved model of this name and version that you may use for this purpose: GET /v1/models lists yours.');
}

/** Catalogue fields a model works on, each once: what consent and policy speak of. */
export function sourceFields({ model, features }: Pick<ScoreTerms, 'model' | 'features'>): FieldRef[] {
  return [...new Set(model.terms.flatMap(({ feature }) => features.get(feature)?.source ?? []))];
}

/** What policy is asked: every source field for the use `score`. `grant` null: as if there were none. */
export function scoreDecisionRequest(terms: ScoreTerms, grant: Grant | null, nowMs: TimeMs): DecisionRequest {
  const { caller, purpose } = terms;
  if (caller.institutionClass === undefined) throw new VeilgateError('PARTY_NOT_PERMITTED', 'Only institutions ask for scores.');
  return {
    purpose,
    institutionClass: caller.institutionClass,
    asked: sourceFields(terms).map((field) => ({ field, use: 'score' as const })),
    consent: grant === null ? null : grant.fields,
    facts: gatherFacts({
      institutionClass: caller.institutionClass, grant, nowMs,
      ...(caller.securityLevel === undefined ? {} : { securityLevel: caller.securityLevel }),
    }),
  };
}

/**
 * The grant, or why there is none. What is said of a missing one follows from policy and model alone, so it is the same
 * whether the enterprise exists, has data, or has granted to somebody else. Errors: CONSENT_*.
 */
export function requireGrant(found: Grant | VeilgateError, terms: ScoreTerms, nowMs: TimeMs): Grant {
  if (!(found instanceof VeilgateError)) return found;
  if (found.code !== 'CONSENT_REQUIRED') throw found;
  const { grantNeeded } = explain(terms.policy, scoreDecisionRequest(terms, null, nowMs));
  throw new VeilgateError(found.code, found.message, grantNeeded === null ? undefined : { grant_needed: grantNeededJson(grantNeeded) });
}

/** Why this decision gives no score; undefined when all is permitted. There is no half a score. */
export function scoreRefusal(decision: Decision, grant: Grant, terms: ScoreTerms, nowMs: TimeMs): VeilgateError | undefined {
  const withheld = decision.fields.filter(({ disposition }) => disposition !== 'score');
  if (withheld.length > 0) {
    const { grantNeeded } = explain(terms.policy, scoreDecisionRequest(terms, grant, nowMs));
    return new VeilgateError('SCORE_NOT_PERMITTED', grantNeeded === null
      ? 'The model needs fields that may not be used for scores here; detail.withheld gives the reason for each.'
      : 'The grant does not cover every field the model needs: ask the enterprise for what detail.grant_needed gives.', {
      withheld: withheld.map(({ field, use, reason, rule, path }) => ({ field, use, reason, rule, path })),
      ...(grantNeeded === null ? {} : { grant_needed: grantNeededJson(grantNeeded) }),
    });
  }
  // features are as of now, whatever they were made of: a grant for older data only does not cover them
  if (grant.dataTo !== null && grant.dataTo < shanghaiDate(nowMs)) {
    return new VeilgateError('SCORE_NOT_PERMITTED', 'The grant covers data up to an earlier day, and scores are made of data as of now: ask the enterprise for a grant without data_to.', { data_to: grant.dataTo });
  }
  return undefined;
}

/** Decides on all source fields. Errors: SCORE_NOT_PERMITTED, POLICY_PURPOSE_UNKNOWN. */
export function decideScore(terms: ScoreTerms, grant: Grant, nowMs: TimeMs): { readonly decision: Decision; readonly refusal: VeilgateError | undefined } {
  const decision = terms.policy.decide(scoreDecisionRequest(terms, grant, nowMs));
  return { decision, refusal: scoreRefusal(decision, grant, terms, nowMs) };
}
