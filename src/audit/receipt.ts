import { compactVerify, createLocalJWKSet, errors as joseErrors, type JSONWebKeySet } from 'jose';
import { epochSeconds, type Clock } from '../clock.ts';
import { isVeilgateError, VeilgateError } from '../errors.ts';
import { parseStrictJsonBytes } from '../strict-json.ts';
import type { GrantId, InstitutionId, PolicyVersion, Signer } from '../vocabulary.ts';
import { fromBase64url, sameBytes, toBase64url, type Bytes } from './bytes.ts';
import type { LogTrust, OpenedCheckpoint } from './checkpoint.ts';
import { commitmentOf, type AppendedEntry, type AuditRecord, type Digest, type QueryRefused, type QueryReleased, type ScoreRefused, type ScoreReleased, type ScoresReleased } from './entry.ts';
import { verifyLogProof } from './proof.ts';
import { webSha256, type Sha256 } from './tree.ts';

/**
 * What an institution keeps of an answer: the platform's signature over what was asked, decided and answered, and
 * over where it stands in the log. With the record that came along it can be checked without asking anybody.
 */
export type Receipt = {
  readonly issuer: string;
  readonly institution: InstitutionId;
  /** Seconds since the epoch. */
  readonly issuedAtS: number;
  readonly log: { readonly origin: string; readonly index: number; readonly commitment: Bytes; readonly salt: Bytes };
  readonly outcome: 'released' | 'refused';
  readonly policy: PolicyVersion | null;
  readonly decision: Digest | null;
  readonly grant: GrantId | null;
  /** Null for a refusal. */
  readonly answer: Digest | null;
  readonly request: Digest | null;
};

/** Records that receipts are about: an answer that went out, or its refusal. */
export type ReceiptedRecord = QueryReleased | QueryRefused | ScoreReleased | ScoreRefused | ScoresReleased;

/** What each kind of record says of its request; a record of any other kind has no receipt. */
const outcomes = {
  'query.released': 'released',
  'query.refused': 'refused',
  'score.released': 'released',
  'score.refused': 'refused',
  'scores.released': 'released',
} as const satisfies { readonly [Kind in ReceiptedRecord['kind']]: Receipt['outcome'] };

/** Whether a record is one that receipts are about. */
export function isReceipted(record: AuditRecord | null): record is ReceiptedRecord {
  return record !== null && Object.hasOwn(outcomes, record.kind);
}

export const receiptType = 'receipt+jwt';
/** Characters of a receipt; an honest one has about 1,200. */
export const receiptLengthMax = 8192;
/** How far the platform's clock may be ahead of the holder's. */
const skewS = 60;

export type ReceiptIssue = {
  readonly signer: Signer;
  readonly clock: Clock;
  /** URL of the platform. */
  readonly issuer: string;
  /** The log's name. */
  readonly origin: string;
  readonly record: ReceiptedRecord;
  /** What appendRecords gave for the record, once its transaction has committed. */
  readonly entry: AppendedEntry;
};

/** @returns compact JWS, `typ: receipt+jwt` */
export function issueReceipt({ signer, clock, issuer, origin, record, entry }: ReceiptIssue): Promise<string> {
  return signer.sign(receiptType, {
    iss: issuer,
    aud: record.institution,
    iat: epochSeconds(clock.nowMs()),
    log: { origin, index: entry.index, commitment: toBase64url(entry.commitment), salt: toBase64url(entry.salt) },
    ...statements(record),
  });
}

export type ReceiptCheck = {
  /** The platform's keys, retired ones included: a receipt is kept for years. */
  readonly keys: JSONWebKeySet;
  readonly issuer: string;
  readonly institution: InstitutionId;
  readonly clock: Clock;
  /** The record that came with the answer; when given it must be the one that was committed to. */
  readonly record?: ReceiptedRecord | Readonly<Record<string, unknown>>;
  /** Digests the holder worked out from what it sent and got; when given they must be the receipt's. */
  readonly request?: Digest;
  readonly answer?: Digest;
  readonly sha256?: Sha256;
};

/** Errors: AUDIT_RECEIPT_INVALID with detail.fault `malformed | signature | issuer | institution | time | record | request | answer`. */
export async function verifyReceipt(jws: string, check: ReceiptCheck): Promise<Receipt> {
  const receipt = readReceipt(await verifiedPayload(jws, check.keys));
  if (receipt.issuer !== check.issuer) invalid('issuer', 'The receipt is by another platform: check whom it came from.');
  if (receipt.institution !== check.institution) invalid('institution', 'The receipt was issued to another institution: look for your own.');
  if (receipt.issuedAtS > epochSeconds(check.clock.nowMs()) + skewS) invalid('time', 'The receipt is from the future: set this machine\'s clock.');
  if (check.request !== undefined && check.request !== receipt.request) invalid('request', 'The receipt is for another request: look for the one that belongs to this request.');
  if (check.answer !== undefined && check.answer !== receipt.answer) invalid('answer', 'The receipt is for another answer: the answer was changed, or the receipt belongs to another one.');
  if (check.record !== undefined) await requireRecord(receipt, check.record, check.sha256 ?? webSha256);
  return receipt;
}

/**
 * Throws unless the entry of a verified receipt is in the log, by a C2SP tlog-proof.
 * Errors: AUDIT_PROOF_INVALID, AUDIT_CHECKPOINT_INVALID, AUDIT_RECEIPT_INVALID with fault `log`.
 */
export async function verifyReceiptInclusion(receipt: Receipt, proof: string, trust: LogTrust, sha256: Sha256 = webSha256): Promise<OpenedCheckpoint> {
  if (receipt.log.origin !== trust.origin) invalid('log', 'The receipt names another log: use the keys of that one.');
  return verifyLogProof(proof, receipt.log, trust, sha256);
}

/** What a receipt says about its record: taken from the record, so that the two cannot differ. */
function statements(record: ReceiptedRecord) {
  const { policy, request } = record;
  // one part of a job is many grants and decisions: its record names none
  const { decision, grant } = record.kind === 'scores.released' ? { decision: null, grant: null } : record;
  const outcome = outcomes[record.kind];
  return { outcome, policy, decision, grant, request, answer: 'answer' in record ? record.answer : null };
}

async function requireRecord(receipt: Receipt, record: NonNullable<ReceiptCheck['record']>, sha256: Sha256): Promise<void> {
  const different = () => invalid('record', 'The record is not the one the receipt commits to: ask for the record again.');
  if (typeof record.kind !== 'string' || !Object.hasOwn(outcomes, record.kind)) different();
  if (!sameBytes(await commitmentOf(record, receipt.log.salt, sha256), receipt.log.commitment)) different();
  const said = statements(record as ReceiptedRecord);
  const agree = record.institution === receipt.institution
    && (Object.keys(said) as (keyof typeof said)[]).every((name) => said[name] === receipt[name]);
  if (!agree) different();
}

/** jose alone would take blanks, padding and altered last bits: the grammar comes first. */
async function verifiedPayload(jws: string, keys: JSONWebKeySet): Promise<Uint8Array> {
  const parts = jws.length <= receiptLengthMax ? jws.split('.') : [];
  const header = parts.length === 3 && parts.every((part) => part !== '' && fromBase64url(part) !== undefined) ? strictJson(fromBase64url(parts[0]!)!) : undefined;
  const { typ, kid, alg, ...more } = header ?? {};
  if (typ !== receiptType || typeof kid !== 'string' || Object.keys(more).length > 0) malformed();
  if (alg !== 'EdDSA' && alg !== 'Ed25519') malformed();
  try {
    return (await compactVerify(jws, createLocalJWKSet(keys), { algorithms: ['EdDSA', 'Ed25519'] })).payload;
  } catch (error) {
    if (error instanceof joseErrors.JOSEError || error instanceof TypeError) invalid('signature', 'The receipt is not signed by the platform: do not rely on it, and tell the auditor.');
    throw error;
  }
}

function readReceipt(payload: Uint8Array): Receipt {
  const { iss, aud, iat, log, outcome, policy, decision, grant, request, answer, ...more } = strictJson(payload) ?? {};
  const { origin, index, commitment, salt, ...others } = isObject(log) ? log : {};
  const [commitmentBytes, saltBytes] = [commitment, salt].map((text) => (typeof text === 'string' ? fromBase64url(text) : undefined));
  if (typeof iss !== 'string' || typeof aud !== 'string' || !isCount(iat) || typeof origin !== 'string' || !isCount(index)) malformed();
  if (commitmentBytes?.length !== 32 || saltBytes?.length !== 32) malformed();
  if ((outcome !== 'released' && outcome !== 'refused') || (outcome === 'released') !== (answer !== null)) malformed();
  if (!isTextOrNull(policy) || !isTextOrNull(decision) || !isTextOrNull(grant) || !isTextOrNull(request) || !isTextOrNull(answer)) malformed();
  if (Object.keys(more).length + Object.keys(others).length > 0) malformed();
  return {
    issuer: iss, institution: aud as InstitutionId, issuedAtS: iat, log: { origin, index, commitment: commitmentBytes, salt: saltBytes },
    outcome, policy: policy as PolicyVersion | null, decision, grant: grant as GrantId | null, request, answer,
  };
}

function strictJson(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseStrictJsonBytes(bytes, { maxLength: receiptLengthMax, maxDepth: 4 });
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (isVeilgateError(error)) return undefined;
    throw error;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isTextOrNull = (value: unknown): value is string | null => value === null || typeof value === 'string';

function malformed(): never {
  invalid('malformed', 'This is no receipt of an answer: copy it again from the answer.');
}

function invalid(fault: string, message: string): never {
  throw new VeilgateError('AUDIT_RECEIPT_INVALID', message, { fault });
}
