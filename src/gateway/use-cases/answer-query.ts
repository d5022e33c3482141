import { hash } from 'node:crypto';
import { canonicalJson } from '../../canonical.ts';
import { recordHead, type AppendedEntry, type QueryRefused, type QueryReleased } from '../../audit/entry.ts';
import { issueReceipt } from '../../audit/receipt.ts';
import type { Clock } from '../../clock.ts';
import { compareClaim } from '../../disclosure/compare.ts';
import { desensitise, type Desensitised } from '../../disclosure/desensitise.ts';
import { sealFor } from '../../disclosure/seal.ts';
import type { TokenKeys } from '../../disclosure/tokens.ts';
import { VeilgateError, isVeilgateError, type ErrorCode } from '../../errors.ts';
import { explain } from '../../policy/explain.ts';
import { gatherFacts } from '../../policy/facts.ts';
import type { CompiledPolicy, DecisionRequest } from '../../policy/policy.ts';
import type { FetchedRows } from '../../source/fetch.ts';
import type { FetchRequest } from '../../source/selection.ts';
import type {
  Caller, Catalogue, Decision, Disclosure, FieldRef, Grant, GrantId, InstitutionId, PublicJwk, Signer, VerificationOutcome,
} from '../../vocabulary.ts';
import { factsOf, type Withheld } from './decision-facts.ts';
import { askedFields, checkRowSelections, datasetOf, type Query } from './query.ts';
import { wasLogged } from './logged-refusals.ts';
import { underPolicyInForce, type PolicyStanding } from './policy-standing.ts';
import type { Release } from './release.ts';

/** A signed query after identity/: who asks, for what, what was signed (compact JWS) and its digest. */
export type SignedQuery = { readonly institution: InstitutionId; readonly query: Query; readonly request: string; readonly requestDigest: string };

/** The caller as the registry knows it right now, and the grant the query can be answered under. */
export type Admission = {
  readonly caller: Caller;
  readonly grant: Grant | VeilgateError;
  /** Fields of the enterprise to which an accepted objection waits for its department; absent when there is none. */
  readonly disputed?: readonly FieldRef[];
};

/** What the line needs; every member is one stage, or what a stage needs. */
export type QueryDesk = {
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly standing: Pick<PolicyStanding, 'policy' | 'follow'>;
  /** Rows of the permitted columns only. Shared by all queries under way. */
  readonly fetch: (request: FetchRequest) => Promise<FetchedRows>;
  /** The institution's key for sealed answers, when it has registered one. */
  readonly encryptionKey: (institution: InstitutionId) => Promise<PublicJwk | undefined>;
  /** Spends the grant and appends to the log, durable when it resolves. Shared by all queries under way. */
  readonly release: (release: Release) => Promise<AppendedEntry>;
  /** Appends a refusal to the log, durable when it resolves. */
  readonly recordRefusal: (record: QueryRefused, request?: string) => Promise<void>;
  readonly tokenKeys: TokenKeys;
  readonly signer: Signer;
  /** The gateway's public URL: issuer of receipts and sealed answers. */
  readonly issuer: string;
  readonly logOrigin: string;
};

export type Answer = {
  readonly subject: string;
  readonly purpose: string;
  readonly grant: GrantId;
  readonly policy: string;
  readonly data: Desensitised['rows'] & Readonly<Record<string, readonly Readonly<Record<string, Disclosure>>[]>>;
  readonly sealed?: string;
  readonly verified: readonly Verified[];
  readonly withheld: readonly Withheld[];
  /** Of the fields answered about: the enterprise objects to them, and its department has not answered yet. Absent when there is none. */
  readonly disputed?: readonly FieldRef[];
};
export type Verified = { readonly field: FieldRef; readonly outcome: VerificationOutcome };

/** An answer with its log entry and its receipt. */
export type ReceiptedAnswer = {
  readonly answer: Answer;
  /** The whole as JSON: `answer`, `entry: { index, salt, record }` and `receipt` in one object. */
  readonly json: string;
};

/**
 * The straight line of an authorised query after identification and admission: verify consent → decide → fetch →
 * desensitise → seal → append to the log → reply with receipt. A refusal takes the same line and is logged too. When another
 * policy comes into force before the answer has left, the line is gone again from its start.
 * Errors: CONSENT_*, POLICY_PURPOSE_UNKNOWN, QUERY_*, DECISION_OUTDATED, DISCLOSURE_KEY_MISSING, DISCLOSURE_UNSEALABLE, AUDIT_UNAVAILABLE, STORE_UNAVAILABLE.
 */
export async function answerQuery(desk: QueryDesk, signed: SignedQuery, admission: Admission): Promise<ReceiptedAnswer> {
  let line: Line = { policy: desk.standing.policy(), decision: null };
  let released: Released;
  try {
    released = await underPolicyInForce(desk.standing, () => {
      line = { policy: desk.standing.policy(), decision: null };
      return releaseOnce(desk, signed, admission, line);
    });
  } catch (error) {
    await logRefusal(desk, signed, line, error);
    throw error;
  }
  // outside: what the log calls released is not called refused as well if signing the receipt fails
  return withReceipt(desk, released);
}

type Released = { readonly answer: Answer; readonly answerJson: string; readonly record: QueryReleased; readonly entry: AppendedEntry };

async function releaseOnce(desk: QueryDesk, signed: SignedQuery, admission: Admission, line: Line): Promise<Released> {
  const grant = usableGrant(desk, signed, admission, line);
  const decision = decide(desk, signed, admission, grant, line);
  const rows = await fetchPermitted(desk, signed.query, decision, grant);
  const disclosed = desensitise(decision, rows, { institution: signed.institution, tokenKeys: desk.tokenKeys });
  const verified = verifyClaims(desk.catalogue, signed.query, decision, rows);
  const sealed = await seal(desk, signed, disclosed);
  const disputed = disputedOf(factsOf(decision).permitted, admission);
  const answer = compose(signed, decision, grant, { disclosed, verified, sealed, disputed });
  const answerJson = canonicalJson(answer);
  const record = releaseRecord(desk, signed, decision, grant, { rows, answerJson, disputed });
  const entry = await desk.release({
    record, use: grantUse(signed, decision, grant, line.policy), securityLevel: admission.caller.securityLevel, refused: (code) => refusalRecord(desk, signed, line, code), request: signed.request,
  });
  return { answer, answerJson, record, entry };
}

/** What is known so far, for the record of a refusal. */
type Line = { readonly policy: CompiledPolicy; decision: Decision | null };

function usableGrant(desk: QueryDesk, signed: SignedQuery, admission: Admission, line: Line): Grant {
  if (!(admission.grant instanceof VeilgateError)) return admission.grant;
  if (admission.grant.code !== 'CONSENT_REQUIRED') throw admission.grant;
  // worked out from policy alone, so it is the same whether the enterprise exists or not
  const { grantNeeded } = explain(line.policy, decisionRequest(desk, signed, admission, null));
  throw new VeilgateError(admission.grant.code, admission.grant.message, grantNeeded === null ? undefined : { grant_needed: grantNeededJson(grantNeeded) });
}

function decide(desk: QueryDesk, signed: SignedQuery, admission: Admission, grant: Grant, line: Line): Decision {
  const request = decisionRequest(desk, signed, admission, grant);
  const decision = line.policy.decide(request);
  line.decision = decision;
  if (factsOf(decision).closed) throw nothingPermitted(line.policy, request, decision);
  checkRowSelections(signed.query, decision);
  return decision;
}

export function decisionRequest(desk: Pick<QueryDesk, 'clock'>, { query }: SignedQuery, { caller }: Pick<Admission, 'caller'>, grant: Grant | null): DecisionRequest {
  if (caller.institutionClass === undefined) throw new VeilgateError('PARTY_NOT_PERMITTED', 'Only institutions ask queries.');
  return {
    purpose: query.purpose,
    institutionClass: caller.institutionClass,
    asked: askedFields(query),
    consent: grant === null ? null : grant.fields,
    facts: gatherFacts({
      institutionClass: caller.institutionClass,
      ...(caller.securityLevel === undefined ? {} : { securityLevel: caller.securityLevel }),
      grant,
      ...(query.facts === undefined ? {} : { stated: query.facts }),
      nowMs: desk.clock.nowMs(),
    }),
  };
}

function nothingPermitted(policy: CompiledPolicy, request: DecisionRequest, decision: Decision): VeilgateError {
  const { grantNeeded } = explain(policy, request);
  return new VeilgateError(
    'QUERY_NOTHING_PERMITTED',
    grantNeeded === null
      ? 'Nothing you asked for may be disclosed to you for this purpose; detail.withheld gives the reason for each field.'
      : 'Nothing you asked for may be disclosed under this grant: ask the enterprise for what detail.grant_needed gives, or for less.',
    { withheld: factsOf(decision).withheld, ...(grantNeeded === null ? {} : { grant_needed: grantNeededJson(grantNeeded) }) },
  );
}

export function grantNeededJson(needed: NonNullable<ReturnType<typeof explain>['grantNeeded']>): readonly object[] {
  return [{ purpose: needed.purpose, fields: Object.entries(needed.fields).map(([field, ceiling]) => ({ field, ceiling })) }];
}

async function fetchPermitted(desk: QueryDesk, query: Query, decision: Decision, grant: Grant): Promise<FetchedRows> {
  return desk.fetch({
    subject: query.subject,
    fields: factsOf(decision).permitted,
    dataFrom: grant.dataFrom,
    dataTo: grant.dataTo,
    ...(query.rows === undefined ? {} : { rows: query.rows }),
  });
}

function verifyClaims(catalogue: Catalogue, query: Query, decision: Decision, rows: FetchedRows): Verified[] {
  const claims = new Map((query.verify ?? []).map(({ field, claimed }) => [field, claimed]));
  return decision.fields.flatMap(({ field, use, comparison }) => {
    if (use !== 'verify' || comparison === undefined) return [];
    const latest = rows.get(datasetOf(field))?.[0];
    const outcome = compareClaim(latest?.read(field) ?? null, claims.get(field) ?? null, comparison, catalogue.fields.get(field)?.type);
    return [{ field, outcome }];
  });
}

async function seal(desk: QueryDesk, { institution, requestDigest }: SignedQuery, { clear }: Desensitised): Promise<string | undefined> {
  if (Object.keys(clear).length === 0) return undefined;
  return sealFor(await desk.encryptionKey(institution), clear, { issuer: desk.issuer, audience: institution, jti: requestDigest, issuedAtMs: desk.clock.nowMs() });
}

/** What an answer says of fields under objection: a member of its own, or none. */
export type Disputed = { readonly disputed?: readonly FieldRef[] };

/** @param used fields that are disclosed, compared or computed with */
export function disputedOf(used: readonly FieldRef[], { disputed = [] }: Pick<Admission, 'disputed'>): Disputed {
  if (disputed.length === 0) return {};
  const found = disputed.filter((field) => used.includes(field));
  return found.length === 0 ? {} : { disputed: found };
}

type Parts = { readonly disclosed: Desensitised; readonly verified: readonly Verified[]; readonly sealed: string | undefined; readonly disputed: Disputed };

/** In the order of canonical JSON, as it will be hashed and sent (canonical.ts): then it is only written down. */
function compose({ query }: SignedQuery, decision: Decision, grant: Grant, { disclosed, verified, sealed, disputed }: Parts): Answer {
  return {
    data: disclosed.rows,
    ...disputed,
    grant: grant.id,
    policy: decision.policy,
    purpose: query.purpose,
    ...(sealed === undefined ? {} : { sealed }),
    subject: query.subject,
    verified,
    withheld: factsOf(decision).withheld,
  };
}

type Found = { readonly rows: FetchedRows; readonly answerJson: string; readonly disputed: Disputed };

function releaseRecord(desk: QueryDesk, signed: SignedQuery, decision: Decision, grant: Grant, { rows, answerJson, disputed }: Found): QueryReleased {
  const { v, kind, at, actor } = recordHead('query.released', desk.clock.nowMs(), signed.institution);
  const { digest, outcomes } = factsOf(decision);
  // in the order of canonical JSON, as it will be written into the log and into the answer
  return {
    actor,
    answer: hash('sha256', answerJson, 'hex'),
    at,
    decision: digest,
    ...disputed,
    grant: grant.id,
    institution: signed.institution,
    kind,
    outcomes,
    policy: decision.policy,
    purpose: signed.query.purpose,
    request: signed.requestDigest,
    rows: [...rows].map(([dataset, found]) => ({ dataset, rows: found.length })),
    subject: signed.query.subject,
    v,
  };
}

function grantUse(signed: SignedQuery, decision: Decision, grant: Grant, policy: CompiledPolicy): Release['use'] {
  return {
    grant: grant.id,
    institution: signed.institution,
    verifications: factsOf(decision).verified,
    verificationLimit: policy.verificationLimit(signed.query.purpose),
  };
}

/** What was hashed for the receipt is what is sent, so that an answer is written once. */
async function withReceipt(desk: QueryDesk, { answer, answerJson, record, entry }: Released): Promise<ReceiptedAnswer> {
  const receipt = await issueReceipt({ signer: desk.signer, clock: desk.clock, issuer: desk.issuer, origin: desk.logOrigin, record, entry });
  const more = JSON.stringify({ entry: { index: entry.index, salt: Buffer.from(entry.salt).toString('base64url'), record }, receipt });
  return { answer, json: `${answerJson.slice(0, -1)},${more.slice(1)}` };
}

/** Codes after which nothing can or need be logged: the release logged it itself, or the log is what failed. */
const notLogged: ReadonlySet<ErrorCode> = new Set(['AUDIT_UNAVAILABLE', 'STORE_UNAVAILABLE', 'REQUEST_OVERLOADED']);

async function logRefusal(desk: QueryDesk, signed: SignedQuery, line: Line, error: unknown): Promise<void> {
  const code: ErrorCode = isVeilgateError(error) ? error.code : 'INTERNAL';
  if (notLogged.has(code) || wasLogged(error)) return;
  await desk.recordRefusal(refusalRecord(desk, signed, line, code), signed.request);
}

function refusalRecord(desk: QueryDesk, signed: SignedQuery, line: Line, code: ErrorCode): QueryRefused {
  return {
    ...recordHead('query.refused', desk.clock.nowMs(), signed.institution),
    institution: signed.institution,
    subject: signed.query.subject,
    purpose: signed.query.purpose,
    grant: signed.query.grant ?? null,
    policy: line.policy.version,
    decision: line.decision === null ? null : factsOf(line.decision).digest,
    outcomes: line.decision === null ? [] : factsOf(line.decision).outcomes,
    code,
    request: signed.requestDigest,
  };
}
