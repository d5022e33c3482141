import { hash } from 'node:crypto';
import { fieldOutcomes, recordHead, type AppendedEntry, type ScoreRefused, type ScoreReleased } from '../../audit/entry.ts';
import { issueReceipt } from '../../audit/receipt.ts';
import { canonicalJson } from '../../canonical.ts';
import type { Clock } from '../../clock.ts';
import { VeilgateError, isVeilgateError, type ErrorCode } from '../../errors.ts';
import { parameterSets, type ParameterSet } from '../../he/parameters.ts';
import type { EvaluationTask } from '../../he/pool.ts';
import type { MaskedResult } from '../../he/evaluate.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import type { ScoreKey } from '../../scoring/feature/keys.ts';
import { functionalsOf } from '../../scoring/model/functional.ts';
import type { Feature, FeatureId, Model, ModelRef, SealedScores, TicketFacts } from '../../scoring/protocol.ts';
import { outputsOf } from '../../scoring/run/outputs.ts';
import { functionalSet, type Functional, type TallyUse } from '../../scoring/run/tally.ts';
import type { Decision, Grant, GrantId, InstitutionId, PublicJwk, Signer, SubjectId } from '../../vocabulary.ts';
import { disputedOf, type Admission, type Disputed } from './answer-query.ts';
import { wasLogged } from './logged-refusals.ts';
import { underPolicyInForce, type PolicyStanding } from './policy-standing.ts';
import type { Refused, Release } from './release.ts';
import type { ColumnsAsked, FoundColumns } from './score-columns.ts';
import { decideScore, requireGrant, requireUsable, type ScoreTerms } from './score-eligibility.ts';
import type { SignedScore } from './score-request.ts';
import { gatewayHalf, grantsDigest, sealGatewayHalf } from './score-seal.ts';

/** What the line needs; every member is one stage, or what a stage needs. */
export type ScoreDesk = {
  readonly clock: Clock;
  readonly standing: PolicyStanding;
  /** Features as the platform declares them now. */
  readonly features: () => ReadonlyMap<FeatureId, Feature>;
  /** The model when it is approved at this moment. */
  readonly model: (ref: ModelRef) => Promise<Model | undefined>;
  /** The custodian's key that scores are computed under. Errors: SCORE_UNAVAILABLE. */
  readonly key: () => Promise<ScoreKey>;
  readonly columns: (asked: ColumnsAsked) => Promise<FoundColumns | undefined>;
  /** What an institution has learnt so far, and why it may not learn this too; decided again, under lock, at release. */
  readonly preview: (use: TallyUse) => Promise<{ readonly obtained: readonly Functional[]; readonly refusal: VeilgateError | undefined }>;
  /** Weighted sums of encrypted columns, masked. Errors: HE_EVALUATION_FAILED, SCORE_UNAVAILABLE. */
  readonly evaluate: (task: Omit<EvaluationTask, 'publicKey' | 'keyId'> & { readonly key: ScoreKey }) => Promise<readonly MaskedResult[]>;
  /** Has masked results opened for the bank. Errors: CUSTODIAN_UNAVAILABLE, CUSTODIAN_REFUSED. */
  readonly openMasked: (asked: { readonly ticket: TicketFacts; readonly ciphertexts: readonly Uint8Array[] }) => Promise<{ readonly ticket: string; readonly half: string }>;
  /** The institution's registered encryption key with this thumbprint, while it is in use. */
  readonly recipientKey: (institution: InstitutionId, thumbprint: string) => Promise<PublicJwk | undefined>;
  /** Spends the grant, counts what is learnt and appends to the log, durable when it resolves. */
  readonly release: (release: Release) => Promise<AppendedEntry>;
  readonly recordRefusal: (record: Refused, request?: string) => Promise<void>;
  readonly signer: Signer;
  /** The gateway's public URL: issuer of receipts and of its half. */
  readonly issuer: string;
  readonly logOrigin: string;
  /** Told how long each step took, for metrics. */
  readonly onStep: (step: ScoreStep, ms: number) => void;
};

export type ScoreStep = 'lookup' | 'evaluate' | 'custodian' | 'release';

export type ScoreAnswer = {
  readonly subject: SubjectId;
  readonly purpose: string;
  readonly grant: GrantId;
  readonly policy: string;
  readonly model: ModelRef;
  /** Parameter set, which fixes the modulus. */
  readonly parameters: string;
  /** The custodian's id: issuer of its half. */
  readonly custodian: string;
  readonly sealed: SealedScores;
} & Disputed;

export type ReceiptedScore = ScoreAnswer & {
  readonly entry: { readonly index: number; readonly salt: string; readonly record: ScoreReleased };
  readonly receipt: string;
};

/**
 * The straight line of one score after identification and admission: model → consent → decide → find columns → evaluate
 * and mask → have the custodian open for the bank → seal the masks → append to the log → reply with receipt. Nothing of
 * both halves leaves before the log has it. A refusal takes the same line and is logged too. When another policy comes
 * into force before the score has left, it is decided again: what was computed stays the same.
 * Errors: SCORE_*, CONSENT_*, DECISION_OUTDATED, POLICY_PURPOSE_UNKNOWN, CUSTODIAN_*, HE_EVALUATION_FAILED, DISCLOSURE_KEY_MISSING, AUDIT_UNAVAILABLE, STORE_UNAVAILABLE.
 */
export async function scoreOne(desk: ScoreDesk, signed: SignedScore, admission: Admission): Promise<ReceiptedScore> {
  const line: Line = { policy: desk.standing.policy(), decision: null, ticket: null };
  let released: Released;
  try {
    const terms = await findTerms(desk, signed, admission, line);
    const grant = requireGrant(admission.grant, terms, desk.clock.nowMs());
    decide(desk, terms, grant, line);
    const { found, masked } = await compute(desk, signed, terms);
    const opened = await openAtCustodian(desk, signed, grant, found, masked, line);
    const sealed = { custodian: opened.half, gateway: await seal(desk, signed, found, masked, opened.ticket) };
    const disputed = disputedOf((line.decision?.fields ?? []).map(({ field }) => field), admission);
    released = await timed(desk, 'release', () => underPolicyInForce(desk.standing, async () => {
      if (line.policy !== desk.standing.policy()) {
        line.policy = desk.standing.policy();
        decide(desk, { ...terms, policy: line.policy }, grant, line);
      }
      const answer = { ...compose(signed, grant, line, found, sealed), ...disputed };
      const record = releaseRecord(desk, signed, grant, line, found, opened, answer);
      const entry = await desk.release({
        record, use: grantUse(signed, grant), securityLevel: terms.caller.securityLevel, tally: found.tally, refused: (code) => refusalRecord(desk, signed, line, code), request: signed.request,
      });
      return { answer, record, entry };
    }));
  } catch (error) {
    await logRefusal(desk, signed, line, error);
    throw error;
  }
  // outside: what the log calls released is not called refused as well if signing the receipt fails
  return withReceipt(desk, released);
}

/** What is known so far, for the record of a refusal. */
type Line = { policy: CompiledPolicy; decision: Decision | null; ticket: string | null };

/** The one enterprise of the request; its schema and digest were checked. */
export function subjectOf({ asked }: Pick<SignedScore, 'asked'>): { readonly subject: SubjectId; readonly grant?: GrantId } {
  const [one] = asked.subjects;
  if (one === undefined) throw new VeilgateError('SCORE_INVALID', 'The request names no enterprise.');
  return one;
}

async function findTerms(desk: ScoreDesk, { score }: SignedScore, { caller }: Admission, { policy }: Line): Promise<ScoreTerms> {
  const features = desk.features();
  const model = requireUsable(await desk.model(score.model), caller, score.purpose, features);
  return { caller, purpose: score.purpose, model, features, policy };
}

function decide(desk: ScoreDesk, terms: ScoreTerms, grant: Grant, line: Line): void {
  const { decision, refusal } = decideScore(terms, grant, desk.clock.nowMs());
  line.decision = decision;
  if (refusal !== undefined) throw refusal;
}

/** Looks up and evaluates; once more when a department refreshed a column in between. */
async function compute(desk: ScoreDesk, signed: SignedScore, terms: ScoreTerms): Promise<{ readonly found: Found; readonly masked: readonly MaskedResult[] }> {
  const found = await find(desk, signed, terms);
  try {
    return { found, masked: await evaluate(desk, found) };
  } catch (error) {
    if (!isVeilgateError(error, 'FEATURE_BLOCK_MISSING')) throw error;
    const again = await find(desk, signed, terms);
    return { found: again, masked: await evaluate(desk, again) };
  }
}

/** Everything that is looked up before anything is computed. */
type Found = { readonly model: Model; readonly features: readonly Feature[]; readonly key: ScoreKey; readonly set: ParameterSet; readonly columns: FoundColumns; readonly recipient: PublicJwk; readonly tally: TallyUse };

async function find(desk: ScoreDesk, signed: SignedScore, { model, features }: ScoreTerms): Promise<Found> {
  return timed(desk, 'lookup', async () => {
    const key = await desk.key();
    const set = parameterSetOf(key);
    const { subject } = subjectOf(signed);
    const used = model.terms.map(({ feature }) => features.get(feature) as Feature);
    const tally: TallyUse = { institution: signed.institution, subject, set: functionalSet(functionalsOf(model)) };
    const [recipient, columns, { refusal }] = await Promise.all([
      desk.recipientKey(signed.institution, signed.score.recipient),
      desk.columns({ subject, key: key.keyId, features: used }),
      desk.preview(tally),
    ]);
    if (recipient === undefined) throw new VeilgateError('DISCLOSURE_KEY_MISSING', 'The request names an encryption key that is not registered for you, or not any more: register it, or name one that is.');
    if (refusal !== undefined) throw refusal;
    if (columns === undefined) throw new VeilgateError('SCORE_DATA_MISSING', 'The platform does not have every value of this enterprise that the model needs: no score can be given.');
    return { model, features: used, key, set, columns, recipient, tally };
  });
}

/** Errors: SCORE_UNAVAILABLE when this version of the platform does not know the set. */
export function parameterSetOf({ parameters }: Pick<ScoreKey, 'parameters'>): ParameterSet {
  const set = Object.hasOwn(parameterSets, parameters) ? parameterSets[parameters as keyof typeof parameterSets] : undefined;
  if (set === undefined) throw new VeilgateError('SCORE_UNAVAILABLE', 'Scores are computed under parameters that this process does not know: ask the platform.');
  return set;
}

async function evaluate(desk: ScoreDesk, { model, features, key, set, columns }: Found): Promise<readonly MaskedResult[]> {
  return timed(desk, 'evaluate', () => desk.evaluate({ set, key, affinity: columns.position.block, digests: columns.digests, outputs: outputsOf(model).outputs, bounds: features }));
}

type Opened = { readonly ticket: string; readonly half: string; readonly salt: string };

async function openAtCustodian(desk: ScoreDesk, signed: SignedScore, grant: Grant, { key, columns }: Found, masked: readonly MaskedResult[], line: Line): Promise<Opened> {
  const { digest, salt } = grantsDigest([grant.id]);
  const ticket: TicketFacts = {
    job: signed.requestDigest, key: key.keyId, parameters: key.parameters, slots: [columns.position.slot], grants: digest, request: signed.request,
  };
  const opened = await timed(desk, 'custodian', () => desk.openMasked({ ticket, ciphertexts: masked.map(({ ciphertext }) => ciphertext) }));
  line.ticket = opened.ticket;
  return { ...opened, salt };
}

function seal(desk: ScoreDesk, signed: SignedScore, { model, set, columns, recipient }: Found, masked: readonly MaskedResult[], ticket: string): Promise<string> {
  const half = gatewayHalf({
    ticket, model: model.ref, modulus: set.plainModulus, masks: masked.map(({ masks }) => masks),
    released: [{ place: 0, slot: columns.position.slot, subject: subjectOf(signed).subject }],
  });
  return sealGatewayHalf(half, { key: recipient, issuer: desk.issuer, institution: signed.institution, requestDigest: signed.requestDigest, nowMs: desk.clock.nowMs() });
}

function compose(signed: SignedScore, grant: Grant, { policy }: Line, { model, key }: Found, sealed: SealedScores): ScoreAnswer {
  return {
    subject: subjectOf(signed).subject, purpose: signed.score.purpose, grant: grant.id, policy: policy.version,
    model: model.ref, parameters: key.parameters, custodian: key.custodian, sealed,
  };
}

function releaseRecord(desk: ScoreDesk, signed: SignedScore, grant: Grant, { policy, decision }: Line, { model, key }: Found, opened: Opened, answer: ScoreAnswer): ScoreReleased {
  return {
    ...recordHead('score.released', desk.clock.nowMs(), signed.institution),
    institution: signed.institution,
    subject: answer.subject,
    purpose: signed.score.purpose,
    grant: grant.id,
    model: model.ref,
    policy: policy.version,
    decision: digest(decision),
    outcomes: fieldOutcomes(decision?.fields ?? []),
    ...(answer.disputed === undefined ? {} : { disputed: answer.disputed }),
    key: key.keyId,
    ticket: opened.ticket,
    ticketSalt: opened.salt,
    request: signed.requestDigest,
    requestSalt: signed.asked.salt,
    answer: digest(answer),
  };
}

function grantUse(signed: SignedScore, grant: Grant): Release['use'] {
  return { grant: grant.id, institution: signed.institution, verifications: [], verificationLimit: 0 };
}

type Released = { readonly answer: ScoreAnswer; readonly record: ScoreReleased; readonly entry: AppendedEntry };

async function withReceipt(desk: ScoreDesk, { answer, record, entry }: Released): Promise<ReceiptedScore> {
  const receipt = await issueReceipt({ signer: desk.signer, clock: desk.clock, issuer: desk.issuer, origin: desk.logOrigin, record, entry });
  return { ...answer, entry: { index: entry.index, salt: Buffer.from(entry.salt).toString('base64url'), record }, receipt };
}

/** Codes after which nothing can or need be logged: the release logged it itself, or the log is what failed. */
const notLogged: ReadonlySet<ErrorCode> = new Set(['AUDIT_UNAVAILABLE', 'STORE_UNAVAILABLE', 'REQUEST_OVERLOADED']);

async function logRefusal(desk: ScoreDesk, signed: SignedScore, line: Line, error: unknown): Promise<void> {
  const code: ErrorCode = isVeilgateError(error) ? error.code : 'INTERNAL';
  if (notLogged.has(code) || wasLogged(error)) return;
  await desk.recordRefusal(refusalRecord(desk, signed, line, code), signed.request);
}

function refusalRecord(desk: ScoreDesk, signed: SignedScore, { policy, decision, ticket }: Line, code: ErrorCode): ScoreRefused {
  const { subject, grant } = subjectOf(signed);
  return {
    ...recordHead('score.refused', desk.clock.nowMs(), signed.institution),
    institution: signed.institution,
    subject,
    purpose: signed.score.purpose,
    grant: grant ?? null,
    model: signed.score.model,
    policy: policy.version,
    decision: decision === null ? null : digest(decision),
    outcomes: decision === null ? [] : fieldOutcomes(decision.fields),
    ticket,
    code,
    request: signed.requestDigest,
  };
}

/** SHA-256 over the canonical JSON, lower-case hex. */
function digest(value: unknown): string {
  return hash('sha256', canonicalJson(value), 'hex');
}

async function timed<Result>(desk: Pick<ScoreDesk, 'onStep'>, step: ScoreStep, work: () => Promise<Result>): Promise<Result> {
  const startMs = performance.now();
  try {
    return await work();
  } finally {
    desk.onStep(step, performance.now() - startMs);
  }
}
