import { CompactSign, type JSONWebKeySet, type JWK } from 'jose';
import { toBase64url, utf8 } from '../audit/bytes.ts';
import { canonicalJson } from '../canonical.ts';
import { epochSeconds, isoTime, type Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { AnswerFile } from './answer-file.ts';
import { openAnswer, sha256Hex, type Answer, type OpenedAnswer } from './bank.ts';
import type { CatalogueView, DatasetView, PurposeView } from './catalogue.ts';
import type { Credentials } from './keys.ts';
import { contentKeyOf } from './content-key.ts';

/**
 * What a bank learned about an enterprise in one answer, with all that proves it (docs/formats/credit-report.md). `words`
 * and `grant` are what the bank read when it made the report; everything else is proven by the platform's receipt.
 */
export type CreditReport = {
  readonly format: typeof creditReportFormat;
  /** RFC 3339. */
  readonly made_at: string;
  /** URL of the gateway. */
  readonly platform: string;
  readonly institution: string;
  /** The query as the bank signed it. */
  readonly request: string;
  /** The answer as it travelled, without the log's record and the receipt. */
  readonly answer: Omit<Answer, 'entry' | 'receipt'>;
  /** Opens the answer's sealed part and nothing else: 32 bytes, base64url; null when nothing was sealed. */
  readonly content_key: string | null;
  /** The answer's values, original ones opened. */
  readonly data: OpenedAnswer['data'];
  readonly entry: Answer['entry'];
  readonly receipt: string;
  /** The platform's public keys when the answer came. */
  readonly keys: JSONWebKeySet;
  /** Public key this report is signed with. */
  readonly signer: JWK;
  readonly words: ReportWords;
  /** What the enterprise had consented to. */
  readonly grant: ReportGrant | null;
};

/** Names of what the answer is about, in the words of the catalogue. */
export type ReportWords = { readonly datasets: readonly DatasetView[]; readonly purpose: PurposeView | null };

export type ReportGrant = { readonly valid_until: string; readonly data_from: string | null; readonly data_to: string | null; readonly data_life_days: number };

/** `signature`: compact JWS, `typ: credit-report+jwt`, over the digest of the report's canonical JSON. */
export type CreditReportFile = { readonly report: CreditReport; readonly signature: string };

export const creditReportFormat = 'veilgate-credit-report-1';
export const creditReportType = 'credit-report+jwt';

export type ReportSources = {
  readonly saved: AnswerFile;
  readonly credentials: Credentials;
  readonly catalogue: Pick<CatalogueView, 'datasets' | 'purposes'>;
  /** The grant the answer was given under; null when it can no longer be read. */
  readonly grant: (ReportGrant & Readonly<Record<string, unknown>>) | null;
  readonly clock: Clock;
};

/**
 * Opens a saved answer with the bank's key and makes a signed report of it.
 * Errors: DISCLOSURE_UNREADABLE, DISCLOSURE_KEY_MISSING.
 */
export async function makeCreditReport({ saved, credentials, catalogue, grant, clock }: ReportSources): Promise<CreditReportFile> {
  const { gateway, institution, request, keys } = saved;
  if (institution !== credentials.party) throw new VeilgateError('DISCLOSURE_UNREADABLE', 'The answer was given to another party: use the credentials it was asked with.');
  const { entry, receipt, ...answer } = saved.answer;
  const { data } = await openAnswer(saved.answer, { gateway, credentials }, await sha256Hex(request));
  const report: CreditReport = {
    format: creditReportFormat, made_at: isoTime(clock.nowMs()), platform: gateway, institution, request, answer, data, entry, receipt, keys,
    content_key: answer.sealed === undefined || credentials.encryption === undefined ? null : toBase64url(await contentKeyOf(answer.sealed, credentials.encryption.privateKey)),
    signer: credentials.signing.publicJwk, words: wordsFor(answer, catalogue),
    grant: grant && { valid_until: grant.valid_until, data_from: grant.data_from, data_to: grant.data_to, data_life_days: grant.data_life_days },
  };
  const claims = { iss: institution, iat: epochSeconds(clock.nowMs()), report: await reportDigest(report) };
  const signature = await new CompactSign(utf8(canonicalJson(claims))).setProtectedHeader({ alg: 'EdDSA', typ: creditReportType, kid: credentials.signing.publicJwk.kid }).sign(credentials.signing.privateKey);
  return { report, signature };
}

/** SHA-256, hex, of the report's canonical JSON. */
export function reportDigest(report: CreditReport): Promise<string> {
  return sha256Hex(canonicalJson(report));
}

/** The file as it is written: canonical JSON, so that a report has one spelling. */
export function creditReportText(file: CreditReportFile): string {
  return `${canonicalJson(file)}\n`;
}

/** Only what the answer speaks of: the rest of the catalogue says nothing here. */
function wordsFor(answer: CreditReport['answer'], { datasets, purposes }: ReportSources['catalogue']): ReportWords {
  const named = new Set([
    ...Object.entries(answer.data).flatMap(([dataset, rows]) => rows.flatMap((row) => Object.keys(row).map((field) => `${dataset}.${field}`))),
    ...answer.verified.map(({ field }) => field), ...answer.withheld.map(({ field }) => field),
  ]);
  return {
    datasets: datasets.map((dataset) => ({ ...dataset, fields: dataset.fields.filter(({ field }) => named.has(field)) })).filter(({ fields }) => fields.length > 0),
    purpose: purposes.find(({ code }) => code === answer.purpose) ?? null,
  };
}
