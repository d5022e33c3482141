import { calculateJwkThumbprint, compactVerify, importJWK, type JSONWebKeySet, type JWK } from 'jose';
import type { LogTrust, OpenedCheckpoint } from '../audit/checkpoint.ts';
import { fromBase64url, toBase64url } from '../audit/bytes.ts';
import { verifyReceipt, verifyReceiptInclusion, type Receipt } from '../audit/receipt.ts';
import { canonicalJson } from '../canonical.ts';
import { epochSeconds, type Clock } from '../clock.ts';
import { isVeilgateError, VeilgateError } from '../errors.ts';
import { parseStrictJsonBytes } from '../strict-json.ts';
import type { InstitutionId } from '../vocabulary.ts';
import { answerDigest, openedData, sha256Hex, type ClearRows } from './bank.ts';
import { openWithContentKey } from './content-key.ts';
import { creditReportPage, fileInPage, languageOfPage } from './credit-report-page.ts';
import { creditReportFormat, creditReportType, reportDigest, type CreditReport, type CreditReportFile } from './credit-report.ts';

/** What is wrong with a credit report; detail.fault of REPORT_INVALID. */
export type CreditReportFault =
  /** No report, or not in its one spelling. */
  | 'malformed'
  /** Not signed by the key it names, or by another institution. */
  | 'signature'
  /** Signed by another key than the one that was expected. */
  | 'signer'
  /** Changed after it was signed. */
  | 'changed'
  /** The platform's receipt is not for this request, answer and record, or not the platform's. */
  | 'receipt'
  /** The entry it names is not the receipt's. */
  | 'entry'
  /** Shows other values than the answer holds. */
  | 'values'
  /** The page is not the one that is made of the file inside it. */
  | 'page';

export type CreditReportCheck = {
  /** The platform's keys, learned in a way the verifier trusts; those in the report prove nothing about the platform. */
  readonly keys: JSONWebKeySet;
  readonly clock: Clock;
  /** The institution's key, where it is known. */
  readonly signer?: JWK;
  /** The log's proof of the entry, and whom to believe. */
  readonly inclusion?: { readonly proof: string; readonly trust: LogTrust };
};

export type CheckedCreditReport = {
  readonly file: CreditReportFile;
  readonly receipt: Receipt;
  /** RFC 7638 thumbprint of the key it is signed with: the institution's, if the institution says so. */
  readonly signer: string;
  /** Undefined when no proof was given. */
  readonly checkpoint: OpenedCheckpoint | undefined;
};

/** A report has the answer twice, once sealed. */
export const creditReportLengthMax = 33_554_432;
/** How far the signer's clock may be ahead. */
const skewS = 60;

/**
 * Checks everything a credit report says: who made it, that nothing was changed since, and that the platform gave these
 * very values in answer to this very request, under one entry of its log.
 * @param text the file as it was written, or the page that was made of it
 * Errors: REPORT_INVALID with detail.fault; AUDIT_PROOF_INVALID and AUDIT_CHECKPOINT_INVALID for the proof.
 */
export async function checkCreditReport(text: string, check: CreditReportCheck): Promise<CheckedCreditReport> {
  const isPage = text.startsWith('<!doctype html>');
  const file = parsed(isPage ? fileInPage(text) ?? '' : text);
  const { report } = file;
  const signer = await checkSignature(file, check);
  const receipt = await checkReport(report, check);
  if (isPage && await creditReportPage(file, languageOfPage(text)) !== text) invalid('page');
  const checkpoint = check.inclusion && await verifyReceiptInclusion(receipt, check.inclusion.proof, check.inclusion.trust);
  return { file, receipt, signer, checkpoint };
}

function parsed(text: string): CreditReportFile {
  let value: unknown;
  try {
    value = parseStrictJsonBytes(new TextEncoder().encode(text), { maxLength: creditReportLengthMax });
    if (`${canonicalJson(value)}\n` !== text) invalid('malformed');
  } catch (error) {
    if (isVeilgateError(error, 'REPORT_INVALID')) throw error;
    invalid('malformed');
  }
  const { report, signature, ...more } = object(value);
  if (typeof signature !== 'string' || Object.keys(more).length > 0) invalid('malformed');
  return { report: shaped(object(report)), signature };
}

const texts = ['made_at', 'platform', 'institution', 'request', 'receipt'] as const;
const objects = ['answer', 'data', 'entry', 'keys', 'signer', 'words'] as const;
const members = new Set<string>([...texts, ...objects, 'format', 'content_key', 'grant']);

/** Everything a report must have and nothing else; what stands inside answer and record is held against their digests. */
function shaped(report: Readonly<Record<string, unknown>>): CreditReport {
  if (report['format'] !== creditReportFormat || !Object.keys(report).every((name) => members.has(name)) || Object.keys(report).length !== members.size) invalid('malformed');
  if (!texts.every((name) => typeof report[name] === 'string') || !objects.every((name) => typeof report[name] === 'object' && report[name] !== null)) invalid('malformed');
  if (report['content_key'] !== null && typeof report['content_key'] !== 'string') invalid('malformed');
  const { datasets, purpose } = object(report['words']);
  if (!isWords(datasets, purpose) || !isGrant(report['grant'])) invalid('malformed');
  return report as unknown as CreditReport;
}

function isWords(datasets: unknown, purpose: unknown): boolean {
  const titled = (value: unknown) => ['en', 'zh'].every((language) => typeof object(object(value)['title'])[language] === 'string');
  return Array.isArray(datasets) && (purpose === null || titled(purpose)) && datasets.every((dataset) => {
    const { id, fields } = object(dataset);
    return titled(dataset) && typeof id === 'string' && Array.isArray(fields) && fields.every((field) => titled(field) && typeof object(field)['field'] === 'string' && ['string', 'undefined'].includes(typeof object(field)['unit']) && areCodes(object(field)['codes']));
  });
}

function areCodes(value: unknown): boolean {
  return value === undefined || Object.values(object(value)).every((meaning) => typeof meaning === 'string');
}

function isGrant(value: unknown): boolean {
  if (value === null) return true;
  const { valid_until: until, data_from: from, data_to: to, data_life_days: days } = object(value);
  return typeof until === 'string' && [from, to].every((date) => date === null || typeof date === 'string') && Number.isSafeInteger(days);
}

async function checkSignature({ report, signature }: CreditReportFile, { signer, clock }: CreditReportCheck): Promise<string> {
  const thumbprint = await calculateJwkThumbprint(report.signer).catch(() => invalid('signature'));
  if (signer !== undefined && await calculateJwkThumbprint(signer) !== thumbprint) invalid('signer');
  const claims = await signedClaims(signature, report.signer);
  const { iss, iat, report: digest, ...more } = claims;
  if (iss !== report.institution || typeof iat !== 'number' || iat > epochSeconds(clock.nowMs()) + skewS || Object.keys(more).length > 0) invalid('signature');
  if (digest !== await reportDigest(report)) invalid('changed');
  return thumbprint;
}

async function signedClaims(signature: string, signer: JWK): Promise<Readonly<Record<string, unknown>>> {
  try {
    if (!signature.split('.').every((part) => part !== '' && fromBase64url(part) !== undefined)) invalid('signature');
    const { payload, protectedHeader } = await compactVerify(signature, await importJWK({ ...signer, alg: 'EdDSA' }), { algorithms: ['EdDSA'] });
    if (protectedHeader.typ !== creditReportType || protectedHeader.kid !== signer.kid) invalid('signature');
    return object(parseStrictJsonBytes(payload));
  } catch {
    return invalid('signature');
  }
}

/** Request, answer, record and receipt belong together, and the values are the answer's. */
async function checkReport(report: CreditReport, { keys, clock }: CreditReportCheck): Promise<Receipt> {
  const { answer, entry, platform, institution, request } = report;
  const requestDigest = await sha256Hex(request);
  const receipt = await verifyReceipt(report.receipt, {
    keys, issuer: platform, institution: institution as InstitutionId, clock, record: entry.record, request: requestDigest,
    answer: await answerDigest({ ...answer, entry, receipt: report.receipt }),
  }).catch((error: unknown) => invalid('receipt', isVeilgateError(error) && typeof error.detail?.['fault'] === 'string' ? error.detail['fault'] : undefined));
  if (receipt.log.index !== entry.index || toBase64url(receipt.log.salt) !== entry.salt) invalid('entry');
  const contentKey = report.content_key === null ? undefined : fromBase64url(report.content_key);
  if ((answer.sealed === undefined) !== (contentKey === undefined)) invalid('values');
  try {
    const clear = answer.sealed === undefined || contentKey === undefined ? {} : await openWithContentKey(answer.sealed, contentKey, { issuer: platform, audience: institution, jti: requestDigest }) as ClearRows;
    if (canonicalJson(openedData(answer.data, clear)) !== canonicalJson(report.data)) invalid('values');
  } catch {
    invalid('values');
  }
  return receipt;
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) invalid('malformed');
  return value as Readonly<Record<string, unknown>>;
}

const words: Readonly<Record<CreditReportFault, string>> = {
  malformed: 'This is no credit report as Veilgate writes one: ask for the file as it was made.',
  signature: 'The report is not signed by the institution it names: do not rely on it.',
  signer: 'The report is signed by another key than the one you expected: ask the institution for its key.',
  changed: 'The report was changed after it was signed: do not rely on it.',
  receipt: 'The platform\'s receipt does not prove this report: do not rely on it, and tell the platform.',
  entry: 'The report names another entry of the log than its receipt: do not rely on it.',
  values: 'The report shows other values than the platform\'s answer holds: do not rely on it.',
  page: 'The page shows something else than the report inside it, or was made by another version: have it made again from the file.',
};

function invalid(fault: CreditReportFault, receiptFault?: string): never {
  throw new VeilgateError('REPORT_INVALID', words[fault], { fault, ...(receiptFault === undefined ? {} : { receipt_fault: receiptFault }) });
}
