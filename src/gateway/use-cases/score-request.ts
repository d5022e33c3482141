import { hash } from 'node:crypto';
import { canonicalJson } from '../../canonical.ts';
import { VeilgateError } from '../../errors.ts';
import type { ScoreRequestClaims, ScoreSubjects } from '../../scoring/protocol.ts';
import { isUscc } from '../../uscc.ts';
import type { InstitutionId } from '../../vocabulary.ts';

/** A signed request for scores after identity/ and the check of its form: who asks, for what, what was signed and about whom. */
export type SignedScore = {
  readonly institution: InstitutionId;
  readonly score: ScoreRequestClaims['score'];
  /** The compact JWS, which goes on to the custodian, and its SHA-256. */
  readonly request: string;
  readonly requestDigest: string;
  /** What was signed as a digest only. */
  readonly asked: ScoreSubjects;
};

/** SHA-256, lower-case hex, of the salted list of enterprises: what a request calls `subjects`. */
export function subjectsDigest({ salt, subjects }: ScoreSubjects): string {
  return hash('sha256', canonicalJson({ salt, subjects }), 'hex');
}

/**
 * Holds the list of enterprises against what was signed: digest, number, kind, check digits, nobody twice.
 * Errors: SCORE_INVALID.
 */
export function checkSubjects(score: ScoreRequestClaims['score'], kind: ScoreRequestClaims['score']['kind'], asked: ScoreSubjects): void {
  if (score.kind !== kind) throw invalid('/score/kind', kind === 'one' ? 'This door takes requests for one enterprise: for more, make a job.' : 'This door takes requests for many enterprises: ask for one at /v1/scores.');
  if (asked.subjects.length !== score.count || (kind === 'one' && score.count !== 1)) throw invalid('/subjects/subjects', 'The list holds another number of enterprises than was signed.');
  if (subjectsDigest(asked) !== score.subjects) throw invalid('/subjects', 'The list of enterprises is not the one that was signed: its digest differs.');
  // also keeps out of the log what is no credit code at all, such as a person's identity number
  if (!asked.subjects.every(({ subject }) => isUscc(subject))) throw invalid('/subjects/subjects', 'A unified social credit code has a wrong check digit: check how it was typed.');
  if (new Set(asked.subjects.map(({ subject }) => subject)).size < asked.subjects.length) throw invalid('/subjects/subjects', 'The list names an enterprise twice: name each once.');
}

function invalid(pointer: string, message: string): VeilgateError {
  return new VeilgateError('SCORE_INVALID', message, { part: 'body', pointer });
}
