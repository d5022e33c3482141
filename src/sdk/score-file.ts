import type { JSONWebKeySet } from 'jose';
import { verifyReceipt, type Receipt } from '../audit/receipt.ts';
import { systemClock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { OpenableModel } from '../scoring/model/open.ts';
import type { OpenedScore } from '../scoring/protocol.ts';
import type { InstitutionId } from '../vocabulary.ts';
import { sha256Hex } from './bank.ts';
import type { SigningCalls } from './connection.ts';
import { openScoreAnswer, scoreDigest, type ScoreAnswer, type ScoreExchange } from './scores.ts';

/** A score as a bank keeps it: both halves still sealed, the model to read it with, and all that proves it. */
export type ScoreFile = ScoreExchange & {
  readonly format: typeof scoreFormat;
  readonly gateway: string;
  readonly institution: string;
  readonly openable: OpenableModel;
  /** The platform's public keys when the score came, for checks without network. */
  readonly keys: JSONWebKeySet;
};

export const scoreFormat = 'veilgate-score-1';
/** Characters of such a file. */
export const scoreFileLengthMax = 1_048_576;

/** Errors: CONFIG_INVALID. */
export function scoreFileOf(file: unknown): ScoreFile {
  const { format, gateway, institution, request, subjects, answer, openable, keys } = (file ?? {}) as Partial<ScoreFile>;
  if (format !== scoreFormat || typeof gateway !== 'string' || typeof institution !== 'string' || typeof request !== 'string' || !Array.isArray(subjects?.subjects) || !isAnswer(answer) || !Array.isArray(openable?.reasonRanges) || !Array.isArray(keys?.keys)) {
    throw new VeilgateError('CONFIG_INVALID', 'This is no saved score: name a file that `veilgate score one --out` or the workbench wrote.');
  }
  return { format, gateway, institution, request, subjects, answer, openable, keys };
}

/** True for the content of a file that holds a score, not the answer to a query. */
export function isScoreFile(content: Readonly<Record<string, unknown>>): boolean {
  return content['format'] === scoreFormat;
}

function isAnswer(value: unknown): value is ScoreAnswer {
  if (typeof value !== 'object' || value === null) return false;
  const { receipt, entry, sealed } = value as Partial<ScoreAnswer>;
  return typeof receipt === 'string' && typeof entry === 'object' && entry !== null && typeof sealed?.custodian === 'string' && typeof sealed.gateway === 'string';
}

/** Opens a saved score with the key of the institution it was given to. Errors: DISCLOSURE_KEY_MISSING, SCORE_UNREADABLE. */
export async function openScoreFile(saved: ScoreFile, { credentials }: Pick<SigningCalls, 'credentials'>): Promise<OpenedScore> {
  if (saved.institution !== credentials.party) throw new VeilgateError('SCORE_UNREADABLE', 'The score was given to another party: use the credentials it was asked with.');
  return openScoreAnswer(saved, saved.openable, { gateway: saved.gateway, credentials });
}

/** Checks a receipt against what was asked and what came back: steps 1 to 3 of docs/formats/receipt.md. Errors: AUDIT_RECEIPT_INVALID. */
export async function checkScoreReceipt({ gateway, institution, request, answer }: Pick<ScoreFile, 'gateway' | 'institution' | 'request' | 'answer'>, keys: JSONWebKeySet): Promise<Receipt> {
  return verifyReceipt(answer.receipt, {
    keys, issuer: gateway, institution: institution as InstitutionId, clock: systemClock, record: answer.entry.record,
    request: await sha256Hex(request), answer: await scoreDigest(answer),
  });
}
