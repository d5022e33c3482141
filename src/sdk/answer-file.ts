import type { JSONWebKeySet } from 'jose';
import { verifyReceipt, type Receipt } from '../audit/receipt.ts';
import { systemClock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { InstitutionId } from '../vocabulary.ts';
import { answerDigest, sha256Hex, type Answer, type Exchange } from './bank.ts';

/** An answer as a bank keeps it: as it travelled, originals still sealed, with all that proves it. */
export type AnswerFile = Exchange & {
  readonly format: typeof answerFormat;
  readonly gateway: string;
  readonly institution: string;
  /** The platform's public keys when the answer came, for checks without network. */
  readonly keys: JSONWebKeySet;
};

export const answerFormat = 'veilgate-answer-1';
/** A sealed answer has at most 4 MiB, a third more in base64; the rest of an answer is smaller. */
export const answerFileLengthMax = 16_777_216;

/** Errors: CONFIG_INVALID. */
export function answerFileOf(content: unknown): AnswerFile {
  const { format, gateway, institution, request, answer, keys } = (content ?? {}) as Partial<AnswerFile>;
  if (format !== answerFormat || typeof gateway !== 'string' || typeof institution !== 'string' || typeof request !== 'string' || !isAnswer(answer) || !Array.isArray(keys?.keys)) {
    throw new VeilgateError('CONFIG_INVALID', 'This is no saved answer: name a file that `veilgate query ask --out` or the workbench wrote.');
  }
  return { format, gateway, institution, request, answer, keys };
}

function isAnswer(value: unknown): value is Answer {
  if (typeof value !== 'object' || value === null) return false;
  const { receipt, entry, data, withheld, verified } = value as Partial<Answer>;
  return typeof receipt === 'string' && typeof entry === 'object' && entry !== null && typeof data === 'object' && data !== null && Array.isArray(withheld) && Array.isArray(verified);
}

/**
 * Checks a receipt against what was asked and what was answered: steps 1 to 3 of docs/formats/receipt.md.
 * Errors: AUDIT_RECEIPT_INVALID.
 */
export async function checkReceipt({ gateway, institution, request, answer }: Omit<AnswerFile, 'keys' | 'format'>, keys: JSONWebKeySet): Promise<Receipt> {
  return verifyReceipt(answer.receipt, {
    keys, issuer: gateway, institution: institution as InstitutionId, clock: systemClock, record: answer.entry.record,
    request: await sha256Hex(request), answer: await answerDigest(answer),
  });
}
