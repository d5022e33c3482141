import type { JSONWebKeySet } from 'jose';
import { verifyReceipt } from '../audit/receipt.ts';
import { systemClock } from '../clock.ts';
import type { OpenedScore } from '../scoring/protocol.ts';
import type { InstitutionId } from '../vocabulary.ts';
import { sha256Hex } from './bank.ts';
import type { SigningCalls } from './connection.ts';
import { scoreJobPartDigest, type ScoreJobPart } from './score-jobs.ts';

/** Holds a part of a job against its receipt. @param request the job's signed request. Errors: AUDIT_RECEIPT_INVALID. */
export async function checkScoreJobPart(part: ScoreJobPart, request: string, keys: JSONWebKeySet, { gateway, credentials }: Pick<SigningCalls, 'gateway' | 'credentials'>): Promise<void> {
  await verifyReceipt(part.receipt, {
    keys, issuer: gateway, institution: credentials.party as InstitutionId, clock: systemClock, record: part.entry.record,
    request: await sha256Hex(request), answer: await scoreJobPartDigest(part),
  });
}

/** First line of a file of scores. */
export const scoreLinesHead = 'subject,score,band,reasons,disputed\n';

/** A line of CSV for each score: reasons are codes of the model, the costliest first; disputed are the fields behind it that the enterprise objects to. */
export function scoreLines(scores: readonly OpenedScore[]): string {
  return scores.map(({ subject, score, band, reasons, disputed = [] }) => `${subject},${score},${band},${reasons.join(' ')},${disputed.join(' ')}\n`).join('');
}

/** Who is not scored, as CSV. */
export function unscoredLines(unscored: readonly { readonly subject: string; readonly reason: string }[]): string {
  return ['subject,reason', ...unscored.map(({ subject, reason }) => `${subject},${reason}`)].join('\n').concat('\n');
}
