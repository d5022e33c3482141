import { isVeilgateError, VeilgateError, type ErrorCode } from '../../errors.ts';
import { explain, type Explanation } from '../../policy/explain.ts';
import { functionalsOf } from '../../scoring/model/functional.ts';
import type { Feature, ModelRef } from '../../scoring/protocol.ts';
import { functionalSet } from '../../scoring/run/tally.ts';
import type { Grant, GrantId, PolicyVersion } from '../../vocabulary.ts';
import type { Admission } from './answer-query.ts';
import { requireUsable, scoreDecisionRequest, scoreRefusal, type ScoreTerms } from './score-eligibility.ts';
import { subjectOf, type ScoreDesk } from './score-one.ts';
import type { SignedScore } from './score-request.ts';

/** What stands between a request and its score. Nothing is spent, computed or logged. */
export type ScoreExplanation = {
  readonly policy: PolicyVersion;
  readonly model: ModelRef;
  /** Would be answered with a score as things stand. */
  readonly ready: boolean;
  /** Codes of everything that is in the way, the first is what the request itself would be refused with. */
  readonly missing: readonly ErrorCode[];
  readonly grant: GrantId | null;
  /** Each field the model works on; empty when the model cannot be used. */
  readonly fields: Explanation['fields'];
  readonly grantNeeded: Explanation['grantNeeded'];
  /** Whether the platform has every value; null unless a grant covers all fields: nobody else is told. */
  readonly data: 'complete' | 'incomplete' | null;
  /** Different functions of this enterprise's features this institution has had, and those this model adds; null without a grant. */
  readonly functionals: { readonly obtained: number; readonly added: number } | null;
};

export type ScoreExplainDesk = Pick<ScoreDesk, 'clock' | 'standing' | 'features' | 'model' | 'key' | 'columns' | 'recipientKey' | 'preview'>;

/** Errors: POLICY_PURPOSE_UNKNOWN, STORE_UNAVAILABLE. */
export async function explainScore(desk: ScoreExplainDesk, signed: SignedScore, admission: Admission): Promise<ScoreExplanation> {
  const policy = desk.standing.policy();
  const features = desk.features();
  const { score } = signed;
  const nowMs = desk.clock.nowMs();
  const missing: ErrorCode[] = [];
  const nothing = { policy: policy.version, model: score.model, ready: false, fields: [], grantNeeded: null, data: null, functionals: null } as const;
  let terms: ScoreTerms;
  try {
    terms = { caller: admission.caller, purpose: score.purpose, model: requireUsable(await desk.model(score.model), admission.caller, score.purpose, features), features, policy };
  } catch (error) {
    if (!isVeilgateError(error, 'SCORE_MODEL_NOT_USABLE')) throw error;
    return { ...nothing, grant: grantOf(admission)?.id ?? null, missing: [error.code] };
  }
  const grant = grantOf(admission);
  const explanation = explain(policy, scoreDecisionRequest(terms, grant, nowMs));
  const known = { ...nothing, grant: grant?.id ?? null, fields: explanation.fields, grantNeeded: explanation.grantNeeded };
  if (grant === null) return { ...known, missing: [(admission.grant as VeilgateError).code] };
  const refusal = scoreRefusal(policy.decide(scoreDecisionRequest(terms, grant, nowMs)), grant, terms, nowMs);
  if (refusal !== undefined) return { ...known, missing: [refusal.code] };

  const { subject } = subjectOf(signed);
  const set = functionalSet(functionalsOf(terms.model));
  const key = await desk.key().catch((error: unknown) => {
    if (!isVeilgateError(error, 'SCORE_UNAVAILABLE')) throw error;
    missing.push(error.code);
    return undefined;
  });
  const [recipient, columns, preview] = await Promise.all([
    desk.recipientKey(signed.institution, score.recipient),
    key === undefined ? undefined : desk.columns({ subject, key: key.keyId, features: terms.model.terms.map(({ feature }) => features.get(feature) as Feature) }),
    desk.preview({ institution: signed.institution, subject, set }),
  ]);
  if (recipient === undefined) missing.push('DISCLOSURE_KEY_MISSING');
  if (preview.refusal !== undefined) missing.push(preview.refusal.code);
  if (key !== undefined && columns === undefined) missing.push('SCORE_DATA_MISSING');
  const had = new Set(preview.obtained.map(({ id }) => id));
  return {
    ...known, missing, ready: missing.length === 0,
    data: key === undefined ? null : columns === undefined ? 'incomplete' : 'complete',
    functionals: { obtained: had.size, added: set.functionals.filter(({ id }) => !had.has(id)).length },
  };
}

function grantOf({ grant }: Admission): Grant | null {
  return grant instanceof VeilgateError ? null : grant;
}
