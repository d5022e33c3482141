import { hash } from 'node:crypto';
import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import type { ConsentDescription } from '../../authorization/consent-desk.ts';
import { canonicalJson } from '../../canonical.ts';
import { isoTime } from '../../clock.ts';
import { earliestDataDate } from '../../consent/caps.ts';
import { createGrantRequest, endGrantRequest, readGrantRequest, takeGrantRequest, type GrantRequest } from '../../consent/grant-requests.ts';
import { createGrant } from '../../consent/grants.ts';
import type { StoredGrant } from '../../consent/grant-row.ts';
import { narrow } from '../../consent/narrow.ts';
import type { ConsentDetail } from '../../consent/schemas.ts';
import { consentDetail, parseTerms, readTerms } from '../../consent/terms.ts';
import { isVeilgateError, VeilgateError, type ErrorCode } from '../../errors.ts';
import type { Sql, Tx } from '../../store/database.ts';
import type { Caller, GrantTerms, InstitutionId, IsoDate, SubjectId, TimeMs } from '../../vocabulary.ts';
import { describeTerms, validateTerms, type ConsentDeskParts } from './consent-desk.ts';
import { grantRecord } from './record-change.ts';

export type GrantRequestDesk = Pick<ConsentDeskParts, 'clock' | 'catalogue' | 'policy'>;

/** What the enterprise would agree to at this moment: with its digest it says that it read this and nothing else. */
export type GrantOffer = {
  /** Nothing left open. */
  readonly terms: ConsentDetail;
  readonly description: { readonly en: ConsentDescription; readonly zh: ConsentDescription };
  /** SHA-256, hex, over the canonical JSON of {request, message, terms, description}; becomes the grant's notice digest. */
  readonly noticeDigest: string;
  /** Why the terms cannot be accepted as they are; null when they can. Some can be accepted once narrowed. */
  readonly obstacle: { readonly code: ErrorCode; readonly detail: string } | null;
};

/**
 * Takes an institution's request. Terms are held against policy as those of a consent page are; the enterprise is not
 * looked up, so the answer is the same whether it is registered or not.
 * Errors: CONSENT_INVALID, CONSENT_EXCEEDS_CAP, POLICY_PURPOSE_UNKNOWN, INSTITUTION_NOT_ACTIVE, CONSENT_REQUESTS_TOO_MANY, PARTY_NOT_PERMITTED.
 */
export async function askForGrant(desk: GrantRequestDesk, tx: Tx, caller: Caller, asked: { readonly terms: ConsentDetail; readonly message: string | null }): Promise<GrantRequest> {
  const institution = institutionOf(caller);
  const atMs = desk.clock.nowMs();
  const terms = parseTerms(asked.terms, institution, capsOf(desk), atMs);
  await validateTerms({ ...desk, database: tx }, terms);
  const request = await createGrantRequest(tx, { institution, subject: terms.subject, terms: asked.terms, message: asked.message }, atMs);
  await appendRecords(tx, [{
    ...recordHead('grant.requested', atMs, caller.party), ...namesOf(request),
    purpose: terms.purpose, asked: sha256({ terms: asked.terms, message: asked.message }), expires: isoTime(request.expiresAtMs),
  }]);
  return request;
}

/** Errors: CONSENT_REQUEST_NOT_FOUND, CONSENT_REQUEST_STATE_CONFLICT, PARTY_NOT_PERMITTED. */
export async function withdrawRequest(desk: GrantRequestDesk, tx: Tx, caller: Caller, id: string): Promise<GrantRequest> {
  const atMs = desk.clock.nowMs();
  await takeGrantRequest(tx, id, { institution: institutionOf(caller) }, atMs);
  const ended = await endGrantRequest(tx, id, { state: 'withdrawn' }, atMs);
  await appendRecords(tx, [{ ...recordHead('grant.request_withdrawn', atMs, caller.party), ...namesOf(ended) }]);
  return ended;
}

/** Errors: CONSENT_REQUEST_NOT_FOUND, CONSENT_REQUEST_STATE_CONFLICT, PARTY_NOT_PERMITTED. */
export async function refuseRequest(desk: GrantRequestDesk, tx: Tx, caller: Caller, id: string, reason: string | null): Promise<GrantRequest> {
  const atMs = desk.clock.nowMs();
  await takeGrantRequest(tx, id, { subject: subjectOf(caller) }, atMs);
  const ended = await endGrantRequest(tx, id, { state: 'refused', reason }, atMs);
  await appendRecords(tx, [{ ...recordHead('grant.request_refused', atMs, caller.party), ...namesOf(ended) }]);
  return ended;
}

/** What the enterprise says to a request: that it read this offer, and how it narrows it (consent-choice.json). */
export type Acceptance = { readonly noticeDigest: string; readonly choice: unknown };
export type Accepted = { readonly request: GrantRequest; readonly grant: StoredGrant };

/**
 * Makes a grant of a request, narrowed as the enterprise wishes, under the policy of this moment.
 * Errors: CONSENT_REQUEST_NOT_FOUND, CONSENT_REQUEST_STATE_CONFLICT; CONSENT_REQUEST_CHANGED when the offer is not the one
 * that was read; CONSENT_INVALID for a choice that adds; CONSENT_EXCEEDS_CAP, POLICY_PURPOSE_UNKNOWN, INSTITUTION_NOT_ACTIVE.
 */
export async function acceptRequest(desk: GrantRequestDesk, tx: Tx, caller: Caller, id: string, { noticeDigest, choice }: Acceptance): Promise<Accepted> {
  const atMs = desk.clock.nowMs();
  const request = await takeGrantRequest(tx, id, { subject: subjectOf(caller) }, atMs);
  const offer = await offerOf(desk, tx, request, atMs);
  if (offer.noticeDigest !== noticeDigest) throw new VeilgateError('CONSENT_REQUEST_CHANGED', 'What you would agree to is not what you read: read the request again, then decide.');
  const terms = narrow(termsNow(desk, request, atMs), choice);
  await validateTerms({ ...desk, database: tx }, terms);
  const evidence = sha256({ request: id, notice: noticeDigest, choice, by: caller.party, at: isoTime(atMs) });
  const change = await createGrant(tx, terms, 'browser', noticeDigest, evidence, desk.clock);
  const ended = await endGrantRequest(tx, id, { state: 'accepted', grant: change.grant.id }, atMs);
  await appendRecords(tx, [grantRecord(change, caller.party), { ...recordHead('grant.request_accepted', atMs, caller.party), ...namesOf(ended), grant: change.grant.id }]);
  return { request: ended, grant: change.grant };
}

/** A request as its enterprise or institution reads it; the offer is for the enterprise, and only while it can be answered. */
export async function readRequest(desk: GrantRequestDesk & { readonly database: Sql }, caller: Caller, id: string): Promise<{ readonly request: GrantRequest; readonly offer: GrantOffer | null }> {
  const atMs = desk.clock.nowMs();
  const request = await readGrantRequest(desk.database, id, requestViewer(caller), atMs);
  const answers = caller.subject !== undefined && request.state === 'pending';
  return { request, offer: answers ? await offerOf(desk, desk.database, request, atMs).catch(noOffer) : null };
}

/** A purpose that is gone cannot be described, nor agreed to; accepting says so. */
function noOffer(error: unknown): null {
  if (isVeilgateError(error, 'POLICY_PURPOSE_UNKNOWN')) return null;
  throw error;
}

async function offerOf(desk: GrantRequestDesk, sql: Sql, request: GrantRequest, atMs: TimeMs): Promise<GrantOffer> {
  const parts = { ...desk, database: sql };
  const terms = termsNow(desk, request, atMs);
  const description = { en: await describeTerms(parts, terms, 'en'), zh: await describeTerms(parts, terms, 'zh') };
  const shown = consentDetail(terms);
  const obstacle = await validateTerms(parts, terms).then(() => null, (error: unknown) => {
    if (!isVeilgateError(error)) throw error;
    return { code: error.code, detail: error.message };
  });
  return { terms: shown, description, noticeDigest: sha256({ request: request.id, message: request.message, terms: shown, description }), obstacle };
}

/** The asked terms from this moment on: what was left open is completed, and how far data reaches back moves with the day. */
function termsNow(desk: GrantRequestDesk, { terms: asked, institution }: GrantRequest, atMs: TimeMs): GrantTerms {
  const { terms, caps } = readTerms(asked, institution, capsOf(desk), atMs);
  const earliest = earliestDataDate(caps, atMs);
  return { ...terms, dataFrom: laterOf(terms.dataFrom, earliest) };
}

function laterOf(day: IsoDate | null, other: IsoDate): IsoDate {
  return day === null || day < other ? other : day;
}

function capsOf({ policy }: GrantRequestDesk) {
  return (purpose: GrantTerms['purpose']) => policy().purposes.get(purpose)?.caps;
}

/** Errors: PARTY_NOT_PERMITTED. */
export function requestViewer(caller: Caller): { readonly subject: SubjectId } | { readonly institution: InstitutionId } {
  return caller.subject === undefined ? { institution: institutionOf(caller) } : { subject: caller.subject };
}

function institutionOf(caller: Caller): InstitutionId {
  if (caller.kind !== 'institution') throw new VeilgateError('PARTY_NOT_PERMITTED', 'Only institutions ask enterprises for grants, and withdraw what they asked.');
  return caller.party as InstitutionId;
}

function subjectOf(caller: Caller): SubjectId {
  if (caller.subject === undefined) throw new VeilgateError('PARTY_NOT_PERMITTED', 'Only the enterprise that is asked accepts or refuses.');
  return caller.subject;
}

function namesOf({ id, institution, subject }: GrantRequest) {
  return { request: id, institution, subject };
}

function sha256(value: unknown): string {
  return hash('sha256', canonicalJson(value), 'hex');
}
